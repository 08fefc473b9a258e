"""A PostgreSQL connection for a few statements that are prepared once and asked all the time, by libpq's blocking call.

psycopg waits for an answer in Python, so that it can be interrupted: it lets go of the interpreter three times a
statement, and threads that wait for each other's turn take three times the processor time of the statement itself. One
call that lets go once is what a page needs. Values are written and read by psycopg as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import abc, pq
from psycopg.adapt import Loader, PyFormat, Transformer
from psycopg.errors import error_from_result

from notifier.store.types import dashed

Connect = Callable[[], "psycopg.Connection[Any]"]
#: a cached plan whose result has another type; a prepared statement that is not there (PostgreSQL, Appendix A)
_STALE = frozenset({"0A000", "26000"})


class _RowIdLoader(Loader):
    """A row's id as we write it; by way of `uuid.UUID` it takes five times as long."""

    format = pq.Format.BINARY

    def load(self, data: abc.Buffer) -> str:
        return dashed(bytes(data).hex())


class _Known:
    """A statement that was prepared, and what reads its columns: looked up with the first result, not with each."""

    def __init__(self, name: bytes, reader: abc.Transformer) -> None:
        self.name = name
        self._reader = reader
        self._has_read = False

    def read(self, result: pq.abc.PGresult) -> list[Any]:
        """Its rows."""
        self._reader.set_pgresult(result, set_loaders=not self._has_read)
        self._has_read = True
        try:
            return self._reader.load_rows(0, result.ntuples, tuple)
        finally:
            self._reader.set_pgresult(None, set_loaders=False)  # nothing of anybody stays here


class Prepared:
    """One connection, each statement of which is its own transaction; opened when it is needed, and used by one thread
    at a time."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._conn: psycopg.Connection[Any] | None = None
        self._writer: Any = None  # psycopg's Transformer, which knows how to write each type
        self._known: dict[tuple[str, tuple[int, ...]], _Known] = {}

    def run(self, text: str, values: Sequence[Any]) -> list[Any]:
        """The rows of a statement whose parameters are $1, $2, ... ; a row's id as we write it. Where a connection that
        has been used before is lost (the server was started anew), or what was prepared on it does not fit any more (a
        table has changed), it is asked once more, on a new one: nothing that is run here does harm when it is run
        twice. Raises psycopg's errors."""
        was_open = self._conn is not None
        try:
            return self._once(text, values)
        except psycopg.Error:
            if self._conn is not None or not was_open:  # it is not that connection's fault
                raise
        return self._once(text, values)

    def _once(self, text: str, values: Sequence[Any]) -> list[Any]:
        """Lets go of the connection where the error is its fault."""
        try:
            return self._run(text, values)
        except psycopg.Error as error:
            is_good = self._conn is not None and self._conn.pgconn.status == pq.ConnStatus.OK
            if not is_good or error.sqlstate in _STALE:
                self.close()
            raise

    def close(self) -> None:
        """Lets go of the connection; another is opened when it is needed."""
        conn, self._conn = self._conn, None
        self._writer = None
        self._known.clear()
        if conn is not None:
            conn.close()

    def _run(self, text: str, values: Sequence[Any]) -> list[Any]:
        conn = self._conn or self._open()
        written = self._writer = self._writer or Transformer(conn)
        given: Any = written.dump_sequence(values, [PyFormat.AUTO] * len(values))  # None is NULL, which the stub forgot
        types = written.types or ()
        known = self._known.get((text, types)) or self._prepare(conn, text, types)
        result = conn.pgconn.exec_prepared(known.name, given, written.formats, pq.Format.BINARY)
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise self._error(conn, result)
        return known.read(result)

    def _open(self) -> psycopg.Connection[Any]:
        conn = self._conn = self._connect()
        conn.autocommit = True
        conn.adapters.register_loader("uuid", _RowIdLoader)
        return conn

    def _prepare(self, conn: psycopg.Connection[Any], text: str, types: tuple[int, ...]) -> _Known:
        known = _Known(b"hot_%d" % len(self._known), Transformer(conn))
        result = conn.pgconn.prepare(known.name, text.encode(), types)
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise self._error(conn, result)
        self._known[text, types] = known
        return known

    @staticmethod
    def _error(conn: psycopg.Connection[Any], result: pq.abc.PGresult) -> psycopg.Error:
        if conn.pgconn.status != pq.ConnStatus.OK:
            return psycopg.OperationalError("the connection is lost")
        return error_from_result(result)
