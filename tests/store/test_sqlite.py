"""A file of SQLite's, and several who open it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from notifier.store.engine import Database
from tests.fakes import FakeClock

AT_ONCE, FILES = 4, 60


def test_an_empty_file_may_be_opened_by_many_at_once(tmp_path: Path) -> None:
    """Turning on the log is the one thing that SQLite does not wait for."""
    together = threading.Barrier(AT_ONCE)

    def open_it(url: str) -> str:
        db = Database(url, FakeClock())
        together.wait(30)
        with db.read() as conn:
            mode = str(conn.scalar(sa.text("PRAGMA journal_mode")))
        db.close()
        return mode

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for place in range(FILES):
            url = f"sqlite:///{tmp_path}/{place}.db"
            Database(url, FakeClock()).close()  # which makes the file
            assert list(pool.map(open_it, [url] * AT_ONCE)) == ["wal"] * AT_ONCE
