"""Follow-ups: what one room must cause in another above it, written in the transaction that makes it necessary."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import FollowUp
from notifier.store.tables import follow_up

Row = sa.Row[Any]
_WAITS = sa.text("done_at IS NULL")  # literal: a bound parameter would not match the partial index


def add(conn: Connection, kind: FollowUp, subject_id: str, *, at: datetime) -> None:
    """Leaves something to be done as soon as the caller's transaction is committed."""
    conn.execute(
        follow_up.insert(),
        {"id": new_id(), "kind": kind.value, "subject_id": subject_id, "created_at": at, "due_at": at, "attempts": 0},
    )


def due(at: datetime) -> sa.Select[Any]:
    """What waits to be done now, as a question (`several.any_of`)."""
    return sa.select(follow_up.c.id).where(_WAITS, follow_up.c.due_at <= at)


def take(conn: Connection, at: datetime) -> Row | None:
    """The one that has waited longest, held until the caller's transaction ends; other workers pass it by. None where
    nothing is due. A caller that dies lets go of it."""
    statement = (
        sa.select(follow_up)
        .where(_WAITS, follow_up.c.due_at <= at)
        .order_by(follow_up.c.due_at, follow_up.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return conn.execute(statement).first()


def done(conn: Connection, row_id: str, at: datetime) -> None:
    """Ends one, in the transaction of its effect."""
    conn.execute(follow_up.update().where(follow_up.c.id == row_id, _WAITS).values(done_at=at))


def put_off(conn: Connection, row_id: str, *, until: datetime) -> None:
    """Counts a failure and tries again later; what somebody else has done meanwhile stays done."""
    conn.execute(
        follow_up.update()
        .where(follow_up.c.id == row_id, _WAITS)
        .values(attempts=follow_up.c.attempts + 1, due_at=until)
    )
