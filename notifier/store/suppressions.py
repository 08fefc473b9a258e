"""The numbers that must get no SMS: opt-outs and what providers told us."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import Channel, Reason
from notifier.store.tables import suppression


def add(conn: Connection, phone_index: bytes, *, reason: Reason, source: str, at: datetime) -> bool:
    """Suppresses a number; False where it was suppressed already."""
    if suppressed(conn, [phone_index]):
        return False
    values = {"id": new_id(), "phone_index": phone_index, "channel": Channel.SMS.value, "reason": reason.value}
    conn.execute(suppression.insert(), values | {"source": source, "created_at": at})
    return True


def suppressed(conn: Connection, phone_indexes: Collection[bytes]) -> set[bytes]:
    """Which of some numbers are suppressed now."""
    statement = sa.select(suppression.c.phone_index).where(
        suppression.c.phone_index.in_(list(phone_indexes)), suppression.c.lifted_at.is_(None)
    )
    return set(conn.scalars(statement))


def lift(conn: Connection, phone_index: bytes, at: datetime) -> bool:
    """Takes a suppression away; False where there was none."""
    statement = suppression.update().where(suppression.c.phone_index == phone_index, suppression.c.lifted_at.is_(None))
    return conn.execute(statement.values(lifted_at=at)).rowcount > 0
