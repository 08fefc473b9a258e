"""One UPDATE for many rows, each with values of its own: a chunk costs one statement on PostgreSQL, not one a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

_NEW = "new_"


def update_each(
    conn: Connection,
    table: sa.Table,
    changes: Sequence[Mapping[str, Any]],
    *where: sa.ColumnElement[bool],
    same: Mapping[str, Any] | None = None,
) -> int:
    """Updates the rows named by `row_id` in `changes`, where `where` holds too; how many changed. Each change has
    columns prefixed `new_`, the same ones in all of them; `same` holds values for every row."""
    if not changes:
        return 0
    columns = [key[len(_NEW) :] for key in changes[0] if key.startswith(_NEW)]
    if conn.dialect.name == "sqlite":
        own: dict[str, Any] = {column: sa.bindparam(_NEW + column) for column in columns}
        statement = table.update().where(table.c.id == sa.bindparam("row_id"), *where).values(**{**(same or {}), **own})
        return conn.execute(statement, [dict(change) for change in changes]).rowcount
    shared, varying = _split(changes, columns)
    given = _as_rows(table, changes, varying)
    values = {**(same or {}), **shared, **{column: given.c[_NEW + column] for column in varying}}
    statement = table.update().where(table.c.id == given.c.row_id, *where).values(**values)
    return conn.execute(statement).rowcount


def _split(changes: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The columns that have one value in all changes, with it, and the others."""
    shared, varying = {}, []
    for column in columns:
        first = changes[0][_NEW + column]
        if all(change[_NEW + column] == first for change in changes):
            shared[column] = first
        else:
            varying.append(column)
    return shared, varying


def _as_rows(table: sa.Table, changes: Sequence[Mapping[str, Any]], varying: Sequence[str]) -> Any:
    """The changes as a table: arrays, unnested side by side."""
    types = {"row_id": table.c.id.type, **{_NEW + column: table.c[column].type for column in varying}}
    arrays = [sa.literal([change[name] for change in changes], postgresql.ARRAY(kind)) for name, kind in types.items()]
    columns = [sa.column(name, kind) for name, kind in types.items()]
    return sa.func.unnest(*arrays).table_valued(*columns).render_derived(name="given")
