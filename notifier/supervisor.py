"""Keeps the processes of a Procfile running, for `sertilink up`. Imports nothing of ours.

One thread: children are started from it, so that the kernel's parent-death signal (Linux) means this process, and
their output is read by select. Each child leads a process group of its own; whatever is left of a group when its leader
is gone is killed, so that no grandchild survives.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Template
from typing import IO

RESTARTS = 3  # one after another; a child that ran STEADY_S starts counting anew
STEADY_S = 60.0
BACK_OFF_S = (1.0, 2.0, 4.0)
STOP_S = 8.0  # until a child that was asked to stop is killed; `up` promises ten seconds in all
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Say = Callable[[str, str], None]


@dataclass(frozen=True)
class Program:
    """One line of a Procfile, its variables filled in."""

    name: str
    command: tuple[str, ...]


def read_procfile(text: str, environ: Mapping[str, str]) -> list[Program]:
    """The programs of a Procfile. Raises ValueError for a line that cannot be read, or a variable that is not set."""
    programs = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, command = line.partition(":")
        if not colon or not name.strip().isidentifier() or not command.strip():
            raise ValueError(f"Procfile line {number}: write `name: command`")
        try:
            words = tuple(Template(word).substitute(environ) for word in shlex.split(command))
        except (KeyError, ValueError) as error:
            raise ValueError(f"Procfile line {number}: {error} cannot be filled in") from None
        programs.append(Program(name.strip(), words))
    return programs


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    start_again_at: float | None = None
    tail: bytes = b""


@dataclass
class Supervisor:
    """Starts `programs` with `environ`, tells their output to `say(name, line)`, restarts what dies."""

    programs: Sequence[Program]
    environ: Mapping[str, str]
    say: Say
    now: Callable[[], float] = time.monotonic
    _children: dict[str, _Child] = field(default_factory=dict)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def start(self) -> None:
        """Starts every program. Raises OSError where one cannot be started; the others are stopped then."""
        for program in self.programs:
            child = self._children[program.name] = _Child(program)
            try:
                self._spawn(child)
            except OSError:
                self.stop()
                raise

    def pump(self, seconds: float) -> str | None:
        """Passes output on for so long and starts again what died; the name of what died too often, or None."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            for key, _events in self._selector.select(min(left, 0.2)):
                self._read(self._children[key.data])
            for child in self._children.values():
                if not self._look_after(child):
                    return child.program.name
        return None

    def stop(self) -> None:
        """Asks every child to stop, then kills what is left of their groups; at most STOP_S and a moment."""
        running = [child for child in self._children.values() if child.process and child.process.poll() is None]
        for child in running:
            _signal(child.process, signal.SIGTERM)
        until = self.now() + STOP_S
        while self.now() < until and any(child.process and child.process.poll() is None for child in running):
            for key, _events in self._selector.select(0.1):
                self._read(self._children[key.data])
        for child in self._children.values():
            self._bury(child)

    def _spawn(self, child: _Child) -> None:
        child.start_again_at, child.started_at = None, self.now()
        parent = os.getpid()
        process = subprocess.Popen(  # noqa: S603  # the Procfile is ours
            child.program.command,
            env=dict(self.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=lambda: _die_with(parent),  # one thread only, so nothing can be locked in the fork
        )
        child.process = process
        assert process.stdout is not None  # noqa: S101  # we asked for a pipe
        os.set_blocking(process.stdout.fileno(), False)
        self._selector.register(process.stdout, selectors.EVENT_READ, child.program.name)

    def _read(self, child: _Child) -> None:
        stream = self._stream(child)
        if stream is None:
            return
        chunk = stream.read(65536)
        if chunk == b"":
            self._selector.unregister(stream)
        *lines, child.tail = (child.tail + (chunk or b"")).split(b"\n")
        for line in lines:
            self.say(child.program.name, line.decode("utf-8", "replace"))

    def _stream(self, child: _Child) -> IO[bytes] | None:
        stream = child.process.stdout if child.process else None
        return stream if stream is not None and stream in self._selector.get_map() else None

    def _look_after(self, child: _Child) -> bool:
        """False where the child died once too often."""
        if child.start_again_at is not None:
            if self.now() >= child.start_again_at:
                self._spawn(child)
            return True
        if child.process is None or child.process.poll() is None:
            return True
        code = child.process.returncode
        self._bury(child)
        if self.now() - child.started_at >= STEADY_S:
            child.failures = 0
        child.failures += 1
        if child.failures > RESTARTS:
            self.say(child.program.name, f"ended with {code} and was started again {RESTARTS} times in vain")
            return False
        wait = BACK_OFF_S[child.failures - 1]
        self.say(child.program.name, f"ended with {code}; starting again in {wait:.0f} s")
        child.start_again_at = self.now() + wait
        return True

    def _bury(self, child: _Child) -> None:
        """Kills what is left of the group and passes its last words on."""
        process = child.process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._read(child)
        stream = self._stream(child)
        if stream is not None:
            self._selector.unregister(stream)
        if child.tail:
            self.say(child.program.name, child.tail.decode("utf-8", "replace"))
        child.tail, child.process = b"", None
        if process.stdout is not None:
            process.stdout.close()


def _signal(process: subprocess.Popen[bytes] | None, number: int) -> None:
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


def _die_with(parent: int) -> None:
    """In the child, before exec: asks the kernel for SIGTERM when `parent` is gone, however it ends (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it went before we asked
            os._exit(1)
