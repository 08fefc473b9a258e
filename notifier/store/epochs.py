"""How far the database has come: a mark that only grows. Workers remember the highest one they saw; a database that
stands behind it is an older copy that somebody restored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.store.events import insert_new
from notifier.store.tables import epoch

Row = sa.Row[Any]
_ID = 1


def get(conn: Connection) -> Row | None:
    """The mark; None in a database that never ticked."""
    return conn.execute(sa.select(epoch).where(epoch.c.id == _ID)).first()


def locked(conn: Connection, at: datetime) -> Row:
    """The mark, made where it is missing, kept from changing until the transaction ends."""
    insert_new(conn, epoch, {"id": _ID, "installation": new_id(), "mark": 0, "marked_at": at}, "id")
    return conn.execute(sa.select(epoch).where(epoch.c.id == _ID).with_for_update()).one()


def advance(conn: Connection, at: datetime) -> Row:
    """One more, once a tick; the row after it."""
    statement = epoch.update().where(epoch.c.id == _ID).values(mark=epoch.c.mark + 1, marked_at=at).returning(epoch)
    row = conn.execute(statement).first()
    if row is not None:
        return row
    locked(conn, at)
    return conn.execute(statement).one()


def restored(conn: Connection, *, mark: int, at: datetime, copied_at: datetime) -> None:
    """Writes down that a copy was restored, and puts the mark beyond everything that was ever seen."""
    conn.execute(
        epoch.update().where(epoch.c.id == _ID).values(mark=mark, marked_at=at, restored_at=at, restored_from=copied_at)
    )
