"""Many rows in one go: COPY on PostgreSQL, which costs half of an INSERT a row; one prepared INSERT on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection

from notifier.store.types import Moment

_FEW = 4  # fewer rows than this are not worth a COPY
Processor = Callable[[Any], Any]


def insert_rows(conn: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows that all have the same columns; the columns left out get their defaults. Raises as an INSERT would:
    SQLAlchemy's IntegrityError, DataError, OperationalError."""
    if not rows:
        return
    if len(rows) < _FEW:
        conn.execute(table.insert(), [dict(row) for row in rows])
        return
    columns = list(rows[0])
    by_column = [_ready(conn, table, column, [row[column] for row in rows]) for column in columns]
    values = list(zip(*by_column, strict=True))
    if conn.dialect.name == "sqlite":
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        # our own table's and columns' names; no value of anybody
        conn.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", values)  # noqa: S608
    else:
        _copy(conn, table, columns, values)


def among(conn: Connection, column: sa.ColumnElement[Any], values: Collection[Any]) -> sa.ColumnElement[bool]:
    """`column IN values`; on PostgreSQL as one array, since hundreds of parameters cost more than the search."""
    if conn.dialect.name == "sqlite":
        return column.in_(list(values))
    array = sa.literal(list(values), postgresql.ARRAY(column.type))
    return column == sa.any_(array)


def listed(dialect: str, column: sa.ColumnElement[Any], name: str = "ids") -> sa.ColumnElement[bool]:
    """`among` for a statement that is written once: the values come as the parameter `name`, a list."""
    if dialect == "sqlite":
        return column.in_(sa.bindparam(name, expanding=True))
    return column == sa.any_(sa.bindparam(name, type_=postgresql.ARRAY(column.type)))


def _ready(conn: Connection, table: sa.Table, column: str, values: list[Any]) -> list[Any]:
    """The values of a column as SQLAlchemy itself would hand them to the driver."""
    kind = table.c[column].type
    processor: Processor | None = kind.dialect_impl(conn.dialect).bind_processor(conn.dialect)
    if processor is None:
        return values
    if not isinstance(kind, Moment):
        return list(map(processor, values))
    # the rows of a batch share a few moments, and their zones are costly to look at
    known = {value: processor(value) for value in set(values)}
    return [known[value] for value in values]


def _copy(conn: Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), names)
    try:
        with _cursor(conn) as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise _wrapped(conn, table, error) from error


def _cursor(conn: Connection) -> psycopg.Cursor[Any]:
    raw: Any = conn.connection.dbapi_connection
    cursor: psycopg.Cursor[Any] = raw.cursor()
    return cursor


def _wrapped(conn: Connection, table: sa.Table, error: psycopg.Error) -> BaseException:
    """The error as SQLAlchemy would have raised it: callers know no driver."""
    raw: Any = conn.connection.dbapi_connection
    lost = conn.dialect.is_disconnect(error, raw, None)  # type: ignore[arg-type]  # the driver's own error
    if lost:
        conn.invalidate(error)
    return sa.exc.DBAPIError.instance(
        f"COPY {table.name}",
        None,
        error,
        psycopg.Error,
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=conn.dialect,
    )
