"""A few connections that hot statements keep for themselves (store/hot.py), and who may use which: handed out and given
back past SQLAlchemy's pool, whose bookkeeping takes as long as a statement."""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition
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
    takes no lock: a deque's ends may be used by many threads."""

    def __init__(
        self, all_of_them: Sequence[One], none_is_free: Callable[[], Exception], *, patience_s: float = _WAIT_S
    ) -> None:
        """`none_is_free` makes the error of whoever has waited for so many seconds."""
        self._all = tuple(all_of_them)
        self._free = deque(self._all)
        self._none_is_free = none_is_free
        self._patience_s = patience_s
        self._given_back = Condition()
        self._waiting = 0

    def run(self, text: str, values: Sequence[Any]) -> list[Any]:
        """As One.run, on one that nobody else uses."""
        try:
            one = self._free.pop()
        except IndexError:
            one = self._wait()
        try:
            return one.run(text, values)
        finally:
            self._free.append(one)
            if self._waiting:
                with self._given_back:
                    self._given_back.notify()

    def _wait(self) -> One:
        until = time.monotonic() + self._patience_s
        with self._given_back:
            self._waiting += 1  # before the look below: whoever gives one back afterwards sees it
            try:
                while True:
                    try:
                        return self._free.pop()
                    except IndexError:  # somebody who did not wait may have been faster
                        if not self._given_back.wait(until - time.monotonic()):
                            raise self._none_is_free() from None
            finally:
                self._waiting -= 1

    def close(self) -> None:
        """Closes all of them; one that is used again opens itself."""
        for one in self._all:
            one.close()
