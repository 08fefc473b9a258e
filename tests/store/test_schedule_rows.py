"""The schedule's rows on SQLite and PostgreSQL: how a claim is planned, ordered, fenced; what a move leaves behind."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.clock import SystemClock
from notifier.core.ids import new_id, new_reference
from notifier.core.states import NOT_LEFT, Lane, Reason, State, may_move
from notifier.services import Services
from notifier.store import notifications, persons
from notifier.store.engine import Database
from notifier.store.tables import notification
from tests.builders import SITI
from tests.desk import Desk
from tests.fakes import FakeClock

MINUTE = timedelta(minutes=1)


def add_person(services: Services) -> str:
    person_id = new_id()
    with services.db.write() as conn:
        persons.insert(conn, services.sealer, _person(person_id), source=None, at=services.clock.now())
    return person_id


def _person(person_id: str) -> persons.Person:
    return persons.Person(**{name: getattr(SITI, name) for name in SITI.__slots__} | {"id": person_id})


def add_rows(services: Services, count: int, *, first_due: Any, step: timedelta, **values: Any) -> list[str]:
    """`count` notifications without a dose, due one `step` after the other; their ids in that order."""
    at, person_id = services.clock.now(), add_person(services)
    rows = [
        {
            "id": new_id(),
            "reference": new_reference(),
            "kind": "certificate",
            "channel": "sms",
            "generation": 1,
            "person_id": person_id,
            "status": "scheduled",
            "lane": "normal",
            "accepted_at": at,
            "due_at": first_due + n * step,
            "planned_for": first_due + n * step,
            "any_hour": False,
            "created_at": at,
            "updated_at": at,
            **values,
        }
        for n in range(count)
    ]
    with services.db.write() as conn:
        conn.execute(notification.insert(), rows)
    return [str(row["id"]) for row in rows]


def claim(db: Database, limit: int, *, token: str | None = None, lane: Lane = Lane.NORMAL) -> list[notifications.Row]:
    with db.write() as conn:
        lease = db.lease(MINUTE)
        return notifications.claim(conn, lane=lane, token=token or new_id(), lease=lease, limit=limit)


def get(services: Services, row_id: str) -> notifications.Row:
    with services.db.read() as conn:
        return notifications.get(conn, row_id)


def test_the_claim_itself_is_answered_by_the_partial_index(each_services: Services, each_database_url: str) -> None:
    """The statement that runs, with the database's own clock: a million rows of tomorrow must cost nothing today."""
    tomorrow = SystemClock().now() + timedelta(days=1)
    add_rows(each_services, 3000, first_due=tomorrow, step=MINUTE)
    db = Database(each_database_url, SystemClock())
    with db.write() as conn:
        if not db.is_sqlite:
            conn.exec_driver_sql("ANALYZE notification")
    ran: list[tuple[str, Any]] = []

    @sa.event.listens_for(db.engine, "before_cursor_execute")
    def _keep(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if "due_at" in statement:
            ran.append((statement, parameters))

    assert claim(db, 500) == []
    statement, parameters = ran[0]
    with db.write() as conn:
        explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "
        plan = "\n".join(str(row) for row in conn.exec_driver_sql(explain + statement, parameters))
    db.close()
    assert "ix_notification_due" in plan
    if db.is_sqlite:
        assert "lane=? AND due_at<?" in plan
        assert "SCAN notification" not in plan
    else:
        condition = next(line for line in plan.splitlines() if "Index Cond" in line and "lane" in line)
        assert "due_at" in condition
        assert "Seq Scan on notification" not in plan


def test_by_the_databases_own_clock_only_what_is_due_is_claimed(
    each_services: Services, each_database_url: str
) -> None:
    now = SystemClock().now()
    past, _ = add_rows(each_services, 2, first_due=now - MINUTE, step=timedelta(hours=1))
    db = Database(each_database_url, SystemClock())
    token = new_id()
    [row] = claim(db, 10, token=token)
    assert row.id == past
    assert row.lease_until - now > timedelta(seconds=50)
    assert row.lease_until - SystemClock().now() <= timedelta(seconds=61)
    with db.write() as conn:
        assert [row.id for row in _begin(db, conn, [past], token)] == [past]
        assert notifications.free_expired_leases(conn, now=db.lease(MINUTE).now, at=now, look_up_at=now) == (0, 0)
    db.close()


def _begin(db: Database, conn: sa.Connection, ids: list[str], token: str) -> list[notifications.Row]:
    return notifications.begin_sending(conn, ids, token=token, lease=db.lease(MINUTE), at=db.clock.now())


def test_a_claim_comes_in_the_order_of_due_times_and_leaves_the_latest(each_services: Services) -> None:
    now = each_services.clock.now()
    later = add_rows(each_services, 5, first_due=now - 5 * MINUTE, step=MINUTE)
    earlier = add_rows(each_services, 5, first_due=now - 30 * MINUTE, step=MINUTE)
    assert [row.id for row in claim(each_services.db, 7)] == earlier + later[:2]
    assert [row.id for row in claim(each_services.db, 7)] == later[2:]


def test_a_row_is_due_at_its_very_moment_and_not_before(each_services: Services, clock: FakeClock) -> None:
    [row_id] = add_rows(each_services, 1, first_due=clock.now() + MINUTE, step=MINUTE)
    clock.tick(seconds=59.999999)
    assert claim(each_services.db, 1) == []
    clock.tick(microseconds=1)
    assert [row.id for row in claim(each_services.db, 1)] == [row_id]


def test_a_claim_of_none_takes_none(each_services: Services, clock: FakeClock) -> None:
    add_rows(each_services, 1, first_due=clock.now(), step=MINUTE)
    assert claim(each_services.db, 0) == []


def test_a_lease_ends_at_its_very_moment(each_services: Services, clock: FakeClock) -> None:
    """Whoever may send and whoever may free never both may."""
    first, second = add_rows(each_services, 2, first_due=clock.now(), step=timedelta(0))
    token = new_id()
    claim(each_services.db, 2, token=token)
    clock.tick(seconds=59.999999)
    with each_services.db.write() as conn:
        assert len(_begin(each_services.db, conn, [first], token)) == 1
    clock.tick(microseconds=1)
    with each_services.db.write() as conn:
        assert _begin(each_services.db, conn, [second], token) == []
    clock.tick(microseconds=1)
    with each_services.db.write() as conn:
        assert notifications.free_expired_leases(conn, now=clock.now(), at=clock.now(), look_up_at=clock.now()) == (
            1,
            0,
        )


def test_a_second_worker_cannot_begin_what_was_freed_and_claimed_again(
    each_services: Services, clock: FakeClock
) -> None:
    [row_id] = add_rows(each_services, 1, first_due=clock.now(), step=MINUTE)
    slow, quick = new_id(), new_id()
    claim(each_services.db, 1, token=slow)
    clock.tick(seconds=61)
    with each_services.db.write() as conn:
        notifications.free_expired_leases(conn, now=clock.now(), at=clock.now(), look_up_at=clock.now())
    claim(each_services.db, 1, token=quick)
    with each_services.db.write() as conn:
        assert _begin(each_services.db, conn, [row_id], slow) == []
        assert [row.attempts for row in _begin(each_services.db, conn, [row_id], quick)] == [1]


def test_what_may_have_left_counts_towards_the_day(each_services: Services, clock: FakeClock) -> None:
    [row_id] = add_rows(each_services, 1, first_due=clock.now(), step=MINUTE)
    token = new_id()
    claim(each_services.db, 1, token=token)
    with each_services.db.write() as conn:
        began = clock.now()
        _begin(each_services.db, conn, [row_id], token)
        clock.tick(seconds=61)
        notifications.free_expired_leases(conn, now=clock.now(), at=clock.now(), look_up_at=clock.now())
        row = notifications.get(conn, row_id)
        since = {"since": began - MINUTE, "token": new_id(), "now": clock.now()}
        assert notifications.left_since(conn, [row.person_id], **since) == [(row.person_id, began)]
    assert (row.status, row.reason, row.lease_token) == (State.UNKNOWN, Reason.LEASE_RAN_OUT, None)


def test_what_another_worker_claimed_before_counts_towards_the_day_as_well(
    each_services: Services, clock: FakeClock
) -> None:
    [row_id] = add_rows(each_services, 1, first_due=clock.now(), step=MINUTE)
    before, first, after = "0" * 32, new_id(), "f" * 32
    claim(each_services.db, 1, token=first)
    with each_services.db.read() as conn:
        person = notifications.get(conn, row_id).person_id
        counted = {
            token: notifications.left_since(conn, [person], clock.now() - MINUTE, token=token, now=clock.now())
            for token in (before, after)
        }
    assert counted == {before: [], after: [(person, clock.now())]}


@pytest.fixture
def settled(each_services: Services, clock: FakeClock) -> tuple[Services, list[str], str]:
    """Three rows in `sending` under one token."""
    ids = add_rows(each_services, 3, first_due=clock.now(), step=timedelta(0))
    token = new_id()
    claim(each_services.db, 3, token=token)
    with each_services.db.write() as conn:
        _begin(each_services.db, conn, ids, token)
    return each_services, ids, token


def test_a_chunk_moves_with_each_rows_own_values(settled: tuple[Services, list[str], str], clock: FakeClock) -> None:
    services, ids, token = settled
    changes = [{"row_id": row_id, "new_provider_sid": f"SM{n}"} for n, row_id in enumerate(ids)]
    with services.db.write() as conn:
        moved = notifications.move_each(conn, changes, State.ACCEPTED, old=[State.SENDING], at=clock.now(), token=token)
    assert moved == 3
    rows = [get(services, row_id) for row_id in ids]
    assert [(row.status, row.provider_sid, row.lease_token) for row in rows] == [
        (State.ACCEPTED, f"SM{n}", None) for n in range(3)
    ]


def test_a_chunk_leaves_rows_that_are_not_ours_any_more(
    settled: tuple[Services, list[str], str], clock: FakeClock
) -> None:
    services, ids, token = settled
    with services.db.write() as conn:
        notifications.move(conn, ids[:1], State.DELIVERED, old=[State.SENDING], at=clock.now())
        changes = [{"row_id": row_id, "new_provider_sid": "SM1"} for row_id in ids]
        move = {"old": [State.SENDING], "at": clock.now()}
        assert notifications.move_each(conn, changes, State.ACCEPTED, token=new_id(), **move) == 0
        assert notifications.move_each(conn, changes, State.ACCEPTED, token=token, **move) == 2
        assert notifications.move_each(conn, [], State.ACCEPTED, token=token, **move) == 0
    assert [get(services, row_id).status for row_id in ids] == [State.DELIVERED, State.ACCEPTED, State.ACCEPTED]


def test_a_chunk_cannot_make_a_move_that_the_table_forbids(
    settled: tuple[Services, list[str], str], clock: FakeClock
) -> None:
    services, ids, token = settled
    with services.db.write() as conn:
        for old, new in itertools.product(State, State):
            if not may_move(old, new):
                with pytest.raises(ValueError, match="no move"):
                    notifications.move_each(conn, [{"row_id": ids[0]}], new, old=[old], at=clock.now(), token=token)
    assert get(services, ids[0]).status == State.SENDING


def test_one_forbidden_source_among_allowed_ones_moves_nothing(
    settled: tuple[Services, list[str], str], clock: FakeClock
) -> None:
    services, ids, _ = settled
    with services.db.write() as conn, pytest.raises(ValueError, match="no move"):
        notifications.move(conn, ids, State.DELIVERED, old=[State.SENDING, State.CANCELLED], at=clock.now())
    assert {get(services, row_id).status for row_id in ids} == {State.SENDING}


def test_only_what_has_not_left_is_taken_back(each_desk: Desk, clock: FakeClock) -> None:
    row = each_desk.row(each_desk.record().reference)
    for status in State:
        with each_desk.services.db.write() as conn:
            conn.execute(notification.update().values(status=status.value))
            values = {"new": State.CANCELLED, "reason": Reason.WITHDRAWN, "at": clock.now()}
            taken = notifications.take_back(conn, row.dose_id, **values)
        assert taken == ([row.id] if status in NOT_LEFT else [])
        assert each_desk.state(row.reference) == (State.CANCELLED if status in NOT_LEFT else status)


def test_only_what_waits_is_given_another_time(each_desk: Desk, clock: FakeClock) -> None:
    row = each_desk.row(each_desk.record().reference)
    later = clock.now() + timedelta(hours=2)
    with each_desk.services.db.write() as conn:
        assert notifications.reschedule(conn, row.id, due_at=later, at=clock.now())
    assert each_desk.row(row.reference).due_at == later
    with each_desk.services.db.write() as conn:
        conn.execute(notification.update().values(status="claimed"))
        assert not notifications.reschedule(conn, row.id, due_at=clock.now(), at=clock.now())
    assert each_desk.row(row.reference).due_at == later


def test_what_is_due_is_counted_no_further_than_asked(each_services: Services, clock: FakeClock) -> None:
    add_rows(each_services, 5, first_due=clock.now() - 3 * MINUTE, step=MINUTE)
    with each_services.db.read() as conn:
        assert notifications.count_due(conn, clock.now(), 100) == 4
        assert notifications.count_due(conn, clock.now(), 2) == 2
