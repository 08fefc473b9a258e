"""Whose data somebody may have seen: by a link, under a number, within a span of time. Reads alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.bulk import among
from notifier.store.openings import ROBOT, OpeningKind
from notifier.store.tables import link, notification, number_pause, opening, person

Row = sa.Row[Any]

_NOTHING_SEEN = (OpeningKind.WRONG_DATE.value, OpeningKind.VERIFIED.value)
_IS_ROBOT = opening.c.device == ROBOT
_SAW = opening.c.kind.not_in(_NOTHING_SEEN)

#: a code, or word of a case, that went to a mere number says nothing of a person
_OF_SOMEBODY = notification.c.person_id.is_not(None)


def _many(where: sa.ColumnElement[bool], name: str) -> sa.Label[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((where, 1), else_=0)), 0).label(name)


#: what was done: seen by people and by robots, downloads among it, tries that failed
_DEEDS = (
    _many(sa.and_(_SAW, ~_IS_ROBOT), "seen"),
    _many(sa.and_(_SAW, _IS_ROBOT), "robots"),
    _many(opening.c.kind == OpeningKind.WRONG_DATE.value, "wrong"),
    sa.func.min(opening.c.at).label("first_at"),
    sa.func.max(opening.c.at).label("last_at"),
)


def find_link(conn: Connection, public_id: str) -> Row | None:
    """A link, with `left_at`: when the first SMS that bears it left, or None."""
    left = (
        sa.select(sa.func.min(notification.c.left_at)).where(
            notification.c.person_id == link.c.person_id, notification.c.link_id == link.c.id
        )
    ).scalar_subquery()
    return conn.execute(sa.select(link, left.label("left_at")).where(link.c.public_id == public_id)).first()


def deeds_at_link(conn: Connection, link_id: str) -> Row:
    """What was done at a link, over its whole life: `seen`, `robots`, `wrong`, `first_at`, `last_at`."""
    return conn.execute(sa.select(*_DEEDS).where(opening.c.link_id == link_id)).one()


def sent_to(conn: Connection, phone_index: bytes, limit: int) -> list[Row]:
    """Whose messages went to a number: `person_id`, `first_at`, `last_at`, and whether it is theirs now (`is_theirs`),
    and since when the number was said to be a stranger's, or known for one (`said_at`, `confirmed_at`)."""
    sent = (
        sa.select(
            notification.c.person_id,
            sa.func.min(notification.c.left_at).label("first_at"),
            sa.func.max(notification.c.left_at).label("last_at"),
        )
        .where(notification.c.phone_index == phone_index, notification.c.left_at.is_not(None), _OF_SOMEBODY)
        .group_by(notification.c.person_id)
        .subquery()
    )
    paused = sa.and_(
        number_pause.c.person_id == sent.c.person_id,
        number_pause.c.phone_index == phone_index,
        number_pause.c.lifted_at.is_(None),
    )
    statement = (
        sa.select(
            sent,
            sa.func.coalesce(person.c.phone_index == phone_index, sa.false()).label("is_theirs"),
            number_pause.c.created_at.label("said_at"),
            number_pause.c.confirmed_at,
        )
        .join(person, person.c.id == sent.c.person_id)
        .outerjoin(number_pause, paused)
        .order_by(sent.c.person_id)
    )
    return list(conn.execute(statement.limit(limit)))


def deeds_under_number(conn: Connection, person_id: str, phone_index: bytes) -> Row:
    """What was done at the links that went to a number about one person."""
    links = sa.select(notification.c.link_id).where(
        notification.c.person_id == person_id, notification.c.phone_index == phone_index
    )
    theirs = opening.c.person_id == person_id
    return conn.execute(sa.select(*_DEEDS).where(theirs, opening.c.link_id.in_(links))).one()


def opened_between(conn: Connection, start: datetime, end: datetime, limit: int) -> list[Row]:
    """By person: what was done at links, from a moment until before another. Who checks a number is told nothing."""
    at_links = opening.c.kind != OpeningKind.VERIFIED.value
    statement = sa.select(opening.c.person_id, *_DEEDS).where(opening.c.at >= start, opening.c.at < end, at_links)
    return list(conn.execute(statement.group_by(opening.c.person_id).order_by(opening.c.person_id).limit(limit)))


def sent_between(conn: Connection, start: datetime, end: datetime, limit: int) -> list[Row]:
    """By person: `sent`, how many messages left from a moment until before another; `first_at`, `last_at`."""
    left = sa.and_(notification.c.left_at.is_not(None), notification.c.left_at >= start, notification.c.left_at < end)
    statement = sa.select(
        notification.c.person_id,
        sa.func.count().label("sent"),
        sa.func.min(notification.c.left_at).label("first_at"),
        sa.func.max(notification.c.left_at).label("last_at"),
    ).where(left, _OF_SOMEBODY)
    statement = statement.group_by(notification.c.person_id).order_by(notification.c.person_id)
    return list(conn.execute(statement.limit(limit)))


def sealed_persons(conn: Connection, ids: list[str]) -> dict[str, Row]:
    """Persons by id, as they are stored."""
    return {row.id: row for row in conn.execute(sa.select(person).where(among(conn, person.c.id, ids)))}


def references(conn: Connection, ids: list[str]) -> dict[str, str]:
    """The reference of the newest message about each of some persons."""
    statement = sa.select(notification.c.person_id, notification.c.reference).where(
        among(conn, notification.c.person_id, ids)
    )
    rows = conn.execute(statement.order_by(notification.c.created_at, notification.c.id))
    return {row.person_id: row.reference for row in rows}
