"""The decision just before sending: each reason to stop, seen through the whole sender."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifier.core.states import Reason, State
from notifier.intake.record import PlanOptions
from notifier.store import certificates, persons, suppressions
from notifier.store.tables import notification, person
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock


def change(desk: Desk, table: Any, **values: Any) -> None:
    with desk.services.db.write() as conn:
        conn.execute(table.update().values(**values))


def test_a_person_whose_columns_cannot_be_opened_is_held_and_the_others_go(desk: Desk) -> None:
    broken = desk.record()
    change(desk, person, name_sealed=b"\0not ours")
    fine = desk.record(event_id="e2", dose={"id": "d2"}, person={"id": "person-2", "nik": None})
    desk.send()
    assert (desk.state(broken.reference), desk.row(broken.reference).reason) == (State.HELD, Reason.UNREADABLE)
    assert desk.state(fine.reference) == State.ACCEPTED


def test_a_person_who_died_gets_no_sms(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    change(desk, person, deceased_at=clock.now())
    desk.send()
    assert (desk.state(recorded.reference), desk.row(recorded.reference).reason) == ("suppressed", Reason.DECEASED)


def test_a_revoked_link_is_not_sent(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    with desk.services.db.write() as conn:
        row = desk.row(recorded.reference)
        certificates.revoke_links(conn, row.dose_id, reason=Reason.OPERATOR, at=clock.now())
    desk.send()
    assert (desk.state(recorded.reference), desk.row(recorded.reference).reason) == ("cancelled", Reason.LINK_REVOKED)


def test_a_number_that_opted_out_gets_no_sms(each_desk: Desk) -> None:
    recorded = each_desk.record()
    services = each_desk.services
    with services.db.write() as conn:
        index = persons.phone_index(services.sealer, "+6281234567890")
        suppressions.add(conn, index, reason=Reason.OPTED_OUT, source="test", at=services.clock.now())
    each_desk.send()
    assert (each_desk.state(recorded.reference), each_desk.row(recorded.reference).reason) == (
        State.SUPPRESSED,
        Reason.OPTED_OUT,
    )
    assert each_desk.gateway.sent == []


def test_what_is_days_past_due_waits_for_an_operator(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    clock.tick(hours=72, minutes=1)
    desk.send()
    assert (desk.state(recorded.reference), desk.row(recorded.reference).reason) == (State.HELD, Reason.PAST_DUE)


def test_a_code_that_nobody_waits_for_any_more_expires(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    change(desk, notification, kind="otp")
    clock.tick(minutes=6)
    desk.send()
    assert (desk.state(recorded.reference), desk.row(recorded.reference).reason) == (State.EXPIRED, Reason.PAST_DUE)


def test_a_message_that_comes_up_in_quiet_hours_waits_for_the_morning(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    clock.set(datetime(2026, 11, 23, 13, 30, tzinfo=UTC))  # 20.30 WIB
    desk.send()
    row = desk.row(recorded.reference)
    assert (row.status, row.reason) == (State.SCHEDULED, Reason.QUIET_HOURS)
    assert row.due_at == datetime(2026, 11, 24, 1, tzinfo=UTC)  # 08.00 WIB
    clock.set(row.due_at)
    desk.send()
    assert desk.state(recorded.reference) == State.ACCEPTED


def test_not_everybody_waits_for_the_same_second_of_the_morning(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(smooth_minutes=30))
    for number in range(40):
        desk.record(event_id=f"e{number}", dose={"id": f"d{number}"}, person={"id": f"p{number}", "nik": None})
    clock.set(datetime(2026, 11, 23, 13, 30, tzinfo=UTC))  # 20.30 WIB
    desk.send()
    opening = datetime(2026, 11, 24, 1, tzinfo=UTC)  # 08.00 WIB
    waits = [row.due_at - opening for row in desk.rows()]
    assert all(timedelta(0) <= wait < timedelta(minutes=30) for wait in waits)
    assert max(waits) - min(waits) > timedelta(minutes=10)


def test_a_message_for_any_hour_goes_at_night(desk: Desk, clock: FakeClock) -> None:
    clock.set(datetime(2026, 11, 23, 17, tzinfo=UTC))
    recorded = desk.record(options=PlanOptions(any_hour=True))
    desk.send()
    assert desk.state(recorded.reference) == State.ACCEPTED


def test_the_zone_of_the_person_decides_the_hour(desk: Desk, clock: FakeClock) -> None:
    clock.set(datetime(2026, 11, 23, 11, 30, tzinfo=UTC))  # 18.30 WIB, 20.30 WIT
    west = desk.record()
    east = desk.record(event_id="e2", dose={"id": "d2"}, person={"id": "p2", "nik": None, "time_zone": "Asia/Jayapura"})
    desk.send()
    assert (desk.state(west.reference), desk.state(east.reference)) == (State.ACCEPTED, State.SCHEDULED)


@pytest.mark.parametrize("at_once", [True, False])
def test_no_person_gets_more_than_the_daily_cap(build_services: Build, clock: FakeClock, at_once: bool) -> None:
    desk = Desk(build_services(person_daily_cap=2))
    for number in range(4):
        desk.record(event_id=f"e{number}", dose={"id": f"d{number}"})
        if not at_once:
            desk.send()
    desk.send()
    waiting = [row for row in desk.rows() if row.status == State.SCHEDULED]
    assert len(desk.gateway.sent) == 2
    assert {row.reason for row in waiting} == {Reason.DAILY_CAP}
    assert {row.due_at for row in waiting} == {datetime(2026, 11, 24, 1, tzinfo=UTC)}  # tomorrow 08.00 WIB
    assert {row.planned_for for row in waiting} == {row.due_at for row in waiting}  # our rule, so not late

    clock.tick(days=1)
    desk.send()
    assert len(desk.gateway.sent) == 4


def test_a_family_on_one_number_is_not_capped_together(build_services: Build) -> None:
    desk = Desk(build_services(person_daily_cap=1))
    for number in range(3):
        desk.record(event_id=f"e{number}", dose={"id": f"d{number}"}, person={"id": f"p{number}", "nik": None})
    desk.send()
    assert len(desk.gateway.sent) == 3


def test_the_number_it_really_goes_to_is_kept(desk: Desk) -> None:
    recorded = desk.record(options=PlanOptions(undo=timedelta(0)))
    desk.record(event_id="e2", event_type="corrected", person={"phone": "081299998888"})
    desk.send()
    index = persons.phone_index(desk.services.sealer, "+6281299998888")
    assert desk.row(recorded.reference).phone_index == index


def test_a_message_that_cannot_be_written_is_held_and_the_others_go(each_desk: Desk) -> None:
    broken, fine = (
        each_desk.record(event_id=f"e{n}", dose={"id": f"d{n}"}, person={"id": f"p{n}", "nik": None}) for n in range(2)
    )
    with each_desk.services.db.write() as conn:  # a code, and nothing that says which
        row = notification.c.reference == broken.reference
        conn.execute(notification.update().where(row).values(kind="otp"))
    each_desk.send()
    assert (each_desk.state(broken.reference), each_desk.row(broken.reference).reason) == ("held", Reason.UNREADABLE)
    assert each_desk.state(fine.reference) == State.ACCEPTED


def test_what_a_person_asked_for_does_not_count_towards_the_daily_cap(build_services: Build) -> None:
    desk = Desk(build_services(person_daily_cap=1))
    desk.record()
    desk.send()
    change(desk, notification, kind="renewal")
    recorded = desk.record(event_id="e2", dose={"id": "d2"})
    desk.send()
    assert desk.state(recorded.reference) == State.ACCEPTED
