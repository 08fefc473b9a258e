"""Next doses that somebody is to be reminded of, how far the doses were looked at for them, and what has changed since.

A row is unplanned while it has no notification; each change of that is a compare-and-set.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import NOT_LEFT
from notifier.store.bulk import among
from notifier.store.events import insert_new
from notifier.store.tables import dose, event, notification, reminder, reminder_mark

Row = sa.Row[Any]
#: what was recorded so shortly before may not be seen yet: longer than any transaction of intake takes
SETTLED = timedelta(minutes=10)
_MARK = 1
_NEVER, _NO_ID = datetime(2000, 1, 1, tzinfo=UTC), str(UUID(int=0))
_UNPLANNED = sa.text("reminder.notification_id IS NULL")  # literal: a bound parameter matches no partial index


def hold_mark(conn: Connection) -> Row | None:
    """How far the events were looked at: `seen_at`, `seen_id`; None while somebody else looks. Held until the caller's
    transaction ends."""
    insert_new(conn, reminder_mark, {"id": _MARK, "seen_at": _NEVER, "seen_id": _NO_ID}, "id")
    return conn.execute(sa.select(reminder_mark).with_for_update(skip_locked=True)).first()


def events_after(conn: Connection, mark: Row, until: datetime, limit: int) -> list[Row]:
    """The events that follow a mark, oldest first: `id`, `accepted_at`, `dose_id`; none accepted after `until`."""
    at = event.c.accepted_at
    same = sa.and_(at == mark.seen_at, event.c.id > mark.seen_id)
    statement = sa.select(event.c.id, at, event.c.dose_id)
    statement = statement.where(at >= mark.seen_at, at <= until, sa.or_(at > mark.seen_at, same))
    return list(conn.execute(statement.order_by(event.c.accepted_at, event.c.id).limit(limit)))


def move_mark(conn: Connection, seen: Row) -> None:
    """Everything up to this event was looked at."""
    conn.execute(reminder_mark.update().values(seen_at=seen.accepted_at, seen_id=seen.id))


def persons_of(conn: Connection, dose_ids: Collection[str]) -> set[str]:
    """Whose these doses are, and who is to be reminded because of them (a dose may have been another's)."""
    if not dose_ids:
        return set()
    now = conn.scalars(sa.select(dose.c.person_id).where(among(conn, dose.c.id, dose_ids)))
    before = conn.scalars(sa.select(reminder.c.person_id).where(among(conn, reminder.c.dose_id, dose_ids)))
    return {person_id for person_id in (*now, *before) if person_id is not None}


def of_persons(conn: Connection, person_ids: Collection[str]) -> list[Row]:
    """The reminders of some persons, each with its SMS's `status` and `reason` where there is one."""
    if not person_ids:
        return []
    statement = sa.select(reminder, notification.c.status, notification.c.reason).outerjoin(
        notification, notification.c.id == reminder.c.notification_id
    )
    return list(conn.execute(statement.where(among(conn, reminder.c.person_id, person_ids))))


def add(conn: Connection, *, person_id: str, series: str, number: int, at: datetime, **values: Any) -> bool:
    """A next dose that asks for a reminder; False where there is one for it already."""
    row = {"id": new_id(), "person_id": person_id, "series": series, "number": number, "made_at": at, **values}
    return insert_new(conn, reminder, row, "person_id", "series", "number")


def change(conn: Connection, row: Row, **values: Any) -> bool:
    """Other columns for a reminder whose SMS is the one that was read, or that still has none."""
    return conn.execute(reminder.update().where(*_as_read(row)).values(**values)).rowcount == 1


def drop(conn: Connection, row: Row) -> bool:
    """Takes one away whose SMS is the one that was read, or that still has none."""
    return conn.execute(reminder.delete().where(*_as_read(row))).rowcount == 1


def drop_of_person(conn: Connection, person_id: str) -> int:
    """Takes all of a person's away."""
    return conn.execute(reminder.delete().where(reminder.c.person_id == person_id)).rowcount


def due_persons(conn: Connection, now: datetime, limit: int) -> list[str]:
    """Who is to be reminded by now and has no SMS planned for it, those first who wait longest."""
    first = sa.func.min(reminder.c.due_at)
    statement = sa.select(reminder.c.person_id).where(_UNPLANNED, reminder.c.due_at <= now)
    longest_first = statement.group_by(reminder.c.person_id).order_by(first, reminder.c.person_id)
    return list(conn.scalars(longest_first.limit(limit)))


def put_off(conn: Connection, person_id: str, until: datetime) -> None:
    """Tries later for one person."""
    conn.execute(reminder.update().where(reminder.c.person_id == person_id, _UNPLANNED).values(due_at=until))


def waiting(conn: Connection, limit: int) -> list[str]:
    """The notifications of reminders that have not left yet."""
    statement = (
        sa.select(notification.c.id)
        .join(reminder, reminder.c.notification_id == notification.c.id)
        .where(notification.c.status.in_([state.value for state in NOT_LEFT]))
    )
    return list(dict.fromkeys(conn.scalars(statement.limit(limit))))


def last_changes(conn: Connection, person_ids: Collection[str]) -> Mapping[str, datetime]:
    """When a dose of each of some persons was changed last, withdrawn ones too."""
    statement = sa.select(dose.c.person_id, sa.func.max(dose.c.updated_at).label("at")).group_by(dose.c.person_id)
    return {row.person_id: row.at for row in conn.execute(statement.where(among(conn, dose.c.person_id, person_ids)))}


def _as_read(row: Row) -> list[sa.ColumnElement[bool]]:
    has = reminder.c.notification_id
    return [reminder.c.id == row.id, has.is_(None) if row.notification_id is None else has == row.notification_id]
