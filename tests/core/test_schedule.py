"""When an SMS may leave, in all three Indonesian zones, minute by minute against a search by hand."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from notifier.core.ids import new_id
from notifier.core.schedule import QuietHours, plan_due, read_quiet_hours, share_of, spread_opening

ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
OFFSETS = {"Asia/Jakarta": 7, "Asia/Makassar": 8, "Asia/Jayapura": 9}
NIGHT = QuietHours(time(20), time(8))
NOON = QuietHours(time(12), time(13, 30))
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # 10:00 in Jakarta
JAKARTA = ZoneInfo("Asia/Jakarta")
HOUR = timedelta(hours=1)

minutes_of_day = st.integers(0, 1439)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # naive bounds


def minute_is_quiet(moment: datetime, start: int, end: int, offset_hours: int) -> bool:
    """By minutes of the local day alone, with no help of the code under test."""
    minute = int((moment + timedelta(hours=offset_hours) - datetime(2020, 1, 1, tzinfo=UTC)) / timedelta(minutes=1))
    minute %= 1440
    return (minute - start) % 1440 < (end - start) % 1440


def clock(minute: int) -> time:
    return time(minute // 60, minute % 60)


@given(
    accepted=moments,
    delay_minutes=st.integers(0, 48 * 60),
    undo_minutes=st.integers(0, 24 * 60),
    start=minutes_of_day,
    end=minutes_of_day,
    zone=st.sampled_from(ZONES),
)
def test_a_due_time_keeps_every_promise_that_can_be_kept(
    accepted: datetime, delay_minutes: int, undo_minutes: int, start: int, end: int, zone: str
) -> None:
    assume(start != end)
    undo = timedelta(minutes=undo_minutes)
    plan = plan_due(
        accepted,
        delay=timedelta(minutes=delay_minutes),
        undo=undo,
        quiet=QuietHours(clock(start), clock(end)),
        zone=ZoneInfo(zone),
    )
    first, last = accepted + undo, accepted + timedelta(hours=48)
    offset = OFFSETS[zone]
    assert plan.due_at >= first
    assert not minute_is_quiet(plan.due_at, start, end, offset)
    # an allowed stretch begins at the window's start or at the end of a quiet time inside it
    opening = accepted.replace(second=0, microsecond=0) - timedelta(days=1)
    candidates = [first] + [
        moment
        for day in range(5)
        if (moment := _local_midnight(opening, offset) + timedelta(days=day, minutes=end)) >= first
    ]
    possible = any(moment <= last and not minute_is_quiet(moment, start, end, offset) for moment in candidates)
    assert (plan.due_at <= last) is possible
    assert plan.breaks_promise is not possible


def _local_midnight(moment: datetime, offset: int) -> datetime:
    local = moment + timedelta(hours=offset)
    return local.replace(hour=0, minute=0) - timedelta(hours=offset)


@given(
    accepted=moments,
    delay_minutes=st.integers(0, 48 * 60),
    start=minutes_of_day,
    end=minutes_of_day,
    zone=st.sampled_from([ZoneInfo(name) for name in ("Europe/London", "America/New_York", "Australia/Lord_Howe")]),
)
@example(datetime(2027, 3, 13, 7, tzinfo=UTC), 1, 121, 120, ZoneInfo("America/New_York"))  # 02:00 is leapt over
def test_a_clock_that_is_put_forward_or_back_makes_no_message_early_or_quiet(
    accepted: datetime, delay_minutes: int, start: int, end: int, zone: ZoneInfo
) -> None:
    assume(start != end)
    quiet = QuietHours(clock(start), clock(end))
    plan = plan_due(accepted, delay=timedelta(minutes=delay_minutes), undo=timedelta(0), quiet=quiet, zone=zone)
    assert plan.due_at >= accepted
    assert not quiet.quiet_at(plan.due_at.astimezone(zone))


@pytest.mark.parametrize(
    ("accepted", "delay", "undo", "due"),
    [
        ("2026-11-23 10:00", 0, 0, "2026-11-23 10:00"),
        ("2026-11-23 10:00", 0, 10, "2026-11-23 10:10"),
        ("2026-11-23 10:00", 1, 10, "2026-11-23 11:00"),
        ("2026-11-23 19:59", 0, 0, "2026-11-23 19:59"),
        ("2026-11-23 19:59", 0, 1, "2026-11-24 08:00"),
        ("2026-11-23 23:00", 0, 0, "2026-11-24 08:00"),
        ("2026-11-23 03:00", 0, 0, "2026-11-23 08:00"),
        ("2026-11-23 21:00", 48, 0, "2026-11-25 19:00"),  # back to the last allowed hour
        ("2026-11-23 10:00", 48, 0, "2026-11-25 10:00"),
    ],
)
def test_examples_on_the_clock_of_jakarta(accepted: str, delay: int, undo: int, due: str) -> None:
    at, wanted = (datetime.fromisoformat(text).replace(tzinfo=JAKARTA) for text in (accepted, due))
    plan = plan_due(at, delay=delay * HOUR, undo=timedelta(minutes=undo), quiet=NIGHT, zone=JAKARTA)
    assert plan.due_at == wanted
    assert not plan.breaks_promise


@given(accepted=moments, delay_minutes=st.integers(0, 48 * 60), undo_minutes=st.integers(0, 1440))
def test_without_quiet_hours_the_delay_and_the_undo_minutes_run_together(
    accepted: datetime, delay_minutes: int, undo_minutes: int
) -> None:
    delay, undo = timedelta(minutes=delay_minutes), timedelta(minutes=undo_minutes)
    plan = plan_due(accepted, delay=delay, undo=undo, quiet=None, zone=JAKARTA)
    assert plan.due_at == accepted + max(delay, undo)
    assert not plan.breaks_promise


@pytest.mark.parametrize(("zone", "hours"), [("Asia/Jakarta", 1), ("Asia/Makassar", 0), ("Asia/Jayapura", -1)])
def test_the_persons_own_zone_decides(zone: str, hours: int) -> None:
    quiet_everywhere = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # 21, 22 and 23 o'clock
    plan = plan_due(quiet_everywhere, delay=timedelta(0), undo=timedelta(0), quiet=NIGHT, zone=ZoneInfo(zone))
    assert plan.due_at == datetime(2026, 11, 24, 0, 0, tzinfo=UTC) + hours * HOUR  # 08:00 there


@pytest.mark.parametrize(
    ("local", "quiet"),
    [
        ("19:59:59.999999", False),
        ("20:00:00", True),
        ("23:59:59.999999", True),
        ("00:00:00", True),
        ("07:59:59.999999", True),
        ("08:00:00", False),
    ],
)
def test_the_night_begins_and_ends_on_the_very_second(local: str, quiet: bool) -> None:
    moment = datetime.combine(datetime(2026, 11, 23, tzinfo=UTC).date(), time.fromisoformat(local), JAKARTA)
    assert NIGHT.quiet_at(moment) is quiet
    allowed = NIGHT.next_allowed(moment.astimezone(UTC), JAKARTA)
    assert (allowed == moment) is not quiet
    assert not NIGHT.quiet_at(allowed.astimezone(JAKARTA))


@pytest.mark.parametrize(
    ("local", "allowed"), [("11:59", "11:59"), ("12:00", "13:30"), ("13:29", "13:30"), ("13:30", "13:30")]
)
def test_quiet_hours_may_lie_within_one_day(local: str, allowed: str) -> None:
    day = datetime(2026, 11, 23, tzinfo=JAKARTA).date()
    moment = datetime.combine(day, time.fromisoformat(local), JAKARTA)
    assert NOON.next_allowed(moment, JAKARTA) == datetime.combine(day, time.fromisoformat(allowed), JAKARTA)


def test_a_message_that_would_pass_the_promise_goes_back_to_the_last_allowed_hour() -> None:
    accepted = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)  # 21:00; two days later it is quiet again
    plan = plan_due(accepted, delay=48 * HOUR, undo=timedelta(0), quiet=NIGHT, zone=JAKARTA)
    assert plan.due_at == datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # 19:00
    assert not plan.breaks_promise


def test_an_allowed_stretch_shorter_than_an_hour_is_found() -> None:
    quiet = QuietHours(time(12, 30), time(12, 0))  # half an hour a day
    accepted = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)  # 14:00
    plan = plan_due(accepted, delay=48 * HOUR, undo=timedelta(0), quiet=quiet, zone=JAKARTA)
    assert plan.due_at == datetime(2026, 11, 25, 5, 0, tzinfo=UTC)  # 12:00
    assert not plan.breaks_promise


def test_where_no_allowed_hour_is_left_the_promise_breaks_with_an_alarm() -> None:
    quiet = QuietHours(time(8, 1), time(8, 0))  # one minute a day
    accepted = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 09:00
    plan = plan_due(accepted, delay=48 * HOUR, undo=timedelta(hours=47, minutes=30), quiet=quiet, zone=JAKARTA)
    assert plan.due_at == datetime(2026, 11, 26, 1, 0, tzinfo=UTC)
    assert plan.breaks_promise


def test_exactly_48_hours_keep_the_promise() -> None:
    plan = plan_due(NOW, delay=48 * HOUR, undo=timedelta(0), quiet=NIGHT, zone=JAKARTA)
    assert plan.due_at == NOW + 48 * HOUR
    assert not plan.breaks_promise


@pytest.mark.parametrize("text", ["off", " OFF ", "Off"])
def test_quiet_hours_can_be_off(text: str) -> None:
    assert read_quiet_hours(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "20-8", "8:00-20:00", "24:00-08:00", "20:60-08:00", "20:00-20:00", "20:00 - 08:00", "20:00-08:00x", "none"],
)
def test_anything_but_two_times_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_quiet_hours(text)


def test_two_times_are_read() -> None:
    assert read_quiet_hours(" 20:00-08:00\n") == NIGHT
    assert read_quiet_hours("00:00-08:00") == QuietHours(time(0), time(8))


shares = st.floats(0, 1, exclude_max=True)
spreads = st.integers(0, 12 * 60).map(lambda minutes: timedelta(minutes=minutes))


@given(
    accepted=moments,
    delay_minutes=st.integers(0, 48 * 60),
    undo_minutes=st.integers(0, 24 * 60),
    start=minutes_of_day,
    end=minutes_of_day,
    zone=st.sampled_from([*ZONES, "Europe/London", "America/New_York", "Australia/Lord_Howe"]),
    share=shares,
    spread=spreads,
)
def test_a_spread_morning_breaks_no_promise_and_no_quiet_hour(
    accepted: datetime,
    delay_minutes: int,
    undo_minutes: int,
    start: int,
    end: int,
    zone: str,
    share: float,
    spread: timedelta,
) -> None:
    assume(start != end)
    quiet = QuietHours(clock(start), clock(end))
    terms = {"delay": timedelta(minutes=delay_minutes), "undo": timedelta(minutes=undo_minutes)}
    sharp = plan_due(accepted, **terms, quiet=quiet, zone=ZoneInfo(zone))
    plan = plan_due(accepted, **terms, quiet=quiet, zone=ZoneInfo(zone), share=share, spread=spread)
    assert plan.breaks_promise is sharp.breaks_promise
    assert sharp.due_at <= plan.due_at <= sharp.due_at + spread
    assert not quiet.quiet_at(plan.due_at.astimezone(ZoneInfo(zone)))
    if not plan.breaks_promise:
        assert plan.due_at <= accepted + 48 * HOUR
    if sharp.due_at == accepted + max(terms.values()):  # it was not moved: nothing to spread
        assert plan == sharp


@given(
    moment=moments,
    start=minutes_of_day,
    end=minutes_of_day,
    zone=st.sampled_from([ZoneInfo(name) for name in (*ZONES, "Europe/London", "Australia/Lord_Howe")]),
    share=shares,
    spread=spreads,
    until_minutes=st.integers(-600, 3000),
)
def test_an_opening_is_spread_inside_its_hours_and_up_to_its_end(
    moment: datetime,
    start: int,
    end: int,
    zone: ZoneInfo,
    share: float,
    spread: timedelta,
    until_minutes: int,
) -> None:
    assume(start != end)
    quiet, until = QuietHours(clock(start), clock(end)), moment + timedelta(minutes=until_minutes)
    opening = quiet.next_allowed(moment, zone)
    later = spread_opening(quiet, moment, zone, share=share, spread=spread, until=until)
    assert opening <= later <= max(opening, until)
    assert later - opening <= spread
    assert later == moment or not quiet.quiet_at(later.astimezone(zone))
    if opening == moment:
        assert later == moment


def test_a_thousand_messages_of_one_night_are_spread_evenly_over_the_half_hour() -> None:
    night, half_hour = datetime(2026, 11, 23, 14, 0, tzinfo=UTC), timedelta(minutes=30)
    opening = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    dues = [
        plan_due(
            night, delay=0 * HOUR, undo=0 * HOUR, quiet=NIGHT, zone=JAKARTA, share=share_of(new_id()), spread=half_hour
        ).due_at
        for _ in range(1000)
    ]
    minutes = Counter((due - opening) // timedelta(minutes=1) for due in dues)
    assert set(minutes) == set(range(30))
    assert max(minutes.values()) < 80  # 33 on average; sharp, all thousand stood in the first


def test_a_share_is_always_the_same_for_one_row() -> None:
    row_id = new_id()
    assert share_of(row_id) == share_of(row_id)
    assert 0 <= share_of("ffffffff-ffff-7fff-bfff-ffffffffffff") < 1
    assert share_of("00000000-0000-7000-8000-000000000000") == 0
