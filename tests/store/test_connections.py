"""Connections that PostgreSQL has ended: found before anybody's statement meets them, without asking each time."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.engine import Database
from tests.databases import postgres_database
from tests.fakes import FakeClock
from tests.requirements import require

_END = "SELECT pg_terminate_backend(:pid, 5000)"


class Seconds:
    """What measures rest."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def pid_of(db: Database) -> int:
    with db.read() as conn:
        return int(conn.scalar(sa.text("SELECT pg_backend_pid()")))


def test_one_that_rested_is_asked_whether_it_lives_and_its_like_are_made_anew() -> None:
    require("postgres")
    seconds = Seconds()
    with postgres_database() as url:
        db, other = Database(url, FakeClock(), seconds=seconds), Database(url, FakeClock())
        pid = pid_of(db)
        assert pid_of(db) == pid
        with other.write() as conn:
            assert conn.scalar(sa.text(_END), {"pid": pid})
        seconds.now += 1.5
        assert pid_of(db) not in (0, pid)
        db.close()
        other.close()


def test_one_that_works_is_not_asked() -> None:
    require("postgres")
    seconds = Seconds()
    with postgres_database() as url:
        db = Database(url, FakeClock(), seconds=seconds)
        pings = Pings(db)
        for _ in range(5):
            pid_of(db)
        assert pings.count == 0
        seconds.now += 1.5
        pid_of(db)
        assert pings.count == 1
        db.close()


class Pings:
    """How often a database's connections were asked."""

    def __init__(self, db: Database) -> None:
        self.count = 0
        self._ping = db.engine.dialect.do_ping
        db.engine.dialect.do_ping = self._counted  # type: ignore[method-assign]  # the driver's, not ours

    def _counted(self, connection: object) -> bool:
        self.count += 1
        return bool(self._ping(connection))  # type: ignore[arg-type]  # as it was handed to us
