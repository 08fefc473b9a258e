"""Sending: claim a batch, then chunk by chunk decide once more, render, commit `sending`, post, record.

Only the chunk in flight can ever be in doubt. No transaction is open while the provider is spoken to.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.ids import new_id, new_secret_id
from notifier.core.segments import measure
from notifier.core.states import KIND_RULES, Kind, Reason, State
from notifier.faults import FaultPoint
from notifier.gateways import Outcome, OutcomeClass, OutgoingSms
from notifier.messages import outcomes
from notifier.messages.claim import Batch, claim, effective_rate, put_probe_back
from notifier.messages.decide import Facts, Rules, Stop, decide
from notifier.messages.gather import Gathered
from notifier.messages.text import SmsTexts
from notifier.programme import Programme
from notifier.services import TEMPLATES, Services
from notifier.store import attempts, buckets, certificates, counters, notifications
from notifier.store.health import AWAY

#: messages decided, committed and posted together; only these can ever be in doubt
CHUNK = 200
#: how long an outcome is tried to be written while the database is away, in seconds: longer than a restart takes
_WRITE_TRIES = (0.1, 0.3, 1.0, 2.0, 5.0, 10.0, 20.0)

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
    """Sends what is due. Built once a process; holds nothing between batches but whether its gateway is ready."""

    def __init__(self, services: Services, pause: Callable[[float], None] = time.sleep) -> None:
        self._services = services
        self._pause = pause
        self._is_warm = False
        self._texts = SmsTexts(TEMPLATES / "sms", services.settings.sender_name)

    def send_batch(self, limit: int) -> SendReport:
        """Sends up to `limit` due notifications, chunk by chunk. Each chunk is claimed anew, so that a fresh dose, the
        kill switch and the circuit wait for one chunk at most."""
        self._warm()
        claimed = posted = 0
        while claimed < limit:
            wanted = min(CHUNK, limit - claimed)
            batch = claim(self._services, wanted)
            claimed += len(batch.rows)
            posted += self.send_claimed(batch) if batch.rows else 0
            if len(batch.rows) < wanted:
                return SendReport(claimed, posted, full=False)
        return SendReport(claimed, posted, full=True)

    def _warm(self) -> None:
        """Before the first claim: a worker killed while its gateway gets ready would leave a chunk in doubt."""
        if not self._is_warm:
            self._services.gateway.warm()
            self._is_warm = True

    def send_claimed(self, batch: Batch) -> int:
        """Decides, posts and records one claimed chunk; how many were posted."""
        began = self._services.clock.now()
        ready = self._prepare(batch)
        if ready and self._lease_is_over(began):
            # asleep since the commit: nobody counts on these any more, and somebody may have decided about them
            self._never_posted(ready, batch.token)
            ready = []
        if not ready:
            if batch.is_probe:
                put_probe_back(self._services)
            return 0
        answers = self._post([one.sms for one in ready])
        self._services.faults.reached(FaultPoint.PROVIDER_ANSWERED)
        settled = [
            outcomes.Settled(one.row, one.attempt_id, answer, one.sms.segments)
            for one, answer in zip(ready, answers, strict=True)
        ]
        self._record(settled, batch.token)
        return len(ready)

    def _lease_is_over(self, began: datetime) -> bool:
        return self._services.clock.now() - began >= timedelta(seconds=self._services.settings.lease_seconds)

    def _record(self, settled: list[outcomes.Settled], token: str) -> None:
        """Writes what came of the chunk, again and again while the database is away: nobody else knows it. Where it
        stays away, the leases run out and the outcomes are looked up at the provider."""
        for wait in (*_WRITE_TRIES, None):
            try:
                with self._services.db.write() as conn:
                    outcomes.record(conn, self._services, settled, token)
                    self._services.faults.reached(FaultPoint.OUTCOME_BEFORE_COMMIT)
                break
            except AWAY as error:
                if wait is None:
                    raise
                _log.error("outcomes not written yet", extra={"error": type(error).__name__, "messages": len(settled)})
                self._pause(wait)
        self._services.faults.reached(FaultPoint.OUTCOME_AFTER_COMMIT)

    def _post(self, messages: list[OutgoingSms]) -> list[Outcome]:
        try:
            return self._services.gateway.send(messages)
        except Exception as error:
            # a gateway's own fault: bytes may have left, so nothing but `unknown` is honest
            _log.error("gateway raised", extra={"error": type(error).__name__, "messages": len(messages)})
            return [Outcome(OutcomeClass.UNKNOWN) for _ in messages]

    def _prepare(self, batch: Batch) -> list[_Ready]:
        """Decides, and commits `sending` with the attempts of those that may go, in one transaction. Where it is in
        doubt whether that was committed, nothing is posted, and the rows are given back."""
        ready: list[_Ready] = []
        try:
            programme = self._services.programme
            with self._services.db.write() as conn:
                ready = self._decide(conn, batch, programme)
                self._services.faults.reached(FaultPoint.SENDING_BEFORE_COMMIT)
        except AWAY as error:
            _log.error("chunk not begun", extra={"error": type(error).__name__, "messages": len(batch.rows)})
            self._never_posted(ready, batch.token)
            return []
        self._services.faults.reached(FaultPoint.SENDING_AFTER_COMMIT)
        return ready

    def _never_posted(self, ready: list[_Ready], token: str) -> None:
        """Whether the commit was lost or not: no byte has left for certain, and that is evidence."""
        if ready:
            nothing = Outcome(OutcomeClass.NOT_BEGUN)
            self._record([outcomes.Settled(one.row, one.attempt_id, nothing, 1) for one in ready], token)

    def _decide(self, conn: Connection, batch: Batch, programme: Programme) -> list[_Ready]:
        now = self._services.clock.now()
        if counters.is_on(conn, counters.HOLD):
            ids = [row.id for row in batch.rows]
            notifications.move(conn, ids, State.SCHEDULED, old=[State.CLAIMED], at=now, token=batch.token)
            return []
        going: dict[str, OutgoingSms] = {}
        gathered = Gathered(conn, self._services, batch.rows, now)
        rules = Rules(
            quiet=programme.quiet,
            hold_after=timedelta(hours=programme.hold_after_hours),
            daily_cap=programme.person_daily_cap,
            spread=timedelta(minutes=self._services.settings.smooth_minutes),
        )
        for facts in gathered:
            stop = decide(facts, rules, now)
            sms = self._render(facts, programme.texts) if stop is None else None
            if sms is not None:
                going[facts.row.id] = sms
                gathered.goes(facts)
                _note_number(conn, facts, gathered.phone_index(facts))
            else:
                _stop(conn, facts.row, stop or Stop(State.HELD, Reason.UNREADABLE), batch.token, now)
        ready = self._begin(conn, going, batch.token, now) if going else []
        self._charge_longer(conn, ready)
        return ready

    def _charge_longer(self, conn: Connection, ready: list[_Ready]) -> None:
        """What a text costs beyond what was charged for its plan when it was claimed."""
        more = sum(max(0, one.sms.segments - one.row.segments) for one in ready)
        if more:
            at = self._services.db.now(conn)
            rate = effective_rate(conn, self._services, at)
            buckets.charge(conn, self._services.gateway.name, more, rate=rate, at=at)

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

    def _render(self, facts: Facts, own: Mapping[str, str]) -> OutgoingSms | None:
        """None where it cannot be written: one message's fault must not keep the others of its chunk."""
        try:
            return self._written(facts, own)
        except Exception as error:
            _log.error("SMS not written", extra={"error": type(error).__name__, "reference": facts.row.reference})
            return None

    def _written(self, facts: Facts, own: Mapping[str, str]) -> OutgoingSms:
        person = facts.person
        bears_link = KIND_RULES[Kind(facts.row.kind)].link
        if person is None or person.mobile is None or (bears_link and facts.link_public_id is None):
            raise RuntimeError("decide() let through a notification without person, number or link")
        text = self._texts.render(
            Kind(facts.row.kind),
            language=person.language,
            name=person.name,
            dose_number=facts.dose_number,
            link=self._address(facts),
            own=own,
            code=self._services.one_time_codes.code_of(facts.row.subject_id) if facts.row.kind == Kind.OTP else "",
        )
        return OutgoingSms(new_secret_id(), person.mobile, text, measure(text).segments)

    def _address(self, facts: Facts) -> str | None:
        """What the message leads to: the certificate, the case, where the old number objects, or the account."""
        if facts.tracker_id is not None:
            return self._services.tracker_url(facts.tracker_id)
        if facts.objection_id is not None:
            return self._services.objection_url(facts.objection_id)
        if facts.row.kind == Kind.REQUEST:
            return self._services.account_url
        return self._services.link_url(facts.link_public_id) if facts.link_public_id else None


def _note_number(conn: Connection, facts: Facts, index: bytes | None) -> None:
    """The number may have been corrected since the plan: whom it really goes to is what counts later."""
    if facts.row.phone_index != index:
        notifications.note_number(conn, facts.row.id, index)


def _stop(conn: Connection, row: notifications.Row, stop: Stop, token: str, now: datetime) -> None:
    values = {"due_at": stop.due_at} if stop.due_at else {}
    if stop.due_at and stop.replanned:
        values["planned_for"] = stop.due_at
    notifications.move(
        conn, [row.id], stop.state, old=[State.CLAIMED], at=now, reason=stop.reason, token=token, **values
    )
