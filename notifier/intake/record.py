"""`record`: the one way into the database. Each event is whole in one transaction and done once, whatever the door."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from notifier.core.errors import BadInput, Conflict, Problem
from notifier.faults import FaultPoint
from notifier.intake import batch as batches
from notifier.intake.effects import RecordOutcome
from notifier.intake.event import Event
from notifier.intake.one import Door, Item, Job, Recorded, item_of, record_one
from notifier.messages.plan import PlanOptions
from notifier.services import Services
from notifier.store import events

_TRIES = 3

Result = TypeVar("Result")

__all__ = [
    "Door",
    "PlanOptions",
    "RecordOutcome",
    "Recorded",
    "dead_letter",
    "in_transaction",
    "record",
    "record_after",
    "record_many",
]


def record(services: Services, event: Event, *, door: Door, actor: str, options: PlanOptions | None = None) -> Recorded:
    """Records one event. Raises BadInput (nothing was written), or Conflict where the event id came before with other
    content."""
    job = Job(services, door, actor, options or PlanOptions())
    item = item_of(services, event)
    return in_transaction(services, lambda conn: record_one(conn, job, item))


def record_after(
    services: Services,
    event: Event,
    first: Callable[[Connection], None],
    *,
    door: Door,
    actor: str,
    options: PlanOptions | None = None,
) -> Recorded:
    """`record`, with what `first` writes in the same transaction, before it: both, or neither. Raises what `record` and
    `first` raise."""
    job = Job(services, door, actor, options or PlanOptions())
    item = item_of(services, event)

    def work(conn: Connection) -> Recorded:
        first(conn)
        return record_one(conn, job, item)

    return in_transaction(services, work)


def record_many(
    services: Services, batch: Sequence[Event], *, door: Door, actor: str, options: PlanOptions | None = None
) -> list[Recorded | BadInput | Conflict]:
    """Records a batch in one transaction, with the answers and the rows that one event after the other would give: a
    bad one leaves no trace and takes no other with it. Tried again where PostgreSQL ended it because of a deadlock."""
    return record_items(
        services, [item_of(services, event) for event in batch], door=door, actor=actor, options=options
    )


def record_items(
    services: Services, items: Sequence[Item], *, door: Door, actor: str, options: PlanOptions | None = None
) -> list[Recorded | BadInput | Conflict]:
    """`record_many` of events that were made ready elsewhere."""
    if not items:
        return []
    job = Job(services, door, actor, options or PlanOptions())
    return in_transaction(services, lambda conn: batches.record_items(conn, job, items))


def record_within(
    conn: Connection, services: Services, items: Sequence[Item], *, door: Door, actor: str, options: PlanOptions
) -> list[Recorded | BadInput | Conflict]:
    """`record_items` as a part of the caller's transaction (`in_transaction`)."""
    return batches.record_items(conn, Job(services, door, actor, options), items) if items else []


def dead_letter(services: Services, *, door: Door, body: bytes, problems: Sequence[Problem]) -> None:
    """Keeps what could not be accepted, sealed, with the reasons, for the operators' list."""
    with services.db.write() as conn:
        events.add_dead_letter(
            conn, services.sealer, door=door.value, body=body, problems=problems, at=services.clock.now()
        )


def in_transaction(services: Services, work: Callable[[Connection], Result]) -> Result:
    """`work` in one transaction, a few times where the database ended it: two callers may want two rows crosswise. For
    those who write something of their own together with what they record (`record_within`)."""
    for attempt in range(1, _TRIES + 1):
        try:
            with services.db.write() as conn:
                result = work(conn)
                services.faults.reached(FaultPoint.INTAKE_BEFORE_COMMIT)
        except OperationalError:
            if attempt == _TRIES:
                raise
        else:
            services.faults.reached(FaultPoint.INTAKE_AFTER_COMMIT)
            return result
    raise AssertionError("unreachable")
