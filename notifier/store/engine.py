"""Database: one SQLAlchemy engine for SQLite or PostgreSQL, and the two ways in: `write()` and `read()`."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg as postgresql_psycopg
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.pool import ConnectionPoolEntry

from notifier.core.clock import Clock, SystemClock
from notifier.store.few import Few, One, SqliteOne
from notifier.store.prepared import Prepared

_SQLITE_BUSY_MS = 30_000
_SQLITE_AGAIN_S = 0.01
#: parameters as libpq has them: $1, $2, ...
_NUMBERED: Dialect = postgresql_psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]  # its own
_RESTS_SINCE = "rests-since"
_NONE_FREE = "no connection has become free"
#: seconds that a connection must have rested before it is asked whether it lives: a question costs as much as a read
_RESTED_S = 1.0
_PG_OPTIONS = "-c timezone=UTC -c idle_in_transaction_session_timeout=60000 -c statement_timeout=120000"


@dataclass(frozen=True, slots=True)
class Lease:
    """The two moments of a lease, as values or as the database's own expressions."""

    now: Any
    until: Any


class Database:
    """The way to the rows.

    `write()` is one transaction: BEGIN IMMEDIATE on SQLite, so that what is read inside is still true at the commit.
    `read()` is autocommit: no transaction stays open behind a page.
    """

    def __init__(
        self, url: str, clock: Clock, *, pool_size: int = 5, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        """`seconds` measures how long a connection has rested."""
        self.clock = clock
        self.engine = _engine(url, pool_size, seconds)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # SQLite's driver is in its own autocommit already (_prepare)
        self._reader = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.hot_dialect = self.engine.dialect if self.is_sqlite else _NUMBERED
        self._driver_error: Any = self.engine.dialect.loaded_dbapi.Error
        self._pool_size = pool_size
        self._dialling = _dialling(self.engine.url)
        self._hot = self._few()
        self._left_behind: list[Any] = []  # a parent's connections: never used, never closed by a child
        self._pid = os.getpid()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end, rolled back on an exception."""
        self._leave_parent_behind()
        with self.engine.begin() as conn:
            self.hold(conn)
            yield conn

    def hold(self, conn: Connection) -> None:
        """The first word of a transaction. An event listener would cost every statement of every reader a little."""
        if self.is_sqlite:
            conn.exec_driver_sql("BEGIN IMMEDIATE")  # _prepare has told the driver to begin nothing by itself

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Reads without a transaction; each statement sees what is committed."""
        self._leave_parent_behind()
        with self._reader.connect() as conn:
            yield conn

    def run_hot(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a statement in `hot_dialect`, with its parameters in order, past SQLAlchemy and without a
        transaction, for `store.hot` alone. Raises what `Connection.execute` would, quoting nothing."""
        self._leave_parent_behind()
        try:
            return self._hot.run(text, values)
        except self._driver_error as error:
            dialect = self.engine.dialect
            raise sa.exc.DBAPIError.instance(
                None, None, error, self._driver_error, hide_parameters=True, dialect=dialect
            ) from None

    def _few(self) -> Few:
        """Of its own, opened when they are needed, never one of the pool's."""
        connect = partial(_own_connection, self._dialling)
        some: list[One] = [SqliteOne(connect) if self.is_sqlite else Prepared(connect) for _ in range(self._pool_size)]
        return Few(some, lambda: self.engine.dialect.loaded_dbapi.OperationalError(_NONE_FREE))

    def lease(self, length: timedelta) -> Lease:
        """A lease of `length` from now on, by the database's own clock on PostgreSQL, whose workers sit on many hosts;
        by the handed-in clock elsewhere and under test."""
        if self.is_sqlite or not isinstance(self.clock, SystemClock):
            now = self.clock.now()
            return Lease(now, now + length)
        # stable within a statement, so that an index answers `due_at <= now`; clock_timestamp() would read every row
        instant = sa.func.statement_timestamp(type_=sa.DateTime(timezone=True))
        return Lease(instant, instant + sa.literal(length, sa.Interval))

    def now(self, conn: Connection) -> datetime:
        """The moment that leases are measured by, as a value."""
        if self.is_sqlite or not isinstance(self.clock, SystemClock):
            return self.clock.now()
        moment: datetime = conn.execute(sa.select(sa.func.statement_timestamp())).scalar_one()
        return moment

    def close(self) -> None:
        self.engine.dispose()
        self._hot.close()

    def _leave_parent_behind(self) -> None:
        """After a fork: never touch the parent's connections (SQLAlchemy, "Using Connection Pools with os.fork()")."""
        if self._pid != os.getpid():
            self.engine.dispose(close=False)
            self._left_behind.append(self._hot)
            self._hot = self._few()
            self._pid = os.getpid()


class InTransaction(Database):
    """A database as it looks from inside a transaction that is under way: what somebody writes here becomes part of it,
    and is committed or undone with it. For a caller that makes several rooms' deeds one."""

    def __init__(self, database: Database, conn: Connection) -> None:
        self.clock, self.engine, self.is_sqlite = database.clock, database.engine, database.is_sqlite
        self._conn = conn

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The transaction that is under way; it is committed later, or never."""
        yield self._conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Reads what it has written, too."""
        yield self._conn

    def close(self) -> None:
        """The connection is somebody else's."""


def _engine(url: str, pool_size: int, seconds: Callable[[], float]) -> Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    engine = _postgres(parsed, pool_size=pool_size, max_overflow=pool_size, pool_timeout=10)
    _ask_the_rested(engine, seconds)
    return engine


def _dialling(url: sa.URL) -> Engine:
    """What opens connections and keeps none, so that a child of this process may use it too."""
    make = _sqlite_engine if url.get_backend_name() == "sqlite" else _postgres
    return make(url, poolclass=sa.NullPool)


def _own_connection(dialling: Engine) -> Any:
    """A new connection, never one that has rested in a pool."""
    conn = dialling.raw_connection()
    driver: Any = conn.driver_connection
    conn.detach()
    return driver


def _postgres(url: sa.URL, **pool: Any) -> Engine:
    return sa.create_engine(
        url,
        hide_parameters=True,  # an error must never quote personal data
        connect_args={"connect_timeout": 5, "options": _PG_OPTIONS, "application_name": "sertilink"},
        **pool,
    )


def _ask_the_rested(engine: Engine, seconds: Callable[[], float]) -> None:
    """Asks a connection that has rested whether it lives, before it is handed out; one that does not takes the others
    of its pool with it. `pool_pre_ping` would ask those in use too, hundreds of times a second."""

    @sa.event.listens_for(engine, "checkin")
    def _note(_dbapi: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[_RESTS_SINCE] = seconds()

    @sa.event.listens_for(engine, "checkout")
    def _ask(dbapi: Any, entry: ConnectionPoolEntry, _fairy: Any) -> None:
        since = entry.info.get(_RESTS_SINCE)
        if since is not None and seconds() - since >= _RESTED_S:
            try:
                engine.dialect.do_ping(dbapi)
            except engine.dialect.loaded_dbapi.Error as error:
                raise sa.exc.InvalidatePoolError from error


def _sqlite_engine(url: sa.URL, **pool: Any) -> Engine:
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": _SQLITE_BUSY_MS / 1000}, **pool)

    @sa.event.listens_for(engine, "connect")
    def _prepare(dbapi: Any, _entry: ConnectionPoolEntry) -> None:
        dbapi.isolation_level = None  # we say BEGIN ourselves
        for pragma in (f"busy_timeout={_SQLITE_BUSY_MS}", "synchronous=FULL", "foreign_keys=ON"):
            dbapi.execute(f"PRAGMA {pragma}")
        _keep_a_log(dbapi)

    return engine


def _keep_a_log(dbapi: sqlite3.Connection) -> None:
    """Write-ahead logging, so that readers and the writer do not wait for each other. Of several processes that find an
    empty file at once only one can turn it on, and SQLite tells the others at once that it is locked."""
    until = time.monotonic() + _SQLITE_BUSY_MS / 1000
    while True:
        try:
            dbapi.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(_SQLITE_AGAIN_S)
