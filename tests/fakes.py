"""Fakes made by hand: a clock that is moved, a gateway that remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.states import Channel
from notifier.gateways import (
    BadWebhook,
    ErrorMeaning,
    FoundMessage,
    Inbound,
    InboundAnswer,
    Outcome,
    OutcomeClass,
    OutgoingChat,
    OutgoingSms,
    Receipt,
    ReceiptState,
)
from notifier.store.engine import Database

#: a Monday, 10:00 in Jakarta
MONDAY_MORNING = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = MONDAY_MORNING) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def tick(self, **by: float) -> None:
        """Moves on: `clock.tick(minutes=10)`."""
        self._now += timedelta(**by)

    def set(self, now: datetime) -> None:
        self._now = now


class OvertakenDatabase(Database):
    """A database in which somebody else is faster, once: `meanwhile` happens just before the transaction that writes
    after `passes` others have."""

    def __init__(self, database: Database, meanwhile: Callable[[], object], *, passes: int = 0) -> None:
        vars(self).update(vars(database))  # the same engine: it is no second database
        self.meanwhile = [meanwhile]
        self._passes = passes

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._passes -= 1
        while self._passes < 0 and self.meanwhile:
            self.meanwhile.pop()()
        with super().write() as conn:
            yield conn


class FakeGateway:
    """Remembers what was sent; answers with `answer(message)`, by default accepted."""

    name = "fake"

    def __init__(self) -> None:
        self.sent: list[OutgoingSms] = []
        self.chat: list[OutgoingChat] = []
        self.answer_chat: Callable[[OutgoingChat], Outcome] = self.accept_chat
        self.receipts: list[Receipt] = []
        self.found: dict[str, list[FoundMessage]] = {}
        self.answer: Callable[[OutgoingSms], Outcome] = self.accept

    def accept(self, message: OutgoingSms) -> Outcome:
        return Outcome(OutcomeClass.ACCEPTED, provider_sid=f"SM{len(self.sent):032d}", http_status=201)

    def send(self, messages: Sequence[OutgoingSms]) -> list[Outcome]:
        outcomes = []
        for message in messages:
            self.sent.append(message)
            outcomes.append(self.answer(message))
        return outcomes

    def accept_chat(self, message: OutgoingChat) -> Outcome:
        return Outcome(OutcomeClass.ACCEPTED, provider_sid=f"SM{len(self.chat):032x}", http_status=201)

    def send_chat(self, messages: Sequence[OutgoingChat]) -> list[Outcome]:
        outcomes = []
        for message in messages:
            self.chat.append(message)
            outcomes.append(self.answer_chat(message))
        return outcomes

    def look_up(self, to: str) -> list[FoundMessage]:
        return self.found.get(to, [])

    def read_receipt(self, attempt_reference: str, path: str, form: Mapping[str, str], signature: str) -> Receipt:
        if signature != "genuine":
            raise BadWebhook("forged")
        return Receipt(
            attempt_reference,
            form["MessageSid"],
            ReceiptState(form["MessageStatus"]),
            form["MessageStatus"],
            form.get("ErrorCode"),
            raw=repr(sorted(form.items())).encode(),
        )

    def read_inbound(self, path: str, form: Mapping[str, str], signature: str) -> Inbound:
        if signature != "genuine":
            raise BadWebhook("forged")
        scheme, _, number = form["From"].rpartition(":")
        channel = Channel.WHATSAPP if scheme == "whatsapp" else Channel.SMS
        return Inbound(form["MessageSid"], channel, number if number.startswith("+") else None, form.get("Body", ""))

    def answer_inbound(self, text: str | None) -> InboundAnswer:
        return InboundAnswer(text or "", "text/plain")

    def waiting_receipts(self, limit: int) -> list[Receipt]:
        taken, self.receipts = self.receipts[:limit], self.receipts[limit:]
        return taken

    def explain(self, code: str) -> ErrorMeaning | None:
        return None

    def warm(self) -> None:
        pass

    def close(self) -> None:
        pass
