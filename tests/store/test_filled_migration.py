"""A database that was in use before the staff's desks came: every row is there afterwards, as it was."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from notifier.store import migrate
from notifier.store.engine import Database
from tests.databases import postgres_database
from tests.fakes import FakeClock
from tests.requirements import require

_BEFORE = "0004"
_OURS = "alembic_version"
Rows = dict[str, dict[str, Any]]


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new.db"
        return
    require("postgres")
    with postgres_database(migrated=False) as url:
        yield url


def _upgrade(conn: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    command.upgrade(config, revision)


def _reflected(conn: sa.Connection) -> sa.MetaData:
    found = sa.MetaData()
    found.reflect(conn)
    return found


def _value(column: sa.Column[Any], number: int) -> Any:
    """Something that fits, another one in each row."""
    kind = column.type
    if isinstance(kind, sa.JSON):
        return []
    if isinstance(kind, sa.LargeBinary):
        return bytes([number]) * 16
    if isinstance(kind, sa.DateTime):
        return datetime(2026, 11, 1, 3, number % 60, tzinfo=UTC if kind.timezone else None)
    if isinstance(kind, sa.Date):
        return date(1989, 2, 10)
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Numeric | sa.Integer | sa.Float):
        return number
    some = uuid.UUID(int=number)
    return some if isinstance(kind, sa.Uuid) else some.hex[-(kind.length or 9) :]  # type: ignore[attr-defined]


def _fill(conn: sa.Connection) -> Rows:
    """One row in each table, every column of it, with the columns that point at others pointing at theirs."""
    told: Rows = {}
    tables = [table for table in _reflected(conn).sorted_tables if table.name != _OURS]
    for number, table in enumerate(tables, 1):
        row = {column.name: _value(column, number) for column in table.columns}
        for key in table.foreign_keys:
            theirs = told.get(key.column.table.name)
            row[key.parent.name] = theirs[key.column.name] if theirs else None
        conn.execute(table.insert(), row)
        told[table.name] = row
    return told


def _stored(conn: sa.Connection, names: Rows) -> Rows:
    tables = _reflected(conn).tables
    return {
        name: dict(conn.execute(sa.select(*(tables[name].c[column] for column in row))).one()._mapping)
        for name, row in names.items()
    }


def test_every_row_of_before_is_kept(empty_database_url: str, clock: FakeClock) -> None:
    db = Database(empty_database_url, clock)
    with db.write() as conn:
        _upgrade(conn, _BEFORE)
        filled = _fill(conn)
    with db.read() as conn:
        before = _stored(conn, filled)
    assert len(before) > 20
    migrate.upgrade(db)
    with db.read() as conn:
        assert _stored(conn, before) == before
        if db.is_sqlite:
            assert conn.execute(sa.text("PRAGMA foreign_key_check")).all() == []
    db.close()
