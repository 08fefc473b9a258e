"""The catcher: a gateway that keeps every SMS in the database instead of sending it. Local only.

It behaves like a provider: it names what it took, and a receipt can be fetched afterwards.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from notifier.core.clock import Clock
from notifier.core.segments import measure
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
from notifier.store import caught, caught_chat
from notifier.store.engine import Database
from notifier.store.sealed import Sealer


class Catcher:
    """Keeps SMS for `/catcher` and `sertilink demo`, and plays telephones with a chat on them."""

    name = "catcher"

    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock

    def send(self, messages: Sequence[OutgoingSms]) -> list[Outcome]:
        """Keeps them all in one transaction."""
        now = self._clock.now()
        kept = []
        for message in messages:
            size = measure(message.text)
            kept.append(
                caught.CaughtSms(
                    provider_sid="SM" + secrets.token_hex(16),
                    attempt_reference=message.attempt_reference,
                    to=message.to,
                    text=message.text,
                    encoding=size.encoding,
                    segments=size.segments,
                    caught_at=now,
                    reference=None,
                    state=None,
                )
            )
        with self._db.write() as conn:
            caught.insert_many(conn, self._sealer, kept)
        return [Outcome(OutcomeClass.ACCEPTED, provider_sid=sms.provider_sid, http_status=201) for sms in kept]

    def send_chat(self, messages: Sequence[OutgoingChat]) -> list[Outcome]:
        """Puts them on the telephones of the chat window, in one transaction."""
        now = self._clock.now()
        with self._db.write() as conn:
            for message in messages:
                bubble = caught_chat.Bubble(True, message.text, message.options, message.tail, message.file_url or "")
                caught_chat.add(conn, self._sealer, message.to, [bubble], at=now)
        return [Outcome(OutcomeClass.ACCEPTED, "SM" + secrets.token_hex(16), http_status=201) for _ in messages]

    def look_up(self, to: str) -> list[FoundMessage]:
        """What was caught for a number."""
        with self._db.read() as conn:
            found = caught.to_number(conn, self._sealer, to)
        return [
            FoundMessage(sms.provider_sid, ReceiptState.DELIVERED, sms.text, created_at=sms.caught_at) for sms in found
        ]

    def read_receipt(self, attempt_reference: str, path: str, form: Mapping[str, str], signature: str) -> Receipt:
        """Nobody calls a webhook for the catcher, so whatever comes is forged."""
        raise BadWebhook("the catcher has no webhooks")

    def read_inbound(self, path: str, form: Mapping[str, str], signature: str) -> Inbound:
        """Nobody can write to the catcher, so whatever comes is forged."""
        raise BadWebhook("the catcher has no webhooks")

    def answer_inbound(self, text: str | None) -> InboundAnswer:
        """Nobody is there to be answered."""
        return InboundAnswer("", "text/plain")

    def waiting_receipts(self, limit: int) -> list[Receipt]:
        """`delivered` for each caught SMS whose receipt is not kept yet."""
        with self._db.write() as conn:
            waiting = caught.unreported(conn, limit, self._clock.now())
        return [Receipt(reference, sid, ReceiptState.DELIVERED, "delivered") for reference, sid in waiting]

    def explain(self, code: str) -> ErrorMeaning | None:
        """The catcher refuses nothing."""
        return None

    def warm(self) -> None:
        """Nothing to make ready."""

    def close(self) -> None:
        """Nothing to let go of."""
