"""The API keys of other systems."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.events import insert_new
from notifier.store.tables import api_key

Row = sa.Row[Any]


def insert(conn: Connection, **values: Any) -> bool:
    """Adds a key; False where a row with this id is there already."""
    return insert_new(conn, api_key, values, "id")


def find(conn: Connection, prefix: str) -> Row | None:
    """The key with a prefix, live or not."""
    return conn.execute(sa.select(api_key).where(api_key.c.prefix == prefix)).first()


def everyone(conn: Connection) -> list[Row]:
    """All keys, newest first."""
    return list(conn.execute(sa.select(api_key).order_by(api_key.c.created_at.desc(), api_key.c.id.desc())))


def touch(conn: Connection, key_id: str, at: datetime) -> None:
    """Somebody used the key."""
    conn.execute(api_key.update().where(api_key.c.id == key_id).values(last_used_at=at))


def revoke(conn: Connection, key_id: str, *, by: str, reason: str, at: datetime) -> bool:
    """Ends a key at once; False where it is not live."""
    statement = api_key.update().where(api_key.c.id == key_id, *_live(at))
    return conn.execute(statement.values(revoked_at=at, revoked_by=by, revoke_reason=reason)).rowcount == 1


def hand_over(conn: Connection, key_id: str, *, successor_id: str, ends_at: datetime, at: datetime) -> bool:
    """Names the key that takes over, and when the old one ends; False where it is not live, or has a successor."""
    statement = api_key.update().where(api_key.c.id == key_id, api_key.c.successor_id.is_(None), *_live(at))
    return conn.execute(statement.values(successor_id=successor_id, expires_at=ends_at)).rowcount == 1


def _live(at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return api_key.c.revoked_at.is_(None), sa.or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > at)
