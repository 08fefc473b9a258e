"""The outer worlds that we speak to: the Gateway protocol, Twilio, the local catcher, the registry.

May live here: everything there is to know about one provider, in that provider's module. May not: states, schedules,
decisions, the environment. A gateway that keeps its messages in the database goes through store/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from notifier.core.opt_out_words import Meaning
from notifier.core.states import Channel, Said


class OutcomeClass(StrEnum):
    """What one attempt came to. See DESIGN, "Outcome classes"."""

    ACCEPTED = "accepted"  #: the provider has it, and named it
    NOT_SENT = "not-sent"  #: certainly not taken: no connection, DNS, TLS; try again
    NOT_BEGUN = "not-begun"  #: never handed to the gateway; try again, burns no attempt
    RATE_LIMITED = "rate-limited"  #: certainly not taken: too much at once; try again, burns no attempt
    TRY_LATER = "try-later"  #: the phone could not be reached; worth another day
    PERMANENT = "permanent"  #: refused for good
    NUMBER_BAD = "number-bad"  #: refused for good, since the number cannot receive
    OPTED_OUT = "opted-out"  #: refused for good, since the person told the provider to stop
    SENDER_MISCONFIGURED = "sender-misconfigured"  #: our account or sender is wrong; hold the queue, burn no attempt
    HOLD = "hold"  #: refused with a code that we do not know: an operator decides
    UNKNOWN = "unknown"  #: bytes left and no clear answer came: never sent again blindly


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One message to post. The text holds a person's link: it lives in memory only."""

    attempt_reference: str  #: goes into the callback address
    to: str = field(repr=False)  #: E.164
    text: str = field(repr=False)
    segments: int = 1


@dataclass(frozen=True, slots=True)
class OutgoingChat:
    """One message of a chat. `options` are buttons where the provider has them, and numbers where it has none, or where
    `is_plain`; `tail` stands below them. `file_url`: of a PDF that comes with it. `reopens`: more than 24 hours have
    passed since the person wrote, so that nothing but a template of the provider's may go."""

    attempt_reference: str  #: goes into the callback address
    to: str = field(repr=False)  #: E.164
    text: str = field(repr=False)
    options: tuple[str, ...] = field(default=(), repr=False)
    tail: str = ""
    file_url: str | None = field(default=None, repr=False)
    language: str = "id"
    is_plain: bool = False
    reopens: bool = False

    @property
    def numbered(self) -> str:
        """The whole text, with the options by their numbers."""
        options = "\n".join(f"{number}. {option}" for number, option in enumerate(self.options, 1))
        return "\n\n".join(part for part in (self.text, options, self.tail) if part)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one OutgoingSms."""

    kind: OutcomeClass
    provider_sid: str | None = None
    http_status: int | None = None
    code: str | None = None  #: the provider's own error code
    retry_after_s: float | None = None


class ReceiptState(StrEnum):
    """A provider's word about a message, in our vocabulary."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery receipt as the provider gave it; `raw` is kept sealed."""

    attempt_reference: str
    provider_sid: str
    state: ReceiptState | None  #: None: a word of the provider's that says nothing about delivery
    provider_word: str
    code: str | None = None
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """One row of a provider's error table."""

    code: str
    kind: OutcomeClass
    meaning: str  #: plain English
    advice: str  #: what an operator should do
    source: str  #: the provider's page


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """A message that the provider's list knows: what settles an unknown outcome."""

    provider_sid: str
    state: ReceiptState | None
    text: str = field(repr=False)
    code: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """What somebody wrote to our sender, as the provider handed it on."""

    provider_sid: str
    channel: Channel
    sender: str | None = field(repr=False)  #: E.164; None where it is no telephone number (a name, a short code)
    text: str = field(repr=False)
    provider_meaning: Meaning | None = None  #: what the provider itself has made of it, and acted upon
    is_answered: bool = False  #: the provider has answered in our place
    said: Said = Said.TEXT  #: by WhatsApp; of a button `text` is its number


@dataclass(frozen=True, slots=True)
class InboundAnswer:
    """The body that the provider's webhook for incoming messages is answered with."""

    body: str
    content_type: str


class BadWebhook(Exception):
    """A webhook without a valid signature, or without what it must hold: it changes nothing."""


class Gateway(Protocol):
    """A way to send an SMS, and to answer in a chat. Small enough that a local provider is one module."""

    name: str

    def send(self, messages: Sequence[OutgoingSms]) -> list[Outcome]:
        """Posts all of them concurrently and answers in the same order. Never raises for one message's sake."""
        ...

    def send_chat(self, messages: Sequence[OutgoingChat]) -> list[Outcome]:
        """As `send`, by WhatsApp."""
        ...

    def look_up(self, to: str) -> list[FoundMessage]:
        """The newest messages to a number that the provider knows of. Raises OSError where it cannot be asked."""
        ...

    def read_receipt(self, attempt_reference: str, path: str, form: Mapping[str, str], signature: str) -> Receipt:
        """A webhook as a receipt. `path` is what follows our public address. Raises BadWebhook."""
        ...

    def read_inbound(self, path: str, form: Mapping[str, str], signature: str) -> Inbound:
        """A webhook as a message that somebody wrote to our sender. Raises BadWebhook."""
        ...

    def answer_inbound(self, text: str | None) -> InboundAnswer:
        """The webhook's answer that sends `text` back to who wrote; None sends nothing."""
        ...

    def waiting_receipts(self, limit: int) -> list[Receipt]:
        """Receipts that the gateway holds for us to fetch; [] where it calls us instead."""
        ...

    def explain(self, code: str) -> ErrorMeaning | None:
        """The meaning of the provider's error code; None where we do not know it."""
        ...

    def warm(self) -> None:
        """Makes ready whatever the first `send` would have to, so that no message is in doubt meanwhile."""
        ...

    def close(self) -> None:
        """Lets go of connections and threads."""
        ...
