"""Statements that are prepared once: what a connection's end, a changed table and many callers do to them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from notifier.store.engine import Database
from notifier.store.hot import HotRead
from notifier.store.types import Moment, RowId
from tests.databases import postgres_database
from tests.fakes import FakeClock
from tests.polling import eventually
from tests.requirements import require

_ID = "6f1c3d9e-0000-4000-8000-000000000001"
_SAID = HotRead(
    sa.select(
        sa.cast(sa.bindparam("id", type_=RowId), RowId).label("id"),
        sa.cast(sa.bindparam("moment", type_=Moment), sa.DateTime(timezone=True)).label("moment"),
        sa.cast(sa.bindparam("sealed", type_=sa.LargeBinary), sa.LargeBinary).label("sealed"),
        sa.cast(sa.bindparam("count", type_=sa.Integer), sa.Integer).label("count"),
        sa.cast(sa.bindparam("text", type_=sa.String), sa.String).label("text"),
        sa.cast(sa.bindparam("nothing", type_=sa.String), sa.String).label("nothing"),
    )
)
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_SLOW = (
    "CREATE FUNCTION slow() RETURNS int LANGUAGE plpgsql AS"
    " $$ BEGIN PERFORM nextval('runs'); PERFORM pg_sleep(3); RETURN 1; END $$"
)
_PID = HotRead(sa.select(sa.func.pg_backend_pid(type_=sa.Integer).label("pid")))


@pytest.fixture
def db() -> Iterator[Database]:
    require("postgres")
    with postgres_database() as url:
        db = Database(url, FakeClock(), pool_size=3)
        yield db
        db.close()


def pid(db: Database) -> int:
    return int(_PID.rows(db)[0].pid)


def test_each_kind_of_value_comes_back_as_it_went(db: Database) -> None:
    moment = datetime(2026, 11, 27, 20, 15, 3, 123456, UTC)
    for count in (1, 70_000, 2**31 - 1, -1):  # written in three widths by the driver
        [row] = _SAID.rows(db, id=_ID, moment=moment, sealed=b"\0\xff'$1", count=count, text="é %s $1 \\", nothing=None)
        assert tuple(row) == (_ID, moment, b"\0\xff'$1", count, "é %s $1 \\", None)


def test_a_connection_is_kept_and_one_that_the_server_ended_is_made_anew(db: Database) -> None:
    first = pid(db)
    assert pid(db) == first
    with db.write() as conn:
        assert conn.scalar(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": first})
    second = pid(db)
    assert second != first
    assert pid(db) == second


def test_a_table_that_has_changed_is_read_as_it_is_now(db: Database) -> None:
    with db.write() as conn:
        conn.execute(sa.text("CREATE TABLE changing (one integer)"))
        conn.execute(sa.text("INSERT INTO changing VALUES (7)"))
    read = HotRead(sa.select(sa.column("one")).select_from(sa.text("changing")))
    assert [tuple(row) for row in read.rows(db)] == [(7,)]
    with db.write() as conn:
        conn.execute(sa.text("ALTER TABLE changing ALTER one TYPE text"))
    assert [tuple(row) for row in read.rows(db)] == [("7",)]
    with db.write() as conn:
        conn.execute(sa.text("DROP TABLE changing"))
    with pytest.raises(sa.exc.ProgrammingError):
        read.rows(db)


def test_a_server_that_was_started_anew_is_seen_by_nobody(db: Database) -> None:
    pid(db)
    with db.read() as one, db.read() as two:  # these rest in the pool, too short to be asked whether they live
        one.scalar(sa.text("SELECT 1"))
        two.scalar(sa.text("SELECT 1"))
    admin = sa.create_engine(db.engine.url)
    with admin.begin() as conn:
        conn.execute(sa.text(_END_OTHERS))
    admin.dispose()
    assert pid(db) == pid(db)


def test_a_statement_that_runs_out_of_time_is_not_run_again(db: Database) -> None:
    with db.write() as conn:
        conn.execute(sa.text("CREATE SEQUENCE runs"))
        conn.execute(sa.text(_SLOW))
    HotRead(sa.select(sa.func.set_config("statement_timeout", "200", False).label("set"))).rows(db)
    with pytest.raises(sa.exc.OperationalError):
        HotRead(sa.select(sa.func.slow(type_=sa.Integer).label("slow"))).rows(db)
    with db.write() as conn:
        assert conn.scalar(sa.text("SELECT last_value FROM runs")) == 1
        conn.execute(sa.text("DROP FUNCTION slow()"))
        conn.execute(sa.text("DROP SEQUENCE runs"))


def test_more_callers_than_connections_all_get_their_own_answer(db: Database) -> None:
    def ask(place: int) -> tuple[int, int]:
        [row] = _SAID.rows(db, id=_ID, moment=FakeClock().now(), sealed=b"", count=place, text="", nothing=None)
        return row.count, pid(db)

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(ask, range(400)))
    assert [count for count, _pid in found] == list(range(400))
    assert len({by for _count, by in found}) <= 3


def test_after_the_end_nothing_stays_open(db: Database) -> None:
    url = db.engine.url.render_as_string(hide_password=False)
    pid(db)
    db.close()
    other = Database(url, FakeClock())
    with other.read() as conn:
        open_ones = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        # the server's own process goes by itself
        eventually(lambda: conn.scalar(sa.text(open_ones)) == 0, 20, "a connection is open")
    other.close()
