"""`claim`: whether claiming 100 costs the same however many wait, and what a tick costs that finds nothing to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import sqlalchemy as sa

from notifier.core.clock import SystemClock
from notifier.messages.claim import claim
from notifier.messages.upkeep import tick
from notifier.proof.bench import BenchFailed, Options, Row, people
from notifier.proof.bench.figures import quantile, timed
from notifier.proof.bench.workshop import ACCOUNT_SID, AUTH_TOKEN, Workshop, open_workshop
from notifier.services import build
from notifier.store import bench_rows

_SMALL = 10_000
_SIZE = 200_000
_LIMIT = 100
_ROUNDS = 150
_WARM_UP = 10
_FEWEST = 5
_TICKS = 60
_SAME_MOMENT = 1_000  # rows that fall due together
_AT_ONCE = 50_000  # rows a transaction
_OLDEST = timedelta(hours=1)


@dataclass
class _Table:
    """A table with so many pending. What is claimed is replaced, so that there are always as many."""

    shop: Workshop
    size: int
    person_id: str
    oldest: datetime
    made: int = 0

    def fill(self) -> None:
        while self.made < self.size:
            with self.shop.services.db.write() as conn:
                for _ in range(0, min(_AT_ONCE, self.size - self.made), _SAME_MOMENT):
                    self.add(conn, min(_SAME_MOMENT, self.size - self.made))
        with self.shop.services.db.read() as conn:
            bench_rows.settle_statistics(conn)

    def add(self, conn: Any, count: int) -> None:
        moment = self.oldest + timedelta(microseconds=self.made)
        bench_rows.fill(conn, self.person_id, first=self.made, count=count, due_at=moment)
        self.made += count

    def claim(self) -> None:
        if not claim(self.shop.services, _LIMIT).rows:
            raise BenchFailed("nothing was claimed")

    def look(self) -> None:
        with self.shop.services.db.write() as conn:
            bench_rows.bare_select(conn, _LIMIT, self.shop.services.clock.now())

    def refill(self) -> None:
        with self.shop.services.db.write() as conn:
            self.add(conn, _LIMIT)


def run(options: Options) -> list[Row]:
    """Both tables take turns, so that a busy moment hits both alike."""
    size = options.size or _SIZE
    small_size = min(_SMALL, size)
    rounds = min(_ROUNDS, max(_FEWEST, size // _LIMIT))
    with _table(options, small_size) as small, _table(options, size) as large:
        took: dict[str, list[float]] = {name: [] for name in ("small", "small bare", "large", "large bare")}
        for place in range(rounds + _WARM_UP):
            for name, table in (("small", small), ("large", large)):
                claimed, looked = timed(table.claim, 1), timed(table.look, 1)
                table.refill()
                if place >= _WARM_UP:
                    took[name] += claimed
                    took[f"{name} bare"] += looked
        idle = _idle_ticks(large, options)
    ms = {name: median(values) * 1000 for name, values in took.items()}
    worst = {name: quantile(values, 0.99) * 1000 for name, values in took.items()}
    return [
        Row(f"claim 100 of {size:,}, median, beside claiming 100 of {small_size:,}", ms["large"], "ms", ms["small"]),
        Row(f"claim 100 of {size:,}, p99, beside claiming 100 of {small_size:,}", worst["large"], "ms", worst["small"]),
        Row(f"claim 100 of {small_size:,}, median, beside a bare SELECT", ms["small"], "ms", ms["small bare"]),
        Row(f"claim 100 of {size:,}, median, beside a bare SELECT", ms["large"], "ms", ms["large bare"]),
        *idle,
    ]


@contextmanager
def _table(options: Options, size: int) -> Iterator[_Table]:
    with open_workshop(
        options,
        gateway="twilio",
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=AUTH_TOKEN,
        twilio_messaging_service_sid="MG" + "b" * 32,
    ) as shop:
        options.say(f"{size:,} rows")
        made = people.waiting(shop.services, 1)[0]
        with shop.services.db.read() as conn:
            person_id = bench_rows.person_of(conn, made.notification_id)
        table = _Table(shop, size, person_id, shop.services.clock.now() - _OLDEST)
        table.fill()
        yield table


class _Earlier:
    """A clock that stands before anything is due, and moves on by a second a tick."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def step(self) -> None:
        self._now += timedelta(seconds=1)


def _idle_ticks(table: _Table, options: Options) -> list[Row]:
    """Ticks an hour before anything is due, with every row still waiting; each fourth does its chores."""
    clock = _Earlier(SystemClock().now() - 2 * _OLDEST)
    _ticks(table, clock, _WARM_UP)  # the first one frees what the claims before it left behind
    before = _server_ms(table, options)
    whole, statements = _ticks(table, clock, _TICKS)
    rows = [
        Row("idle tick: its statements, as seen from here, mean", statements / _TICKS * 1000, "ms"),
        Row("idle tick: whole, median", median(whole) * 1000, "ms"),
    ]
    after = _server_ms(table, options)
    if before is not None and after is not None:
        server = max(after - before, 0.001) / _TICKS
        rows.insert(0, Row("idle tick: database time by the server's count, mean", server, "ms"))
    return rows


def _ticks(table: _Table, clock: _Earlier, count: int) -> tuple[list[float], float]:
    """How long each tick took, and all their statements together, in seconds; by a process that just started."""
    services = build(table.shop.settings, clock)
    statements = _Stopwatch(services.db.engine)
    whole = []
    try:
        for _ in range(count):
            clock.step()
            whole += timed(lambda: tick(services), 1)
    finally:
        services.close()
    return whole, statements.seconds


def _server_ms(table: _Table, options: Options) -> float | None:
    if options.database is None:
        return None
    table.shop.services.db.close()  # what a connection did is counted when it ends
    time.sleep(0.2)
    name = sa.make_url(table.shop.settings.database_url).database or ""
    return bench_rows.active_ms(options.database, name)


class _Stopwatch:
    """Sums how long the statements of an engine took, BEGIN and COMMIT aside."""

    def __init__(self, engine: Any) -> None:
        self.seconds = 0.0
        self._started = 0.0
        sa.event.listen(engine, "before_cursor_execute", self._begin)
        sa.event.listen(engine, "after_cursor_execute", self._end)

    def _begin(self, *_: Any) -> None:
        self._started = time.perf_counter()

    def _end(self, *_: Any) -> None:
        self.seconds += time.perf_counter() - self._started
