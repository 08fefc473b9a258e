"""Doses and the facilities that gave them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import DoseStatus
from notifier.store.bulk import among, insert_rows
from notifier.store.events import insert_new
from notifier.store.tables import dose, facility

#: written once: SQLAlchemy takes longer to build a statement than to send it
_OF_PERSON = (
    sa.select(dose)
    .where(dose.c.person_id == sa.bindparam("of_person"), dose.c.status == DoseStatus.GIVEN.value)
    .order_by(dose.c.given_on, dose.c.number, dose.c.id)
)


def find(conn: Connection, source_id: str) -> sa.Row[Any] | None:
    """The dose with the source's id."""
    return conn.execute(sa.select(dose).where(dose.c.source_id == source_id)).first()


def get(conn: Connection, dose_id: str) -> sa.Row[Any]:
    return conn.execute(sa.select(dose).where(dose.c.id == dose_id)).one()


def load(conn: Connection, ids: Collection[str]) -> dict[str, sa.Row[Any]]:
    """Doses by id."""
    return {row.id: row for row in conn.execute(sa.select(dose).where(dose.c.id.in_(list(ids))))}


def of_person(conn: Connection, person_id: str) -> list[sa.Row[Any]]:
    """The doses that a person has had, oldest first; withdrawn ones left out."""
    return list(conn.execute(_OF_PERSON, {"of_person": person_id}))


def insert(conn: Connection, *, at: datetime, **values: Any) -> None:
    conn.execute(dose.insert(), {**values, "created_at": at, "updated_at": at})


def update(conn: Connection, dose_id: str, *, at: datetime, **values: Any) -> None:
    conn.execute(dose.update().where(dose.c.id == dose_id).values(**values, updated_at=at))


def remember_facility(conn: Connection, facility_id: str, name: str | None) -> None:
    """Keeps a facility that was seen for the first time."""
    insert_new(conn, facility, {"id": facility_id, "name": name, "time_zone": None}, "id")


def facility_zones(conn: Connection, facility_ids: Collection[str]) -> dict[str, str]:
    """The zones of some facilities, where somebody set them."""
    if not facility_ids:
        return {}
    statement = sa.select(facility.c.id, facility.c.time_zone).where(facility.c.id.in_(list(facility_ids)))
    return {row.id: row.time_zone for row in conn.execute(statement) if row.time_zone}


def facility_zone(conn: Connection, facility_id: str) -> str | None:
    """The facility's own zone, where somebody set one."""
    return conn.scalar(sa.select(facility.c.time_zone).where(facility.c.id == facility_id))


def find_each(conn: Connection, source_ids: Collection[str]) -> dict[str, sa.Row[Any]]:
    """Those of the doses that are known, by the source's id."""
    return {
        row.source_id: row for row in conn.execute(sa.select(dose).where(among(conn, dose.c.source_id, source_ids)))
    }


def insert_many(conn: Connection, rows: Sequence[Mapping[str, Any]], *, at: datetime) -> None:
    """Adds doses that all have the same columns."""
    insert_rows(conn, dose, [{**row, "created_at": at, "updated_at": at} for row in rows])


def find_facilities(conn: Connection, facility_ids: Collection[str]) -> dict[str, str | None]:
    """The zones of those facilities that are known; None where nobody set one."""
    if not facility_ids:
        return {}
    statement = sa.select(facility.c.id, facility.c.time_zone).where(among(conn, facility.c.id, facility_ids))
    return {row.id: row.time_zone for row in conn.execute(statement)}
