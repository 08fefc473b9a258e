"""What test keys posted: rows of their own, each reached through its API key alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.tables import test_notification

Row = sa.Row[Any]


def insert(conn: Connection, **values: Any) -> Row:
    """Adds a test message and answers its row."""
    return conn.execute(test_notification.insert().returning(test_notification), values).one()


def find(conn: Connection, api_key_id: str, reference: str) -> Row | None:
    """The test message of a key with a reference."""
    return conn.execute(_of_key(api_key_id).where(test_notification.c.reference == reference)).first()


def of_event(conn: Connection, api_key_id: str, event_index: bytes) -> Row | None:
    """The newest test message that an event of a key led to."""
    statement = _of_key(api_key_id).where(test_notification.c.event_index == event_index)
    return conn.execute(statement.order_by(test_notification.c.generation.desc()).limit(1)).first()


def of_dose(conn: Connection, api_key_id: str, dose_index: bytes) -> list[Row]:
    """The test messages of a key about a dose, newest first."""
    statement = _of_key(api_key_id).where(test_notification.c.dose_index == dose_index)
    return list(conn.execute(_newest_first(statement)))


def update(conn: Connection, row_id: str, **values: Any) -> None:
    """Changes columns of a test message."""
    conn.execute(test_notification.update().where(test_notification.c.id == row_id).values(**values))


def page(
    conn: Connection, api_key_id: str, *, since: datetime | None, after: tuple[datetime, str] | None, limit: int
) -> list[Row]:
    """The test messages of a key, newest first; `after`: only those older than this (moment, id)."""
    statement = _of_key(api_key_id)
    if since is not None:
        statement = statement.where(test_notification.c.created_at >= since)
    if after is not None:
        place = sa.tuple_(test_notification.c.created_at, test_notification.c.id)
        mark = sa.tuple_(
            sa.literal(after[0], test_notification.c.created_at.type), sa.literal(after[1], test_notification.c.id.type)
        )
        statement = statement.where(place < mark)
    return list(conn.execute(_newest_first(statement).limit(limit)))


def forget(conn: Connection, before: datetime) -> int:
    """Drops test messages whose time is over."""
    return conn.execute(test_notification.delete().where(test_notification.c.expires_at < before)).rowcount


def _of_key(api_key_id: str) -> sa.Select[Any]:
    return sa.select(test_notification).where(test_notification.c.api_key_id == api_key_id)


def _newest_first(statement: sa.Select[Any]) -> sa.Select[Any]:
    return statement.order_by(test_notification.c.created_at.desc(), test_notification.c.id.desc())
