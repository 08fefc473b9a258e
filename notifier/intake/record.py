"""`record`: the one way into the database. Each event is whole in one transaction and done once, whatever the door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from notifier.core.errors import BadInput, Conflict, Problem
from notifier.core.states import Reason, State
from notifier.intake import effects, people
from notifier.intake.effects import RecordOutcome
from notifier.intake.event import Event, content_bytes, warnings_for
from notifier.messages.plan import PlanOptions
from notifier.services import Services
from notifier.store import audit, events, locks, notifications

_TRIES = 3

Result = TypeVar("Result")

__all__ = ["Door", "PlanOptions", "RecordOutcome", "Recorded", "dead_letter", "record", "record_many"]


class Door(StrEnum):
    """Where an event came in."""

    FORM = "form"
    API = "api"
    FHIR = "fhir"
    IMPORT = "import"
    STREAM = "stream"
    DEMO = "demo"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a door can answer. `reference`, `state`, `due_at` (UTC): of the notification, where there is one."""

    outcome: RecordOutcome
    event_id: str
    reference: str | None = None
    state: State | None = None
    reason: Reason | None = None
    due_at: datetime | None = None
    warnings: tuple[Problem, ...] = ()


def record(services: Services, event: Event, *, door: Door, actor: str, options: PlanOptions | None = None) -> Recorded:
    """Records one event. Raises BadInput (nothing was written), or Conflict where the event id came before with other
    content."""
    return _tried_again(services, lambda conn: _record(conn, services, event, door, actor, options or PlanOptions()))


def record_many(
    services: Services, batch: Sequence[Event], *, door: Door, actor: str, options: PlanOptions | None = None
) -> list[Recorded | BadInput | Conflict]:
    """Records a batch in one transaction, each event behind its own savepoint: a bad one leaves no trace and takes no
    other with it. Tried again where PostgreSQL ended it because of a deadlock with another batch."""
    return _tried_again(
        services,
        lambda conn: [_guarded(conn, services, event, door, actor, options or PlanOptions()) for event in batch],
    )


def dead_letter(services: Services, *, door: Door, body: bytes, problems: Sequence[Problem]) -> None:
    """Keeps what could not be accepted, sealed, with the reasons, for the operators' list."""
    with services.db.write() as conn:
        events.add_dead_letter(
            conn, services.sealer, door=door.value, body=body, problems=problems, at=services.clock.now()
        )


def _tried_again(services: Services, work: Callable[[Connection], Result]) -> Result:
    """`work` in one transaction, a few times where the database ended it: two batches may lock two doses crosswise."""
    for attempt in range(1, _TRIES + 1):
        try:
            with services.db.write() as conn:
                return work(conn)
        except OperationalError:
            if attempt == _TRIES:
                raise
    raise AssertionError("unreachable")


def _guarded(
    conn: Connection, services: Services, event: Event, door: Door, actor: str, options: PlanOptions
) -> Recorded | BadInput | Conflict:
    try:
        with conn.begin_nested():
            return _record(conn, services, event, door, actor, options)
    except (BadInput, Conflict) as error:
        return error


def _record(
    conn: Connection, services: Services, event: Event, door: Door, actor: str, options: PlanOptions
) -> Recorded:
    at = services.clock.now()
    content = services.sealer.index("event.content", content_bytes(event))
    row_id = events.claim_id(
        conn,
        event_id=event.event_id,
        event_type=event.event_type.value,
        content_index=content,
        door=door.value,
        at=at,
        recorded_at=event.recorded_at,
    )
    if row_id is None:
        return _repeated(conn, event, content)
    locks.hold(conn, locks.dose_key(services.sealer, event.dose.id), *people.lock_keys(services, event))
    effect = effects.apply(conn, services, event, event_row_id=row_id, options=options, at=at)
    row = effect.notification
    events.settle(
        conn,
        row_id,
        outcome=effect.outcome.value,
        reason=effect.reason.value if effect.reason else None,
        dose_id=effect.dose_id,
        notification_id=row.id if row else None,
    )
    audit.write(
        conn,
        at=at,
        actor=actor,
        action="event.accepted",
        subject="dose",
        subject_id=effect.dose_id,
        event_type=event.event_type.value,
        outcome=effect.outcome.value,
        reason=effect.reason.value if effect.reason else None,
        reference=row.reference if row else None,
    )
    return _answer(event, effect.outcome, row, effect.reason)


def _repeated(conn: Connection, event: Event, content: bytes) -> Recorded:
    earlier = events.find(conn, event.event_id)
    if earlier is None or earlier.content_index != content:
        raise Conflict("this event_id came before with other content; give a changed event an id of its own")
    row = notifications.get(conn, earlier.notification_id) if earlier.notification_id else None
    return _answer(event, RecordOutcome.REPEATED, row, Reason(earlier.reason) if earlier.reason else None)


def _answer(event: Event, outcome: RecordOutcome, row: notifications.Row | None, reason: Reason | None) -> Recorded:
    return Recorded(
        outcome=outcome,
        event_id=event.event_id,
        reference=row.reference if row else None,
        state=State(row.status) if row else None,
        reason=reason or (Reason(row.reason) if row and row.reason else None),
        due_at=row.due_at if row else None,
        warnings=tuple(warnings_for(event)),
    )
