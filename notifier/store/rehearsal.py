"""A database for rehearsals: whatever is written is rolled back at the end of its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Connection

from notifier.store.engine import Database


class Rehearsal(Database):
    """`db`, whose transactions never commit. What one transaction wrote, the next does not see."""

    def __init__(self, db: Database) -> None:
        self.__dict__.update(db.__dict__)  # the same engine and clock: a second pool would be a second SQLite writer

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, always rolled back."""
        with self.engine.connect() as conn, conn.begin() as transaction:
            self.hold(conn)
            yield conn
            transaction.rollback()
