"""A few connections that hot statements keep for themselves (store/hot.py), and who may use which: handed out and given
back past SQLAlchemy's pool, whose bookkeeping takes as long as a statement."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Protocol

_WAIT_S = 10.0  # as the pool's own


class One(Protocol):
    """A connection that is opened when it is needed, used by one thread at a time, and commits each statement by
    itself."""

    def run(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a statement with its parameters in order. Raises the driver's errors, after which it can still be
        used."""

    def close(self) -> None:
        """Lets go of the connection; another is opened when it is needed."""


class SqliteOne:
    """One of SQLite's. `connect` opens one that commits each statement by itself."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._conn: sqlite3.Connection | None = None

    def run(self, text: str, values: Sequence[Any]) -> list[Any]:
        """As One.run."""
        conn = self._conn = self._conn or self._connect()
        try:
            return conn.execute(text, values).fetchall()
        except BaseException:
            self.close()  # whatever broke may have broken it
            raise

    def close(self) -> None:
        """As One.close."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


class Few:
    """Hands them out, the newest used first, so that no more are opened than are used at once. Where one is free, that
    takes no lock: a deque's ends may be used by many threads. Who finds none waits in line."""

    def __init__(
        self, all_of_them: Sequence[One], none_is_free: Callable[[], Exception], *, patience_s: float = _WAIT_S
    ) -> None:
        """`none_is_free` makes the error of whoever has waited for so many seconds."""
        self._free = deque(all_of_them)
        self._none_is_free = none_is_free
        self._patience_s = patience_s
        self._line: deque[SimpleQueue[One]] = deque()  # the oldest first; changed under the lock alone
        self._lock = Lock()
        self._closed = 0  # times

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    def run(self, text: str, values: Sequence[Any]) -> list[Any]:
        """As One.run, on one that nobody else uses."""
        closed = self._closed
        try:
            one = self._free.pop()
        except IndexError:
            one = self._wait()
        try:
            return one.run(text, values)
        finally:
            if self._closed != closed:
                one.close()  # `close` leaves those alone that are in use
            self._give_back(one)

    def _give_back(self, one: One) -> None:
        self._free.append(one)
        if self._line:  # before whoever comes now, who would be faster each time
            with self._lock, suppress(IndexError):  # somebody was faster, and gives it back
                one = self._free.pop()
                if self._line:
                    self._line.popleft().put(one)
                else:
                    self._free.append(one)

    def _wait(self) -> One:
        handed: SimpleQueue[One] = SimpleQueue()
        with self._lock:
            self._line.append(handed)  # before the look: whoever gives one back after it sees the line
            with suppress(IndexError):
                one = self._free.pop()
                self._line.remove(handed)
                return one
        try:
            return handed.get(timeout=self._patience_s)
        except Empty:
            with self._lock:
                if handed in self._line:
                    self._line.remove(handed)
                    raise self._none_is_free() from None
            return handed.get()  # in this very moment

    def close(self) -> None:
        """Closes those that are free, and each other one when it is given back; one that is used again opens itself."""
        self._closed += 1
        closed = []
        with suppress(IndexError):
            while True:
                closed.append(self._free.pop())
                closed[-1].close()
        for one in closed:
            self._give_back(one)
