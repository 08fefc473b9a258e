"""Whether the database can be used right now."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store import migrate
from notifier.store.engine import Database

#: what SQLAlchemy raises where the database is away, too busy, or not migrated
AWAY = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.ProgrammingError, sa.exc.TimeoutError)


def is_ready(db: Database, revision: str) -> bool:
    """Whether the database answers and has the shape of `revision`. Never raises for a database that is away."""
    try:
        with db.read() as conn:
            return migrate.current_revision(conn) == revision
    except AWAY:
        return False
