"""What a letter is: who wrote, whether it may be answered, what it says, and what was left out unread.

Everything in it was chosen by a stranger. What cannot be read makes a poorer letter, never an error: the letter itself
is a case all the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from email import policy
from email.headerregistry import AddressHeader
from email.parser import BytesHeaderParser

from notifier.core.mail_addresses import is_mail_address, message_ids, same_address
from notifier.core.states import LetterKind
from notifier.gateways.mail import Envelope, Part
from notifier.support.mail import texts

MAX_SUBJECT = 200  # characters that are kept
MAX_TEXT = 10_000
_MOST_BYTES = 131_072  # of one part, as it is encoded
_MOST_TEXTS = 3
_LONGEST_HEADER = 2_000  # the library takes minutes over longer ones that were made for it
#: smaller ones are the ornaments of a signature
_LEAST_PHOTO = 20_000
_ROBOTS = re.compile(
    r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?|owner-.*|.*-request|majordomo|listserv)([+._-].*)?@",
    re.IGNORECASE,
)
_AUTOMATIC = frozenset({"auto_reply", "auto-reply", "autoreply"})
_FAILED_CHECKS = re.compile(r"\bdmarc\s*=\s*fail\b", re.IGNORECASE)
#: a signature is no file that somebody sent
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/delivery-status", "message/global-headers"})


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter as we keep it. `sender`: one plain address, or None where there is none to be read."""

    kind: LetterKind
    sender: str | None = field(repr=False)
    may_answer: bool
    subject: str = field(repr=False)
    text: str = field(repr=False)  #: without what it quotes
    identity: str = field(repr=False)  #: the same for two copies of one letter, another for every other
    message_id: str | None = field(repr=False)
    answers_to: tuple[str, ...] = field(repr=False)  #: message ids, the nearest last
    photos: int = 0  #: left at the server unread
    files: int = 0
    is_cut: bool = False  #: longer than is kept
    is_unreadable: bool = False  #: somebody must look at it with a mail program


def read(envelope: Envelope, fetch: Callable[[Part, int], bytes], *, own: Sequence[str]) -> Letter:
    """Reads a letter; `fetch(part, most)` brings a part's bytes. `own`: the addresses that we write from."""
    headers = _Headers(envelope.headers)
    sender = headers.one_address("from")
    is_ours = sender is not None and same_address(sender) in {same_address(one) for one in own}
    kind = LetterKind.AUTOMATIC if is_ours else _kind(headers, envelope.parts or ())
    parts = envelope.parts
    text, is_cut = _text(parts or (), fetch)
    returned = _returned_ids(parts or (), fetch) if kind is LetterKind.RETURNED else ()
    written = texts.own_words(text) or text
    subject = texts.tidied(headers.text("subject"))[:MAX_SUBJECT].replace("\n", " ")
    message_id = next(iter(message_ids(headers.raw("message-id"))), None)
    return Letter(
        kind=kind,
        sender=sender,
        may_answer=kind is LetterKind.WRITTEN and sender is not None and _may_answer(headers, sender),
        subject=subject,
        text=written[:MAX_TEXT],
        identity=_identity(message_id, headers, subject, text),
        message_id=message_id,
        answers_to=(*message_ids(headers.raw("references")), *message_ids(headers.raw("in-reply-to")), *returned),
        photos=sum(_is_photo(part) for part in parts or ()),
        files=sum(_is_file(part) for part in parts or ()),
        is_cut=is_cut or len(written) > MAX_TEXT,
        is_unreadable=parts is None,
    )


def unread(envelope: Envelope) -> Letter:
    """A letter of which nothing was understood: a case, and nobody is answered."""
    return Letter(
        kind=LetterKind.WRITTEN,
        sender=None,
        may_answer=False,
        subject="",
        text="",
        identity=hashlib.sha256(envelope.headers).hexdigest(),
        message_id=None,
        answers_to=(),
        is_unreadable=True,
    )


class _Headers:
    """Header fields, each cut to a length and read on its own, so that a bad one spoils no other."""

    def __init__(self, raw: bytes) -> None:
        # the old policy leaves values as they are; each is read by the new one when it is asked for
        self._parsed = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)

    def raw(self, name: str) -> str:
        """As it stands; "" where there is none."""
        return str(self._parsed.get(name, ""))[:_LONGEST_HEADER]

    def count(self, name: str) -> int:
        return len(self._parsed.get_all(name, []))

    def words(self, name: str) -> set[str]:
        """What stands before the parameters of each field of a name, in small letters and without blanks."""
        values = (str(value)[:_LONGEST_HEADER] for value in self._parsed.get_all(name, []))
        return {"".join(value.partition(";")[0].split()).lower() for value in values}

    def text(self, name: str) -> str:
        """Decoded."""
        try:
            return str(policy.default.header_factory(name, _unfolded(self.raw(name))))
        except Exception:  # the library raises a dozen kinds of error for what strangers write
            return self.raw(name)

    def one_address(self, name: str) -> str | None:
        """The plain address of a header that holds exactly one."""
        if self.count(name) != 1:
            return None
        try:
            header = policy.default.header_factory(name, _unfolded(self.raw(name)))
            found = [one.addr_spec for one in header.addresses] if isinstance(header, AddressHeader) else []
        except Exception:  # as above
            return None
        return found[0] if len(found) == 1 and is_mail_address(found[0]) else None


def _unfolded(value: str) -> str:
    return " ".join(value.split())


def _kind(headers: _Headers, parts: Sequence[Part]) -> LetterKind:
    content, precedence = "".join(headers.raw("content-type").lower().split()), headers.words("precedence")
    is_report = content.startswith("multipart/report")
    if is_report and "report-type=disposition-notification" in content.replace('"', ""):
        return LetterKind.AUTOMATIC  # it says that ours was read: nothing has come back
    is_from_nobody = bool(headers.words("return-path") & {"<>", ""})
    if is_report or (is_from_nobody and any(part.kind in _RETURNED for part in parts)):
        return LetterKind.RETURNED
    if headers.words("auto-submitted") - {"", "no"} or is_from_nobody or precedence & _AUTOMATIC:
        return LetterKind.AUTOMATIC
    if headers.count("x-autoreply") or headers.count("x-autorespond"):
        return LetterKind.AUTOMATIC
    if precedence & {"bulk", "list", "junk"} or headers.count("list-id") or headers.count("list-unsubscribe"):
        return LetterKind.BULK
    return LetterKind.WRITTEN


def _may_answer(headers: _Headers, sender: str) -> bool:
    """RFC 3834, 2: nothing that a program may have sent, and nobody whose name was borrowed."""
    suppressed = {one.strip().lower() for one in headers.raw("x-auto-response-suppress").split(",")}
    is_forged = _FAILED_CHECKS.search(headers.raw("authentication-results")) is not None
    return not (suppressed & {"all", "autoreply", "oof"} or _ROBOTS.match(sender) or is_forged)


def _text(parts: Iterable[Part], fetch: Callable[[Part, int], bytes]) -> tuple[str, bool]:
    """(what it says, whether some of it was left out). Plain text, where there is any; else the HTML's words."""
    shown = [part for part in parts if not part.is_attached]
    for kind, read_it in (("text/plain", str), ("text/html", texts.of_html)):
        chosen = [part for part in shown if part.kind == kind]
        found = [_decoded(part, fetch) for part in chosen[:_MOST_TEXTS]]
        text = texts.tidied("\n".join(read_it(one) for one in found))
        if text:
            is_cut = len(chosen) > _MOST_TEXTS or any(part.size > _MOST_BYTES for part in chosen)
            return text, is_cut
    return "", False


def _decoded(part: Part, fetch: Callable[[Part, int], bytes]) -> str:
    return texts.decoded(fetch(part, _MOST_BYTES), encoding=part.encoding, charset=part.charset)


def _returned_ids(parts: Iterable[Part], fetch: Callable[[Part, int], bytes]) -> tuple[str, ...]:
    """The message ids in what a letter that did not arrive comes back with."""
    found: list[str] = []
    for part in [part for part in parts if part.kind in _RETURNED][:_MOST_TEXTS]:
        for line in fetch(part, 16_384).decode("ascii", "replace").splitlines():
            if line.lower().startswith("message-id:"):
                found += message_ids(line)
    return tuple(found[:5])


def _is_photo(part: Part) -> bool:
    return part.kind.startswith("image/") and (part.is_attached or part.size >= _LEAST_PHOTO)


def _is_file(part: Part) -> bool:
    is_text = part.kind.startswith("text/") and not part.is_attached
    return not (is_text or part.kind.startswith("image/") or part.kind in _RETURNED | _SIGNATURES)


def _identity(message_id: str | None, headers: _Headers, subject: str, text: str) -> str:
    said = "\0".join((message_id or "", headers.raw("from"), headers.raw("date"), subject, text))
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()
