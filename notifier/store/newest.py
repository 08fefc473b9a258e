"""The newest notifications that something holds for, of all facilities or of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.tables import dose, notification

Row = sa.Row[Any]
#: with more doses than this, one among the newest messages of all is soon a facility's; with fewer, its own are sorted
FEW_DOSES = 5_000


def newest(
    conn: Connection,
    where: Sequence[sa.ColumnElement[bool]],
    *,
    facility_id: str | None,
    limit: int,
    few: int = FEW_DOSES,
) -> list[Row]:
    """Up to `limit` notifications, newest first; with `facility_id` only those about the facility's doses. `few`: up
    to so many doses the facility's own messages are sorted."""
    statement = sa.select(notification).where(*where)
    if facility_id is not None:
        at_it = dose.c.facility_id == facility_id
        if _has_few_doses(conn, at_it, few):
            return list(conn.execute(_sorted_out(at_it, where, limit)))
        statement = statement.join(dose, dose.c.id == notification.c.dose_id).where(at_it)
    newest_first = statement.order_by(notification.c.created_at.desc(), notification.c.id.desc())
    return list(conn.execute(newest_first.limit(limit)))


def _has_few_doses(conn: Connection, at_it: sa.ColumnElement[bool], few: int) -> bool:
    some = sa.select(dose.c.id).where(at_it).limit(few + 1).subquery()
    return (conn.scalar(sa.select(sa.func.count()).select_from(some)) or 0) <= few


def _sorted_out(at_it: sa.ColumnElement[bool], where: Sequence[sa.ColumnElement[bool]], limit: int) -> sa.Select[Any]:
    """From the facility's doses to their messages. Materialised: a planner that sees the order and the limit walks all
    messages by time instead, and one facility of a thousand has fifty of the newest 50,000."""
    theirs = sa.select(notification.c.id, notification.c.created_at).join(dose, dose.c.id == notification.c.dose_id)
    found = theirs.where(at_it, *where).cte("found").prefix_with("MATERIALIZED")
    top = sa.select(found).order_by(found.c.created_at.desc(), found.c.id.desc()).limit(limit).subquery()
    return (
        sa.select(notification)
        .join(top, top.c.id == notification.c.id)
        .order_by(top.c.created_at.desc(), top.c.id.desc())
    )
