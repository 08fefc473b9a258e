"""Due times: delay, undo, quiet hours and the 48-hour promise, over all zones and hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.schedule import PROMISE, QuietHours, plan_due, read_quiet_hours

ZONES = [ZoneInfo(name) for name in ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Europe/London")]
NIGHT = QuietHours(time(20), time(8))
JAKARTA = ZONES[0]


def wib(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA)


@pytest.mark.parametrize(
    ("accepted", "delay", "undo", "due", "breaks"),
    [
        ("2026-11-23 10:00", 0, 0, "2026-11-23 10:00", False),
        ("2026-11-23 10:00", 0, 10, "2026-11-23 10:10", False),
        ("2026-11-23 10:00", 1, 10, "2026-11-23 11:00", False),
        ("2026-11-23 19:59", 0, 0, "2026-11-23 19:59", False),
        ("2026-11-23 20:00", 0, 0, "2026-11-24 08:00", False),
        ("2026-11-24 07:59", 0, 0, "2026-11-24 08:00", False),
        ("2026-11-23 23:00", 0, 0, "2026-11-24 08:00", False),
        ("2026-11-23 03:00", 0, 0, "2026-11-23 08:00", False),
        ("2026-11-23 21:00", 48, 0, "2026-11-25 19:00", False),  # back to the last allowed hour
        ("2026-11-23 10:00", 48, 0, "2026-11-25 10:00", False),
    ],
)
def test_examples(accepted: str, delay: float, undo: float, due: str, breaks: bool) -> None:
    plan = plan_due(
        wib(accepted), delay=timedelta(hours=delay), undo=timedelta(minutes=undo), quiet=NIGHT, zone=JAKARTA
    )
    assert (plan.due_at, plan.breaks_promise) == (wib(due), breaks)


FIRST, LAST = datetime(2026, 1, 1), datetime(2027, 12, 31)  # noqa: DTZ001  # hypothesis wants naive bounds
moments = st.datetimes(FIRST, LAST).map(lambda naive: naive.replace(tzinfo=UTC))
quiets = (
    st.tuples(st.times(), st.times())
    .map(lambda pair: QuietHours(*(t.replace(second=0, microsecond=0) for t in pair)))
    .filter(lambda quiet: quiet.start != quiet.end)
)


@given(moments, st.floats(0, 48), st.floats(0, 60), quiets, st.sampled_from(ZONES))
def test_never_early_and_never_in_quiet_hours(
    accepted: datetime, delay: float, undo: float, quiet: QuietHours, zone: ZoneInfo
) -> None:
    least = accepted + timedelta(minutes=undo)
    plan = plan_due(accepted, delay=timedelta(hours=delay), undo=timedelta(minutes=undo), quiet=quiet, zone=zone)
    assert plan.due_at >= least
    assert not quiet.quiet_at(plan.due_at.astimezone(zone))


@given(moments, st.floats(0, 48), st.floats(0, 60), st.sampled_from(ZONES))
def test_within_48_hours_with_the_programme_s_night(
    accepted: datetime, delay: float, undo: float, zone: ZoneInfo
) -> None:
    plan = plan_due(accepted, delay=timedelta(hours=delay), undo=timedelta(minutes=undo), quiet=NIGHT, zone=zone)
    assert plan.due_at <= accepted + PROMISE
    assert not plan.breaks_promise


def test_where_no_allowed_hour_is_left_it_goes_late_with_an_alarm() -> None:
    one_minute_a_day = QuietHours(time(8, 1), time(8))
    undo = timedelta(hours=47, minutes=30)  # past the last allowed minute before the promise ends
    plan = plan_due(wib("2026-11-23 09:00"), delay=undo, undo=undo, quiet=one_minute_a_day, zone=JAKARTA)
    assert (plan.due_at, plan.breaks_promise) == (wib("2026-11-26 08:00"), True)


def test_an_allowed_time_shorter_than_an_hour_is_used_too() -> None:
    one_minute_a_day = QuietHours(time(8, 1), time(8))
    delay = timedelta(hours=48)
    plan = plan_due(wib("2026-11-23 07:00"), delay=delay, undo=timedelta(0), quiet=one_minute_a_day, zone=JAKARTA)
    assert (plan.due_at, plan.breaks_promise) == (wib("2026-11-24 08:00"), False)


def test_without_quiet_hours_the_delay_is_all() -> None:
    plan = plan_due(wib("2026-11-23 23:00"), delay=timedelta(0), undo=timedelta(0), quiet=None, zone=JAKARTA)
    assert plan.due_at == wib("2026-11-23 23:00")


@pytest.mark.parametrize("text", ["", "20-8", "25:00-08:00", "20:00-20:00", "20:00–08:00", "20:00-08:00 x"])
def test_quiet_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"hour|quiet|minute"):
        read_quiet_hours(text)


def test_quiet_hours_off() -> None:
    assert read_quiet_hours(" OFF ") is None
