"""Staff: accounts, their recovery codes and sessions."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.events import insert_new
from notifier.store.tables import recovery_code, session, staff

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


def listed(
    conn: Connection, *, role: str | None, facility_id: str | None, active: bool | None, after: str | None, limit: int
) -> list[Row]:
    """Accounts by username; `after`: only those behind the account with this id."""
    statement = sa.select(staff).order_by(staff.c.username).limit(limit)
    if role is not None:
        statement = statement.where(staff.c.role == role)
    if facility_id is not None:
        statement = statement.where(staff.c.facility_id == facility_id)
    if active is not None:
        statement = statement.where(staff.c.active.is_(active))
    if after is not None:
        mark = sa.select(staff.c.username).where(staff.c.id == after).scalar_subquery()
        statement = statement.where(staff.c.username > mark)
    return list(conn.execute(statement))


def update_unchanged(conn: Connection, staff_id: str, revision: int, **values: Any) -> bool:
    """Changes columns of an account that nobody has changed since it was read; False where somebody has."""
    unchanged = sa.and_(staff.c.id == staff_id, staff.c.revision == revision)
    return conn.execute(staff.update().where(unchanged).values(revision=revision + 1, **values)).rowcount == 1


def update_with_password(conn: Connection, staff_id: str, checked: str, **values: Any) -> bool:
    """Changes columns of an active account whose password hash is still the one that was `checked`; False where not."""
    same = sa.and_(staff.c.id == staff_id, staff.c.password_hash == checked, staff.c.active)
    return conn.execute(staff.update().where(same).values(**values)).rowcount == 1


def active_with_role(conn: Connection, role: str) -> list[str]:
    """The ids of a role's active accounts, which stay as they are until the transaction ends."""
    statement = sa.select(staff.c.id).where(staff.c.role == role, staff.c.active).order_by(staff.c.id)
    return list(conn.scalars(statement.with_for_update()))


def take_step(conn: Connection, staff_id: str, step: int) -> bool:
    """Remembers the time step of a code; False where a code of this step or a later one was taken before."""
    fresh = sa.or_(staff.c.totp_step.is_(None), staff.c.totp_step < step)
    statement = staff.update().where(staff.c.id == staff_id, staff.c.totp_sealed.is_not(None), fresh)
    return conn.execute(statement.values(totp_step=step)).rowcount == 1


def replace_recovery_codes(conn: Connection, staff_id: str, rows: Collection[dict[str, Any]]) -> None:
    """Drops somebody's recovery codes and keeps others."""
    conn.execute(recovery_code.delete().where(recovery_code.c.staff_id == staff_id))
    if rows:
        conn.execute(recovery_code.insert(), list(rows))


def use_recovery_code(conn: Connection, staff_id: str, code_index: bytes, at: datetime) -> bool:
    """Uses a recovery code up; False where there is no such code, or it was used before."""
    statement = recovery_code.update().where(
        recovery_code.c.staff_id == staff_id,
        recovery_code.c.code_index == code_index,
        recovery_code.c.used_at.is_(None),
    )
    return conn.execute(statement.values(used_at=at)).rowcount == 1


def count_recovery_codes(conn: Connection, staff_id: str) -> int:
    """How many recovery codes are left."""
    statement = sa.select(sa.func.count()).select_from(recovery_code)
    return conn.scalar(statement.where(recovery_code.c.staff_id == staff_id, recovery_code.c.used_at.is_(None))) or 0


def add_session(
    conn: Connection,
    *,
    token_hash: bytes,
    staff_id: str,
    at: datetime,
    expires_at: datetime,
    stage: str,
    device: str | None,
    totp_new_sealed: bytes | None = None,
) -> None:
    """Adds a session that lives at most until `expires_at`."""
    conn.execute(
        session.insert(),
        {
            "token_hash": token_hash,
            "staff_id": staff_id,
            "created_at": at,
            "last_seen_at": at,
            "expires_at": expires_at,
            "stage": stage,
            "device": device,
            "totp_new_sealed": totp_new_sealed,
        },
    )


def live_session(conn: Connection, token_hash: bytes, *, at: datetime, seen_since: datetime) -> Row | None:
    """The account behind a session that has not ended, run out or been idle, with the session's `last_seen_at`, `stage`
    and `device`; active ones only."""
    statement = (
        sa.select(staff, session.c.last_seen_at, session.c.stage, session.c.device)
        .join(session, session.c.staff_id == staff.c.id)
        .where(session.c.token_hash == token_hash, *_live(at, seen_since), staff.c.active)
    )
    return conn.execute(statement).first()


def live_sessions(conn: Connection, staff_id: str, *, stage: str, at: datetime, seen_since: datetime) -> list[Row]:
    """An account's sessions that can be used, last used first."""
    statement = sa.select(session).where(session.c.staff_id == staff_id, session.c.stage == stage)
    used_last = (session.c.last_seen_at.desc(), session.c.created_at.desc(), session.c.token_hash)
    return list(conn.execute(statement.where(*_live(at, seen_since)).order_by(*used_last)))


def _live(at: datetime, seen_since: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (session.c.ended_at.is_(None), session.c.expires_at > at, session.c.last_seen_at > seen_since)


def set_new_secret(conn: Connection, token_hash: bytes, totp_new_sealed: bytes) -> bool:
    """Keeps the secret of a second factor that is being set up with its session; False where that has ended."""
    statement = session.update().where(session.c.token_hash == token_hash, session.c.ended_at.is_(None))
    return conn.execute(statement.values(totp_new_sealed=totp_new_sealed)).rowcount == 1


def new_secret(conn: Connection, token_hash: bytes) -> bytes | None:
    """The secret of a second factor that is being set up, sealed; None where none is, or the session has ended."""
    statement = sa.select(session.c.totp_new_sealed)
    found: bytes | None = conn.scalar(statement.where(session.c.token_hash == token_hash, session.c.ended_at.is_(None)))
    return found


def touch_session(conn: Connection, token_hash: bytes, at: datetime) -> None:
    """Somebody used the session."""
    conn.execute(session.update().where(session.c.token_hash == token_hash).values(last_seen_at=at))


def end_sessions(
    conn: Connection,
    *,
    at: datetime,
    token_hash: bytes | None = None,
    staff_id: str | None = None,
    but: bytes | None = None,
) -> int:
    """Ends one session, or all of an account, or all `but` one; how many were live. Raises ValueError where neither is
    named."""
    if token_hash is None and staff_id is None:
        raise ValueError("whose sessions?")
    statement = session.update().where(session.c.ended_at.is_(None)).values(ended_at=at)
    if token_hash is not None:
        statement = statement.where(session.c.token_hash == token_hash)
    if staff_id is not None:
        statement = statement.where(session.c.staff_id == staff_id)
    if but is not None:
        statement = statement.where(session.c.token_hash != but)
    return conn.execute(statement).rowcount


def forget_sessions(conn: Connection, before: datetime) -> int:
    """Drops sessions that can no longer be used."""
    return conn.execute(session.delete().where(session.c.expires_at < before)).rowcount
