"""Staff: accounts and their sessions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.events import insert_new
from notifier.store.tables import session, staff

Row = sa.Row[Any]


def insert(conn: Connection, **values: Any) -> bool:
    """Adds an account; False where the username is taken."""
    return insert_new(conn, staff, values, "username")


def find(conn: Connection, username: str) -> Row | None:
    """The account with a username, active or not."""
    return conn.execute(sa.select(staff).where(staff.c.username == username)).first()


def get(conn: Connection, staff_id: str) -> Row | None:
    return conn.execute(sa.select(staff).where(staff.c.id == staff_id)).first()


def names(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """What colleagues call some staff members, by id."""
    statement = sa.select(staff.c.id, staff.c.display_name).where(staff.c.id.in_(list(ids)))
    return {row.id: row.display_name for row in conn.execute(statement)}


def everyone(conn: Connection) -> list[Row]:
    """All accounts, by username."""
    return list(conn.execute(sa.select(staff).order_by(staff.c.username)))


def update(conn: Connection, staff_id: str, **values: Any) -> bool:
    """Changes columns of an account; False where there is none."""
    return conn.execute(staff.update().where(staff.c.id == staff_id).values(**values)).rowcount == 1


def add_session(conn: Connection, *, token_hash: bytes, staff_id: str, at: datetime, expires_at: datetime) -> None:
    """Adds a session that lives at most until `expires_at`."""
    values = {"token_hash": token_hash, "staff_id": staff_id, "created_at": at, "last_seen_at": at}
    conn.execute(session.insert(), values | {"expires_at": expires_at})


def live_session(conn: Connection, token_hash: bytes, *, at: datetime, seen_since: datetime) -> Row | None:
    """The account behind a session that has not ended, run out or been idle, with `last_seen_at`; active ones only."""
    statement = (
        sa.select(staff, session.c.last_seen_at)
        .join(session, session.c.staff_id == staff.c.id)
        .where(session.c.token_hash == token_hash, session.c.ended_at.is_(None))
        .where(session.c.expires_at > at, session.c.last_seen_at > seen_since, staff.c.active)
    )
    return conn.execute(statement).first()


def touch_session(conn: Connection, token_hash: bytes, at: datetime) -> None:
    """Somebody used the session."""
    conn.execute(session.update().where(session.c.token_hash == token_hash).values(last_seen_at=at))


def end_sessions(
    conn: Connection, *, at: datetime, token_hash: bytes | None = None, staff_id: str | None = None
) -> int:
    """Ends one session, or all of an account; how many were live. Raises ValueError where neither is named."""
    if token_hash is None and staff_id is None:
        raise ValueError("whose sessions?")
    statement = session.update().where(session.c.ended_at.is_(None)).values(ended_at=at)
    if token_hash is not None:
        statement = statement.where(session.c.token_hash == token_hash)
    if staff_id is not None:
        statement = statement.where(session.c.staff_id == staff_id)
    return conn.execute(statement).rowcount


def forget_sessions(conn: Connection, before: datetime) -> int:
    """Drops sessions that can no longer be used."""
    return conn.execute(session.delete().where(session.c.expires_at < before)).rowcount
