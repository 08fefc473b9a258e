"""What a facility recorded, each dose with its newest message that bears a link: a day with its counts, and what needs
somebody's help. Every query is of one facility and reads no further than its page; `before` is the id of the last dose
of the page before.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import DoseStatus, Reason, State
from notifier.store.tables import dose, facility, notification

Row = sa.Row[Any]

#: why a message that is not sent asks for somebody: it has no number, or none that may be sent to
_HELPABLE = (Reason.NO_PHONE, Reason.BAD_PHONE, Reason.WRONG_NUMBER, Reason.OPTED_OUT, Reason.NOT_ME)
_DECIDED = (Reason.SENT_AGAIN, Reason.LEFT_ALONE)
#: the predicate of ix_notification_help, to the letter: only so is the index used
HELP_PREDICATE = "status IN ('failed', 'undelivered', 'unknown', 'held', 'suppressed')"
_LONGEST_SEARCH = 100


def _newest() -> sa.ScalarSelect[Any]:
    """The id of a dose's newest message that bears a link."""
    other = notification.alias()
    return _of_newest(other.c.id, other)


def _of_newest(column: sa.ColumnElement[Any], other: sa.FromClause) -> sa.ScalarSelect[Any]:
    return (
        sa.select(column)
        .where(other.c.dose_id == dose.c.id, other.c.link_id.is_not(None))
        .order_by(other.c.created_at.desc(), other.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def needs_help() -> sa.ColumnElement[bool]:
    """Whether a message asks for somebody: it did not arrive, cannot be sent, waits for a decision, or nobody knows."""
    status, reason = notification.c.status, notification.c.reason
    return sa.or_(
        status.in_([State.FAILED.value, State.UNDELIVERED.value, State.HELD.value]),
        sa.and_(
            status == State.UNKNOWN.value,
            sa.or_(reason.is_(None), reason.not_in([one.value for one in _DECIDED])),
        ),
        sa.and_(status == State.SUPPRESSED.value, reason.in_([one.value for one in _HELPABLE])),
    )


def counts(conn: Connection, facility_id: str, since: datetime, until: datetime) -> dict[tuple[str, str], int]:
    """How many doses of a span of time stand where: (state, reason) of the newest message, "" where there is none."""
    # a subquery for each dose: of a join PostgreSQL would make one over every message there is
    other = notification.alias()
    stands = _of_newest(other.c.status + "|" + sa.func.coalesce(other.c.reason, ""), other)
    each = (
        sa.select(stands.label("stands"))
        .where(dose.c.facility_id == facility_id, dose.c.created_at >= since, dose.c.created_at < until)
        .subquery()
    )
    stood = sa.func.coalesce(each.c.stands, "|")
    totals: dict[tuple[str, str], int] = {}
    for text, count in conn.execute(sa.select(stood, sa.func.count()).group_by(stood)):
        state, _, reason = text.partition("|")
        totals[state, reason] = count
    return totals


def day(
    conn: Connection,
    facility_id: str,
    since: datetime,
    until: datetime,
    *,
    limit: int,
    states: Collection[State] = (),
    help_only: bool = False,
    before: str | None = None,
) -> list[tuple[Row, Row | None]]:
    """Doses with their newest message, newest dose first: all, those whose message stands in one of `states`, or those
    that need help."""
    shots = sa.select(dose.c.id).select_from(dose.outerjoin(notification, notification.c.id == _newest()))
    shots = _narrowed(shots, facility_id, since, until, before)
    if states:
        shots = shots.where(notification.c.status.in_([state.value for state in states]))
    if help_only:
        shots = shots.where(needs_help())
    return _with_messages(conn, _in_order(shots, limit))


def asking_for_help(
    conn: Connection, facility_id: str, since: datetime, until: datetime, *, limit: int, before: str | None = None
) -> list[tuple[Row, Row | None]]:
    """The doses of a span of time whose newest message needs help, newest dose first. Found from the few messages that
    do, by an index of these alone: a facility may have recorded many thousands."""
    candidate = notification.c.dose_id == dose.c.id
    later = notification.alias("later")
    newer = sa.or_(
        later.c.created_at > notification.c.created_at,
        sa.and_(later.c.created_at == notification.c.created_at, later.c.id > notification.c.id),
    )
    is_newest = ~sa.exists().where(later.c.dose_id == dose.c.id, later.c.link_id.is_not(None), newer)
    shots = (
        sa.select(dose.c.id)
        .select_from(dose.join(notification, candidate))
        .where(sa.text(f"notification.{HELP_PREDICATE}"), needs_help(), notification.c.link_id.is_not(None), is_newest)
        .where(dose.c.status == DoseStatus.GIVEN.value)
    )
    return _with_messages(conn, _in_order(_narrowed(shots, facility_id, since, until, before), limit))


def _narrowed(
    statement: sa.Select[Any], facility_id: str, since: datetime, until: datetime, before: str | None
) -> sa.Select[Any]:
    statement = statement.where(
        dose.c.facility_id == facility_id, dose.c.created_at >= since, dose.c.created_at < until
    )
    if before is None:
        return statement
    last = sa.select(dose.c.created_at).where(dose.c.id == before, dose.c.facility_id == facility_id)
    at = last.scalar_subquery()
    return statement.where(sa.or_(dose.c.created_at < at, sa.and_(dose.c.created_at == at, dose.c.id < before)))


def _in_order(statement: sa.Select[Any], limit: int) -> sa.Select[Any]:
    return statement.order_by(dose.c.created_at.desc(), dose.c.id.desc()).limit(limit)


def _with_messages(conn: Connection, shots: sa.Select[Any]) -> list[tuple[Row, Row | None]]:
    ids = list(conn.scalars(shots))
    rows = {row.id: row for row in conn.execute(sa.select(dose).where(dose.c.id.in_(ids)))}
    messages = (
        sa.select(notification)
        .where(notification.c.dose_id.in_(ids), notification.c.link_id.is_not(None))
        .order_by(notification.c.created_at, notification.c.id)
    )
    newest = {row.dose_id: row for row in conn.execute(messages)}
    return [(rows[one], newest.get(one)) for one in ids]


def find_facilities(conn: Connection, words: str, limit: int) -> list[Row]:
    """Facilities whose name or id holds what somebody typed, by name."""
    pattern = f"%{_escaped(words[:_LONGEST_SEARCH].casefold())}%"
    found = sa.or_(
        sa.func.lower(facility.c.name).like(pattern, escape="\\"),
        sa.func.lower(facility.c.id).like(pattern, escape="\\"),
    )
    statement = sa.select(facility).where(found).order_by(facility.c.name, facility.c.id)
    return list(conn.execute(statement.limit(limit)))


def get_facility(conn: Connection, facility_id: str) -> Row | None:
    """One facility."""
    return conn.execute(sa.select(facility).where(facility.c.id == facility_id)).first()


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
