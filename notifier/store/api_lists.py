"""Pages of notifications for machines: newest first, by cursor, narrowed in the query."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import State
from notifier.store.newest import newest
from notifier.store.tables import notification

Row = sa.Row[Any]
_RARE = (
    State.FAILED,
    State.UNDELIVERED,
    State.UNKNOWN,
    State.HELD,
    State.CANCELLED,
    State.SUPPRESSED,
    State.EXPIRED,
)
#: the predicate of ix_notification_rare, word for word
_IS_RARE: sa.ColumnElement[bool] = sa.literal_column(
    f"notification.status IN ({', '.join(repr(state.value) for state in _RARE)})"
)


def page(
    conn: Connection,
    *,
    state: State | None,
    since: datetime | None,
    facility_id: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Row]:
    """Notifications; `since`: added at this moment or later; `after`: only those older than this (moment, id)."""
    where: list[sa.ColumnElement[bool]] = []
    if state is not None:
        # literals: a bound parameter cannot use a partial index in a generic plan
        where.append(notification.c.status == sa.literal_column(f"'{state.value}'"))
        if state in _RARE:
            where.append(_IS_RARE)  # SQLite does not see that one of the states implies it
    if since is not None:
        where.append(notification.c.created_at >= since)
    if after is not None:
        mark = sa.tuple_(
            sa.literal(after[0], notification.c.created_at.type), sa.literal(after[1], notification.c.id.type)
        )
        where.append(sa.tuple_(notification.c.created_at, notification.c.id) < mark)
    return newest(conn, where, facility_id=facility_id, limit=limit)
