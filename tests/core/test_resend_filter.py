"""Filters of bulk resends: what is typed, what it means, and that it comes back the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.errors import BadInput
from notifier.core.forecast import finish
from notifier.core.resend_filter import ResendFilter, Span, Wanted, read_filter
from notifier.core.schedule import read_quiet_hours

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)  # 08:30 in Jakarta


def test_days_are_the_programme_s_and_the_last_is_included() -> None:
    wanted = ResendFilter(Wanted.FAILED, since=date(2026, 11, 23), until=date(2026, 11, 23))
    bounds = wanted.bounds(NOW, JAKARTA)
    assert bounds.accepted_from == datetime(2026, 11, 22, 17, tzinfo=UTC)
    assert bounds.accepted_before == datetime(2026, 11, 23, 17, tzinfo=UTC)
    assert (bounds.left_from, bounds.left_before) == (None, None)


@pytest.mark.parametrize(("span", "first"), [(Span.YESTERDAY, 23), (Span.THREE_DAYS, 21), (Span.SEVEN_DAYS, 17)])
def test_a_span_ends_yesterday(span: Span, first: int) -> None:
    pinned = ResendFilter(Wanted.UNDELIVERED, span=span).pinned(NOW, JAKARTA)
    assert (pinned.sent_since, pinned.sent_until, pinned.span) == (date(2026, 11, first), date(2026, 11, 23), None)


def test_unopened_days_are_full_days() -> None:
    bounds = ResendFilter(Wanted.UNOPENED, unopened_days=3).bounds(NOW, JAKARTA)
    assert bounds.left_before == datetime(2026, 11, 21, 1, 30, tzinfo=UTC)


@given(
    st.builds(
        ResendFilter,
        wanted=st.sampled_from([Wanted.PROBLEM, Wanted.FAILED, Wanted.UNDELIVERED]),
        code=st.none() | st.from_regex(r"[A-Za-z0-9]{1,9}", fullmatch=True),
        facility=st.none() | st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True),
        since=st.none() | st.dates(date(2001, 1, 1), date(2100, 1, 1)),
        span=st.none() | st.sampled_from(Span),
    )
)
def test_what_is_written_is_read_back_the_same(wanted: ResendFilter) -> None:
    assert read_filter(wanted.as_words()) == wanted


@given(st.dictionaries(st.sampled_from(["state", "code", "lot", "since", "span", "unopened_days", "x"]), st.text()))
def test_whatever_is_typed_is_read_or_refused(typed: dict[str, str]) -> None:
    try:
        wanted = read_filter(typed)
    except BadInput:
        return
    assert read_filter(wanted.as_words()) == wanted


def test_an_end_is_forecast_over_the_night_and_over_zones() -> None:
    quiet = read_quiet_hours("20:00-08:00")
    start = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # 18:00 in Jakarta, 20:00 in Jayapura
    jayapura = ZoneInfo("Asia/Jayapura")
    assert finish(start, {JAKARTA: 3600}, rate=1, quiet=quiet) == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    # two hours of room in Jakarta, the rest in the morning
    assert finish(start, {JAKARTA: 7300}, rate=1, quiet=quiet) == datetime(2026, 11, 24, 1, 1, 40, tzinfo=UTC)
    assert finish(start, {jayapura: 60}, rate=1, quiet=quiet) == datetime(2026, 11, 23, 23, 1, tzinfo=UTC)
    assert finish(start, {JAKARTA: 60, jayapura: 5}, rate=0, quiet=quiet) == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    assert finish(start, {JAKARTA: 60}, rate=2, quiet=None) == datetime(2026, 11, 23, 11, 0, 30, tzinfo=UTC)
    assert finish(start, {}, rate=1, quiet=quiet) is None
    assert finish(start, {JAKARTA: 10**12}, rate=0.001, quiet=quiet) is None
