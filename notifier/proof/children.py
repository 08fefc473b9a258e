"""The processes of a run: each leads a group of its own, is started again whenever it ends, and can be killed, stopped
and woken."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_STOP_S = 5.0


@dataclass
class Child:
    """One program of the installation. `text`: written to its standard input once."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    log: Path
    text: str = field(default="", repr=False)
    starts: int = 0
    started_at: float = 0.0
    stopped_until: float | None = None
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it. Must be called from the main thread: the kernel watches that one."""
        command = [sys.executable, "-m", "notifier.proof.child", str(os.getpid()), *self.command]
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603  # our own programs
                command,
                env=dict(self.environ),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        assert self._process.stdin is not None  # noqa: S101  # we asked for a pipe
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(self.text.encode())
            self._process.stdin.close()
        self.starts += 1
        self.started_at, self.stopped_until = time.monotonic(), None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started_at

    def kill(self) -> None:
        """SIGKILL to the whole group: no chance to tidy up."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def stop(self, seconds: float) -> None:
        """SIGSTOP to the whole group, to be woken by `wake_if_due`."""
        self.stopped_until = time.monotonic() + seconds
        self._signal(signal.SIGSTOP)

    def wake_if_due(self) -> bool:
        """SIGCONT where its time has come; whether it was."""
        if self.stopped_until is None or time.monotonic() < self.stopped_until:
            return False
        self.wake()
        return True

    def wake(self) -> None:
        """SIGCONT to the whole group."""
        self.stopped_until = None
        self._signal(signal.SIGCONT)

    def members(self) -> list[int]:
        """The processes of its group, besides the leader."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if int(entry.name) != self.pid and os.getpgid(int(entry.name)) == self.pid:
                    found.append(int(entry.name))
        return sorted(found)

    def revive(self) -> bool:
        """Starts it again where it has ended; whether it had. What is left of its group is killed first."""
        if not self.has_ended:
            return False
        self._signal(signal.SIGKILL)
        self.start()
        return True

    def end(self) -> None:
        """Asks it to stop, then kills what is left."""
        if self._process is None:
            return
        if not self.has_ended:
            self.wake()
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S)
        self.kill()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
