"""Who goes first, and how fast: lanes and the sender's rate, in segments, over all workers."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from notifier.core.states import Lane, State
from notifier.gateways import Outcome, OutcomeClass
from notifier.intake.record import PlanOptions
from notifier.messages.claim import claim
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store.tables import notification
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock


def fill(desk: Desk, lane: Lane, count: int, start: int = 0) -> None:
    for n in range(start, start + count):
        name = f"{lane}-{n}"
        options = PlanOptions(lane=lane, any_hour=True)
        desk.record(options, event_id=name, dose={"id": name}, person={"id": name, "nik": None})


def lanes_of(desk: Desk, state: State = State.ACCEPTED) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in desk.rows():
        if row.status == state:
            counts[row.lane] = counts.get(row.lane, 0) + 1
    return counts


def run(desk: Desk, clock: FakeClock, seconds: int) -> list[int]:
    """Ticks and sends, second by second; how many left in each."""
    left = []
    for _ in range(seconds):
        clock.tick(seconds=1)
        tick(desk.services)
        left.append(desk.send().posted)
    return left


def test_a_fresh_dose_goes_before_a_bulk_that_waits(each_desk: Desk) -> None:
    fill(each_desk, Lane.BULK, 30)
    fill(each_desk, Lane.NORMAL, 5)
    fill(each_desk, Lane.FRESH, 2)
    fill(each_desk, Lane.ASKED, 1)
    each_desk.send(limit=8)
    assert lanes_of(each_desk)["asked"] == 1
    assert lanes_of(each_desk)["fresh"] == 2
    assert lanes_of(each_desk)["normal"] >= 4


def test_a_bulk_is_not_starved_for_ever(desk: Desk) -> None:
    fill(desk, Lane.NORMAL, 100)
    fill(desk, Lane.BULK, 20)
    desk.send(limit=50)
    assert lanes_of(desk) == {"normal": 45, "bulk": 5}


def test_the_rate_holds_over_any_ten_seconds(build_services: Build, each_database_url: str, clock: FakeClock) -> None:
    desk = Desk(build_services(sender_rate=5, database_url=each_database_url))
    fill(desk, Lane.NORMAL, 120)
    left = run(desk, clock, 22)
    assert all(sum(left[start : start + 10]) <= 5 * 10 + 10 for start in range(12))
    assert sum(left) >= 5 * 22 - 5  # and the rate is used


def test_a_slow_rate_still_sends(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(sender_rate=0.25))
    fill(desk, Lane.NORMAL, 10)
    assert sum(run(desk, clock, 24)) == 6  # one at once, then one each four seconds


def test_segments_are_charged_not_messages(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(sender_rate=6))
    fill(desk, Lane.NORMAL, 40)
    with desk.services.db.write() as conn:
        conn.execute(notification.update().values(segments=3))
    assert sum(run(desk, clock, 10)) <= (6 * 10 + 12 + 3 * 12) / 3


def test_what_a_person_asked_for_goes_at_once_though_the_rate_is_used_up(
    build_services: Build, clock: FakeClock
) -> None:
    desk = Desk(build_services(sender_rate=2))
    fill(desk, Lane.BULK, 50)
    run(desk, clock, 3)
    fill(desk, Lane.ASKED, 5)
    desk.send()
    assert lanes_of(desk)["asked"] == 5
    assert run(desk, clock, 2) == [0, 0]  # the others pay for it


def test_two_workers_share_one_rate(build_services: Build, each_database_url: str, clock: FakeClock) -> None:
    services = build_services(sender_rate=10, database_url=each_database_url)
    desk = Desk(services)
    fill(desk, Lane.NORMAL, 60)
    taken: list[int] = []

    def work() -> None:
        taken.append(len(claim(services, 200).rows))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 20  # two seconds' worth, whoever was first


def test_everybody_waits_where_the_provider_asks_us_to_slow_down(each_desk: Desk, clock: FakeClock) -> None:
    fill(each_desk, Lane.NORMAL, 4)
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.RATE_LIMITED, retry_after_s=7)
    each_desk.send()
    fill(each_desk, Lane.NORMAL, 4, start=10)
    each_desk.gateway.answer = each_desk.gateway.accept
    clock.tick(seconds=6)
    assert each_desk.send().claimed == 0
    clock.tick(seconds=2)
    assert each_desk.send().posted == 8
    assert {row.attempts for row in each_desk.rows()} == {1}  # a rate limit burns no attempt


def late(services: Services) -> None:
    with services.db.write() as conn:
        old = services.clock.now() - timedelta(hours=1)
        conn.execute(notification.update().values(due_at=old))


@pytest.mark.parametrize(("sender_rate", "expected"), [(0, 30), (10, 30), (2, 20)])
def test_a_backlog_goes_out_at_the_catch_up_rate(
    build_services: Build, clock: FakeClock, sender_rate: float, expected: int
) -> None:
    desk = Desk(build_services(sender_rate=sender_rate, catch_up_rate=3))
    fill(desk, Lane.NORMAL, 60)
    late(desk.services)
    run(desk, clock, 2)  # the burst
    assert sum(run(desk, clock, 10)) == pytest.approx(expected, abs=3)


def test_what_is_on_time_is_not_slowed_down_by_the_catch_up_rate(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(catch_up_rate=3))
    fill(desk, Lane.NORMAL, 60)
    assert desk.send().posted == 60


def test_a_clock_that_is_set_back_stops_neither_rate_nor_circuit(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(sender_rate=5))
    fill(desk, Lane.NORMAL, 11)
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.SENDER_MISCONFIGURED)
    desk.send()
    clock.tick(hours=-6)
    desk.gateway.answer = desk.gateway.accept
    fill(desk, Lane.NORMAL, 3, start=50)
    assert desk.send(limit=1).posted == 1  # the probe
    assert desk.send().posted == 2
