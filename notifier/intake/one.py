"""One event, whole, inside the caller's transaction: the way that every event can go, and the answer to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, Conflict, Problem
from notifier.core.states import Reason, State
from notifier.intake import effects, erased, people
from notifier.intake.effects import RecordOutcome
from notifier.intake.event import Event, content_bytes, warnings_for
from notifier.messages.plan import PlanOptions
from notifier.services import Services
from notifier.store import audit, events, locks, notifications, persons


class Door(StrEnum):
    """Where an event came in."""

    FORM = "form"
    API = "api"
    FHIR = "fhir"
    IMPORT = "import"
    STREAM = "stream"
    DEMO = "demo"
    COMMAND = "command"
    OWN = "own"  #: the person, about their own data


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


Answer = Recorded | BadInput | Conflict


@dataclass(frozen=True, slots=True)
class Job:
    """What all events of one call have in common."""

    services: Services
    door: Door
    actor: str
    options: PlanOptions


@dataclass(frozen=True, slots=True)
class Item:
    """An event with what can be worked out about it before the database is asked."""

    event: Event
    content: bytes  #: the keyed hash of what it says
    dose: bytes  #: the key under which everything that is done to its dose stands in line
    source: bytes | None  #: the blind index of the source's id of its person
    nik: bytes | None
    warnings: tuple[Problem, ...]
    draft: persons.Draft | None = None  #: its person, should they be new; made at need where it is not made ahead

    @property
    def locks(self) -> tuple[bytes, ...]:
        """What two events of one dose or one person share."""
        return tuple(key for key in (self.dose, self.source, self.nik) if key is not None)


def item_of(services: Services, event: Event, *, with_draft: bool = False) -> Item:
    """The event, made ready; `with_draft`: with all that can be, for a process that has time to spare."""
    sealer = services.sealer
    source, nik = people.indexes(services, event)
    content = sealer.index("event.content", content_bytes(event))
    drafted = draft_of(services, event, source) if with_draft else None
    warnings = tuple(warnings_for(event))
    return Item(event, content, locks.dose_key(sealer, event.dose.id), source, nik, warnings, drafted)


def draft_of(services: Services, event: Event, source: bytes | None) -> persons.Draft | None:
    """The person of an event as somebody new, where the event says who it is."""
    if event.person is None:
        return None
    return persons.draft(services.sealer, people.fresh(services, event.person, event.recorded_at), source)


def guarded(conn: Connection, job: Job, item: Item) -> Answer:
    """`record_one` behind a savepoint: where it refuses, it leaves no trace."""
    try:
        with conn.begin_nested():
            return record_one(conn, job, item)
    except (BadInput, Conflict) as error:
        return error


def record_one(conn: Connection, job: Job, item: Item) -> Recorded:
    """Records one event. Raises BadInput, and Conflict where the event id came before with other content."""
    services, event = job.services, item.event
    at = services.clock.now()
    locks.hold(conn, *item.locks)  # before the event id: a batch takes both in this order too
    row_id = events.claim_id(
        conn,
        event_id=event.event_id,
        event_type=event.event_type.value,
        content_index=item.content,
        door=job.door.value,
        at=at,
        recorded_at=event.recorded_at,
    )
    if row_id is None:
        return _repeated(conn, item)
    erased.refuse(conn, services, item.locks)
    effect = effects.apply(conn, services, event, event_row_id=row_id, options=job.options, at=at)
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
        actor=job.actor,
        action="event.accepted",
        subject="dose",
        subject_id=effect.dose_id,
        **told(event, effect.outcome, effect.reason, row.reference if row else None),
    )
    return answer(item, effect.outcome, row._mapping if row else None, effect.reason)


def told(event: Event, outcome: RecordOutcome, reason: Reason | None, reference: str | None) -> dict[str, str | None]:
    """What the audit keeps of an accepted event."""
    return {
        "event_type": event.event_type.value,
        "outcome": outcome.value,
        "reason": reason.value if reason else None,
        "reference": reference,
    }


def _repeated(conn: Connection, item: Item) -> Recorded:
    earlier = events.find(conn, item.event.event_id)
    row = notifications.get(conn, earlier.notification_id) if earlier and earlier.notification_id else None
    return repeated(item, earlier, row)


def repeated(item: Item, earlier: Any, row: Any) -> Recorded:
    """The answer to an event that came before, from its row and its notification's. Raises Conflict."""
    if earlier is None or earlier.content_index != item.content:
        raise Conflict("this event_id came before with other content; give a changed event an id of its own")
    reason = Reason(earlier.reason) if earlier.reason else None
    return answer(item, RecordOutcome.REPEATED, row._mapping if row else None, reason)


def answer(
    item: Item, outcome: RecordOutcome, notification: Mapping[Any, Any] | None, reason: Reason | None
) -> Recorded:
    """What a door is told. `notification`: the columns of its row."""
    row = notification or {}
    return Recorded(
        outcome=outcome,
        event_id=item.event.event_id,
        reference=row.get("reference"),
        state=State(row["status"]) if row else None,
        reason=reason or (Reason(row["reason"]) if row.get("reason") else None),
        due_at=row.get("due_at"),
        warnings=item.warnings,
    )
