"""How often a person may be sent something again: once in fifteen minutes, a few times a day of theirs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.errors import Refused
from notifier.core.schedule import read_quiet_hours
from notifier.core.states import State
from notifier.support.cooldown import ENOUGH, LATELY, SPACING, first_allowed
from notifier.support.resend import cancel, preview, resend
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import MONDAY_MORNING, FakeClock

ACTOR = "staff:00000000-0000-7000-8000-000000000001"
JAKARTA = ZoneInfo("Asia/Jakarta")
QUIET = read_quiet_hours("20:00-08:00")


def sent(desk: Desk, number: int = 1, **changes: object) -> str:
    """The reference of an SMS about another dose of one person, that has left."""
    reference = desk.record(event_id=f"e{number}", dose={"id": f"d{number}"}, **changes).reference
    desk.send()
    assert reference is not None
    return reference


def again(desk: Desk, reference: str, at: datetime | None = None) -> str:
    return str(resend(desk.services, reference, at=at, reason="asked for", actor=ACTOR).reference)


def test_one_person_gets_one_resend_in_fifteen_minutes_whatever_the_dose(each_desk: Desk, clock: FakeClock) -> None:
    first, second = sent(each_desk, 1), sent(each_desk, 2)
    again(each_desk, first)
    each_desk.send()
    clock.tick(minutes=14)
    with pytest.raises(Refused) as refused:
        again(each_desk, second)
    assert (refused.value.reason, refused.value.not_before) == (LATELY, MONDAY_MORNING + timedelta(minutes=15))
    with pytest.raises(Refused, match=LATELY):
        preview(each_desk.services, second)
    clock.tick(minutes=1)
    again(each_desk, second)


def test_somebody_elses_resend_is_no_matter(desk: Desk) -> None:
    mine = sent(desk, 1)
    theirs = sent(desk, 2, person={"id": "p2", "name": "Budi", "nik": None})
    again(desk, mine)
    again(desk, theirs)


def test_a_cancelled_resend_does_not_count(desk: Desk) -> None:
    reference = sent(desk)
    cancel(desk.services, again(desk, reference), reason="not needed", actor=ACTOR)
    again(desk, reference)


def test_two_operators_at_once_at_two_doses_of_one_person_make_one_resend(each_desk: Desk) -> None:
    references = [sent(each_desk, 1), sent(each_desk, 2)]

    def press(reference: str) -> str:
        try:
            return State(each_desk.state(again(each_desk, reference)))
        except Refused as refused:
            return refused.reason

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, references)) == [LATELY, "scheduled"]


def test_the_daily_number_is_of_the_persons_own_day(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(person_daily_cap=2))
    references = []
    for number in (1, 2, 3):  # a day each: the engine's own cap holds back what is too much of one
        references.append(sent(desk, number))
        clock.tick(days=1)
    for reference in references[:2]:
        again(desk, reference)
        clock.tick(minutes=20)
    with pytest.raises(Refused) as refused:
        again(desk, references[2])
    assert refused.value.reason == ENOUGH
    assert refused.value.not_before == datetime(2026, 11, 27, 1, tzinfo=UTC)  # 08.00 in Jakarta
    again(desk, references[2], at=refused.value.not_before)


def test_what_is_planned_for_another_day_leaves_today_free(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(person_daily_cap=1))
    first = sent(desk, 1)
    clock.tick(days=1)
    second = sent(desk, 2)
    clock.tick(days=1)
    again(desk, first, at=clock.now() + timedelta(days=3))
    again(desk, second)


def test_a_held_message_is_released_however_often_others_were_sent_again(desk: Desk, clock: FakeClock) -> None:
    held = desk.record(event_id="e9", dose={"id": "d9"}).reference
    clock.tick(hours=73)
    desk.send()
    assert desk.state(held) == State.HELD
    again(desk, sent(desk, 1))
    assert held is not None
    assert again(desk, held) == held


@given(
    offsets=st.lists(st.integers(0, 48 * 60), max_size=12),
    cap=st.integers(1, 4),
    hour=st.integers(0, 23),
)
def test_the_moment_that_is_named_is_always_allowed_and_never_before_the_wanted(
    offsets: list[int], cap: int, hour: int
) -> None:
    start = datetime(2026, 11, 23, hour, tzinfo=UTC)
    others = sorted(start + timedelta(minutes=offset) for offset in offsets)
    wanted = QUIET.next_allowed(start, JAKARTA) if QUIET else start
    reason, moment = first_allowed(others, wanted, cap=cap, zone=JAKARTA, quiet=QUIET)
    assert moment >= wanted
    assert (reason is None) == (moment == wanted)
    assert all(abs(other - moment) >= SPACING for other in others)
    day = moment.astimezone(JAKARTA).date()
    assert sum(1 for other in others if other.astimezone(JAKARTA).date() == day) < cap
    assert QUIET is not None
    assert not QUIET.quiet_at(moment.astimezone(JAKARTA))
