"""What `sertilink prove` reads of a whole database, to be compared with the provider's ledger. Ids and words only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import State
from notifier.store.tables import attempt, event, link, notification


@dataclass(frozen=True, slots=True)
class EventRow:
    """One accepted event."""

    event_id: str
    dose_id: str | None
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """One notification, that is one generation. `link`: its public id."""

    id: str
    reference: str
    dose_id: str | None
    generation: int
    status: str
    reason: str | None
    link: str | None
    due_at: datetime
    left_at: datetime | None
    updated_at: datetime
    look_up_at: datetime | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything that a verdict needs. `attempts`: reference -> notification id."""

    events: tuple[EventRow, ...]
    notifications: tuple[NotificationRow, ...]
    attempts: dict[str, str]


def read(conn: Connection) -> Rows:
    """All rows."""
    events = sa.select(event.c.event_id, event.c.dose_id, event.c.outcome, event.c.reason)
    columns = (notification.c[name] for name in NotificationRow.__slots__ if name != "link")
    told = sa.select(*columns, link.c.public_id.label("link")).join(
        link, link.c.id == notification.c.link_id, isouter=True
    )
    tried = sa.select(attempt.c.reference, attempt.c.notification_id)
    return Rows(
        tuple(EventRow(**row._mapping) for row in conn.execute(events)),
        tuple(NotificationRow(**row._mapping) for row in conn.execute(told)),
        {reference: notification_id for reference, notification_id in conn.execute(tried)},
    )


def event_ids(conn: Connection) -> set[str]:
    """The events that are recorded."""
    return set(conn.scalars(sa.select(event.c.event_id)))


def restless(conn: Connection, soon: datetime) -> dict[str, int]:
    """How many notifications will still move on their own before `soon`, by state."""
    waits = sa.and_(notification.c.status == State.SCHEDULED.value, notification.c.due_at < soon)
    held = notification.c.status.in_([State.CLAIMED.value, State.SENDING.value])
    asked = sa.and_(notification.c.status == State.UNKNOWN.value, notification.c.look_up_at.is_not(None))
    statement = sa.select(notification.c.status, sa.func.count()).where(sa.or_(waits, held, asked))
    return {status: count for status, count in conn.execute(statement.group_by(notification.c.status))}
