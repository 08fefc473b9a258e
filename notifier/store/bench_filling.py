"""What makes millions of made-up rows quick to add, for `sertilink bench` alone: on PostgreSQL the foreign keys and the
indexes that make nothing unique are dropped first and made again at the end, each in one go over all rows.

Only ever used on the throw-away database of a bench. On SQLite, which has few rows to add, nothing happens.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.tables import (
    attempt,
    audit,
    certificate,
    dose,
    link,
    notification,
    opening,
    person,
    person_word,
    receipt,
)

#: in the order of their foreign keys
FILLED = (person, person_word, dose, certificate, link, notification, attempt, receipt, opening, audit)
_ROOM = "1GB"


def lay_bare(conn: Connection) -> None:
    """Drops the foreign keys and indexes of the tables that are filled. One transaction of the caller's."""
    if conn.dialect.name == "sqlite":
        return
    for table in FILLED:
        for key in table.foreign_key_constraints:
            conn.execute(sa.schema.DropConstraint(key, isolate_from_table=False))
        for index in _droppable(table):
            index.drop(conn)


def dress(conn: Connection) -> None:
    """Makes them again. One transaction of the caller's; takes minutes for millions of rows."""
    if conn.dialect.name == "sqlite":
        return
    conn.execute(sa.text(f"SET LOCAL maintenance_work_mem = '{_ROOM}'"))
    conn.execute(sa.text("SET LOCAL statement_timeout = 0"))
    for table in FILLED:
        for index in _droppable(table):
            index.create(conn)
    for table in FILLED:
        for key in table.foreign_key_constraints:
            conn.execute(sa.schema.AddConstraint(key, isolate_from_table=False))


def hurry(conn: Connection) -> None:
    """A commit of the connection waits for no disk: nobody misses a bench's rows after a power cut."""
    if conn.dialect.name != "sqlite":
        conn.execute(sa.text("SET LOCAL synchronous_commit = off"))


def _droppable(table: sa.Table) -> list[sa.Index]:
    """By name, so that each run makes them in one order."""
    return sorted((index for index in table.indexes if not index.unique), key=lambda index: str(index.name))
