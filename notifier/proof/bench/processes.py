"""Processes that a bench starts, and what they cost: resident memory and processor time, read from /proc (Linux)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from notifier.proof.bench import BenchFailed

_PROC = Path("/proc")
_SAMPLE_S = 0.5
_POLL_S = 0.02
_TAIL = 1500
_TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    """One child with a group of its own; its output goes to a file in the bench's folder."""

    def __init__(self, name: str, command: Sequence[str], *, environ: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603  # our own programs
                list(command),
                env=dict(environ),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raises BenchFailed where it ended on its own."""
        if self._process.poll() is not None:
            raise BenchFailed(f"{self.name} ended with {self._process.returncode}:\n{self.tail()}")

    def tail(self) -> str:
        """Its last words."""
        return self.log.read_bytes()[-_TAIL:].decode("utf-8", "replace").strip()

    def said(self) -> str:
        """All that it has written so far."""
        return self.log.read_text("utf-8", "replace")

    def wait(self, seconds: float) -> None:
        """Until it is done. Raises BenchFailed where it fails or takes too long."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchFailed(f"{self.name} was not done after {seconds:.0f} s") from None
        if code:
            raise BenchFailed(f"{self.name} ended with {code}:\n{self.tail()}")

    def stop(self) -> None:
        """Ends its whole group at once: nothing that it holds is wanted any more."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def wait_until(check: Callable[[], bool], seconds: float, what: str, processes: Sequence[Process] = ()) -> None:
    """Asks `check` until it says yes. Raises BenchFailed where the time is over, or a process ended meanwhile."""
    deadline = time.monotonic() + seconds
    while not check():
        for process in processes:
            process.check()
        if time.monotonic() > deadline:
            tails = "\n".join(f"{process.name}: {process.tail()}" for process in processes)
            raise BenchFailed(f"{what}: not within {seconds:.0f} s\n{tails}")
        time.sleep(_POLL_S)


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents.setdefault(int(_fields(entry)[1]), []).append(int(entry.parent.name))
    found = [pid]
    for member in found:
        found.extend(parents.get(member, ()))
    return found


def rss_mb(pid: int) -> float:
    """Resident memory in MB (10**6 bytes); 0 where the process is gone."""
    try:
        text = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return 0.0
    line = next((line for line in text.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(line.split()[1]) * 1024 / 1e6


#: the kernel counts processor time in steps of so many seconds
CPU_STEP_S = 1 / _TICKS


def cpu_seconds(pids: Sequence[int]) -> float:
    """Processor time that these processes have used, in steps of CPU_STEP_S."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = _fields(_PROC / str(pid) / "stat")
            total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def _fields(stat: Path) -> list[str]:
    """The fields of /proc/<pid>/stat behind the name, which may hold blanks: state, parent, ... (man 5 proc)."""
    return stat.read_text().rpartition(")")[2].split()


@dataclass
class Memory:
    """The resident memory of some processes and their children, watched from a thread: per process, MB."""

    roots: Sequence[int]
    start: dict[int, float] = field(default_factory=dict)
    end: dict[int, float] = field(default_factory=dict)
    most: dict[int, float] = field(default_factory=dict)
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Memory:
        self._look()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        self._look()

    def worst(self) -> tuple[float, float, float]:
        """(start, end, most) of the largest process."""
        if not self.most:
            return 0.0, 0.0, 0.0
        largest = max(self.most, key=lambda pid: self.most[pid])
        return self.start[largest], self.end[largest], self.most[largest]

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLE_S):
            self._look()

    def _look(self) -> None:
        for root in self.roots:
            for pid in tree(root):
                now = rss_mb(pid)
                if now:
                    self.start.setdefault(pid, now)
                    self.end[pid] = now
                    self.most[pid] = max(now, self.most.get(pid, 0.0))
