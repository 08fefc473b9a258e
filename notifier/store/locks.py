"""Locks on things that have no row yet: two events of one dose, two first sightings of one person."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.sealed import Sealer


def dose_key(sealer: Sealer, source_id: str) -> bytes:
    """The key under which everything that is done to one dose stands in line."""
    return sealer.index("lock.dose", source_id)


def hold(conn: Connection, *keys: bytes) -> None:
    """Holds `keys` until the transaction ends. PostgreSQL: advisory locks in one order, so that two callers never wait
    for each other crosswise. SQLite: nothing to do, since a write transaction is alone."""
    if conn.dialect.name == "sqlite":
        return
    for number in sorted({int.from_bytes(key[:8], "big", signed=True) for key in keys}):
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
