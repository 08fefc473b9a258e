"""`lanes`: how long fresh doses wait while a bulk goes out."""

from __future__ import annotations

import time

from notifier.core.states import Lane
from notifier.proof.bench import BenchFailed, Options, Row, people
from notifier.proof.bench.dispatch import rate_of, shop_with_provider, start_workers
from notifier.proof.bench.figures import quantile
from notifier.proof.bench.processes import Process, wait_until
from notifier.proof.bench.workshop import Workshop
from notifier.store import bench_rows

_SIZE = 10_000
_EACH_S = 1.0
_MOST_FRESH = 60
_PATIENCE_S = 60.0


def run(options: Options) -> list[Row]:
    """A bulk of `size` falls due at once; each second somebody records a dose, for as long as the bulk lasts, at most a
    minute. Delay: from the dose's due moment to the provider's answer."""
    size = options.size or _SIZE
    with shop_with_provider(options, receipts=False) as (shop, _provider):
        options.say(f"a bulk of {size}")
        ids = [made.notification_id for made in people.waiting(shop.services, size, lane=Lane.BULK)]
        workers = start_workers(shop, options.workers)
        with shop.services.db.write() as conn:
            bench_rows.fall_due(conn, ids, shop.services.clock.now(), None)
        fresh = _record_fresh(shop, size, workers)
        wait_until(lambda: _sent(shop, Lane.FRESH) >= fresh, _PATIENCE_S, "the fresh doses", workers)
        with shop.services.db.read() as conn:
            went = bench_rows.handed_over(conn, Lane.FRESH)
            bulk = bench_rows.handed_over(conn, Lane.BULK)
    if len(went) != fresh:
        raise BenchFailed(f"{len(went)} of {fresh} fresh doses were handed over")
    delays = [(one.finished_at - one.due_at).total_seconds() for one in went]
    return [
        Row("fresh dose, recorded to handed over: median", quantile(delays, 0.5), "s"),
        Row("fresh dose, recorded to handed over: longest", max(delays), "s"),
        Row("fresh doses meanwhile", fresh, "messages"),
        Row("of the bulk meanwhile", max(1, len(bulk)), "messages", size),
        Row("bulk", rate_of(bulk), "messages/s"),
    ]


def _record_fresh(shop: Workshop, size: int, workers: list[Process]) -> int:
    """One a second until the bulk is through; how many."""
    fresh = 0
    while fresh < _MOST_FRESH and (not fresh or _sent(shop, Lane.BULK) < size):
        for worker in workers:
            worker.check()
        people.record_fresh(shop.services, size + fresh, run="fresh")
        fresh += 1
        time.sleep(_EACH_S)
    return fresh


def _sent(shop: Workshop, lane: Lane) -> int:
    time.sleep(0.1)
    with shop.services.db.read() as conn:
        return bench_rows.count_handed_over(conn, lane)
