"""Calls with a person, as somebody noted them. What was typed is sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import CallKind
from notifier.store.sealed import Sealer
from notifier.store.tables import person_call

Row = sa.Row[Any]


def add(
    conn: Connection,
    sealer: Sealer,
    *,
    person_id: str,
    facility_id: str | None,
    noted_by: str,
    kind: CallKind,
    note: str,
    at: datetime,
) -> str:
    """Keeps a call; its row id."""
    row_id = new_id()
    values = {
        "id": row_id,
        "person_id": person_id,
        "facility_id": facility_id,
        "noted_by": noted_by,
        "kind": kind.value,
        "note_sealed": sealer.seal("person_call:note", row_id, note) if note else None,
        "at": at,
    }
    conn.execute(person_call.insert(), values)
    return row_id


def of_person(conn: Connection, person_id: str, facility_id: str | None, limit: int) -> list[Row]:
    """The calls with a person, newest first; of one facility's staff, or all."""
    statement = sa.select(person_call).where(person_call.c.person_id == person_id)
    if facility_id is not None:
        statement = statement.where(person_call.c.facility_id == facility_id)
    return list(conn.execute(statement.order_by(person_call.c.at.desc(), person_call.c.id.desc()).limit(limit)))


def note(sealer: Sealer, row: Row) -> str:
    """What was typed. Raises SealBroken."""
    return "" if row.note_sealed is None else sealer.open("person_call:note", row.id, row.note_sealed)
