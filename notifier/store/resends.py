"""Messages that somebody had sent again: what the rules on how often look at."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import State
from notifier.store.tables import notification


def moments_of_resends(conn: Connection, person_id: str, since: datetime) -> list[datetime]:
    """When a person's messages that somebody asked for left, or are to leave, from a moment on, oldest first; what was
    cancelled is left out."""
    leaves = sa.func.coalesce(notification.c.left_at, notification.c.due_at, type_=notification.c.due_at.type)
    statement = sa.select(leaves).where(
        notification.c.person_id == person_id,
        notification.c.request_reason.is_not(None),
        notification.c.status != State.CANCELLED.value,
        leaves >= since,
    )
    return sorted(conn.scalars(statement))
