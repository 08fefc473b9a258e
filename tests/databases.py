"""Databases for tests, migrated once and emptied or copied for each: migrating each anew took most of the suite's time.
That the migrations make what the code expects is tested with new ones (tests/store/test_rows.py)."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg

from notifier.core.clock import SystemClock
from notifier.store.engine import Database
from notifier.store.migrate import upgrade
from notifier.store.tables import metadata

SERVER = os.environ.get("SERTILINK_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432")

#: migrated databases without rows that no test uses at the moment
_free: list[str] = []


@contextmanager
def postgres_database(*, migrated: bool = True) -> Iterator[str]:
    """The SQLAlchemy URL of a database without rows. A migrated one may have served an earlier test: PostgreSQL takes
    ten times as long to make and drop one as to empty it."""
    name = _free.pop() if migrated and _free else _new_database(migrated=migrated)
    try:
        yield _url(name)
    finally:
        if migrated:
            _emptied(name)
            _free.append(name)
        else:
            _drop(name)


def new_sqlite(path: Path) -> str:
    """The SQLAlchemy URL of a new migrated SQLite database without rows; one that is there already stays."""
    if not path.exists():
        shutil.copyfile(_sqlite_template(), path)
        path.chmod(0o600)
    return f"sqlite:///{path}"


def _new_database(*, migrated: bool) -> str:
    name = f"sertilink_test_{secrets.token_hex(6)}"
    _ask(f"CREATE DATABASE {name}")
    atexit.register(_drop, name)
    if migrated:
        _migrate(_url(name))
        _ask(f"ALTER DATABASE {name} SET synchronous_commit = off")  # no test pulls the plug of the server
    return name


def _emptied(name: str) -> None:
    """Ends whatever a test left connected, and takes every row away."""
    with psycopg.connect(f"{SERVER}/{name}", autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with conn.transaction():
            for table in reversed(metadata.sorted_tables):
                conn.execute(f"DELETE FROM {table.name}".encode())  # noqa: S608  # names of our own tables


def _drop(name: str) -> None:
    _ask(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="sertilink-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(f"sqlite:///{folder}/template.db")
    return folder / "template.db"


def _migrate(url: str) -> None:
    database = Database(url, SystemClock())
    upgrade(database)
    database.close()


def _ask(statement: str) -> None:
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as conn:
        conn.execute(statement.encode())


def _url(name: str) -> str:
    return f"{SERVER.replace('postgresql://', 'postgresql+psycopg://')}/{name}"
