"""A row for every sealed column that a test's story has left empty, sealed as the store would: for drills with keys."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.services import Services
from notifier.store import reseal


def fill_the_rest(services: Services) -> None:
    """Each table without a value in one of its sealed columns gets a row that has one in all of them."""
    empty: dict[sa.Table, list[sa.Column[Any]]] = defaultdict(list)
    with services.db.write() as conn:
        for column in reseal.sealed_columns():
            if not conn.scalar(sa.select(sa.func.count()).select_from(column.table).where(column.is_not(None))):
                empty[column.table].append(column)
        for number, table in enumerate(empty, 1):
            _add(conn, services, table, number)


def _add(conn: Connection, services: Services, table: sa.Table, number: int) -> None:
    row = {column.name: _value(conn, column, number) for column in table.columns}
    (key,) = table.primary_key.columns
    name = row[key.name].hex() if isinstance(row[key.name], bytes) else row[key.name]
    for column in reseal.sealed_columns():
        if column.table is table:
            row[column.name] = services.sealer.seal(reseal.place_of(column), name, f"value {number}")
    conn.execute(table.insert(), row)


def _value(conn: Connection, column: sa.Column[Any], number: int) -> Any:
    """Something that fits; a row that there is, where the column points at one."""
    for key in column.foreign_keys:
        return None if column.nullable else conn.scalar(sa.select(key.column).limit(1))
    if column.nullable and not column.primary_key:
        return None
    kind = column.type
    if isinstance(kind, sa.LargeBinary):
        return bytes([number]) * 32
    if isinstance(kind, sa.Uuid):
        return str(uuid.UUID(int=number))
    if isinstance(kind, sa.String):
        return f"x{number}"
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.Boolean):
        return False
    if isinstance(kind, sa.Date):
        return date(1989, 2, 10)
    return number if isinstance(kind, sa.Numeric | sa.Integer | sa.Float) else datetime(2026, 11, 23, tzinfo=UTC)
