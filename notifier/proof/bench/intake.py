"""`intake`: events a second through the real doors, beside raw inserts of the very same rows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from notifier.intake import readers
from notifier.intake.bulk import record_rows
from notifier.intake.event import now_as_today
from notifier.intake.parallel import record_lines, worth_sharing
from notifier.proof.bench import BenchFailed, Options, Row, people
from notifier.proof.bench.figures import whole_rate
from notifier.proof.bench.processes import wait_until
from notifier.proof.bench.workshop import Workshop, open_workshop
from notifier.store import bench_rows

_SIZE = 20_000  # enough that starting the import's processes hardly counts
_STREAM_PART = 4  # the stream gets a quarter
_WARM_UP = 500  # events of another file, which go first
_BATCH = 500
_LONGEST_S = 600.0


def run(options: Options) -> list[Row]:
    """Import, stream and floor, each on a database of its own that starts empty."""
    size = options.size or _SIZE
    with open_workshop(options) as shop, open_workshop(options) as bare:
        options.say("import")
        imported = _import(shop, size)
        options.say("raw inserts of the same rows")
        floor = _raw_inserts(shop, bare, size)
        options.say("the command")
        whole = _command(shop, size)
    with open_workshop(options) as shop:
        options.say("stream")
        streamed = _stream(shop, max(1, size // _STREAM_PART))
    return [
        Row("dose import (ndjson, batches of 500), beside raw inserts of the same rows", imported, "events/s", floor),
        Row("dose import, the whole command with its start", whole, "events/s", floor),
        Row("stream: published, then recorded by one process", streamed, "events/s", floor),
    ]


def _import(shop: Workshop, size: int) -> float:
    """What the command does, called from this process: read, check, record batch by batch."""
    _feed(shop, "warm-up", min(size, _WARM_UP))
    start = time.perf_counter()
    _feed(shop, "import", size)
    return size / (time.perf_counter() - start)


def _feed(shop: Workshop, run_name: str, count: int) -> None:
    path, services = _file(shop, run_name, count), shop.services
    told: dict[str, Any] = {"actor": people.ACTOR, "refused": lambda row: None, "progress": lambda row: None}
    if worth_sharing(services, path):
        tally = record_lines(services, path, **told)
    else:
        tally = record_rows(services, readers.from_file(services, path), rehearse=False, **told)
    if tally.outcomes["planned"] != count:
        raise BenchFailed(f"{tally.outcomes['planned']} of {count} made-up doses were planned")


def _file(shop: Workshop, run_name: str, count: int) -> Path:
    path = shop.folder / f"{run_name}.ndjson"
    people.write_file(path, count, now_as_today(shop.services.clock.now()), run=run_name)
    return path


def _command(shop: Workshop, size: int) -> float:
    path = _file(shop, "command", size)
    start = time.perf_counter()
    shop.start("import", "sertilink", "dose", "import", str(path)).wait(_LONGEST_S)
    return size / (time.perf_counter() - start)


def _raw_inserts(shop: Workshop, bare: Workshop, size: int) -> float:
    """Reads what the import wrote, and writes it once more by nothing but the driver's executemany."""
    with shop.services.db.read() as conn:
        copied = bench_rows.copied_batches(conn, _BATCH)
    first = min(_WARM_UP // _BATCH, len(copied) - 1)
    warm, batches = copied[:first], copied[first:]
    bench_rows.insert_raw(bare.services.db, warm)
    start = time.perf_counter()
    bench_rows.insert_raw(bare.services.db, batches)
    took = time.perf_counter() - start
    return sum(len(batch["event"][1]) for batch in batches) / took


def _stream(shop: Workshop, count: int) -> float:
    """Every event is on the queue before the process starts; the first batch's moment is where the time begins."""
    path = _file(shop, "stream", count)
    shop.start("publish", "sertilink", "event", "publish", str(path)).wait(_LONGEST_S)
    begun = time.monotonic()
    stream = shop.start("stream", "sertilink", "stream")

    def recorded() -> bool:
        time.sleep(0.2)
        with shop.services.db.read() as conn:
            return bench_rows.count_events(conn) >= count

    wait_until(recorded, _LONGEST_S, "the stream", [stream])
    took = time.monotonic() - begun
    stream.stop()
    with shop.services.db.read() as conn:
        moments = [moment.timestamp() for moment in bench_rows.accepted_moments(conn)]
    return whole_rate(moments) or count / took  # a handful comes in one batch, at one moment
