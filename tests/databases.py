"""Databases for tests: thrown away, or emptied and used again."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from notifier.core.clock import SystemClock
from notifier.store.engine import Database
from notifier.store.migrate import upgrade
from notifier.store.tables import metadata

SERVER = os.environ.get("SERTILINK_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432")


@contextmanager
def postgres_database() -> Iterator[str]:
    """The SQLAlchemy URL of a new empty database, dropped afterwards."""
    name = f"sertilink_test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{SERVER.replace('postgresql://', 'postgresql+psycopg://')}/{name}"
    finally:
        with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as conn:
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def migrate(url: str) -> None:
    """Brings a database to the newest shape. On PostgreSQL it does not wait for the disk from then on."""
    db = Database(url, SystemClock())
    upgrade(db)
    if not db.is_sqlite:
        with db.write() as conn:
            name = conn.engine.url.database
            conn.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    db.close()


def empty(url: str) -> None:
    """Throws out whoever is still connected, then every row. A new database costs fifty times as much, as TRUNCATE
    does: both wait for the disk, once a table."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for table in reversed(metadata.sorted_tables):
            conn.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
