"""The store's contract, asked of SQLite and PostgreSQL alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from notifier.core.errors import SealBroken
from notifier.core.ids import new_id
from notifier.core.states import MOVES, Lane, Reason, State, may_move
from notifier.services import Services
from notifier.store import api_lists, audit, audit_chain, counters, events, locks, notifications, persons, suppressions
from notifier.store.engine import Database
from notifier.store.migrate import is_current, upgrade
from notifier.store.tables import audit as audit_table
from notifier.store.tables import metadata, notification, person
from tests.databases import postgres_database
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.requirements import require


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Without a table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/sertilink.db"
        return
    require("postgres")
    with postgres_database(migrated=False) as url:
        yield url


def test_migrations_make_the_tables_of_the_code(empty_database_url: str, clock: FakeClock) -> None:
    db = Database(empty_database_url, clock)
    upgrade(db)
    assert is_current(db)
    with db.read() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
    db.close()


def test_an_empty_database_may_be_migrated_by_many_at_once(empty_database_url: str, clock: FakeClock) -> None:
    databases = [Database(empty_database_url, clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, databases))
    assert all(map(is_current, databases))
    for db in databases:
        db.close()


def test_a_person_comes_back_as_it_went_in_and_is_found_blindly(each_desk: Desk) -> None:
    row = each_desk.row(each_desk.record().reference)
    services = each_desk.services
    with services.db.read() as conn:
        found = persons.get(conn, services.sealer, row.person_id)
        assert persons.find_by_nik(conn, persons.nik_index(services.sealer, found.nik or "")) == found.id
        assert persons.find_by_source(conn, persons.source_index(services.sealer, "person-1")) == found.id
        assert persons.ids_with_phone(conn, persons.phone_index(services.sealer, "+6281234567890")) == [found.id]
    assert (found.name, found.mobile, str(found.birth_date)) == ("Siti Aminah", "+6281234567890", "1989-02-10")
    assert "Siti" not in repr(found)


def test_a_sealed_column_moved_to_another_row_does_not_open(each_desk: Desk) -> None:
    first = each_desk.row(each_desk.record().reference).person_id
    other = each_desk.record(event_id="e2", dose={"id": "d2"}, person={"id": "p2", "nik": None, "name": "Budi"})
    services = each_desk.services
    stolen = sa.select(person.c.name_sealed).where(person.c.id == first).scalar_subquery()
    with services.db.write() as conn:
        conn.execute(person.update().where(person.c.id != first).values(name_sealed=stolen))
    with services.db.read() as conn, pytest.raises(SealBroken):
        persons.get(conn, services.sealer, each_desk.row(other.reference).person_id)


def test_fifty_wrong_tries_at_once_count_five(each_desk: Desk, clock: FakeClock) -> None:
    person_id = each_desk.row(each_desk.record().reference).person_id

    def wrong(_: int) -> int | None:
        with each_desk.services.db.write() as conn:
            return persons.count_wrong_try(conn, person_id, clock.now())

    with ThreadPoolExecutor(10) as pool:
        counts = list(pool.map(wrong, range(50)))
    assert sorted(count for count in counts if count) == [1, 2, 3, 4, 5]
    with each_desk.services.db.read() as conn:
        assert persons.get(conn, each_desk.services.sealer, person_id).locked_at == clock.now()


def test_one_event_id_is_claimed_once(each_services: Services, clock: FakeClock) -> None:
    def take(_: int) -> str | None:
        with each_services.db.write() as conn:
            return events.claim_id(
                conn,
                event_id="e",
                event_type="recorded",
                content_index=b"x",
                door="api",
                at=clock.now(),
                recorded_at=None,
            )

    with ThreadPoolExecutor(8) as pool:
        assert len(list(filter(None, pool.map(take, range(8))))) == 1


def fill(desk: Desk, count: int) -> None:
    for n in range(count):
        desk.record(event_id=f"e{n}", dose={"id": f"d{n}"}, person={"id": f"p{n}", "nik": None})


def taken(desk: Desk, limit: int, lane: Lane = Lane.NORMAL, token: str | None = None) -> list[str]:
    with desk.services.db.write() as conn:
        lease = desk.services.db.lease(timedelta(seconds=60))
        rows = notifications.claim(conn, lane=lane, token=token or new_id(), lease=lease, limit=limit)
    return [row.id for row in rows]


def test_no_row_goes_to_two_claimers(each_desk: Desk) -> None:
    fill(each_desk, 40)
    with ThreadPoolExecutor(8) as pool:
        claimed = list(itertools.chain(*pool.map(lambda _: taken(each_desk, 7), range(8))))
    assert len(claimed) == len(set(claimed)) == 40


def test_a_claim_takes_what_is_due_of_its_lane_up_to_its_limit(each_desk: Desk, clock: FakeClock) -> None:
    fill(each_desk, 3)
    each_desk.record(event_id="later", dose={"id": "later"}, notify={"delay_hours": 1})
    assert taken(each_desk, 10, Lane.BULK) == []
    assert len(taken(each_desk, 2)) == 2
    assert len(taken(each_desk, 10)) == 1
    clock.tick(hours=1)
    assert len(taken(each_desk, 10)) == 1


def test_the_claim_uses_the_partial_index(each_desk: Desk) -> None:
    fill(each_desk, 1)
    query = (
        "SELECT id FROM notification WHERE status = 'scheduled' AND lane = 'normal' "
        "AND due_at <= '2030-01-01' ORDER BY due_at LIMIT 5"
    )
    with each_desk.services.db.write() as conn:
        if each_desk.services.db.is_sqlite:
            plan = str(conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
        else:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = str(conn.exec_driver_sql(f"EXPLAIN {query}").all())
    assert "ix_notification_due" in plan


def test_sending_is_fenced_by_token_and_lease(each_desk: Desk, clock: FakeClock) -> None:
    fill(each_desk, 2)
    token, db = new_id(), each_desk.services.db
    mine = taken(each_desk, 10, token=token)

    def begin(as_token: str) -> int:
        with db.write() as conn:
            lease = db.lease(timedelta(seconds=60))
            return len(notifications.begin_sending(conn, mine[:1], token=as_token, lease=lease, at=clock.now()))

    assert begin(new_id()) == 0
    assert begin(token) == 1
    assert begin(token) == 0
    clock.tick(seconds=61)
    mine.reverse()
    assert begin(token) == 0


@pytest.mark.parametrize("old", State)
def test_every_move_of_the_table_and_no_other(each_desk: Desk, clock: FakeClock, old: State) -> None:
    row_id = each_desk.row(each_desk.record().reference).id
    for new in State:
        with each_desk.services.db.write() as conn:
            conn.execute(notification.update().values(status=old.value))
            if not may_move(old, new):
                with pytest.raises(ValueError, match="no move"):
                    notifications.move(conn, [row_id], new, old=[old], at=clock.now())
                continue
            assert notifications.move(conn, [row_id], new, old=[old], at=clock.now()) == [row_id]
            assert notifications.get(conn, row_id).status == new
            ended = notifications.get(conn, row_id).ended_at
            assert (ended is not None) == (not MOVES[new])


def test_a_move_touches_only_rows_that_stand_where_it_says(each_desk: Desk, clock: FakeClock) -> None:
    row_id = each_desk.row(each_desk.record().reference).id
    with each_desk.services.db.write() as conn:
        assert notifications.move(conn, [row_id], State.SENT, old=[State.ACCEPTED], at=clock.now()) == []
        assert notifications.get(conn, row_id).status == State.SCHEDULED


def test_leases_that_ran_out(each_desk: Desk, clock: FakeClock) -> None:
    fill(each_desk, 2)
    token, db = new_id(), each_desk.services.db
    claimed, sending = taken(each_desk, 10, token=token)
    with db.write() as conn:
        lease = db.lease(timedelta(seconds=60))
        notifications.begin_sending(conn, [sending], token=token, lease=lease, at=clock.now())
        assert notifications.free_expired_leases(conn, now=clock.now(), at=clock.now(), look_up_at=clock.now()) == (
            0,
            0,
        )
        clock.tick(seconds=61)
        assert notifications.free_expired_leases(conn, now=clock.now(), at=clock.now(), look_up_at=clock.now()) == (
            1,
            1,
        )
        assert notifications.get(conn, claimed).status == State.SCHEDULED
        assert notifications.get(conn, sending).status == State.UNKNOWN


def test_one_generation_of_a_kind_is_one_row(each_desk: Desk) -> None:
    row = each_desk.row(each_desk.record().reference)
    copy = {**row._mapping, "id": new_id(), "reference": "OTHER"}
    with pytest.raises(sa.exc.IntegrityError), each_desk.services.db.write() as conn:
        conn.execute(notification.insert(), copy)


def test_counters_are_exact_and_start_anew(each_services: Services, clock: FakeClock) -> None:
    window = timedelta(minutes=1)

    def hit(_: int) -> int:
        with each_services.db.write() as conn:
            return counters.hit(conn, "x", window=window, at=clock.now())

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(hit, range(20))) == list(range(1, 21))
    clock.tick(minutes=1)
    assert hit(0) == 1
    clock.tick(minutes=5)
    with each_services.db.write() as conn:
        assert counters.forget_old(conn, clock.now()) == 2


def test_one_of_many_wins_a_tick(each_services: Services, clock: FakeClock) -> None:
    def win(_: int) -> bool:
        with each_services.db.write() as conn:
            return counters.win_tick(conn, "t", period=timedelta(seconds=1), at=clock.now())

    for _ in range(3):
        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(win, range(6))) == 1
        clock.tick(seconds=1)


def test_a_switch_is_turned_once_with_who_and_why(each_services: Services, clock: FakeClock) -> None:
    def turn(on: bool) -> bool:
        with each_services.db.write() as conn:
            return counters.set_switch(conn, "hold", is_on=on, by="me", reason="why", at=clock.now())

    assert [turn(on) for on in (False, True, True, False, False, True)] == [False, True, False, True, False, True]
    with each_services.db.read() as conn:
        row = counters.get_switch(conn, "hold")
    assert row is not None
    assert (row.is_on, row.changed_by, row.reason) == (True, "me", "why")


def test_a_suppression_is_added_once_and_lifted(each_services: Services, clock: FakeClock) -> None:
    with each_services.db.write() as conn:
        assert suppressions.add(conn, b"n", reason=Reason.OPTED_OUT, source="s", at=clock.now())
        assert not suppressions.add(conn, b"n", reason=Reason.OPTED_OUT, source="s", at=clock.now())
        assert suppressions.suppressed(conn, [b"n", b"m"]) == {b"n"}
        assert suppressions.lift(conn, b"n", clock.now())
        assert suppressions.suppressed(conn, [b"n"]) == set()
        assert suppressions.add(conn, b"n", reason=Reason.OPTED_OUT, source="s", at=clock.now())


@pytest.mark.parametrize(
    "change",
    [
        {"actor": "somebody else"},
        {"action": "other"},
        {"subject": "other"},
        {"subject_id": "other"},
        {"detail": {}},
        {"chain_hash": b"0" * 32},
        {"position": 99},
        None,
    ],
)
def test_any_change_of_the_audit_is_found(each_services: Services, clock: FakeClock, change: dict | None) -> None:
    with each_services.db.write() as conn:
        for n in range(5):
            audit.write(conn, at=clock.now(), actor="a", action="b", subject="c", subject_id=f"{n}", n=n)
            clock.tick(seconds=1)
        assert audit.seal(conn, limit=3) == 3
        assert audit.seal(conn) == 2
        assert audit_chain.verify(conn, each_services.sealer).broken_at is None
        third = audit_table.c.subject_id == "2"
        conn.execute(
            audit_table.delete().where(third) if change is None else audit_table.update().where(third).values(**change)
        )
        assert audit_chain.verify(conn, each_services.sealer).broken_at == 3


def test_a_lock_on_a_thing_without_a_row_makes_callers_wait(each_services: Services) -> None:
    inside: list[int] = []

    def alone(n: int) -> int:
        with each_services.db.write() as conn:
            locks.hold(conn, b"same-key")
            inside.append(n)
            seen = len(inside)
            conn.execute(sa.select(sa.func.count()).select_from(notification))
            inside.remove(n)
        return seen

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(alone, range(30))) == {1}


def test_a_list_of_a_rare_state_uses_the_index_of_those(each_desk: Desk) -> None:
    fill(each_desk, 1)
    asked: list[tuple[str, tuple]] = []

    def listen(_conn: object, _cursor: object, statement: str, parameters: tuple, *_more: object) -> None:
        asked.append((statement, parameters))

    db = each_desk.services.db
    sa.event.listen(db.engine, "before_cursor_execute", listen)
    with db.read() as conn:
        api_lists.page(conn, state=State.FAILED, since=None, facility_id=None, after=None, limit=5)
    sa.event.remove(db.engine, "before_cursor_execute", listen)
    statement, parameters = asked[-1]
    with db.write() as conn:
        if db.is_sqlite:
            plan = conn.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters).all()
        else:
            conn.execute(sa.text("SET LOCAL enable_seqscan = off"))
            conn.execute(sa.text("SET LOCAL enable_sort = off"))
            plan = conn.exec_driver_sql("EXPLAIN " + statement, parameters).all()
    assert "ix_notification_rare" in str(plan)
