"""What the staff face reads: lists of doses and notifications, narrowed to one facility where the reader has one.

`facility_id` None means every facility; the narrowing is in the query, so that no page can forget it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import DoseStatus, State
from notifier.store.tables import dose, facility, notification

Row = sa.Row[Any]
_RECENT = 200


def find_visible(conn: Connection, reference: str, facility_id: str | None) -> Row | None:
    """The notification with a reference, as far as the facility's staff may see it."""
    statement = sa.select(notification).where(notification.c.reference == reference)
    return conn.execute(_narrowed(statement, facility_id)).first()


def listed(
    conn: Connection,
    *,
    states: Collection[State],
    facility_id: str | None,
    limit: int,
    before: str | None = None,
) -> list[Row]:
    """Notifications, newest first, of some states or all; `before`: only those older than this reference."""
    statement = sa.select(notification).order_by(notification.c.created_at.desc(), notification.c.id.desc())
    if states:
        statement = statement.where(notification.c.status.in_([state.value for state in states]))
    if before is not None:
        mark = sa.select(notification.c.created_at, notification.c.id).where(notification.c.reference == before).cte()
        at, row_id = sa.select(mark.c.created_at).scalar_subquery(), sa.select(mark.c.id).scalar_subquery()
        same_moment = sa.and_(notification.c.created_at == at, notification.c.id < row_id)
        statement = statement.where(sa.or_(notification.c.created_at < at, same_moment))
    return list(conn.execute(_narrowed(statement, facility_id).limit(limit)))


def count_by_state(conn: Connection, facility_id: str | None) -> dict[str, int]:
    """How many notifications stand in each state."""
    statement = _narrowed(sa.select(notification.c.status, sa.func.count()), facility_id)
    return {status: count for status, count in conn.execute(statement.group_by(notification.c.status))}


def doses_of_facility(conn: Connection, facility_id: str, since: datetime, until: datetime, limit: int) -> list[Row]:
    """The doses that a facility recorded in a span of time, newest first."""
    statement = (
        sa.select(dose)
        .where(dose.c.facility_id == facility_id, dose.c.created_at >= since, dose.c.created_at < until)
        .order_by(dose.c.created_at.desc(), dose.c.id.desc())
    )
    return list(conn.execute(statement.limit(limit)))


def newest_of_doses(conn: Connection, dose_ids: Iterable[str]) -> dict[str, Row]:
    """The newest notification that bears a link to each dose's certificate, by dose id."""
    statement = (
        sa.select(notification)
        .where(notification.c.dose_id.in_(list(dose_ids)), notification.c.link_id.is_not(None))
        .order_by(notification.c.created_at, notification.c.id)
    )
    return {row.dose_id: row for row in conn.execute(statement)}


def last_entered(conn: Connection, facility_id: str, staff_id: str) -> Row | None:
    """The dose that somebody typed last: its vaccine and lot are most likely the next one's too."""
    statement = (
        sa.select(dose)
        .where(dose.c.facility_id == facility_id, dose.c.entered_by == staff_id)
        .where(dose.c.status == DoseStatus.GIVEN.value)
        .order_by(dose.c.created_at.desc(), dose.c.id.desc())
    )
    return conn.execute(statement.limit(1)).first()


def recent_products(conn: Connection, facility_id: str) -> list[str]:
    """The vaccines among a facility's newest doses, by name."""
    newest = (
        sa.select(dose.c.product)
        .where(dose.c.facility_id == facility_id, dose.c.product.is_not(None))
        .order_by(dose.c.created_at.desc())
        .limit(_RECENT)
        .subquery()
    )
    return list(conn.scalars(sa.select(newest.c.product).distinct().order_by(newest.c.product)))


def facility_name(conn: Connection, facility_id: str) -> str | None:
    """What a facility is called, where somebody said so."""
    return conn.scalar(sa.select(facility.c.name).where(facility.c.id == facility_id))


def _narrowed(statement: sa.Select[Any], facility_id: str | None) -> sa.Select[Any]:
    if facility_id is None:
        return statement
    return statement.join(dose, dose.c.id == notification.c.dose_id).where(dose.c.facility_id == facility_id)
