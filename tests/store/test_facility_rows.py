"""The facility's list on both databases: what it finds, and by which index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from notifier.core.states import Reason, State
from notifier.services import Services
from notifier.store import doses, facility_day, notifications, resends
from notifier.store.facility_day import HELP_PREDICATE
from notifier.support.facility_day import Stage, counts, needs_help
from tests.desk import Desk
from tests.fakes import FakeClock

FACILITY, OTHER = "facility-1", "facility-2"
SPAN = timedelta(days=1)


def put(desk: Desk, number: int, state: State, reason: Reason | None = None, **changes: Any) -> str:
    """A dose whose message stands in a state, by force; its dose's id."""
    event = {"event_id": f"e{number}", "dose": {"id": f"d{number}"} | changes}
    row = desk.row(desk.record(**event, person={"id": f"p{number}", "nik": None}).reference)
    values = {"status": state.value, "reason": reason.value if reason else None}
    with desk.services.db.write() as conn:
        conn.execute(
            notifications.notification.update().where(notifications.notification.c.id == row.id).values(values)
        )
    return str(row.dose_id)


def asking(services: Services, facility_id: str = FACILITY, **more: Any) -> list[str]:
    now = services.clock.now()
    with services.db.read() as conn:
        found = facility_day.asking_for_help(conn, facility_id, now - SPAN, now + SPAN, limit=100, **more)
    return [shot.id for shot, _ in found]


def listed(services: Services, **more: Any) -> list[str]:
    now = services.clock.now()
    with services.db.read() as conn:
        found = facility_day.day(conn, FACILITY, now - SPAN, now + SPAN, **({"limit": 100} | more))
    return [shot.id for shot, _ in found]


def test_the_two_ways_to_ask_for_what_needs_help_find_the_same(each_desk: Desk, clock: FakeClock) -> None:
    """The list over days goes by the few messages that need it, a day's by its doses, the counts by the table."""
    put(each_desk, 1000, State.FAILED, facility_id=OTHER)
    made = {}
    for state in State:
        for reason in (None, Reason.NO_PHONE, Reason.WITHDRAWN, Reason.LEFT_ALONE, Reason.HISTORICAL):
            clock.tick(seconds=1)
            made[put(each_desk, len(made), state, reason)] = (state, reason)
    wanted = [dose_id for dose_id, (state, reason) in made.items() if needs_help(state, reason)][::-1]
    assert asking(each_desk.services) == wanted
    assert listed(each_desk.services, help_only=True) == wanted
    assert len(wanted) == 5 + 5 + 5 + 4 + 1  # failed, undelivered, held; unknown, undecided; no phone
    now = clock.now()
    totals = counts(each_desk.services, FACILITY, now - SPAN, now + SPAN)
    assert (totals[Stage.ALL], totals[Stage.HELP]) == (len(made), len(wanted))
    assert len(listed(each_desk.services)) == len(made)


def test_a_newer_message_settles_what_an_older_one_asked_for(each_desk: Desk, clock: FakeClock) -> None:
    dose_id = put(each_desk, 1, State.FAILED)
    clock.tick(minutes=1)
    with each_desk.services.db.write() as conn:
        [row] = notifications.of_dose(conn, dose_id)
        values = dict(row._mapping) | {"id": "0" * 8 + row.id[8:], "reference": "NEWEST0000", "generation": 2}
        values |= {"status": State.SCHEDULED.value, "created_at": clock.now()}
        conn.execute(notifications.notification.insert().values(values))
    assert asking(each_desk.services) == []
    assert listed(each_desk.services, states=[State.SCHEDULED]) == [dose_id]


def test_pages_hold_each_dose_once_also_where_many_came_in_one_moment(each_desk: Desk) -> None:
    made = {put(each_desk, number, State.FAILED) for number in range(7)}
    for pages in (asking, listed):
        seen: list[str] = []
        now = each_desk.services.clock.now()
        while True:
            with each_desk.services.db.read() as conn:
                find = facility_day.asking_for_help if pages is asking else facility_day.day
                found = find(conn, FACILITY, now - SPAN, now + SPAN, limit=2, before=seen[-1] if seen else None)
            if not found:
                break
            seen += [shot.id for shot, _ in found]
        assert len(seen) == len(made)
        assert set(seen) == made


def test_a_dose_of_another_facility_as_the_last_one_shows_nothing(each_desk: Desk) -> None:
    put(each_desk, 1, State.FAILED)
    elsewhere = put(each_desk, 2, State.FAILED, facility_id=OTHER)
    assert asking(each_desk.services, before=elsewhere) == []
    assert listed(each_desk.services, before=elsewhere) == []


def test_what_needs_help_is_found_by_the_index_of_these_alone(each_services: Services) -> None:
    dialect = sqlite.dialect() if each_services.db.is_sqlite else postgresql.dialect()
    captured: list[Any] = []
    with each_services.db.write() as conn:
        if not each_services.db.is_sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
            conn.exec_driver_sql("SET LOCAL enable_hashjoin = off")
            conn.exec_driver_sql("SET LOCAL enable_mergejoin = off")
        sa.event.listen(conn, "before_execute", lambda _c, element, *_rest: captured.append(element))
        now = each_services.clock.now()
        facility_day.asking_for_help(conn, FACILITY, now - SPAN, now, limit=50)
        text = str(captured[0].compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN QUERY PLAN " if each_services.db.is_sqlite else "EXPLAIN "
        plan = " ".join(str(row) for row in conn.exec_driver_sql((explain + text).replace("%", "%%")))
    assert HELP_PREDICATE in text
    assert "ix_notification_help" in plan, plan


@pytest.mark.parametrize("words", ["menteng", "MENTENG", "puskesmas m", "facility-1"])
def test_a_facility_is_found_by_a_part_of_its_name_or_id(each_desk: Desk, words: str) -> None:
    put(each_desk, 1, State.FAILED)
    put(each_desk, 2, State.FAILED, facility_id=OTHER, facility="Klinik 100% Sehat_Jaya")
    with each_desk.services.db.read() as conn:
        assert [row.id for row in facility_day.find_facilities(conn, words, 10)] == [FACILITY]
        assert [row.id for row in facility_day.find_facilities(conn, "100%", 10)] == [OTHER]
        assert facility_day.find_facilities(conn, "s%s", 10) == []
        assert facility_day.get_facility(conn, "nowhere") is None


def test_a_resend_counts_when_it_left_else_when_it_is_due(each_desk: Desk, clock: FakeClock) -> None:
    dose_id = put(each_desk, 1, State.FAILED)
    at = clock.now()
    with each_desk.services.db.write() as conn:
        [row] = notifications.of_dose(conn, dose_id)
        table = notifications.notification
        assert resends.moments_of_resends(conn, row.person_id, at - SPAN) == []
        conn.execute(table.update().values(request_reason="asked for", due_at=at + timedelta(hours=1), left_at=None))
        assert resends.moments_of_resends(conn, row.person_id, at - SPAN) == [at + timedelta(hours=1)]
        conn.execute(table.update().values(left_at=at))
        assert resends.moments_of_resends(conn, row.person_id, at - SPAN) == [at]
        assert resends.moments_of_resends(conn, row.person_id, at + SPAN) == []
        conn.execute(table.update().values(status=State.CANCELLED.value))
        assert resends.moments_of_resends(conn, row.person_id, at - SPAN) == []
        assert doses.get(conn, dose_id).facility_id == FACILITY
