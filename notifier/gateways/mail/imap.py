"""The folder that people's letters come into, by IMAP. A photo never leaves the server: only headers and text do."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from notifier.gateways.mail import Envelope, MailAway, Part
from notifier.gateways.mail.responses import Unreadable, answers, parts_of, read_tree
from notifier.mail_settings import MailTls

#: what is read of a letter's headers; nothing else is asked for
HEADERS = (
    "FROM SENDER REPLY-TO SUBJECT DATE MESSAGE-ID IN-REPLY-TO REFERENCES RETURN-PATH CONTENT-TYPE AUTO-SUBMITTED"
    " PRECEDENCE LIST-ID LIST-UNSUBSCRIBE X-AUTO-RESPONSE-SUPPRESS X-AUTOREPLY X-AUTORESPOND AUTHENTICATION-RESULTS"
)
_MOST_HEADERS = 32_768  # bytes
#: by which a server that knows keywords tells taken letters from new ones (RFC 9051, 2.3.2)
_TAKEN = "SertilinkTaken"
_FAULTS = (OSError, imaplib.IMAP4.error, EOFError, ValueError)  # ValueError: a server that answers nonsense

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where the folder is. `context`: whom we trust, None for the system's authorities."""

    host: str
    port: int
    tls: MailTls
    user: str
    password: str
    folder: str
    timeout_s: float
    context: ssl.SSLContext | None = None


@contextmanager
def open_folder(server: ImapServer) -> Iterator[ImapFolder]:
    """Connects, signs in and opens the folder. Raises MailAway."""
    connection = _away(lambda: _signed_in(server))
    try:
        yield _away(lambda: _selected(connection, server.folder))
    finally:
        with suppress(*_FAULTS):
            connection.logout()


def _signed_in(server: ImapServer) -> imaplib.IMAP4:
    context = server.context or ssl.create_default_context()
    if server.tls is MailTls.TLS:
        connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            server.host, server.port, ssl_context=context, timeout=server.timeout_s
        )
    else:
        connection = imaplib.IMAP4(server.host, server.port, timeout=server.timeout_s)
    try:
        if server.tls is MailTls.STARTTLS:
            connection.starttls(context)
        connection.login(server.user, server.password)
    except BaseException:
        connection.shutdown()
        raise
    return connection


def _selected(connection: imaplib.IMAP4, folder: str) -> ImapFolder:
    status, _ = connection.select(f'"{folder}"')
    validity = connection.response("UIDVALIDITY")[1]
    if status != "OK" or not validity or validity[0] is None:
        raise MailAway("the folder cannot be opened")
    return ImapFolder(connection, int(validity[0]))


class ImapFolder:
    """The open folder (gateways.mail.Mailbox)."""

    def __init__(self, connection: imaplib.IMAP4, uid_validity: int) -> None:
        self._connection = connection
        self.uid_validity = uid_validity

    def waiting(self) -> list[int]:
        """The uids of what was not put away, oldest first."""
        data = self._uid("SEARCH", f"UNDELETED UNKEYWORD {_TAKEN}")
        return sorted({int(uid) for line in data if isinstance(line, bytes) for uid in re.findall(rb"\d+", line)})

    def look(self, uid: int) -> Envelope | None:
        """One letter; None where it is gone."""
        data = self._uid(
            "FETCH", str(uid), f"(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({HEADERS})]<0.{_MOST_HEADERS}>)"
        )
        found = _told(data, uid)
        headers = next((value for name, value in found.items() if name.startswith("BODY[HEADER")), None)
        if headers is None:
            return None
        size = found.get("RFC822.SIZE") or b"0"
        return Envelope(uid, int(size), headers[:_MOST_HEADERS], self._parts(uid))

    def text(self, uid: int, part: Part, most: int) -> bytes:
        """At most so many bytes of a part, as they are encoded."""
        found = _told(self._uid("FETCH", str(uid), f"(UID BODY.PEEK[{part.section}]<0.{most}>)"), uid)
        value = found.get(f"BODY[{part.section}]") or b""
        return bytes(value)[:most]

    def put_away(self, uid: int, *, delete: bool) -> None:
        """Marks a letter as taken, and deletes it. Safe to do twice."""
        with suppress(MailAway):  # a server that takes no keywords of ours says so; we know the uid by ourselves
            self._uid("STORE", str(uid), "+FLAGS.SILENT", f"({_TAKEN})")
        if delete:
            self._uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)")
            if "UIDPLUS" in self._connection.capabilities:
                self._uid("EXPUNGE", str(uid))
            else:
                _away(self._connection.expunge)

    def _parts(self, uid: int) -> list[Part] | None:
        data = self._uid("FETCH", str(uid), "(UID BODYSTRUCTURE)")
        try:
            return parts_of(answers(read_tree(data), uid).get("BODYSTRUCTURE"))
        except Unreadable:
            return None

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        status, data = _away(lambda: self._connection.uid(command, *arguments))
        if status != "OK":
            raise MailAway(f"{command} was refused")
        return [piece for piece in data if piece is not None]


def _told(data: list[Any], uid: int) -> dict[str, Any]:
    try:
        return answers(read_tree(data), uid)
    except Unreadable:
        raise MailAway("the server's answer cannot be read") from None


def _away(call: Callable[[], Result]) -> Result:
    """`from None`: what a server or the library says may quote an address."""
    try:
        return call()
    except _FAULTS as error:
        raise MailAway(type(error).__name__) from None
