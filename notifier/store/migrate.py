"""Migrations: bring a database to the newest shape, and say whether it is there. Forward only."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from notifier.store.engine import Database

_FOLDER = Path(__file__).parent / "migrations"
_LOCK_KEY = 7_301_944_118  # any number that only we use, for pg_advisory_xact_lock


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    """The revision that this code is written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("there are no migrations")
    return head


def current_revision(conn: Connection) -> str | None:
    """The revision of a database; None for an empty one."""
    return MigrationContext.configure(conn).get_current_revision()


def upgrade(db: Database) -> None:
    """Runs what is missing, in one transaction. Processes that start at once wait for one another."""
    with db.write() as conn:
        if not db.is_sqlite:
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))
        if current_revision(conn) == newest_revision():
            return
        config = _config()
        config.attributes["connection"] = conn
        command.upgrade(config, "head")


def is_current(db: Database) -> bool:
    """Whether the database has this code's shape."""
    with db.read() as conn:
        return current_revision(conn) == newest_revision()
