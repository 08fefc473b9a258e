"""What a test key does: every rule is asked, and the answer is the one that a live key would have; nothing is recorded
where a person, a sender or a statistic could meet it, and nothing is sent (docs/decisions/0033).

How a message goes on is a script (magic_numbers) that the clock plays from the due time on. Quiet hours do not count,
or a test at night would wait for the morning; the delay of the event does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.access.api_keys import ApiKey
from notifier.core.errors import BadInput, Conflict, NotFound, Refused
from notifier.core.ids import new_id, new_reference
from notifier.core.states import FINAL, NOT_LEFT, Channel, Kind, Reason, State
from notifier.intake import people
from notifier.intake.event import Event, EventType, content_bytes, warnings_for
from notifier.intake.record import Recorded, RecordOutcome
from notifier.messages import plan
from notifier.services import Services
from notifier.store import locks, sandbox
from notifier.support import magic_numbers
from notifier.support.magic_numbers import Step

KEPT = timedelta(days=30)
_SUPPRESSED = "suppressed"  #: the script of what is never sent
_WAITING = Step(timedelta(0), State.SCHEDULED, attempts=0)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a test message stands at a moment, in the words of a notification's row."""

    reference: str
    kind: str
    channel: str
    generation: int
    status: str
    reason: str | None
    provider_code: str | None
    attempts: int
    accepted_at: datetime
    due_at: datetime
    left_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class _Job:
    conn: Connection
    services: Services
    key: ApiKey
    at: datetime


def record(services: Services, key: ApiKey, event: Event) -> Recorded:
    """What `intake.record` would answer. Raises BadInput, Conflict, and Refused (`answer-429`, `answer-503`) for the
    numbers that stand for these."""
    sealer, at = services.sealer, services.clock.now()
    event_index = sealer.index("sandbox.event", event.event_id)
    dose_index = sealer.index("sandbox.dose", event.dose.id)
    content = sealer.index("event.content", content_bytes(event))
    with services.db.write() as conn:
        locks.hold(conn, *(sealer.index("lock.sandbox", key.id.encode() + one) for one in (event_index, dose_index)))
        job = _Job(conn, services, key, at)
        earlier = sandbox.of_event(conn, key.id, event_index)
        if earlier is not None:
            if earlier.content_index != content:
                raise Conflict("this event_id came before with other content; give a changed event an id of its own")
            return _answer(event, RecordOutcome.REPEATED, standing(earlier, at))
        messages = sandbox.of_dose(conn, key.id, dose_index)
        if event.event_type is EventType.ENTERED_IN_ERROR:
            return _withdraw(job, event, messages)
        indexes = {"event_index": event_index, "dose_index": dose_index, "content_index": content}
        return _take(job, event, messages, indexes)


def _withdraw(job: _Job, event: Event, messages: list[sandbox.Row]) -> Recorded:
    if not messages:
        return _answer(event, RecordOutcome.WITHDRAWN, None, Reason.WITHDRAWN)
    if messages[0].cancel_reason == Reason.WITHDRAWN:
        return _answer(event, RecordOutcome.UNCHANGED, standing(messages[0], job.at))
    sandbox.update(job.conn, messages[0].id, cancelled_at=job.at, cancel_reason=Reason.WITHDRAWN.value)
    row = sandbox.find(job.conn, job.key.id, messages[0].reference)
    return _answer(event, RecordOutcome.WITHDRAWN, standing(row, job.at), Reason.WITHDRAWN)


def _take(job: _Job, event: Event, messages: list[sandbox.Row], indexes: dict[str, bytes]) -> Recorded:
    if event.person is None:
        raise BadInput.of("person", "patient-unknown", "we do not know this person yet; send the person with the dose")
    person = people.fresh(job.services, event.person, event.recorded_at)
    reason = Reason.HISTORICAL if event.historical else plan.unreachable(person)
    script = _SUPPRESSED if reason else magic_numbers.script_of(person.mobile)
    if script in magic_numbers.ANSWERS:
        raise Refused(script)
    newest = messages[0] if messages else None
    values = {"script": script, "reason": reason.value if reason else None, "content_index": indexes["content_index"]}
    kind, outcome = Kind.CERTIFICATE, RecordOutcome.PLANNED
    if newest is not None and newest.cancel_reason != Reason.WITHDRAWN:
        now = standing(newest, job.at)
        if newest.content_index == indexes["content_index"]:
            return _answer(event, RecordOutcome.UNCHANGED, now)
        if State(now.status) in NOT_LEFT:
            sandbox.update(job.conn, newest.id, **values)
            return _answer(event, RecordOutcome.UPDATED, standing(_again(job, newest), job.at))
        kind, outcome = Kind.CORRECTION, RecordOutcome.CORRECTED
    due_at = job.at + _delay(job.services, event)
    generation = 1 + max((row.generation for row in messages if row.kind == kind), default=0)
    row = _insert(job, kind=kind.value, generation=generation, due_at=due_at, **indexes | values)
    return _answer(event, RecordOutcome.SUPPRESSED if reason else outcome, standing(row, job.at))


def _again(job: _Job, row: sandbox.Row) -> sandbox.Row:
    found = sandbox.find(job.conn, job.key.id, row.reference)
    if found is None:
        raise NotFound("there is no notification with this reference")
    return found


def _insert(job: _Job, **values: Any) -> sandbox.Row:
    return sandbox.insert(
        job.conn,
        id=new_id(),
        reference=new_reference(),
        api_key_id=job.key.id,
        accepted_at=job.at,
        created_at=job.at,
        expires_at=job.at + KEPT,
        **values,
    )


def _delay(services: Services, event: Event) -> timedelta:
    hours = event.notify.delay_hours
    return timedelta(hours=services.programme.delay_hours if hours is None else hours)


def _answer(event: Event, outcome: RecordOutcome, stands: Standing | None, reason: Reason | None = None) -> Recorded:
    return Recorded(
        outcome=outcome,
        event_id=event.event_id,
        reference=stands.reference if stands else None,
        state=State(stands.status) if stands else None,
        reason=reason or (Reason(stands.reason) if stands and stands.reason else None),
        due_at=stands.due_at if stands else None,
        warnings=tuple(warnings_for(event)),
    )


def find(services: Services, key: ApiKey, reference: str) -> Standing:
    """Where a key's test message stands now. Raises NotFound."""
    with services.db.read() as conn:
        row = sandbox.find(conn, key.id, reference)
    if row is None:
        raise NotFound("there is no notification with this reference")
    return standing(row, services.clock.now())


def listed(
    services: Services, key: ApiKey, *, since: datetime | None, after: tuple[datetime, str] | None, limit: int
) -> list[Standing]:
    """A key's test messages, newest first."""
    at = services.clock.now()
    with services.db.read() as conn:
        return [standing(row, at) for row in sandbox.page(conn, key.id, since=since, after=after, limit=limit)]


def resend(services: Services, key: ApiKey, reference: str, *, at: datetime) -> Standing:
    """The next generation of a test message, due at `at`. Raises NotFound or Refused."""
    with services.db.write() as conn:
        job = _Job(conn, services, key, services.clock.now())
        row, now = _held(job, reference)
        if row.cancel_reason == Reason.WITHDRAWN:
            raise Refused(Reason.WITHDRAWN)
        if row.script == _SUPPRESSED or now.reason in {Reason.OPTED_OUT, Reason.NOT_ME}:
            raise Refused(now.reason or "not-resendable")
        others = [standing(other, job.at) for other in sandbox.of_dose(conn, key.id, row.dose_index)]
        waiting = {*NOT_LEFT, State.SENDING} - {State.HELD}
        if any(State(other.status) in waiting for other in others):
            raise Refused("still-waiting")
        kept = ("event_index", "content_index", "dose_index", "kind", "script", "reason")
        generation = 1 + max(other.generation for other in others if other.kind == row.kind)
        again = {name: getattr(row, name) for name in kept}
        return standing(_insert(job, generation=generation, due_at=at, **again), job.at)


def cancel(services: Services, key: ApiKey, reference: str) -> Standing:
    """Takes back a test message that has not left yet. Raises NotFound or Refused."""
    with services.db.write() as conn:
        job = _Job(conn, services, key, services.clock.now())
        row, now = _held(job, reference)
        if State(now.status) not in NOT_LEFT:
            stopped = State(now.status) in {State.CANCELLED, State.SUPPRESSED, State.EXPIRED}
            raise Refused("already-stopped" if stopped else "has-left")
        sandbox.update(conn, row.id, cancelled_at=job.at, cancel_reason=Reason.OPERATOR.value)
        return standing(_again(job, row), job.at)


def _held(job: _Job, reference: str) -> tuple[sandbox.Row, Standing]:
    """A test message that nobody else moves until the transaction ends."""
    row = sandbox.find(job.conn, job.key.id, reference)
    if row is None:
        raise NotFound("there is no notification with this reference")
    locks.hold(job.conn, job.services.sealer.index("lock.sandbox", job.key.id.encode() + row.dose_index))
    row = _again(job, row)
    return row, standing(row, job.at)


def standing(row: Any, at: datetime) -> Standing:
    """Where a test message stands at a moment."""
    played = [(row.due_at + step.after, step) for step in magic_numbers.steps_of(row.script)]
    if row.script == _SUPPRESSED:
        played = [(row.created_at, Step(timedelta(0), State.SUPPRESSED, Reason(row.reason), attempts=0))]
    until = min(at, row.cancelled_at) if row.cancelled_at else at
    past = [(moment, step) for moment, step in played if moment <= until]
    moment, step = past[-1] if past else (row.created_at, _WAITING)
    if row.cancelled_at is not None and step.state in NOT_LEFT:
        moment, step = (
            row.cancelled_at,
            Step(timedelta(0), State.CANCELLED, Reason(row.cancel_reason), None, step.attempts),
        )
    left = next((when for when, one in past if one.state is State.ACCEPTED), None)
    return Standing(
        reference=row.reference,
        kind=row.kind,
        channel=Channel.SMS.value,
        generation=row.generation,
        status=step.state.value,
        reason=step.reason.value if step.reason else None,
        provider_code=step.code,
        attempts=step.attempts,
        accepted_at=row.accepted_at,
        due_at=row.due_at,
        left_at=left,
        ended_at=moment if step.state in FINAL else None,
        created_at=row.created_at,
        id=row.id,
    )
