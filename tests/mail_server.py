"""A mailbox and a post office on loopback, for tests: as much of IMAP4rev1 and SMTP as a real client needs, with faults
on demand. Standard library only, one thread a connection, and it never sleeps."""

from __future__ import annotations

import email
import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from enum import Enum
from typing import Any

USER, PASSWORD = "bantuan", "kata-sandi-uji"


class Fault(Enum):
    """What the post office does with the next letter."""

    NONE = "none"
    BUSY = "busy"  #: 451 once it has the text: certainly not taken
    REFUSED = "refused"  #: 550 for the recipient
    DROP_BEFORE = "drop-before"  #: hangs up before the text
    TAKE_AND_DROP = "take-and-drop"  #: takes it and hangs up instead of saying so
    LOSE_AND_DROP = "lose-and-drop"  #: hangs up after the text, and does not have it


@dataclass
class Stored:
    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class MailServer:
    """Both servers' state. `fetched`: (uid, section, bytes) of every body that was handed out; `posted`: (sender,
    recipient, letter) of everything that was taken."""

    stored: list[Stored] = field(default_factory=list)
    uid_validity: int = 7
    next_uid: int = 1
    knows_keywords: bool = True
    is_read_only: bool = False
    fetched: list[tuple[int, str, int]] = field(default_factory=list)
    posted: list[tuple[str, str, bytes]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    imap_port: int = 0
    smtp_port: int = 0
    structure: bytes | None = None  #: told instead of the true one
    lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, raw: bytes) -> int:
        """A letter comes; its uid."""
        with self.lock:
            self.stored.append(Stored(self.next_uid, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")))
            self.next_uid += 1
            return self.stored[-1].uid

    @property
    def settings(self) -> dict[str, Any]:
        """How it is set."""
        return {
            "mail_host": "127.0.0.1",
            "mail_port": self.imap_port,
            "mail_smtp_port": self.smtp_port,
            "mail_tls": "off",
            "mail_smtp_tls": "off",
            "mail_user": USER,
            "mail_password": PASSWORD,
            "mail_address": "bantuan@contoh.example",
        }

    def letters(self) -> list[Message]:
        """What was taken, parsed."""
        return [email.message_from_bytes(raw, policy=policy.default) for _, _, raw in self.posted]


@contextmanager
def a_mail_server(tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """Both servers, until the end of the block; `tls`: they speak TLS from the first byte."""
    state = MailServer()
    servers = [_server(state, handler, tls) for handler in (_Imap, _Smtp)]
    state.imap_port, state.smtp_port = (server.server_address[1] for server in servers)
    try:
        yield state
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _server(
    state: MailServer, handler: type[socketserver.StreamRequestHandler], tls: ssl.SSLContext | None
) -> socketserver.ThreadingTCPServer:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads, server.block_on_close = True, False
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.state = state  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


class _Imap(socketserver.StreamRequestHandler):
    timeout, disable_nagle_algorithm, wbufsize = 10, True, -1

    def handle(self) -> None:
        self.state: MailServer = self.server.state  # type: ignore[attr-defined]
        self._say(b"* OK IMAP4rev1", flush=True)
        try:
            while line := self.rfile.readline():
                tag, _, rest = line.strip().partition(b" ")
                if not self._obey(tag, rest.decode()):
                    return
        except (OSError, ValueError):
            return

    def _say(self, line: bytes, *, flush: bool = False) -> None:
        self.wfile.write(line + b"\r\n")
        if flush:
            self.wfile.flush()

    def _obey(self, tag: bytes, line: str) -> bool:
        name, _, rest = line.partition(" ")
        if name.upper() == "UID":
            name, _, rest = rest.partition(" ")
        answer = b"OK done"
        with self.state.lock:
            match name.upper():
                case "CAPABILITY":
                    self._say(b"* CAPABILITY IMAP4rev1 UIDPLUS")
                case "LOGIN":
                    answer = b"OK in" if rest == f'{USER} "{PASSWORD}"' else b"NO wrong"
                case "SELECT":
                    self._say(f"* {len(self.state.stored)} EXISTS".encode())
                    self._say(f"* OK [UIDVALIDITY {self.state.uid_validity}] valid".encode())
                case "SEARCH":
                    found = [one.uid for one in self.state.stored if not one.flags & {"\\Deleted", "SertilinkTaken"}]
                    self._say(f"* SEARCH {' '.join(map(str, found))}".strip().encode())
                case "FETCH":
                    self._fetch(rest)
                case "STORE":
                    answer = self._store(rest)
                case "EXPUNGE":
                    self._expunge(rest)
                case "LOGOUT":
                    self._say(b"* BYE")
                case _:
                    answer = b"BAD what"
        self._say(tag + b" " + answer, flush=True)
        return name.upper() != "LOGOUT"

    def _fetch(self, rest: str) -> None:
        uid, _, items = rest.partition(" ")
        for place, one in enumerate(self.state.stored, start=1):
            if one.uid != int(uid):
                continue
            told = [b"UID " + uid.encode()]
            if "RFC822.SIZE" in items:
                told.append(f"RFC822.SIZE {len(one.raw)}".encode())
            if "BODYSTRUCTURE" in items:
                told.append(b"BODYSTRUCTURE " + (self.state.structure or structure_of(one.raw)))
            if asked := re.search(r"BODY\.PEEK\[([^\]]*)\]<0\.(\d+)>", items):
                section, most = asked[1], int(asked[2])
                body = section_of(one.raw, section)[:most]
                self.state.fetched.append((one.uid, section.partition(" ")[0], len(body)))
                told.append(f"BODY[{section}]<0> {{{len(body)}}}\r\n".encode() + body)
            self._say(f"* {place} FETCH (".encode() + b" ".join(told) + b")")

    def _store(self, rest: str) -> bytes:
        uid, _, flags = rest.partition(" ")
        wanted = set(re.search(r"\(([^)]*)\)", flags)[1].split())  # type: ignore[index]
        if self.state.is_read_only:
            return b"NO read only"
        if "SertilinkTaken" in wanted and not self.state.knows_keywords:
            return b"NO no keywords"
        for one in self.state.stored:
            if one.uid == int(uid):
                one.flags |= wanted
        return b"OK done"

    def _expunge(self, rest: str) -> None:
        only = int(rest) if rest else None
        gone = [one for one in self.state.stored if "\\Deleted" in one.flags and only in {None, one.uid}]
        self.state.stored = [one for one in self.state.stored if one not in gone]


def _parsed(raw: bytes) -> Message:
    return email.message_from_bytes(raw, policy=policy.compat32)


def _quoted(text: str | None) -> bytes:
    if text is None:
        return b"NIL"
    raw = text.encode("utf-8", "surrogateescape")
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\r", b"").replace(b"\n", b"") + b'"'


def _parameters(pairs: list[tuple[str, str]] | None) -> bytes:
    if not pairs:
        return b"NIL"
    return b"(" + b" ".join(_quoted(name) + b" " + _quoted(value) for name, value in pairs) + b")"


def structure_of(raw: bytes) -> bytes:
    """A letter's BODYSTRUCTURE."""
    return _structure(_parsed(raw))


def _structure(part: Message) -> bytes:
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        inner = b"".join(_structure(one) for one in part.get_payload())  # type: ignore[arg-type]
        return b"(" + inner + b" " + _quoted(part.get_content_subtype()) + b' ("BOUNDARY" "x") NIL NIL)'
    body = _body(part)
    words = [
        _quoted(part.get_content_maintype()),
        _quoted(part.get_content_subtype()),
        _parameters((part.get_params() or [])[1:]),
        _quoted(part.get("Content-ID")),
        b"NIL",
        _quoted(str(part.get("Content-Transfer-Encoding", "7bit"))),
        str(len(body)).encode(),
    ]
    if part.get_content_maintype() == "text":
        words.append(str(body.count(b"\n")).encode())
    if part.get_content_type() == "message/rfc822":
        words += [b"(" + b" ".join([b"NIL"] * 10) + b")", b'("text" "plain" NIL NIL NIL "7bit" 1 1)', b"1"]
    disposition = part.get_params(header="content-disposition")
    shown = b"NIL"
    if disposition:
        shown = b"(" + _quoted(disposition[0][0]) + b" " + _parameters(disposition[1:]) + b")"
    return b"(" + b" ".join([*words, b"NIL", shown, b"NIL"]) + b")"


def _body(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):
        return b"".join(one.as_bytes() for one in payload)
    return str(payload).encode("utf-8", "surrogateescape")


def section_of(raw: bytes, section: str) -> bytes:
    """What stands in a section of a letter, as it is encoded."""
    if section.startswith("HEADER.FIELDS"):
        wanted = {name.lower() for name in section.partition("(")[2].rstrip(")").split()}
        kept, is_kept = [], False
        for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n"):
            if not line.startswith((b" ", b"\t")):
                is_kept = line.partition(b":")[0].decode("ascii", "replace").lower() in wanted
            if is_kept:
                kept.append(line)
        return b"\r\n".join([*kept, b"", b""])
    part = _parsed(raw)
    for number in map(int, section.split(".")):
        if part.get_content_maintype() == "multipart":
            part = part.get_payload()[number - 1]  # type: ignore[index,assignment]
    return _body(part)


class _Smtp(socketserver.StreamRequestHandler):
    timeout, disable_nagle_algorithm, wbufsize = 10, True, -1

    def handle(self) -> None:
        self.state: MailServer = self.server.state  # type: ignore[attr-defined]
        self._say("220 here")
        sender = to = ""
        try:
            while line := self.rfile.readline().decode("ascii", "replace").strip():
                with self.state.lock:
                    fault = self.state.faults[0] if self.state.faults else Fault.NONE
                match line.partition(" ")[0].upper():
                    case "EHLO":
                        self._say("250-here\r\n250 AUTH PLAIN LOGIN")
                    case "AUTH":
                        self._say("235 in")
                    case "MAIL":
                        sender = line.partition("<")[2].partition(">")[0]
                        self._say("250 well")
                    case "RCPT":
                        to = line.partition("<")[2].partition(">")[0]
                        if fault is Fault.REFUSED:
                            self._done()
                        self._say("550 nobody" if fault is Fault.REFUSED else "250 well")
                    case "DATA":
                        if fault is Fault.DROP_BEFORE:
                            return self._done()
                        self._say("354 go on")
                        if not self._take(sender, to, fault):
                            return None
                    case "QUIT":
                        return self._say("221 bye")
                    case _:
                        self._say("250 well")
        except OSError:
            return None
        return None

    def _take(self, sender: str, to: str, fault: Fault) -> bool:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line[1:] if line.startswith(b".") else line)
        with self.state.lock:
            self._done()
            if fault in {Fault.NONE, Fault.TAKE_AND_DROP}:
                self.state.posted.append((sender, to, b"".join(lines)))
        if fault in {Fault.TAKE_AND_DROP, Fault.LOSE_AND_DROP}:
            return False
        self._say("451 later" if fault is Fault.BUSY else "250 taken")
        return True

    def _done(self) -> None:
        if self.state.faults:
            self.state.faults.pop(0)

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")
        self.wfile.flush()
