"""Locks on things that have no row yet: two events of one dose, two first sightings of one person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.engine import Database
from notifier.store.health import AWAY
from notifier.store.sealed import Sealer

# a function scan gives its rows in the array's order, so the locks are taken in the order of their numbers
_ALL = sa.text("SELECT count(pg_advisory_xact_lock(number)) FROM unnest(CAST(:numbers AS bigint[])) AS number")


def dose_key(sealer: Sealer, source_id: str) -> bytes:
    """The key under which everything that is done to one dose stands in line."""
    return sealer.index("lock.dose", source_id)


def hold(conn: Connection, *keys: bytes) -> None:
    """Holds `keys` until the transaction ends. PostgreSQL: advisory locks in one order, so that two callers never wait
    for each other crosswise. SQLite: nothing to do, since a write transaction is alone."""
    if conn.dialect.name == "sqlite":
        return
    numbers = sorted({int.from_bytes(key[:8], "big", signed=True) for key in keys})
    if len(numbers) > 1:
        conn.execute(_ALL, {"numbers": numbers})
    elif numbers:
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(numbers[0])))


@contextmanager
def duty(db: Database, key: int) -> Iterator[Callable[[], bool]]:
    """A duty that one process has at a time: whether it is the caller's, who asks again and again. It ends with the
    block, or with the connection, and another gets it. It saves work and guards nothing: after a broken connection two
    may believe that it is theirs. SQLite: everybody's, since a write transaction is alone."""
    if db.is_sqlite:
        yield lambda: True
        return
    with db.read() as conn:
        has_it = False

        def is_mine() -> bool:
            nonlocal has_it
            has_it = has_it or bool(conn.scalar(_TRY, {"key": key}))
            return has_it

        try:
            yield is_mine
        finally:
            if has_it:
                try:
                    conn.execute(_LET_GO, {"key": key})
                except AWAY:
                    conn.invalidate()  # a connection that went back with the lock would keep it


_TRY = sa.select(sa.func.pg_try_advisory_lock(sa.bindparam("key", type_=sa.BigInteger)))
_LET_GO = sa.select(sa.func.pg_advisory_unlock(sa.bindparam("key", type_=sa.BigInteger)))
