"""Schedules that make a bulk resend a day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.bulks import ScheduleState
from notifier.core.ids import new_id, new_reference
from notifier.store.tables import bulk_schedule

Row = sa.Row[Any]


def add(conn: Connection, *, at: datetime, **values: Any) -> Row:
    """Adds a schedule that waits for a second person."""
    row = {
        "id": new_id(),
        "reference": new_reference(),
        "state": ScheduleState.ASKED.value,
        "created_at": at,
        **values,
    }
    return conn.execute(bulk_schedule.insert().returning(bulk_schedule), row).one()


def find(conn: Connection, reference: str) -> Row | None:
    """The schedule with a reference."""
    return conn.execute(sa.select(bulk_schedule).where(bulk_schedule.c.reference == reference)).first()


def get(conn: Connection, schedule_id: str) -> Row:
    return conn.execute(sa.select(bulk_schedule).where(bulk_schedule.c.id == schedule_id)).one()


def listed(conn: Connection, limit: int) -> list[Row]:
    """Schedules, the newest first, ended ones last."""
    ended = bulk_schedule.c.state == ScheduleState.ENDED.value
    statement = sa.select(bulk_schedule).order_by(ended, bulk_schedule.c.created_at.desc(), bulk_schedule.c.id.desc())
    return list(conn.execute(statement.limit(limit)))


def move(
    conn: Connection, schedule_id: str, new: ScheduleState, *, old: Collection[ScheduleState], **values: Any
) -> bool:
    """`old -> new` where it still stands in one of `old`."""
    statement = bulk_schedule.update().where(
        bulk_schedule.c.id == schedule_id, bulk_schedule.c.state.in_([state.value for state in old])
    )
    return conn.execute(statement.values(state=new.value, **values)).rowcount == 1


def due(conn: Connection, at: datetime) -> list[Row]:
    """The schedules whose day has come."""
    statement = sa.select(bulk_schedule).where(sa.text("state = 'active'"), bulk_schedule.c.next_at <= at)
    return list(conn.execute(statement.order_by(bulk_schedule.c.next_at).limit(100)))


def put_forward(conn: Connection, row: Row, next_at: datetime) -> bool:
    """The run after the one that `row` names; False where somebody else did that, or it is not active any more."""
    statement = bulk_schedule.update().where(
        bulk_schedule.c.id == row.id, sa.text("state = 'active'"), bulk_schedule.c.next_at == row.next_at
    )
    return conn.execute(statement.values(next_at=next_at)).rowcount == 1
