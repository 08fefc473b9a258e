"""The mailbox that people write to: read by IMAP, answered by SMTP. The libraries are Python's own.

    imap.py        The folder: what waits, what a letter is made of, its text; what was taken is put away
    responses.py   The server's answers as trees, and BODYSTRUCTURE as a list of parts
    smtp.py        One letter out, and what became of it

Only the headers that we read and the parts that are text ever leave the mail server: a photo is not fetched at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class MailAway(Exception):
    """The mail server cannot be reached, or does not let us in; tried again later. Never quotes the server."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a letter, as the server tells it. `section`: by which it is fetched."""

    section: str
    kind: str  #: `text/plain`, lower case
    charset: str | None
    encoding: str  #: `base64`, lower case
    size: int  #: bytes as they are encoded
    is_attached: bool  #: has a file name, or is called an attachment


@dataclass(frozen=True, slots=True)
class Envelope:
    """A letter without its parts. `parts` is None where the server's account of them cannot be read."""

    uid: int
    size: int
    headers: bytes = field(repr=False)
    parts: Sequence[Part] | None


class Mailbox(Protocol):
    """The open folder. Every method raises MailAway where the connection is lost."""

    @property
    def uid_validity(self) -> int:
        """Under another one the same uid is another letter (RFC 9051, 2.3.1.1)."""
        ...

    def waiting(self) -> list[int]:
        """The uids of what was not put away, oldest first."""
        ...

    def look(self, uid: int) -> Envelope | None:
        """One letter; None where it is gone."""
        ...

    def text(self, uid: int, part: Part, most: int) -> bytes:
        """At most so many bytes of a part, as they are encoded."""
        ...

    def put_away(self, uid: int, *, delete: bool) -> None:
        """Marks a letter as taken, and deletes it. Safe to do twice."""
        ...


class PostOutcome(StrEnum):
    """What became of one letter out."""

    SENT = "sent"  #: the server has it
    NOT_SENT = "not-sent"  #: certainly not taken; try again
    REFUSED = "refused"  #: refused for good
    UNKNOWN = "unknown"  #: the text has left and no clear answer came: never sent again blindly


@dataclass(frozen=True, slots=True)
class Posted:
    """The outcome, with the server's code where it gave one."""

    outcome: PostOutcome
    code: int | None = None


class Mail(Protocol):
    """What `Services` holds: the way to the mail server."""

    def open_mailbox(self) -> AbstractContextManager[Mailbox]:
        """Connects and opens the folder. Raises MailAway."""
        ...

    def post(self, *, sender: str, to: str, letter: bytes) -> Posted:
        """Hands one finished letter to the server. Never raises for what the network does."""
        ...
