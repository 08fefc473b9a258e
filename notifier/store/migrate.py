"""Migrations: bring a database to the newest shape, and say whether it is there. Forward only."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.engine import Database

_FOLDER = Path(__file__).parent / "migrations"
_LOCK_KEY = 7_301_944_118  # any number that only we use, for pg_advisory_xact_lock


@cache
def newest_revision() -> str:
    """The revision that this code is written for: the last of the files, which are numbered."""
    return max(file.name[:4] for file in (_FOLDER / "versions").glob("[0-9]*.py"))


def current_revision(conn: Connection) -> str | None:
    """The revision of a database; None for an empty one."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    revision: str | None = conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def upgrade(db: Database) -> None:
    """Runs what is missing, in one transaction. Processes that start at once wait for one another."""
    with db.write() as conn:
        if not db.is_sqlite:
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_KEY)))
        if current_revision(conn) == newest_revision():
            return
        _migrate(conn)


def is_current(db: Database) -> bool:
    """Whether the database has this code's shape."""
    with db.read() as conn:
        return current_revision(conn) == newest_revision()


def _migrate(conn: Connection) -> None:
    """By Alembic, which takes 11 MB: a web process, which only asks where a database stands, never loads it."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
