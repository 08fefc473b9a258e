"""The staff's work lists: what waits for somebody, oldest first, and how much of it. Counts stop at a bound, so that a
page is as fast in a bad week as in a good one.

`facility_id` None means every facility; the narrowing is in the query, so that no page can forget it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.tables import dose, facility, notification, person, suppression
from notifier.store.unknowns import DECIDED

Row = sa.Row[Any]
#: counts go no further
MOST_COUNTED = 5_000
#: the facilities with most of a pile are looked for among so many that wait longest: each costs a look at its dose
_MOST_PLACED = 1_000
#: persons whose numbers are shown beside one page of stopped numbers (a family shares one)
_MOST_PERSONS = 300


class Pile(StrEnum):
    """Which notifications wait for what."""

    UNKNOWN = "unknown"  #: nobody can know whether they were sent
    HELD = "held"  #: for an operator's decision
    LATE = "late"  #: the promise of 48 hours is broken, or about to be
    NUMBERS = "numbers"  #: no number, or one that takes no SMS


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits, counted no further than MOST_COUNTED, and since when the oldest does."""

    count: int
    oldest: datetime | None


def listed(
    conn: Connection,
    pile: Pile,
    *,
    facility_id: str | None,
    limit: int,
    promised_before: datetime,
    after: str | None = None,
) -> list[Row]:
    """Notifications, those that wait longest first; `after`: only those that follow this reference.
    `promised_before`: for LATE, those that were accepted earlier."""
    key = _key(pile)
    statement = _of(pile, sa.select(notification), facility_id, promised_before)
    if after is not None:
        mark = sa.select(key.label("at"), notification.c.id).where(notification.c.reference == after).cte()
        at, row_id = sa.select(mark.c.at).scalar_subquery(), sa.select(mark.c.id).scalar_subquery()
        statement = statement.where(sa.or_(key > at, sa.and_(key == at, notification.c.id > row_id)))
    return list(conn.execute(statement.order_by(key, notification.c.id).limit(limit)))


def waiting(conn: Connection, pile: Pile, *, facility_id: str | None, promised_before: datetime) -> Waiting:
    """How much of a pile there is."""
    key = _key(pile).label("at")
    some = _of(pile, sa.select(key), facility_id, promised_before).order_by(key).limit(MOST_COUNTED).subquery()
    count, oldest = conn.execute(sa.select(sa.func.count(), sa.func.min(some.c.at)).select_from(some)).one()
    return Waiting(count, oldest)


def waiting_late(
    conn: Connection, *, facility_id: str | None, promised_before: datetime, broken_before: datetime
) -> tuple[Waiting, int]:
    """The same for LATE, and of how many the promise is broken: those accepted by `broken_before`."""
    key = _key(Pile.LATE).label("at")
    some = _of(Pile.LATE, sa.select(key), facility_id, promised_before).order_by(key).limit(MOST_COUNTED).subquery()
    broken = sa.func.count(sa.case((some.c.at <= broken_before, 1)))
    count, oldest, past = conn.execute(sa.select(sa.func.count(), sa.func.min(some.c.at), broken)).one()
    return Waiting(count, oldest), past


def by_facility(conn: Connection, pile: Pile, *, promised_before: datetime, limit: int) -> list[Row]:
    """The facilities with most of a pile, among the _MOST_PLACED that wait longest: `id`, `name`, `waiting`."""
    key = _key(pile)
    statement = _of(pile, sa.select(notification.c.dose_id), None, promised_before)
    some = statement.order_by(key).limit(_MOST_PLACED).subquery()
    waiting = sa.func.count().label("waiting")
    grouped = (
        sa.select(dose.c.facility_id.label("id"), sa.func.max(facility.c.name).label("name"), waiting)
        .select_from(
            some.join(dose, dose.c.id == some.c.dose_id).outerjoin(facility, facility.c.id == dose.c.facility_id)
        )
        .where(dose.c.facility_id.is_not(None))
        .group_by(dose.c.facility_id)
    )
    return list(conn.execute(grouped.order_by(waiting.desc(), dose.c.facility_id).limit(limit)))


def _key(pile: Pile) -> sa.ColumnElement[datetime]:
    """Since when it waits."""
    return notification.c.accepted_at if pile is Pile.LATE else notification.c.updated_at


def _of(pile: Pile, statement: sa.Select[Any], facility_id: str | None, promised_before: datetime) -> sa.Select[Any]:
    statement = statement.where(*_where(pile, promised_before))
    if facility_id is None:
        return statement
    return statement.join(dose, dose.c.id == notification.c.dose_id).where(dose.c.facility_id == facility_id)


def _where(pile: Pile, promised_before: datetime) -> list[Any]:
    """Predicates are literal, as those of the partial indexes are: a bound parameter would match none."""
    if pile is Pile.UNKNOWN:
        undecided = notification.c.reason.not_in(DECIDED)
        return [sa.text("notification.status = 'unknown'"), notification.c.look_up_at.is_(None), undecided]
    if pile is Pile.HELD:
        # the index's own predicate besides: SQLite does not see that one state implies it
        attention = sa.text("notification.status IN ('unknown', 'held')")
        return [sa.text("notification.status = 'held'"), attention]
    if pile is Pile.LATE:
        # the first message about an event: a resend was asked for later, and may have been for a later day
        return [
            sa.text("notification.status IN ('scheduled', 'held')"),
            notification.c.accepted_at <= promised_before,
            notification.c.retries == 0,
            notification.c.parent_id.is_(None),
        ]
    bad = "notification.status IN ('suppressed', 'failed') AND notification.reason IN"
    return [sa.text(f"{bad} ('no-phone', 'bad-phone', 'wrong-number')"), _has_no_newer()]


def _has_no_newer() -> sa.ColumnElement[bool]:
    """Whether no later message about the same dose tells more. A subquery of its own for each row: PostgreSQL would
    turn NOT EXISTS into a join over the whole pile, before it is cut to a page."""
    later = notification.alias("later")
    one = sa.select(later.c.id).where(
        later.c.dose_id == notification.c.dose_id, later.c.created_at > notification.c.created_at
    )
    return one.limit(1).scalar_subquery().is_(None)


def stopped(conn: Connection, *, facility_id: str | None, limit: int, after: str | None = None) -> list[Row]:
    """Numbers that get no SMS, those stopped longest ago first; `after`: only those that follow this row id. A facility
    sees those of persons with a dose of its own."""
    statement = _stopped(sa.select(suppression), facility_id)
    if after is not None:
        at = sa.select(suppression.c.created_at).where(suppression.c.id == after).scalar_subquery()
        same_moment = sa.and_(suppression.c.created_at == at, suppression.c.id > after)
        statement = statement.where(sa.or_(suppression.c.created_at > at, same_moment))
    return list(conn.execute(statement.order_by(suppression.c.created_at, suppression.c.id).limit(limit)))


def find_stopped(conn: Connection, row_id: str, *, facility_id: str | None) -> Row | None:
    """One of them, as far as the facility's staff may see it."""
    return conn.execute(_stopped(sa.select(suppression), facility_id).where(suppression.c.id == row_id)).first()


def waiting_stopped(conn: Connection, *, facility_id: str | None) -> Waiting:
    """How many numbers are stopped."""
    key = suppression.c.created_at.label("at")
    some = _stopped(sa.select(key), facility_id).order_by(key).limit(MOST_COUNTED).subquery()
    count, oldest = conn.execute(sa.select(sa.func.count(), sa.func.min(some.c.at)).select_from(some)).one()
    return Waiting(count, oldest)


def persons_with(conn: Connection, phone_indexes: list[bytes], facility_id: str | None) -> list[Row]:
    """Whose numbers some are: `person_id`, `phone_index`."""
    statement = sa.select(person.c.id.label("person_id"), person.c.phone_index).where(
        person.c.phone_index.in_(phone_indexes)
    )
    if facility_id is not None:
        statement = statement.where(_given_at(facility_id))
    return list(conn.execute(statement.limit(_MOST_PERSONS)))


def _stopped(statement: sa.Select[Any], facility_id: str | None) -> sa.Select[Any]:
    statement = statement.where(sa.text("suppression.lifted_at IS NULL"))
    if facility_id is None:
        return statement
    theirs = sa.select(sa.literal(1)).where(person.c.phone_index == suppression.c.phone_index, _given_at(facility_id))
    return statement.where(theirs.exists())


def _given_at(facility_id: str) -> sa.ColumnElement[bool]:
    """Whether the person has a dose of the facility."""
    at_it = sa.select(sa.literal(1)).where(dose.c.person_id == person.c.id, dose.c.facility_id == facility_id)
    return at_it.exists()


def facility_named(conn: Connection, facility_id: str) -> Row | None:
    """A facility by its id: `id`, `name`."""
    statement: sa.Select[Any] = sa.select(facility.c.id, facility.c.name).where(facility.c.id == facility_id)
    return conn.execute(statement).first()
