"""Counting what should never be: accepted events and doses without a message or a reason, messages that may go twice.

Each count is one statement, so that it sees one moment of the database, whatever is recorded meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import NOT_LEFT, DoseStatus
from notifier.store.tables import attempt, dose, event, notification, reconciliation

_PROMISED = ("planned", "corrected")  # outcomes of an event that stand for a message
_ACCEPTED = "accepted"  # outcome of an attempt


def pending(conn: Connection) -> int:
    """Events whose outcome was never written."""
    # a literal: a bound parameter cannot use the partial index in a generic plan
    return _count(conn, sa.select(event.c.id).where(event.c.outcome == sa.literal_column("'pending'")))


def without_message(conn: Connection) -> int:
    """Events that say that a message is planned, where there is none."""
    joined = event.outerjoin(notification, notification.c.id == event.c.notification_id)
    statement = sa.select(event.c.id).select_from(joined)
    return _count(conn, statement.where(event.c.outcome.in_(_PROMISED), notification.c.id.is_(None)))


def doses_untold(conn: Connection) -> int:
    """Doses that were given, about which there is neither a message (a suppressed one counts: it has its reason) nor an
    event with a reason."""
    told = sa.exists().where(notification.c.dose_id == dose.c.id)
    explained = sa.exists().where(event.c.dose_id == dose.c.id, event.c.reason.is_not(None))
    return _count(conn, sa.select(dose.c.id).where(dose.c.status == DoseStatus.GIVEN.value, ~told, ~explained))


def messages_waiting_twice(conn: Connection) -> int:
    """Messages beyond the first of one kind about one dose that may still leave. What has left is not counted: whoever
    sends again, or moves a link to a new number, does so beside a message that is `unknown`, `accepted` or `sent`."""
    states = ", ".join(f"'{state.value}'" for state in sorted(NOT_LEFT))
    several = (
        sa.select((sa.func.count() - 1).label("more"))
        .where(notification.c.status.in_(sa.text(states)), notification.c.dose_id.is_not(None))
        .group_by(notification.c.dose_id, notification.c.kind, notification.c.channel)
        .having(sa.func.count() > 1)
        .subquery()
    )
    return int(conn.scalar(sa.select(sa.func.coalesce(sa.func.sum(several.c.more), 0))) or 0)


def accepted_twice(conn: Connection) -> int:
    """Messages of which the provider accepted more than one attempt."""
    statement = sa.select(attempt.c.notification_id).where(attempt.c.outcome == _ACCEPTED)
    return _count(conn, statement.group_by(attempt.c.notification_id).having(sa.func.count() > 1))


def all_events(conn: Connection) -> int:
    """How many events were accepted."""
    return _count(conn, sa.select(event.c.id))


def keep(conn: Connection, name: str, *, at: datetime, looked_at: int, unaccounted: int) -> None:
    """Writes down the newest count of its name."""
    values = {"at": at, "looked_at": looked_at, "unaccounted": unaccounted}
    if not conn.execute(reconciliation.update().where(reconciliation.c.name == name).values(**values)).rowcount:
        conn.execute(reconciliation.insert(), {"name": name, **values})


def newest(conn: Connection, name: str) -> Mapping[str, Any] | None:
    """The newest count of its name, with the columns `at`, `looked_at` and `unaccounted`; None before the first."""
    row = conn.execute(sa.select(reconciliation).where(reconciliation.c.name == name)).first()
    return dict(row._mapping) if row else None


def _count(conn: Connection, rows: sa.Select[Any]) -> int:
    return conn.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0
