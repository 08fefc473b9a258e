"""Fills the database of `sertilink bench staff`; on PostgreSQL with several processes, each started as

python -m notifier.proof.bench.filling FIRST LAST NOW
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from itertools import pairwise

from notifier.proof.bench import people
from notifier.proof.bench.workshop import Workshop
from notifier.services import Services, build
from notifier.settings import load_settings
from notifier.store import bench_desk, bench_filling, bench_population, bench_rows
from notifier.store.bench_population import Known

_AT_ONCE = 5_000  # persons a transaction
_KNOWN = 500  # persons to ask about
_PATIENCE_S = 3600.0


def fill(shop: Workshop, size: int, workers: int) -> list[Known]:
    """A programme of `size` persons, with what is on the staff's lists; some of the persons, to ask about."""
    services, now = shop.services, shop.services.clock.now()
    with services.db.write() as conn:
        bench_filling.lay_bare(conn)
        bench_population.add_facilities(conn)
    if shop.on_postgres and workers > 1 and size > _AT_ONCE:
        _by_processes(shop, size, workers, now)
    else:
        add_persons(services, 0, size, now)
    with services.db.write() as conn:
        bench_desk.add_audit(conn, size, now)
    with services.db.write() as conn:
        bench_filling.dress(conn)
    with services.db.write() as conn:
        bench_desk.add_desk(conn, services.sealer, size, now)
    with services.db.read() as conn:
        bench_rows.settle_statistics(conn)
        return bench_population.known(conn, [_source(place) for place in range(0, size, max(1, size // _KNOWN))])


def add_persons(services: Services, first: int, last: int, now: datetime) -> None:
    """The persons from the place `first` up to, and without, `last`."""
    for start in range(first, last, _AT_ONCE):
        places = range(start, min(start + _AT_ONCE, last))
        with services.db.write() as conn:
            bench_filling.hurry(conn)
            subjects = ((place, people.subject(_source(place), place)) for place in places)
            bench_population.populate(conn, services.sealer, subjects, now=now)


def _source(place: int) -> str:
    return f"staff-{place}"


def _by_processes(shop: Workshop, size: int, workers: int, now: datetime) -> None:
    bounds = [size * number // workers for number in range(workers + 1)]
    started = [
        shop.module(f"filling-{first}", "filling", str(first), str(last), now.isoformat())
        for first, last in pairwise(bounds)
    ]
    for process in started:
        process.wait(_PATIENCE_S)


def main(first: str, last: str, now: str) -> None:
    """One of the processes."""
    services = build(load_settings(os.environ))
    try:
        add_persons(services, int(first), int(last), datetime.fromisoformat(now))
    finally:
        services.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
