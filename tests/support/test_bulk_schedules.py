"""Schedules: approved once, one bulk a day however many workers, at most so many a person, skipped with a note."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notifier.core.bulks import BulkState, Exclusion, ScheduleState, SkipNote
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.resend_filter import ResendFilter, Span, Wanted
from notifier.gateways import Outcome, OutcomeClass
from notifier.messages import circuit
from notifier.store import audit, bulks
from notifier.store import bulk_schedules as rows
from notifier.store.circuits import CircuitMode
from notifier.support import bulk_run, bulk_schedules
from notifier.support.resend import hold
from tests.bulk import OPERATOR, SECOND, failed_each, go_on, tally
from tests.desk import Desk
from tests.fakes import FakeClock

JAKARTA = ZoneInfo("Asia/Jakarta")
YESTERDAY = ResendFilter(Wanted.FAILED, span=Span.YESTERDAY)
TUESDAY_NINE = datetime(2026, 11, 24, 2, tzinfo=UTC)


def a_schedule(desk: Desk, *, most: str = "2", approve: bool = True, wanted: ResendFilter = YESTERDAY) -> str:
    row = bulk_schedules.create(
        desk.services, wanted, time_of_day="9:00", most_per_person=most, reason="tiap pagi", actor=OPERATOR
    )
    if approve:
        bulk_schedules.approve(desk.services, row.reference, actor=SECOND)
    return str(row.reference)


def made(desk: Desk) -> list[bulks.Row]:
    with desk.services.db.read() as conn:
        return bulks.listed(conn, limit=50)


def get(desk: Desk, reference: str) -> rows.Row:
    return bulk_schedules.find(desk.services, reference)


def test_every_morning_yesterday_s_are_sent_again(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 2)  # on Monday
    reference = a_schedule(each_desk)
    assert get(each_desk, reference).next_at == TUESDAY_NINE
    clock.set(TUESDAY_NINE - timedelta(seconds=1))
    go_on(each_desk.services)
    assert made(each_desk) == []
    clock.set(TUESDAY_NINE)
    failed_each(each_desk, 1, start=10)  # today's: tomorrow's turn
    go_on(each_desk.services, 2)
    (first,) = made(each_desk)
    assert (first.state, first.expected, str(first.schedule_day)) == (BulkState.RUNNING, 2, "2026-11-24")
    assert (first.made_by, first.approved_by, first.schedule_reference) == (OPERATOR, SECOND, reference)
    assert tally(each_desk.services, first) == ({("planned", None): 2}, {"scheduled": 2})
    assert get(each_desk, reference).next_at == TUESDAY_NINE + timedelta(days=1)
    each_desk.send()
    clock.set(TUESDAY_NINE + timedelta(days=1))
    go_on(each_desk.services, 2)
    second = made(each_desk)[0]
    assert tally(each_desk.services, second) == ({("planned", None): 1}, {"scheduled": 1})


def test_nothing_runs_before_a_second_person_said_yes(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    reference = a_schedule(each_desk, approve=False)
    with pytest.raises(Refused, match="own-bulk"):
        bulk_schedules.approve(each_desk.services, reference, actor=OPERATOR)
    clock.set(TUESDAY_NINE)
    go_on(each_desk.services)
    assert made(each_desk) == []
    bulk_schedules.approve(each_desk.services, reference, actor=SECOND)
    with pytest.raises(Refused, match="already-decided"):
        bulk_schedules.approve(each_desk.services, reference, actor=SECOND)
    go_on(each_desk.services)
    assert made(each_desk) == []  # from its next time of day on
    assert get(each_desk, reference).next_at == TUESDAY_NINE + timedelta(days=1)


def test_many_workers_make_one_a_day(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 3)
    a_schedule(each_desk)
    clock.set(TUESDAY_NINE)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: bulk_run.run(each_desk.services), range(4)))
    go_on(each_desk.services)
    (only,) = made(each_desk)
    assert tally(each_desk.services, only) == ({("planned", None): 3}, {"scheduled": 3})
    assert each_desk.audit(only.id) == ["bulk.create"]


def test_a_second_bulk_of_a_day_cannot_be_written(each_desk: Desk, clock: FakeClock) -> None:
    schedule = get(each_desk, a_schedule(each_desk))
    values: dict[str, Any] = {
        "filter": schedule.filter,
        "expected": 0,
        "reason": "x",
        "made_by": OPERATOR,
        "starts_at": clock.now(),
        "look_at": clock.now(),
        "schedule_id": schedule.id,
        "schedule_day": clock.now().date(),
    }
    with each_desk.services.db.write() as conn:
        assert bulks.add(conn, state=BulkState.RUNNING, at=clock.now(), **values) is not None
        assert bulks.add(conn, state=BulkState.RUNNING, at=clock.now(), **values) is None


def test_nobody_is_sent_to_more_often_than_may_be(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    a_schedule(each_desk, most="1")
    clock.set(TUESDAY_NINE)
    go_on(each_desk.services, 2)
    _fails(each_desk)
    clock.set(TUESDAY_NINE + timedelta(days=1))
    go_on(each_desk.services, 2)
    newest = made(each_desk)[0]
    assert tally(each_desk.services, newest) == ({("excluded", Exclusion.OFTEN): 1}, {})


def test_twice_is_twice(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    a_schedule(each_desk, most="2")
    for day in range(4):
        clock.set(TUESDAY_NINE + timedelta(days=day))
        go_on(each_desk.services, 2)
        _fails(each_desk)
    assert sum(row.bulk_id is not None for row in each_desk.rows()) == 2


def _fails(desk: Desk) -> None:
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.PERMANENT)
    desk.send()
    desk.gateway.answer = desk.gateway.accept


def test_a_day_with_the_kill_switch_on_is_skipped_with_a_note(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    a_schedule(each_desk)
    hold(each_desk.services, reason="x", actor=SECOND)
    clock.set(TUESDAY_NINE)
    go_on(each_desk.services, 2)
    (skipped,) = made(each_desk)
    assert (skipped.state, skipped.note) == (BulkState.SKIPPED, SkipNote.HOLD)
    assert tally(each_desk.services, skipped) == ({}, {})
    assert each_desk.audit(skipped.id) == ["bulk.skip"]


def test_a_day_with_the_circuit_open_is_skipped_with_a_note(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    a_schedule(each_desk)
    circuit.pin(each_desk.services, CircuitMode.OPEN, reason="x", actor=SECOND)
    clock.set(TUESDAY_NINE)
    go_on(each_desk.services)
    assert [(row.state, row.note) for row in made(each_desk)] == [(BulkState.SKIPPED, SkipNote.CIRCUIT)]


def test_days_that_nobody_was_there_are_made_up_for_once(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    reference = a_schedule(each_desk)
    clock.set(TUESDAY_NINE + timedelta(days=3, hours=2))
    go_on(each_desk.services, 3)
    assert [str(row.schedule_day) for row in made(each_desk)] == ["2026-11-27"]
    assert get(each_desk, reference).next_at == TUESDAY_NINE + timedelta(days=4)


def test_a_paused_schedule_makes_none_and_an_ended_one_never_again(each_desk: Desk, clock: FakeClock) -> None:
    failed_each(each_desk, 1)
    reference = a_schedule(each_desk)
    bulk_schedules.pause(each_desk.services, reference, reason="libur", actor=OPERATOR)
    with pytest.raises(Refused, match="changed-meanwhile"):
        bulk_schedules.pause(each_desk.services, reference, reason="libur", actor=OPERATOR)
    clock.set(TUESDAY_NINE + timedelta(minutes=1))
    go_on(each_desk.services)
    assert made(each_desk) == []
    bulk_schedules.resume(each_desk.services, reference, reason="masuk", actor=OPERATOR)
    assert get(each_desk, reference).next_at == TUESDAY_NINE + timedelta(days=1)
    bulk_schedules.end(each_desk.services, reference, reason="cukup", actor=OPERATOR)
    clock.tick(days=2)
    go_on(each_desk.services)
    assert made(each_desk) == []
    assert get(each_desk, reference).state == ScheduleState.ENDED
    with pytest.raises(Refused, match="changed-meanwhile"):
        bulk_schedules.resume(each_desk.services, reference, reason="x", actor=OPERATOR)
    deeds = ["create", "approve", "pause", "resume", "end"]
    assert each_desk.audit(get(each_desk, reference).id) == [f"bulk-schedule.{deed}" for deed in deeds]


def test_a_clock_that_leaps_keeps_the_time_of_day() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2027, 3, 27, 9, tzinfo=berlin).astimezone(UTC)
    after = bulk_schedules.next_run(before, "09:00", berlin)
    assert after.astimezone(berlin).hour == 9
    assert after - before == timedelta(hours=23)
    leapt = bulk_schedules.next_run(datetime(2027, 3, 28, 0, tzinfo=berlin).astimezone(UTC), "02:30", berlin)
    assert leapt.astimezone(berlin).hour == 3


@pytest.mark.parametrize(
    ("wanted", "changes", "field"),
    [
        (ResendFilter(Wanted.FAILED), {}, "span"),
        (ResendFilter(Wanted.FAILED, since=datetime(2026, 11, 1, tzinfo=JAKARTA).date()), {}, "since"),
        (YESTERDAY, {"time_of_day": "9 pagi"}, "time_of_day"),
        (YESTERDAY, {"time_of_day": "24:00"}, "time_of_day"),
        (YESTERDAY, {"most_per_person": "10"}, "most_per_person"),
        (YESTERDAY, {"most_per_person": "-1"}, "most_per_person"),
        (YESTERDAY, {"reason": " "}, "reason"),
    ],
)
def test_a_schedule_that_cannot_be_names_the_field(
    desk: Desk, wanted: ResendFilter, changes: dict[str, str], field: str
) -> None:
    typed = {"time_of_day": "09:00", "most_per_person": "2", "reason": "x"} | changes
    with pytest.raises(BadInput) as refused:
        bulk_schedules.create(desk.services, wanted, actor=OPERATOR, **typed)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert bulk_schedules.listed(desk.services) == []


def test_an_unknown_schedule_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        bulk_schedules.approve(desk.services, "0000000000", actor=SECOND)


def test_a_schedule_for_one_reason_says_both_reasons_in_the_audit(desk: Desk) -> None:
    row = get(desk, a_schedule(desk, approve=False, wanted=replace(YESTERDAY, reason="refused")))
    with desk.services.db.read() as conn:
        said = audit.of_subjects(conn, [row.id])[0].detail
    assert (said["reason"], said["wanted_reason"]) == ("tiap pagi", "refused")
