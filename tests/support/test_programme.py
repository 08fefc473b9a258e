"""Programme settings: one set of rules, in force without a restart, two editors at once, every version kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from notifier.core.errors import BadInput, Conflict, NotFound, Refused
from notifier.core.states import Reason, State
from notifier.intake.record import PlanOptions
from notifier.messages.send import Sender
from notifier.programme import FRESH, ProgrammeReader
from notifier.services import Services
from notifier.settings import PROGRAMME, Settings
from notifier.store import buckets
from notifier.store.tables import audit, setting_version
from notifier.support import programme, sms_texts
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock

WHO = {"reason": "bulan puasa", "actor": "test"}
OWN = "((pengirim)): Sertifikat ((inisial)) siap. Buka ((tautan)) lalu isi tanggal lahir"


def change(services: Services, base: int = 0, **values: str) -> None:
    programme.change(services, values, base=base, **WHO)


def another_process(services: Services) -> Services:
    """The same installation, with a reading of its own."""
    return replace(services, reader=ProgrammeReader(services.db, services.clock, services.settings))


def test_without_a_change_the_environment_is_in_force(build_services: Build) -> None:
    services = build_services(delay_hours=3, quiet_hours="21:00-06:00", person_daily_cap=5, hold_after_hours=24)
    found = services.programme
    assert (found.delay_hours, found.person_daily_cap, found.hold_after_hours) == (3, 5, 24)
    assert found.rules.quiet_hours == "21:00-06:00"
    assert (found.set_here, found.revision) == (frozenset(), 0)


def test_a_change_overrides_it_and_an_empty_value_gives_it_back(each_services: Services) -> None:
    change(each_services, delay_hours="2,5", quiet_hours="21.00-06.30")
    found = each_services.programme
    assert (found.delay_hours, found.rules.quiet_hours, found.person_daily_cap) == (2.5, "21:00-06:30", 3)
    assert found.set_here == {"delay_hours", "quiet_hours"}
    change(each_services, base=1, delay_hours="", quiet_hours=" off ")
    found = each_services.programme
    assert (found.delay_hours, found.quiet, found.set_here) == (0, None, {"quiet_hours"})


def test_another_process_has_it_within_ten_seconds(each_services: Services, clock: FakeClock) -> None:
    other = another_process(each_services)
    assert other.programme.delay_hours == 0
    change(each_services, delay_hours="4")
    assert each_services.programme.delay_hours == 4
    assert other.programme.delay_hours == 0
    assert timedelta(seconds=10) > FRESH
    clock.tick(seconds=FRESH.total_seconds())
    assert other.programme.delay_hours == 4


def test_a_clock_that_was_set_back_does_not_keep_an_old_reading(services: Services, clock: FakeClock) -> None:
    other = another_process(services)
    assert other.programme.delay_hours == 0
    change(services, delay_hours="4")
    clock.tick(hours=-2)
    assert other.programme.delay_hours == 4


def test_a_reading_within_its_time_asks_the_database_nothing(services: Services) -> None:
    services.reader.read_now()
    statements: list[str] = []
    sa.event.listen(services.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for _ in range(1000):
        assert services.programme.delay_hours == 0
    assert statements == []


def test_the_delay_holds_for_doses_recorded_from_then_on(desk: Desk) -> None:
    change(desk.services, delay_hours="6")
    recorded = desk.record(notify={"delay_hours": None})
    row = desk.row(recorded.reference)
    assert row.due_at - row.accepted_at == timedelta(hours=6)


def test_quiet_hours_hold_for_what_is_due_already(desk: Desk, clock: FakeClock) -> None:
    """10:00 in Jakarta: allowed by the environment, quiet by the programme."""
    reference = desk.record().reference
    change(desk.services, quiet_hours="09:00-12:00")
    assert desk.send().posted == 0
    row = desk.row(reference)
    assert (row.status, row.reason, row.due_at - clock.now()) == (
        State.SCHEDULED,
        Reason.QUIET_HOURS,
        timedelta(hours=2),
    )


def test_a_running_sender_obeys_a_new_daily_cap(desk: Desk, clock: FakeClock) -> None:
    other = another_process(desk.services)
    sender = Sender(other)
    for place in range(2):
        desk.record(event_id=f"e{place}", dose={"id": f"d{place}"})
    change(desk.services, person_daily_cap="1")
    clock.tick(seconds=FRESH.total_seconds())
    assert sender.send_batch(10).posted == 1


def test_hold_after_holds_what_is_later(desk: Desk, clock: FakeClock) -> None:
    reference = desk.record().reference
    change(desk.services, hold_after_hours="2")
    clock.tick(hours=3)
    desk.send()
    assert (desk.row(reference).status, desk.row(reference).reason) == (State.HELD, Reason.PAST_DUE)


def test_a_dose_with_a_delay_of_its_own_keeps_it(desk: Desk) -> None:
    change(desk.services, delay_hours="6")
    row = desk.row(desk.record(PlanOptions(delay=timedelta(hours=1))).reference)
    assert row.due_at - row.accepted_at == timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delay_hours", "49"),
        ("delay_hours", "-1"),
        ("delay_hours", "nan"),
        ("delay_hours", "inf"),
        ("delay_hours", "dua"),
        ("quiet_hours", "20:00"),
        ("quiet_hours", "08:00-08:00"),
        ("quiet_hours", "25:00-08:00"),
        ("person_daily_cap", "0"),
        ("person_daily_cap", "2.5"),
        ("person_daily_cap", "9" * 39),
        ("hold_after_hours", "0"),
        ("hold_after_hours", "9" * 41),
    ],
)
def test_what_the_environment_refuses_is_refused_here(services: Services, name: str, value: str) -> None:
    with pytest.raises(BadInput) as refused:
        change(services, **{name: value})
    assert [(problem.field, problem.rule) for problem in refused.value.problems] == [(name, "range")]
    with pytest.raises(ValueError):
        Settings(**{name: value})
    assert services.programme.revision == 0


def test_every_fault_is_said_at_once_and_a_reason_is_asked_for(services: Services) -> None:
    with pytest.raises(BadInput) as refused:
        change(services, delay_hours="99", quiet_hours="x")
    assert {problem.field for problem in refused.value.problems} == {"delay_hours", "quiet_hours"}
    with pytest.raises(BadInput):
        programme.change(services, {"delay_hours": "1"}, base=0, reason="  ", actor="test")


def test_of_two_editors_one_wins_and_the_other_writes_nothing(each_services: Services) -> None:
    change(each_services, delay_hours="1")
    with pytest.raises(Conflict):
        change(each_services, base=0, delay_hours="2")
    with pytest.raises(Conflict):
        change(each_services, base=7, delay_hours="2")
    assert each_services.programme.delay_hours == 1
    assert [one.revision for one in programme.history(each_services)] == [1]


def test_saving_what_stands_there_is_no_change(services: Services) -> None:
    with pytest.raises(Refused):
        change(services)
    change(services, delay_hours="1")
    with pytest.raises(Refused):
        change(services, base=1, delay_hours="1")


def test_the_history_says_who_when_why_and_what(services: Services, clock: FakeClock) -> None:
    change(services, delay_hours="1")
    clock.tick(hours=1)
    change(services, base=1, delay_hours="2", person_daily_cap="4")
    newest, oldest = programme.history(services)
    assert [(one.name, one.old, one.new) for one in newest.differences] == [
        ("delay_hours", "1", "2"),
        ("person_daily_cap", None, "4"),
    ]
    assert (newest.by, newest.reason, newest.at - oldest.at) == ("test", "bulan puasa", timedelta(hours=1))
    with services.db.read() as conn:
        [first, second] = conn.execute(sa.select(audit).order_by(audit.c.at)).all()
    assert (first.action, first.detail["delay_hours"]) == ("programme.changed", "- -> 1")
    assert second.detail["delay_hours"] == "1 -> 2"


def test_a_stored_value_that_no_rule_allows_any_more_stops_no_message(services: Services) -> None:
    change(services, delay_hours="1")
    with services.db.write() as conn:
        conn.execute(setting_version.update().values(value={"delay_hours": "99", "gone": "1"}))
    found = services.reader.read_now()
    assert (found.delay_hours, found.set_here) == (0, frozenset())


def test_only_programme_settings_are_taken(services: Services) -> None:
    with pytest.raises(Refused):
        change(services, environment="production", sender_name="Evil")
    assert "sender_name" not in PROGRAMME


def save(services: Services, text: str, base: int = 0) -> None:
    one = sms_texts.find(services, "id", "certificate")
    sms_texts.save(services, one, text, base=base, **WHO)


def test_a_saved_text_is_what_people_get_and_the_file_comes_back(each_desk: Desk) -> None:
    services = each_desk.services
    save(services, OWN)
    each_desk.record()
    each_desk.send()
    assert each_desk.gateway.sent[0].text.startswith("Kemenkes: Sertifikat S. siap. Buka http")
    sms_texts.reset(services, sms_texts.find(services, "id", "certificate"), base=1, **WHO)
    each_desk.record(event_id="e2", dose={"id": "d2"})
    each_desk.send()
    assert "dosis 1 siap" in each_desk.gateway.sent[1].text
    assert sms_texts.find(services, "id", "certificate").own is None
    assert services.reader.ever_used() == [("id", OWN)]


@pytest.mark.parametrize(("words", "room"), [("", 1), (" dan simpan pesan ini baik-baik" * 4, 0)])
def test_a_text_of_two_segments_costs_the_senders_rate_two(build_services: Build, words: str, room: int) -> None:
    services = build_services(sender_rate=1)
    desk = Desk(services)
    save(services, OWN + words)
    desk.record()
    assert desk.send().posted == 1
    with services.db.write() as conn:
        assert buckets.room(conn, services.gateway.name, rate=1, at=services.clock.now()) == room


def test_a_text_that_breaks_a_rule_is_not_saved(services: Services) -> None:
    with pytest.raises(BadInput):
        save(services, "((pengirim)): klik ((tautan))")
    assert services.programme.texts == {}


def test_of_two_who_change_a_text_one_wins(each_services: Services) -> None:
    save(each_services, OWN)
    with pytest.raises(Conflict):
        save(each_services, OWN + " Anda")
    with pytest.raises(Refused):
        save(each_services, OWN, base=1)


def test_the_audit_keeps_a_text_as_its_hash_alone(services: Services) -> None:
    save(services, OWN)
    with services.db.read() as conn:
        [row] = conn.execute(sa.select(audit)).all()
    assert (row.action, row.subject_id, len(row.detail["sha256"])) == (
        "sms-text.changed",
        "sms/id/certificate",
        64,
    )
    assert OWN not in str(row.detail)


def test_every_built_in_text_can_be_begun_with(services: Services) -> None:
    """Its draft passes, and reads as the file's text."""
    for one in sms_texts.listed(services):
        checked = sms_texts.check(services, one, one.draft)
        assert checked.faults == (), one.key
        assert checked.samples[0].replace("(dose 1)", "dose 1") == one.sample.replace("(dose 1)", "dose 1")


def test_what_is_no_text_is_not_found(services: Services) -> None:
    for language, kind in (("id", "otp"), ("fr", "certificate"), ("..", "certificate")):
        with pytest.raises(NotFound):
            sms_texts.find(services, language, kind)
