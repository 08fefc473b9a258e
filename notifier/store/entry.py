"""What dose entry asks while the person is there, each answered from an index. Counts and times; the few persons that
come back are for the rules to compare, never for a page."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.states import DoseStatus
from notifier.store import persons
from notifier.store.bulk import among
from notifier.store.persons import Person
from notifier.store.sealed import Sealer
from notifier.store.tables import dose, facility, person

_MOST_WITH_ONE_NIK = 10
_MOST_NEAR = 50


def with_nik(conn: Connection, sealer: Sealer, index: bytes) -> list[Person]:
    """The persons with a NIK, the oldest row first; those that cannot be opened are left out."""
    statement = sa.select(person).where(person.c.nik_index == index).order_by(person.c.created_at, person.c.id)
    return _opened(sealer, conn.execute(statement.limit(_MOST_WITH_ONE_NIK)))


def with_any_nik(conn: Connection, sealer: Sealer, indexes: Collection[bytes]) -> list[Person]:
    """Some of the persons with one of many NIK."""
    statement = sa.select(person).where(among(conn, person.c.nik_index, indexes))
    return _opened(sealer, conn.execute(statement.limit(_MOST_NEAR)))


def count_with_phone(conn: Connection, index: bytes, *, but: Collection[str], most: int) -> int:
    """How many persons have a number, besides some; stops counting at `most`."""
    some = sa.select(person.c.id).where(person.c.phone_index == index, person.c.id.not_in(list(but))).limit(most)
    return conn.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0


def doses_on(conn: Connection, person_ids: Collection[str], given_on: date, *, but_source: str) -> list[sa.Row[Any]]:
    """The doses that some persons got on a day, newest first, each with its `facility_name`, besides the one with a
    source id."""
    statement = (
        sa.select(
            dose.c.id, dose.c.created_at, sa.func.coalesce(dose.c.facility, facility.c.name).label("facility_name")
        )
        .outerjoin(facility, facility.c.id == dose.c.facility_id)
        .where(dose.c.person_id.in_(list(person_ids)), dose.c.given_on == given_on)
        .where(dose.c.status == DoseStatus.GIVEN.value, dose.c.source_id != but_source)
        .order_by(dose.c.created_at.desc(), dose.c.id.desc())
    )
    return list(conn.execute(statement))


def _opened(sealer: Sealer, rows: sa.CursorResult[Any]) -> list[Person]:
    found = []
    for row in rows:
        try:
            found.append(persons.opened(sealer, dict(row._mapping)))
        except SealBroken:
            continue  # one broken row may not stop the entry of others
    return found
