"""`dispatch`: how many messages a second real workers hand over, beside what the machine could do and beside the naive
design."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from notifier.proof.bench import BenchFailed, Options, Row, people
from notifier.proof.bench.figures import quantile, whole_rate
from notifier.proof.bench.naive_runs import run_flood, run_naive, run_nothing
from notifier.proof.bench.processes import CPU_STEP_S, Memory, Process, cpu_seconds, tree, wait_until
from notifier.proof.bench.provider_process import RunningProvider
from notifier.proof.bench.workshop import ACCOUNT_SID, AUTH_TOKEN, HOST, Workshop, open_workshop
from notifier.proof.ports import free_port
from notifier.store import bench_rows
from notifier.store.bench_rows import HandedOver

ANSWER_S = 0.1
ARRIVALS_A_SECOND = 1_000.0
_SIZE = 6_000
_MOST_NAIVE = 4_000
_MOST_FLOOD = 20_000
_START_S = 60.0
_SLOWEST = 40.0  # messages a second; below it the run is given up
_WARM_UP = 400  # messages that go before, so that connections and caches are there


@dataclass(frozen=True, slots=True)
class Handed:
    """What one run of the workers came to. Memory: (start, end, most) of the largest process, MB."""

    messages: list[HandedOver]
    worker_mb: tuple[float, float, float]
    web_mb: float
    cpu_ms: float  #: of all workers, a message
    receipts_rate: float

    @property
    def rate(self) -> float:
        return rate_of(self.messages)


def rate_of(messages: list[HandedOver]) -> float:
    """Messages a second from the first answers to the last; where all came at once, from the first post."""
    moments = [one.finished_at.timestamp() for one in messages]
    return whole_rate(moments) or len(moments) / (moments[-1] - min(one.started_at.timestamp() for one in messages))


def run(options: Options) -> list[Row]:
    """All parts, or those that were asked for."""
    size = options.size or _SIZE
    rows: list[Row] = []
    if any(options.has(part) for part in ("plain", "floor", "naive", "nothing")):
        with shop_with_provider(options, receipts=False) as (shop, provider):
            handed = hand_over(shop, provider, options, size)
            rows += _beside(shop, provider, options, handed, size) + _costs(handed)
    floor = next((row.floor for row in rows if row.floor), None)
    if options.has("receipts"):
        rows += _with_receipts(options, size, floor)
    if options.has("arrivals"):
        rows += _arrivals(options, size)
    return rows


def _beside(shop: Workshop, provider: RunningProvider, options: Options, handed: Handed, size: int) -> list[Row]:
    """The rate beside every floor that is wanted."""
    bodies = provider.bodies()
    flood = naive = nothing = None
    if options.has("floor"):
        options.say("the bare client")
        flood = run_flood(shop, provider, bodies, min(size, _MOST_FLOOD))
    if options.has("naive"):
        options.say("one task a message")
        naive = run_naive(shop, provider, bodies, min(size, _MOST_NAIVE), options.workers)
    if options.has("nothing"):
        options.say("tasks that do nothing")
        nothing = run_nothing(shop, size, options.workers)
    rows = [
        Row("handed over" + (", beside a bare asynchronous client" if flood else ""), handed.rate, "messages/s", flood)
    ]
    if naive is not None:
        rows.append(Row("handed over, beside one task a message", handed.rate, "messages/s", naive))
    if nothing is not None:
        rows.append(Row("handed over, beside Celery tasks that do nothing", handed.rate, "messages/s", nothing))
    return rows


def _costs(handed: Handed) -> list[Row]:
    start, end, most = handed.worker_mb
    return [
        Row("processor time of all workers, a message", handed.cpu_ms, "ms"),
        Row("largest worker process: start", start, "MB"),
        Row("largest worker process: end", end, "MB", start or None),
        Row("largest worker process: most", most, "MB", start or None),
    ]


def _with_receipts(options: Options, size: int, floor: float | None) -> list[Row]:
    options.say("with receipts")
    with shop_with_provider(options, receipts=True) as (shop, provider):
        handed = hand_over(shop, provider, options, size, receipts=True)
    return [
        Row("handed over, receipts arriving", handed.rate, "messages/s", floor),
        Row("receipts answered meanwhile", handed.receipts_rate, "receipts/s", handed.rate),
        Row("largest worker process, receipts arriving: most", handed.worker_mb[2], "MB"),
        Row("largest web process, receipts arriving: most", handed.web_mb, "MB"),
    ]


def _arrivals(options: Options, size: int) -> list[Row]:
    """Messages that fall due one after another: how late each is handed over."""
    options.say(f"{ARRIVALS_A_SECOND:.0f} fall due a second")
    with shop_with_provider(options, receipts=False) as (shop, provider):
        handed = hand_over(shop, provider, options, size, per_second=ARRIVALS_A_SECOND)
    begun = [(one.started_at - one.due_at).total_seconds() for one in handed.messages]
    done = [(one.finished_at - one.due_at).total_seconds() for one in handed.messages]
    return [
        Row("1,000 fall due a second: handed over", handed.rate, "messages/s", ARRIVALS_A_SECOND),
        Row("due to post: median", quantile(begun, 0.5), "s"),
        Row("due to post: p99", quantile(begun, 0.99), "s"),
        Row("due to handed over: median", quantile(done, 0.5), "s"),
        Row("due to handed over: p99", quantile(done, 0.99), "s"),
        *_costs(handed),
    ]


@contextmanager
def shop_with_provider(
    options: Options, *, receipts: bool, **settings: Any
) -> Iterator[tuple[Workshop, RunningProvider]]:
    """A workshop whose messages go to a provider of its own, in 200 requests at once a process."""
    port = free_port()
    with open_workshop(
        options,
        gateway="twilio",
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=AUTH_TOKEN,
        twilio_messaging_service_sid="MG" + "b" * 32,
        twilio_api_base=f"http://{HOST}:{port}",
        provider_concurrency="200",
        **settings,
    ) as shop:
        yield shop, RunningProvider(shop, port, delay_s=ANSWER_S, receipts=receipts)


def start_workers(shop: Workshop, count: int) -> list[Process]:
    """`sertilink worker`, so many times, once all of them are ready."""
    workers = [shop.start(f"worker-{number}", "sertilink", "worker") for number in range(count)]
    wait_until(lambda: all("ready." in worker.said() for worker in workers), _START_S, "the workers", workers)
    return workers


def hand_over(
    shop: Workshop,
    provider: RunningProvider,
    options: Options,
    size: int,
    *,
    receipts: bool = False,
    per_second: float | None = None,
) -> Handed:
    """Lets `size` messages fall due in front of running workers, and waits until all are accepted."""
    web = [shop.web()] if receipts else []
    warm = min(size, _WARM_UP)
    options.say(f"{size + warm} made-up people")
    ids = [made.notification_id for made in people.waiting(shop.services, size + warm)]
    workers = start_workers(shop, options.workers)
    _fall_due(shop, ids[:warm], None)
    _wait_for(shop, provider, warm, warm, workers + web)
    if receipts:
        _wait_for_receipts(provider, warm, web)
    provider.reset()
    pids = [pid for worker in workers for pid in tree(worker.pid)]
    start = _fall_due(shop, ids[warm:], per_second)
    with Memory([one.pid for one in workers]) as memory, Memory([one.pid for one in web]) as web_memory:
        used = cpu_seconds(pids)
        options.say("handing over")
        _wait_for(shop, provider, size, size + warm, workers + web)
        used = max(cpu_seconds(pids) - used, CPU_STEP_S)
        if receipts:
            _wait_for_receipts(provider, size, web)
    with shop.services.db.read() as conn:
        messages = bench_rows.handed_over(conn, since=start)
    if len(messages) != size:
        raise BenchFailed(f"{len(messages)} of {size} messages were accepted")
    for process in workers + web:
        process.stop()
    rate = float(provider.stats()["receipts_rate"])
    return Handed(messages, memory.worst(), web_memory.worst()[2], used / size * 1000, rate)


def _fall_due(shop: Workshop, ids: list[str], per_second: float | None) -> Any:
    """When the first of them falls due: a moment from now, since telling so many rows takes a while."""
    start = shop.services.clock.now() + timedelta(seconds=1 + len(ids) / 4_000)
    with shop.services.db.write() as conn:
        bench_rows.fall_due(conn, ids, start, per_second)
    with shop.services.db.read() as conn:
        bench_rows.settle_statistics(conn)
    return start


def _wait_for(shop: Workshop, provider: RunningProvider, posted: int, answered: int, running: list[Process]) -> None:
    """Until the provider took `posted` since the last reset, and `answered` outcomes are committed."""
    seconds = 60 + posted / _SLOWEST
    wait_until(lambda: _pause() and provider.stats()["accepted"] >= posted, seconds, "the messages", running)

    def committed() -> bool:
        with shop.services.db.read() as conn:
            return _pause() and bench_rows.count_answered(conn) >= answered

    wait_until(committed, 60, "the outcomes", running)


def _wait_for_receipts(provider: RunningProvider, count: int, running: list[Process]) -> None:
    def all_answered() -> bool:
        stats = provider.stats()
        return _pause() and stats["receipts_answered"] + stats["receipts_refused"] >= count

    wait_until(all_answered, 60 + count / _SLOWEST, "the receipts", running)
    if provider.stats()["receipts_refused"]:
        raise BenchFailed("the public face refused receipts")


def _pause() -> bool:
    """Asking is not free, so it is done a few times a second."""
    time.sleep(0.2)
    return True
