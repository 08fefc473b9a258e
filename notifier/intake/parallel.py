"""A large file of our own events, recorded by several processes: one event costs more computing than waiting, and there
is more than one core.

Lines that have something in common must keep their order, lines that have nothing in common need none. So the file is
taken in windows; in each, the lines that share an event id, a dose or a person, even through a third, go to one worker,
in their order. No window begins before the one before it is recorded. The outcome is that of `bulk.record_rows`.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from os import cpu_count
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from notifier.core.clock import Clock, SystemClock
from notifier.core.errors import SertilinkError
from notifier.intake import readers
from notifier.intake.bulk import RefusedRow, Tally, record_rows
from notifier.intake.files import RawLine, holds_event_lines, raw_lines
from notifier.intake.shares import Joined, Share, dealt, joined, tie
from notifier.services import Services, build
from notifier.settings import GatewayName, Settings

#: a smaller file is recorded sooner than processes start
WORTH_BYTES = 1_000_000
WINDOW_LINES = 4_000
_WINDOW_BYTES = 16_000_000
_MOST_WORKERS = 4
_PATIENCE_S = 5.0


class ImporterGone(SertilinkError):
    """One of the processes that record died or failed. What was recorded stays; the import is safe to run again."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A clock that stands where the import began, for importers whose own clock is not the system's."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True, slots=True)
class _Order:
    """What a worker needs to know besides its lines."""

    settings: Settings
    clock: Clock
    began: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class _Window:
    lines: list[RawLine]
    joined: Joined


_Done = tuple[Tally, list[RefusedRow]]


def worth_sharing(services: Services, path: Path) -> bool:
    """Whether several processes record the file sooner. SQLite has one writer. Raises OSError."""
    return not services.db.is_sqlite and path.stat().st_size >= WORTH_BYTES and holds_event_lines(path)


def record_lines(
    services: Services,
    path: Path,
    *,
    actor: str,
    refused: Callable[[RefusedRow], None],
    progress: Callable[[int], None],
    window_lines: int = WINDOW_LINES,
) -> Tally:
    """As `record_rows`, of a file for which `holds_event_lines`. Raises OSError, and ImporterGone where a worker died:
    whole batches were recorded then, not always in the file's order."""
    began = services.clock.now()
    clock: Clock = services.clock if isinstance(services.clock, SystemClock) else _Standing(began)
    # the workers send nothing: the gateway's library need not be loaded
    settings = services.settings.model_copy(update={"gateway": GatewayName.CATCHER})
    count = max(2, min(_MOST_WORKERS, cpu_count() or 1))
    tally = Tally()
    with _workers(_Order(settings, clock, began, actor), count) as pipes:
        windows = _windows(path, window_lines)
        window = next(windows, None)
        while window is not None:
            tie(services, window.joined)  # not before the last window is recorded
            _hand_out(pipes, dealt(window.joined, count))
            following = next(windows, None)  # read while the workers are busy
            for row in sorted(_collected(pipes, window, tally), key=lambda row: row.position):
                refused(row)
            progress(window.lines[-1].bytes_read)
            window = following
    return tally


def _windows(path: Path, longest: int) -> Iterator[_Window]:
    lines: list[RawLine] = []
    size = 0
    for line in raw_lines(path):
        lines.append(line)
        size += len(line.text)
        if len(lines) >= longest or size >= _WINDOW_BYTES:
            yield _Window(lines, joined(lines))
            lines, size = [], 0
    if lines:
        yield _Window(lines, joined(lines))


def _hand_out(pipes: list[Connection], shares: list[Share]) -> None:
    try:
        for pipe, share in zip(pipes, shares, strict=True):
            pipe.send(share)
    except (BrokenPipeError, ConnectionResetError):
        raise _gone() from None


def _collected(pipes: list[Connection], window: _Window, tally: Tally) -> Iterator[RefusedRow]:
    """The refused rows of the window, in no order."""
    for line in window.lines:
        if line.problems:
            tally.refuse(line.problems)
            yield RefusedRow(line.number, line.label, line.problems)
    for pipe in pipes:
        try:
            done: _Done | str = pipe.recv()
        except (EOFError, ConnectionResetError):
            raise _gone() from None
        if isinstance(done, str):
            raise ImporterGone(done)
        counted, rows = done
        tally.add(counted)
        yield from rows


def _gone() -> ImporterGone:
    return ImporterGone("a process that records the file died; run the import again, it goes on where it stopped")


@contextmanager
def _workers(order: _Order, count: int) -> Iterator[list[Connection]]:
    """Processes that record what is put into their pipes; at the end each finishes its batch and is gone."""
    context = get_context("spawn")  # a fork would share the database's connections
    with ExitStack() as stack:
        pipes = []
        for number in range(count):
            ours, theirs = context.Pipe()
            worker = context.Process(target=_work, args=(theirs, order), daemon=True, name=f"importer {number + 1}")
            worker.start()
            theirs.close()  # so that the end of the worker is the end of the pipe
            stack.callback(_end, worker)
            pipes.append(ours)
        try:
            yield pipes
        finally:
            for pipe in pipes:
                pipe.close()


def _end(worker: BaseProcess) -> None:
    worker.join(_PATIENCE_S)
    if worker.is_alive():
        worker.kill()
        worker.join()


def _work(pipe: Connection, order: _Order) -> None:
    """A worker's whole life. Ctrl-C reaches it too, but it is the importer who decides what is still recorded."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    services = build(order.settings, order.clock)
    try:
        while True:
            pipe.send(_recorded(services, pipe.recv(), order))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # nobody wants the rest
    except DBAPIError as error:  # its text may quote a row, its kind does not
        pipe.send(f"SERTILINK_DATABASE_URL: the database failed ({type(error.orig).__name__}); run the import again")
    except Exception as error:
        pipe.send(f"a process that records the file failed ({type(error).__name__}); run the import again")
    finally:
        services.close()


def _recorded(services: Services, share: Share, order: _Order) -> _Done:
    rows: list[RefusedRow] = []
    tally = record_rows(
        services,
        readers.from_lines(services, share, order.began),
        actor=order.actor,
        rehearse=False,
        refused=rows.append,
        progress=lambda _bytes: None,
    )
    return tally, rows
