"""Measures the naive design, tasks that do nothing, and the bare client: the floors of `dispatch`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from urllib.parse import parse_qs

from notifier.proof.bench import BenchFailed
from notifier.proof.bench.figures import middle_rate
from notifier.proof.bench.floor_app import MARKS, NOTHING, SEND, THREADS, create_app
from notifier.proof.bench.processes import Process, wait_until
from notifier.proof.bench.provider_process import RunningProvider
from notifier.proof.bench.workshop import Workshop
from notifier.store import bench_rows

_START_S = 60.0
_LONGEST_S = 600.0
_FLOODS = 2  # processes of the bare client
_IN_FLIGHT = 200  # each


def run_flood(shop: Workshop, provider: RunningProvider, bodies: Sequence[str], count: int) -> float:
    """Messages a second that a bare asynchronous client hands over: the same bodies, 200 in flight in each of two
    processes."""
    provider.reset()
    command = [sys.executable, "-m", "notifier.proof.bench.flood", provider.messages_url]
    command += [str(count // _FLOODS + 1), str(_IN_FLIGHT)]
    floods = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=shop.environ)  # noqa: S603  # ours
        for _ in range(_FLOODS)
    ]
    given = json.dumps(list(bodies)).encode()
    try:
        for one in floods:
            if one.stdin is not None:
                one.stdin.write(given)
                one.stdin.close()
        if any(one.wait(_LONGEST_S) for one in floods):
            raise BenchFailed("the bare client failed")
    finally:
        for one in floods:
            one.kill()
            if one.stdout is not None:
                one.stdout.close()
            one.wait()
    return float(provider.stats()["rate"])


def run_naive(shop: Workshop, provider: RunningProvider, bodies: Sequence[str], count: int, workers: int) -> float:
    """Messages a second with one task a message, all queued before the workers start."""
    provider.reset()
    forms = [parse_qs(body) for body in bodies]
    with shop.services.db.write() as conn:
        bench_rows.add_naive(conn, [(form["To"][0], form["Body"][0]) for form in islice(cycle(forms), count)])
    _publish(shop, SEND, [(number,) for number in range(count)])
    with _naive_workers(shop, "naive", workers) as running:
        wait_until(lambda: _accepted(provider) >= count, _LONGEST_S, "the naive design", running)
    return float(provider.stats()["rate"])


def run_nothing(shop: Workshop, count: int, workers: int) -> float:
    """Tasks a second that do nothing."""
    marks = shop.settings.data_folder / MARKS
    marks.write_bytes(b"")
    _publish(shop, NOTHING, [()] * count)
    moments: list[float] = []
    started = time.monotonic()

    def done() -> bool:
        moments.extend([time.monotonic()] * (marks.stat().st_size - len(moments)))
        return len(moments) >= count

    with _naive_workers(shop, "nothing", workers) as running:
        wait_until(done, _LONGEST_S, "tasks that do nothing", running)
    return middle_rate(moments) or count / (time.monotonic() - started)  # all of them were seen at once


def _accepted(provider: RunningProvider) -> int:
    time.sleep(0.2)
    return int(provider.stats()["accepted"])


def _publish(shop: Workshop, task: str, arguments: Sequence[tuple[int, ...]]) -> None:
    app = create_app(shop.settings)
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        for given in arguments:
            app.send_task(task, given, countdown=0, producer=producer)
    app.close()


@contextmanager
def _naive_workers(shop: Workshop, name: str, workers: int) -> Iterator[list[Process]]:
    running = [
        shop.start(
            f"{name}-{number}",
            "celery",
            "--app=notifier.proof.bench.naive",
            "worker",
            "--pool=threads",
            f"--concurrency={THREADS}",
            f"--hostname={name}-{number}-{shop.settings.events_queue}@%h",
            "--loglevel=WARNING",
            "--without-gossip",
            "--without-mingle",
        )
        for number in range(workers)
    ]
    try:
        yield running
    finally:
        for process in running:
            process.stop()
