"""A reminder on the day of the next dose: once, to whoever still needs it, at an allowed hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.segments import measure
from notifier.core.states import Channel, Kind, Reason, State
from notifier.messages import own_text
from notifier.services import Services
from notifier.store import persons, reminders
from notifier.store.suppressions import Source
from notifier.store.tables import person, reminder
from notifier.support import opt_out, sms_texts
from notifier.support.privacy.erase import erase
from notifier.support.vaccination_status import reminders as chore
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import MONDAY_MORNING, FakeClock

SECOND_DAY = date(2026, 12, 1)
#: eight in the morning in Jakarta on the day of the second dose
MORNING = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
COVID = {"vaccine_code": "511", "product": "CoronaVac", "given_on": "2026-11-03"}


@pytest.fixture
def services(build_services: Build) -> Services:
    return build_services(reminders="on")


@pytest.fixture
def each_services(build_services: Build, each_database_url: str) -> Services:
    return build_services(database_url=each_database_url, reminders="on")


def record(desk: Desk, key: str = "1", **dose: Any) -> None:
    changes = COVID | {"id": f"dose-{key}", "number": int(key)} | dose
    desk.record(event_id=f"event-{key}-{dose}", dose=changes)


def sent(desk: Desk) -> list[Any]:
    return [row for row in desk.rows() if row.kind == Kind.REMINDER]


def told(desk: Desk) -> list[str]:
    """What was said by SMS, reminders alone."""
    return [one.text for one in desk.gateway.sent if "berikutnya" in one.text]


def go_on(desk: Desk, clock: FakeClock, until: datetime) -> None:
    """As the workers would, though not each second: the chore and the sending, soon and then every few days."""
    step = timedelta(minutes=15)
    while clock.now() < until:
        clock.set(min(until, clock.now() + step))
        step = timedelta(days=4)
        while chore.run(desk.services):
            pass
        desk.send()


def kept(desk: Desk) -> list[Any]:
    with desk.services.db.read() as conn:
        return list(conn.execute(sa.select(reminder).order_by(reminder.c.due_at)))


def test_on_the_day_of_the_second_dose_one_sms_goes_out_in_the_morning(each_desk: Desk, clock: FakeClock) -> None:
    record(each_desk)
    go_on(each_desk, clock, MORNING - timedelta(minutes=1))
    assert told(each_desk) == []
    go_on(each_desk, clock, MORNING + timedelta(days=20))
    assert len(told(each_desk)) == 1
    (row,) = sent(each_desk)
    assert (row.status, row.link_id) == (State.ACCEPTED, None)
    assert MORNING <= row.left_at <= MORNING + timedelta(hours=1)


def test_where_the_programme_does_not_want_reminders_there_are_none(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services())
    record(desk)
    go_on(desk, clock, MORNING + timedelta(days=2))
    assert (sent(desk), kept(desk)) == ([], [])


def test_the_dose_that_came_takes_the_reminder_away(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MORNING - timedelta(days=1))
    assert len(kept(desk)) == 1
    record(desk, "2", given_on="2026-11-22", facility="RS Cikini", facility_id="facility-2")
    go_on(desk, clock, MORNING + timedelta(days=2))
    assert (told(desk), kept(desk)) == ([], [])


def test_a_dose_that_comes_after_the_sms_was_planned_cancels_it_just_before_sending(
    desk: Desk, clock: FakeClock
) -> None:
    record(desk)
    go_on(desk, clock, MORNING - timedelta(hours=2))
    assert [row.status for row in sent(desk)] == [State.SCHEDULED]  # it waits for the allowed hour
    clock.tick(minutes=90)
    record(desk, "2", given_on="2026-11-22")
    clock.set(MORNING)
    desk.send()
    assert [(row.status, row.reason) for row in sent(desk)] == [(State.CANCELLED, Reason.DOSES_CHANGED)]
    go_on(desk, clock, MORNING + timedelta(days=2))
    assert told(desk) == []


def test_a_correction_that_changes_nothing_of_it_only_puts_the_reminder_off(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MORNING - timedelta(hours=2))
    clock.tick(minutes=90)
    record(desk, lot="OTHER-LOT")
    clock.set(MORNING)
    desk.send()
    assert [row.status for row in sent(desk)] == [State.CANCELLED]
    go_on(desk, clock, MORNING + timedelta(days=2))
    assert len(told(desk)) == 1
    assert sorted(row.generation for row in sent(desk)) == [1, 2]


def test_the_dose_that_made_it_due_may_be_withdrawn(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MORNING - timedelta(hours=2))
    desk.record(event_id="gone", event_type="entered_in_error", dose={"id": "dose-1"}, recorded_at=None)
    go_on(desk, clock, MORNING + timedelta(days=2))
    assert told(desk) == []
    assert [row.status for row in sent(desk)] == [State.CANCELLED]


def test_another_day_of_the_first_dose_moves_the_reminder(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MONDAY_MORNING + timedelta(hours=2))
    record(desk, given_on="2026-11-08", lot="L2")
    go_on(desk, clock, MORNING + timedelta(days=1))
    assert told(desk) == []
    go_on(desk, clock, MORNING + timedelta(days=6))
    assert len(told(desk)) == 1


def test_who_was_reminded_of_a_dose_is_never_reminded_of_it_again(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MORNING + timedelta(hours=2))
    desk.record(event_id="gone", event_type="entered_in_error", dose={"id": "dose-1"}, recorded_at=None)
    go_on(desk, clock, MORNING + timedelta(hours=4))
    record(desk, id="dose-again", given_on="2026-11-10")
    go_on(desk, clock, MORNING + timedelta(days=30))
    assert len(told(desk)) == 1


def test_two_vaccines_that_fall_due_together_are_one_sms(desk: Desk, clock: FakeClock) -> None:
    born = {"person": {"birth_date": "2026-09-01"}, "vaccine_system": None}
    for key, product in enumerate(("Pentabio", "PCV13", "bOPV"), 1):
        dose = {"id": f"dose-{key}", "number": 1, "vaccine_code": None, "vaccine_system": None, "product": product}
        changes = dose | {"given_on": "2026-11-02", "series_total": None}
        desk.record(event_id=f"event-{key}", dose=changes, person=born["person"])
    go_on(desk, clock, MORNING + timedelta(days=40))
    assert len(told(desk)) == 1
    assert {row.series for row in kept(desk)} == {"dpt-hb-hib", "pcv", "opv"}


def test_boosters_and_what_is_long_due_are_no_reason_for_an_sms(desk: Desk, clock: FakeClock) -> None:
    record(desk, given_on="2021-03-01")
    record(desk, "2", given_on="2021-04-01")
    desk.record(
        event_id="other",
        person={"id": "p-2", "nik": None, "phone": "081298765432"},
        dose=COVID | {"id": "d-9", "number": 1, "given_on": "2021-03-01"},
    )
    go_on(desk, clock, MORNING + timedelta(days=40))
    assert (told(desk), kept(desk)) == ([], [])


def test_nobody_is_reminded_who_is_dead_has_no_number_or_stopped_sms(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MORNING - timedelta(hours=2))
    with desk.services.db.write() as conn:
        conn.execute(person.update().values(deceased_at=clock.now()))
    go_on(desk, clock, MORNING + timedelta(hours=2))
    assert [(row.status, row.reason) for row in sent(desk)] == [(State.SUPPRESSED, Reason.DECEASED)]


def test_a_number_that_stopped_sms_gets_none(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MORNING - timedelta(days=1))
    index = persons.phone_index(desk.services.sealer, "+6281234567890")
    opt_out.stop(desk.services, index, channel=Channel.SMS, actor="test", source=Source.OPERATOR)
    go_on(desk, clock, MORNING + timedelta(hours=2))
    assert [(row.status, row.reason) for row in sent(desk)] == [(State.SUPPRESSED, Reason.OPTED_OUT)]


def test_a_person_without_a_number_is_not_even_planned(desk: Desk, clock: FakeClock) -> None:
    desk.record(event_id="e", person={"phone": None}, dose=COVID | {"id": "d", "number": 1})
    go_on(desk, clock, MORNING + timedelta(days=1))
    assert (sent(desk), kept(desk)) == ([], [])


def test_erasing_takes_reminders_with_it(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MORNING - timedelta(hours=2))
    person_id = sent(desk)[0].person_id
    erase(desk.services, person_id, reason="asked for it", actor="test")
    go_on(desk, clock, MORNING + timedelta(days=2))
    assert (told(desk), kept(desk)) == ([], [])
    assert [row.reason for row in sent(desk)] == [Reason.ERASED]


def test_turning_reminders_off_takes_back_what_waits(desk: Desk, clock: FakeClock, build_services: Build) -> None:
    record(desk)
    go_on(desk, clock, MORNING - timedelta(hours=2))
    off = Desk(build_services(database_url=desk.services.settings.database_url))
    chore.run(off.services)
    assert [(row.status, row.reason) for row in sent(desk)] == [(State.CANCELLED, Reason.OPERATOR)]


def test_a_lost_reminder_is_not_tried_on_another_day(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    go_on(desk, clock, MORNING + timedelta(hours=1))
    desk.receive("undelivered", which=-1, code="30003")
    go_on(desk, clock, MORNING + timedelta(days=8))
    assert [row.status for row in sent(desk)] == [State.UNDELIVERED]


def test_workers_at_the_same_time_plan_it_once(each_services: Services, clock: FakeClock) -> None:
    desk = Desk(each_services)
    for place in range(6):
        changes = {"id": f"p-{place}", "nik": None, "phone": f"0812345678{place:02d}"}
        desk.record(event_id=f"e-{place}", person=changes, dose=COVID | {"id": f"d-{place}", "number": 1})
    clock.set(MORNING)
    workers = [Thread(target=lambda: [chore.run(each_services) for _ in range(3)]) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert len(sent(desk)) == 6
    assert len({row.notification_id for row in kept(desk)}) == 6


def test_one_person_who_cannot_be_opened_keeps_no_other_waiting(desk: Desk, clock: FakeClock) -> None:
    record(desk)
    desk.record(event_id="e-2", person={"id": "p-2", "nik": None}, dose=COVID | {"id": "d-2", "number": 1})
    clock.tick(hours=1)
    chore.run(desk.services)
    with desk.services.db.write() as conn:
        first = conn.scalar(sa.select(reminder.c.person_id).limit(1))
        conn.execute(person.update().where(person.c.id == first).values(name_sealed=b"broken"))
    go_on(desk, clock, MORNING + timedelta(hours=1))
    assert len(told(desk)) == 1


def test_the_mark_moves_on_and_no_event_of_one_moment_is_passed_by(
    services: Services, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(services)
    for place in range(5):
        changes = {"id": f"p-{place}", "nik": None}
        desk.record(event_id=f"e-{place}", person=changes, dose=COVID | {"id": f"d-{place}", "number": 1})
    clock.tick(minutes=11)
    monkeypatch.setattr(chore, "BATCH", 2)
    assert [chore.run(services) for _ in range(3)] == [True, True, False]
    assert len(kept(desk)) == 5


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("name", ["Siti", "9"])
def test_the_text_is_one_segment_and_keeps_the_rules_of_all_texts(services: Services, language: str, name: str) -> None:
    one = sms_texts.find(services, language, Kind.REMINDER.value)
    assert one.draft.count("((pengirim))") == 1
    checked = sms_texts.check(services, one, one.draft)
    assert (checked.faults, checked.is_long) == ((), False)
    longest = own_text.fill(one.draft, language=language, sender="M" * 11, initial="", dose=None, link=None)
    assert (measure(longest).encoding, measure(longest).segments) == ("GSM-7", 1)


def test_what_has_just_been_recorded_waits_until_it_is_settled(desk: Desk, clock: FakeClock) -> None:
    record(desk, given_on="2026-10-20")  # due since days, told today
    clock.tick(minutes=9)
    chore.run(desk.services)
    assert kept(desk) == []
    clock.tick(minutes=2)
    chore.run(desk.services)
    assert [row.status for row in sent(desk)] == [State.SCHEDULED]
    with desk.services.db.read() as conn:
        assert persons.load(conn, desk.services.sealer, [row.person_id for row in sent(desk)])
        assert reminders.waiting(conn, 10) == [row.id for row in sent(desk)]


def test_the_day_begins_where_the_person_is(desk: Desk, clock: FakeClock) -> None:
    desk.record(event_id="east", person={"time_zone": "Asia/Jayapura"}, dose=COVID | {"id": "d", "number": 1})
    go_on(desk, clock, MORNING - timedelta(hours=2, minutes=1))
    assert told(desk) == []
    go_on(desk, clock, MORNING - timedelta(hours=2))  # eight in Jayapura is six in Jakarta
    assert len(told(desk)) == 1


def test_a_reminder_names_no_dose_even_in_the_programmes_own_words(desk: Desk, clock: FakeClock) -> None:
    one = sms_texts.find(desk.services, "id", Kind.REMINDER.value)
    words = "((pengirim)): vaksin berikutnya ((dosis)) untuk ((inisial)) sudah boleh."
    sms_texts.save(desk.services, one, words, base=0, reason="coba", actor="test")
    assert sms_texts.find(desk.services, "id", Kind.REMINDER.value).sample.endswith("untuk S. sudah boleh.")
    record(desk)
    go_on(desk, clock, MORNING + timedelta(hours=1))
    assert told(desk) == ["Kemenkes: vaksin berikutnya untuk S. sudah boleh."]
