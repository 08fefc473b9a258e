"""Persons found by what staff know of them: blind indexes of words, NIK and number, a certificate's number, a facility.

`facility_id` None means every facility; the narrowing is in the query, so that no page can forget it. Every statement
is bounded: a word that half the country bears is walked along its index, never loaded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.bulk import among
from notifier.store.tables import certificate, dose, facility, notification, person, person_word

Row = sa.Row[Any]
#: how far each word is counted, to begin with the rarest
_COUNTED = 1000


def with_words(conn: Connection, words: Collection[bytes], facility_id: str | None, limit: int) -> list[str]:
    """The newest persons whose name has all of these words."""
    first, *others = _rarest_first(conn, words)
    one = person_word.alias("rarest")
    statement = sa.select(one.c.person_id).where(one.c.word_index == first)
    for place, word in enumerate(others):
        other = person_word.alias(f"word_{place}")
        statement = statement.join(other, sa.and_(other.c.person_id == one.c.person_id, other.c.word_index == word))
    if facility_id is not None:
        statement = statement.where(_has_dose_at(one.c.person_id, facility_id))
    return list(conn.scalars(statement.order_by(one.c.person_id.desc()).limit(limit)))


def _rarest_first(conn: Connection, words: Collection[bytes]) -> list[bytes]:
    """By how many persons bear each, counted no further than _COUNTED: what is common among them does not matter."""
    counted = []
    for word in words:
        some = sa.select(sa.literal(1)).where(person_word.c.word_index == word).limit(_COUNTED).subquery()
        counted.append((conn.scalar(sa.select(sa.func.count()).select_from(some)) or 0, word))
    return [word for _, word in sorted(counted)]


def with_nik(conn: Connection, index: bytes, facility_id: str | None, limit: int) -> list[str]:
    """The persons with a NIK (registries give one to two of theirs now and then)."""
    return _persons_where(conn, person.c.nik_index == index, facility_id, limit)


def with_phone(conn: Connection, index: bytes, facility_id: str | None, limit: int) -> list[str]:
    """The persons whose number it is now, and then those to whom something went, or was to go, under it."""
    now = _persons_where(conn, person.c.phone_index == index, facility_id, limit)
    statement = sa.select(notification.c.person_id).where(
        notification.c.phone_index == index, notification.c.person_id.is_not(None)
    )
    statement = statement.distinct()
    if facility_id is not None:
        statement = statement.where(_has_dose_at(notification.c.person_id, facility_id))
    before = [one for one in conn.scalars(statement.limit(limit)) if one not in now]
    return (now + before)[:limit]


def with_certificate(conn: Connection, number: str, facility_id: str | None) -> list[str]:
    """Whose certificate bears a number: one person, or none."""
    statement = sa.select(certificate.c.person_id).where(certificate.c.number == number)
    if facility_id is not None:
        statement = statement.join(dose, dose.c.id == certificate.c.dose_id).where(dose.c.facility_id == facility_id)
    return list(conn.scalars(statement))


def at_facility(conn: Connection, facility_id: str, limit: int) -> list[str]:
    """The persons of a facility's newest doses, newest first."""
    newest = (
        sa.select(dose.c.person_id)
        .where(dose.c.facility_id == facility_id, dose.c.person_id.is_not(None))
        .order_by(dose.c.created_at.desc(), dose.c.id.desc())
        .limit(limit)
    )
    return list(dict.fromkeys(conn.scalars(newest)))


def facilities(conn: Connection, text: str, limit: int) -> list[Row]:
    """The facilities with this id, or whose name has each word of the text; by name. `id`, `name`."""
    folded = sa.func.lower(facility.c.name)
    words = [folded.contains(word.lower(), autoescape=True) for word in text.split()]
    statement = sa.select(facility.c.id, facility.c.name).where(sa.or_(facility.c.id == text, sa.and_(*words)))
    return list(conn.execute(statement.order_by(facility.c.name, facility.c.id).limit(limit)))


def sealed_births(conn: Connection, person_ids: Sequence[str]) -> dict[str, bytes]:
    """The sealed birth dates of some persons, where they have one."""
    statement = sa.select(person.c.id, person.c.birth_date_sealed).where(
        among(conn, person.c.id, person_ids), person.c.birth_date_sealed.is_not(None)
    )
    return {row.id: row.birth_date_sealed for row in conn.execute(statement)}


def newest_messages(conn: Connection, person_ids: Collection[str], facility_id: str | None) -> dict[str, Row]:
    """The newest notification about each of some persons, by person id; about a facility's doses alone, or any."""
    statement = sa.select(notification).where(notification.c.person_id.in_(list(person_ids)))
    if facility_id is not None:
        statement = statement.join(dose, dose.c.id == notification.c.dose_id).where(dose.c.facility_id == facility_id)
    rows = conn.execute(statement.order_by(notification.c.created_at, notification.c.id))
    return {row.person_id: row for row in rows}


def _persons_where(conn: Connection, where: sa.ColumnElement[bool], facility_id: str | None, limit: int) -> list[str]:
    statement = sa.select(person.c.id).where(where)
    if facility_id is not None:
        statement = statement.where(_has_dose_at(person.c.id, facility_id))
    return list(conn.scalars(statement.order_by(person.c.id.desc()).limit(limit)))


def _has_dose_at(person_id: sa.ColumnElement[str], facility_id: str) -> sa.ColumnElement[bool]:
    at_it = sa.select(sa.literal(1)).where(dose.c.facility_id == facility_id, dose.c.person_id == person_id)
    return at_it.exists()
