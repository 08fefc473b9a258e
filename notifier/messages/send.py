"""Sending: claim a batch, then chunk by chunk decide once more, render, commit `sending`, post, record.

Only the chunk in flight can ever be in doubt. No transaction is open while the provider is spoken to.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.ids import new_id, new_secret_id
from notifier.core.segments import measure
from notifier.core.states import Kind, Reason, State
from notifier.gateways import Outcome, OutcomeClass, OutgoingSms
from notifier.messages import outcomes
from notifier.messages.claim import Batch, claim
from notifier.messages.decide import Facts, Rules, Stop, decide
from notifier.messages.gather import Gathered
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES, Services
from notifier.store import attempts, certificates, notifications

CHUNK = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SendReport:
    """What one batch came to. `full`: there may be more."""

    claimed: int
    posted: int
    full: bool


@dataclass(frozen=True, slots=True)
class _Ready:
    """One message whose attempt is committed."""

    row: notifications.Row
    sms: OutgoingSms
    attempt_id: str


class Sender:
    """Sends what is due. Built once a process; holds no state between batches."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._texts = SmsTexts(TEMPLATES / "sms", services.settings.sender_name)
        self._rules = Rules(
            quiet=services.quiet,
            hold_after=timedelta(hours=services.settings.hold_after_hours),
            daily_cap=services.settings.person_daily_cap,
        )

    def send_batch(self, limit: int) -> SendReport:
        """Claims up to `limit` due notifications and sends them."""
        batch = claim(self._services, limit)
        posted = 0
        for start in range(0, len(batch.rows), CHUNK):
            posted += self._send_chunk(batch, batch.rows[start : start + CHUNK])
        return SendReport(len(batch.rows), posted, full=len(batch.rows) == limit)

    def _send_chunk(self, batch: Batch, rows: Sequence[notifications.Row]) -> int:
        ready = self._prepare(batch.token, rows)
        if not ready:
            return 0
        answers = self._post([one.sms for one in ready])
        settled = [
            outcomes.Settled(one.row, one.attempt_id, answer, one.sms.segments)
            for one, answer in zip(ready, answers, strict=True)
        ]
        with self._services.db.write() as conn:
            outcomes.record(conn, self._services, settled, batch.token)
        return len(ready)

    def _post(self, messages: list[OutgoingSms]) -> list[Outcome]:
        try:
            return self._services.gateway.send(messages)
        except Exception as error:
            # a gateway's own fault: bytes may have left, so nothing but `unknown` is honest
            _log.error("gateway raised", extra={"error": type(error).__name__, "messages": len(messages)})
            return [Outcome(OutcomeClass.UNKNOWN) for _ in messages]

    def _prepare(self, token: str, rows: Sequence[notifications.Row]) -> list[_Ready]:
        """Decides, and commits `sending` with the attempts of those that may go, in one transaction."""
        now = self._services.clock.now()
        with self._services.db.write() as conn:
            going: dict[str, OutgoingSms] = {}
            gathered = Gathered(conn, self._services, rows, now)
            for facts in gathered:
                stop = decide(facts, self._rules, now)
                sms = self._render(facts) if stop is None else None
                if sms is not None:
                    going[facts.row.id] = sms
                    gathered.goes(facts)
                    _note_number(conn, facts, gathered.phone_index(facts))
                else:
                    _stop(conn, facts.row, stop or Stop(State.HELD, Reason.UNREADABLE), token, now)
            return self._begin(conn, going, token, now) if going else []

    def _begin(self, conn: Connection, going: dict[str, OutgoingSms], token: str, now: datetime) -> list[_Ready]:
        settings = self._services.settings
        begun = notifications.begin_sending(
            conn,
            going,
            token=token,
            lease=self._services.db.lease(timedelta(seconds=settings.lease_seconds)),
            at=now,
        )
        ready = [_Ready(row, going[row.id], new_id()) for row in begun]
        attempts.insert_many(conn, [self._attempt(one, token, now) for one in ready])
        links = [one.row.link_id for one in ready if one.row.link_id]
        if links:
            certificates.renew_expiry(conn, links, now + timedelta(days=settings.link_days))
        return ready

    def _attempt(self, one: _Ready, token: str, now: datetime) -> dict[str, Any]:
        return {
            "id": one.attempt_id,
            "reference": one.sms.attempt_reference,
            "notification_id": one.row.id,
            "number": one.row.attempts,
            "lease_token": token,
            "gateway": self._services.gateway.name,
            "started_at": now,
        }

    def _render(self, facts: Facts) -> OutgoingSms | None:
        """None where it cannot be written: one message's fault must not keep the others of its chunk."""
        try:
            return self._written(facts)
        except Exception as error:
            _log.error("SMS not written", extra={"error": type(error).__name__, "reference": facts.row.reference})
            return None

    def _written(self, facts: Facts) -> OutgoingSms:
        person = facts.person
        if person is None or person.mobile is None or facts.link_public_id is None:
            raise RuntimeError("decide() let through a notification without person, number or link")
        text = self._texts.render(
            Kind(facts.row.kind),
            language=person.language,
            name=person.name,
            dose_number=facts.dose_number,
            link=self._services.link_url(facts.link_public_id),
        )
        return OutgoingSms(new_secret_id(), person.mobile, text, measure(text).segments)


def _note_number(conn: Connection, facts: Facts, index: bytes | None) -> None:
    """The number may have been corrected since the plan: whom it really goes to is what counts later."""
    if facts.row.phone_index != index:
        notifications.note_number(conn, facts.row.id, index)


def _stop(conn: Connection, row: notifications.Row, stop: Stop, token: str, now: datetime) -> None:
    values = {"due_at": stop.due_at} if stop.due_at else {}
    notifications.move(
        conn, [row.id], stop.state, old=[State.CLAIMED], at=now, reason=stop.reason, token=token, **values
    )
