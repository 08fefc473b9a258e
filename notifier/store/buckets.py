"""Limiters: one GCRA row each, exact over all processes on both databases. The sender's, in SMS segments per second,
and those of API keys, in requests.

GCRA (generic cell rate algorithm, ITU-T I.371): `full_at` is the moment at which everything charged so far is paid off
at the rate; how far it lies ahead of now is how much of the burst is used up.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.events import insert_new
from notifier.store.tables import bucket

#: Seconds of the rate that may leave at once: a tick comes each second, and one that is late must not cost throughput.
BURST_S = 2.0
_NO_LIMIT = 1_000_000_000
#: of a segment: Unix time as a double is exact to a quarter of a microsecond, and each charge rounds anew
_ROUNDING = 1e-3
#: no pause and no debt is longer, in seconds: a moment farther ahead was written before the clock was set back
_LONGEST_S = 900.0


def room(conn: Connection, name: str, *, rate: float, at: datetime) -> int:
    """How many segments may leave now; 0 while a pause lasts. Where there is a rate, holds the row until the end of the
    transaction. `rate` 0: no limit, but a pause holds all the same."""
    if rate <= 0:
        paused_until = conn.scalar(sa.select(bucket.c.full_at).where(bucket.c.name == name))
        return 0 if paused_until is not None and _ahead(paused_until, at) > 0 else _NO_LIMIT
    ahead = _ahead(_locked(conn, name, at), at)
    return max(0, int(max(BURST_S, 1 / rate) * rate - ahead * rate + _ROUNDING))


def charge(conn: Connection, name: str, segments: int, *, rate: float, at: datetime) -> None:
    """Takes `segments` out, into debt if need be: what a person waits for goes at once and is paid for by the rest."""
    if rate <= 0 or segments <= 0:
        return
    full_at = at.timestamp() + _ahead(_locked(conn, name, at), at) + segments / rate
    conn.execute(bucket.update().where(bucket.c.name == name).values(full_at=full_at))


def pause(conn: Connection, name: str, *, until: datetime, rate: float, at: datetime) -> None:
    """Lets nothing out before `until`: the provider asked us to slow down."""
    burst = max(BURST_S, 1 / rate) if rate > 0 else 0.0
    full_at = max(_locked(conn, name, at), until.timestamp() + burst)
    conn.execute(bucket.update().where(bucket.c.name == name).values(full_at=full_at))


def _ahead(full_at: float, at: datetime) -> float:
    """How many seconds `full_at` lies ahead of now."""
    ahead = full_at - at.timestamp()
    return ahead if 0 < ahead <= _LONGEST_S else 0.0


def _locked(conn: Connection, name: str, at: datetime) -> float:
    statement = sa.select(bucket.c.full_at).where(bucket.c.name == name).with_for_update()
    full_at = conn.scalar(statement)
    if full_at is None:
        insert_new(conn, bucket, {"name": name, "full_at": at.timestamp() - 1}, "name")
        full_at = conn.execute(statement).scalar_one()
    return float(full_at)
