"""What the staff face reads: lists of doses and notifications, narrowed to one facility where the reader has one.

`facility_id` None means every facility; the narrowing is in the query, so that no page can forget it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import DoseStatus, State
from notifier.store.newest import newest
from notifier.store.openings import NO_DOWNLOADS, ROBOT
from notifier.store.tables import dose, facility, link, notification, opening

Row = sa.Row[Any]
_RECENT = 200


@dataclass(frozen=True, slots=True)
class Narrow:
    """Which of the notifications: made in a span of time, with a reason; `which`: one of WHICH, as of `now`."""

    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    which: str | None = None
    now: datetime | None = None


NO_REASON = "-"
#: what stands behind a number of the dashboard that is no state
WHICH = ("due", "risk", "opened", "downloaded")


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
    narrow: Narrow | None = None,
) -> list[Row]:
    """Notifications, newest first, of some states or all; `before`: only those older than this reference."""
    # literals: a bound parameter cannot use a partial index in a generic plan
    in_them: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{state}'") for state in states]
    where: list[sa.ColumnElement[bool]] = [notification.c.status.in_(in_them)] if states else []
    if narrow is not None:
        where += _matching(narrow)
    if before is not None:
        mark = sa.select(notification.c.created_at, notification.c.id).where(notification.c.reference == before).cte()
        at, row_id = sa.select(mark.c.created_at).scalar_subquery(), sa.select(mark.c.id).scalar_subquery()
        same_moment = sa.and_(notification.c.created_at == at, notification.c.id < row_id)
        where.append(sa.or_(notification.c.created_at < at, same_moment))
    return newest(conn, where, facility_id=facility_id, limit=limit)


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


def _matching(narrow: Narrow) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if narrow.reason is not None:
        none = narrow.reason == NO_REASON
        where.append(notification.c.reason.is_(None) if none else notification.c.reason == narrow.reason)
    if narrow.since is not None:
        where.append(notification.c.created_at >= narrow.since)
    if narrow.until is not None:
        where.append(notification.c.created_at < narrow.until)
    if narrow.which == "due":
        where += [notification.c.status == sa.literal_column("'scheduled'"), notification.c.due_at <= narrow.now]
    elif narrow.which == "risk":
        where += at_risk()
    elif narrow.which == "opened":
        where.append(sa.exists().where(link.c.id == notification.c.link_id, link.c.opened_at.is_not(None)))
    elif narrow.which == "downloaded":
        where.append(downloaded())
    return where


def at_risk() -> list[sa.ColumnElement[bool]]:
    """Still waiting, though somebody was told that the promise is about to break."""
    waiting: list[sa.ColumnElement[str]] = [
        sa.literal_column(f"'{state}'") for state in ("scheduled", "claimed", "held", "unknown")
    ]
    return [notification.c.alarmed_at.is_not(None), notification.c.status.in_(waiting)]


def downloaded() -> sa.ColumnElement[bool]:
    """Whether a person took a file at the notification's link."""
    kinds = [kind.value for kind in NO_DOWNLOADS]
    return sa.exists().where(
        opening.c.link_id == notification.c.link_id, opening.c.kind.not_in(kinds), opening.c.device != ROBOT
    )


def _narrowed(statement: sa.Select[Any], facility_id: str | None) -> sa.Select[Any]:
    if facility_id is None:
        return statement
    return statement.join(dose, dose.c.id == notification.c.dose_id).where(dose.c.facility_id == facility_id)
