"""Somebody is told before a promise breaks; and after an outage a flood stays inside rate, hours and cap."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.core.states import Kind, Lane, State
from notifier.intake.record import Door, PlanOptions, record_many
from notifier.messages import plan
from notifier.messages.upkeep import tick
from notifier.store import persons
from notifier.support.resend import hold, release
from tests.builders import an_event
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock


def test_somebody_is_told_four_hours_before_the_promise_breaks(each_desk: Desk, clock: FakeClock) -> None:
    reference = each_desk.record().reference
    hold(each_desk.services, reason="a drill", actor="door:command")
    clock.tick(hours=43, minutes=59)
    tick(each_desk.services)
    row = each_desk.row(reference)
    assert "promise.at-risk" not in each_desk.audit(row.id)
    clock.tick(minutes=2)
    tick(each_desk.services)
    clock.tick(minutes=2)
    tick(each_desk.services)
    assert each_desk.audit(row.id).count("promise.at-risk") == 1  # once


def test_a_day_that_an_operator_chose_is_no_broken_promise(each_desk: Desk, clock: FakeClock) -> None:
    from notifier.support.resend import resend

    reference = each_desk.record().reference
    each_desk.send()
    again = resend(
        each_desk.services, reference or "", at=clock.now() + timedelta(days=5), reason="on leave", actor="door:command"
    )
    clock.tick(days=3)
    tick(each_desk.services)
    assert "promise.at-risk" not in each_desk.audit(again.id)


def test_a_flood_after_an_outage_stays_inside_the_rate_the_hours_and_the_cap(
    build_services: Build, clock: FakeClock
) -> None:
    """10,000 events of 5,000 people arrive at once after two days without us, ten minutes before quiet hours."""
    zone = ZoneInfo("Asia/Jakarta")
    clock.set(datetime(2026, 11, 23, 19, 50, tzinfo=zone).astimezone(UTC))
    rate, step = 40, 2
    services = build_services(sender_rate=rate, person_daily_cap=1, smooth_minutes=0)
    desk = Desk(services)
    events = [
        an_event(event_id=f"e{n}", dose={"id": f"d{n}"}, person={"id": f"p{n // 2}", "nik": None})
        for n in range(10_000)
    ]
    for start in range(0, len(events), 500):
        record_many(services, events[start : start + 500], door=Door.STREAM, actor="door:stream")

    left: Counter[datetime] = Counter()
    for opening in (clock.now(), datetime(2026, 11, 24, 7, 59, tzinfo=zone).astimezone(UTC)):
        clock.set(opening)
        for _ in range(330 // step):
            clock.tick(seconds=step)
            tick(services)
            left[clock.now()] += desk.send().posted
    assert sum(left.values()) == 10_000
    assert all(8 <= when.astimezone(zone).hour < 20 for when, count in left.items() if count)
    moments = sorted(left)
    windows = [sum(left[moment] for moment in moments[n : n + 5]) for n in range(len(moments) - 5)]
    assert max(windows) <= rate * 5 * step + 2 * rate  # the burst
    days = Counter((row.person_id, row.left_at.astimezone(zone).date()) for row in desk.rows())
    assert max(days.values()) == 1


def test_a_flood_waits_while_an_operator_looks_at_it(desk: Desk, clock: FakeClock) -> None:
    hold(desk.services, reason="after the outage", actor="door:command")
    desk.record()
    clock.tick(hours=1)
    assert desk.send().claimed == 0
    release(desk.services, reason="looked at it", actor="door:command")
    assert desk.send().posted == 1


def test_what_a_person_asks_for_at_night_goes_at_once_past_backlog_hours_cap_and_rate(
    build_services: Build, clock: FakeClock
) -> None:
    desk = Desk(build_services(sender_rate=1, person_daily_cap=1))
    for number in range(30):
        desk.record(event_id=f"e{number}", dose={"id": f"d{number}"}, person={"id": f"p{number}", "nik": None})
    desk.send()
    clock.set(datetime(2026, 11, 23, 21, 30, tzinfo=ZoneInfo("Asia/Jakarta")).astimezone(UTC))
    first = desk.rows()[-1]
    with desk.services.db.write() as conn:
        person = persons.get(conn, desk.services.sealer, first.person_id)
        asked = plan.add(
            conn,
            desk.services,
            plan.Subject(person, first.dose_id, first.certificate_id, None),
            Kind.RENEWAL,
            accepted_at=clock.now(),
            options=PlanOptions(delay=timedelta(0)),
        )
    assert (asked.lane, asked.due_at) == (Lane.ASKED, clock.now())
    desk.send()
    assert desk.state(asked.reference) == State.ACCEPTED
    assert sum(row.status == State.ACCEPTED for row in desk.rows() if row.kind == "certificate") == 2  # the burst
