"""A report becomes a case, fifty at once are one, and the case closes itself when the dose arrives by any door."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.causes import Cause
from notifier.core.errors import Refused
from notifier.core.states import CaseOutcome, CaseStatus, Kind, StepKind
from notifier.intake.record import Door, record_many
from notifier.services import Services
from notifier.store import case_steps, doses
from notifier.store.tables import case_picture, contact, notification, person, support_case
from notifier.support import follow_ups
from notifier.support.missing import answers, arrivals, waiting
from notifier.support.missing.reports import LIMITS, Reported
from notifier.support.privacy.erase import erase
from notifier.support.privacy.export import export
from tests.builders import NIK, an_event
from tests.canaries import stands_in
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.missing.reporting import FACTS, OTHER, PHONE, at_facility, case_of, reported, steps_of

OPEN, CLOSED = CaseStatus.OPEN, CaseStatus.CLOSED
GIVEN: dict[str, Any] = {"given_on": "2026-11-13"}


def arrives(desk: Desk, **changes: Any) -> None:
    desk.record(**({"dose": GIVEN} | changes))
    follow_ups.run(desk.services)


def case_sms(services: Services) -> int:
    with services.db.read() as conn:
        about = sa.select(sa.func.count()).select_from(notification).where(notification.c.kind == Kind.CASE.value)
        return conn.scalar(about) or 0


def test_a_report_waits_for_operators_where_nobody_knows_the_place(services: Services) -> None:
    made = reported(services)
    case = case_of(services, made.reference)
    assert (case.status, case.waits_for, case.facility_id, case.cause) == (OPEN, "operators", None, Cause.STILL_YOUNG)
    assert steps_of(services, case.id) == [StepKind.REPORTED, StepKind.TO_OPERATORS]
    assert (case.promised_at - case.opened_at).days == 7


def test_a_report_goes_to_the_facility_that_has_the_name(services: Services) -> None:
    with services.db.write() as conn:
        doses.remember_facility(conn, "facility-9", "Puskesmas MENTENG")
    case = case_of(services, reported(services).reference)
    assert (case.facility_id, case.waits_for) == ("facility-9", "facility")


def test_nothing_of_a_person_stands_open_in_the_rows(services: Services) -> None:
    made = reported(services, replace(FACTS, nik=NIK, words="Saya sudah dua kali bertanya"), picture=b"jpeg")
    with services.db.read() as conn:
        rows = repr(conn.execute(sa.select(support_case)).all() + conn.execute(sa.select(case_picture)).all())
    for secret in ("Siti", NIK, "1989", PHONE[3:], made.token, "Menteng", "bertanya"):
        assert not stands_in(secret, rows)


@pytest.mark.parametrize("days", [0, 1])
def test_a_dose_younger_than_the_promise_is_no_case(services: Services, days: int) -> None:
    today = services.clock.now().astimezone(services.zone).date()
    with pytest.raises(Refused) as refused:
        reported(services, replace(FACTS, given_on=today - timedelta(days=days)))
    assert refused.value.reason == "too-young"
    assert refused.value.not_before is not None
    assert refused.value.not_before > services.clock.now()


def test_fifty_reports_at_once_are_one(each_services: Services) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: reported(each_services, works=False), range(50)))
    assert len({one.reference for one in answers}) == 1
    assert sum(not one.is_joined for one in answers) == 1
    case = case_of(each_services, answers[0].reference)
    assert steps_of(each_services, case.id).count(StepKind.JOINED) == 1


def test_fifty_posts_of_one_form_by_nobody_proven_are_one(each_services: Services) -> None:
    asked = {"is_proven": False, "form": "form-1", "works": False}
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: reported(each_services, **asked), range(50)))
    assert len({one.reference for one in answers}) == 1


def test_whoever_types_anothers_number_comes_to_no_case_of_theirs(services: Services) -> None:
    mine = reported(services)
    theirs = reported(services, is_proven=False, form="form-1")
    again = reported(services, is_proven=False, form="form-2")
    assert len({mine.token, theirs.token, again.token}) == 3
    assert case_sms(services) == 1  # to whoever proved the number, and to nobody else


def test_the_same_report_sent_again_and_again_fills_no_case(services: Services) -> None:
    case_id = reported(services).case_id
    again = [reported(services, replace(FACTS, words=f"kata {turn}")) for turn in range(7)]
    assert [bool(one.retry_after_s) for one in again] == [False] * 5 + [True] * 2
    assert steps_of(services, case_id).count(StepKind.JOINED) == 5


def test_a_number_reports_three_times_a_day_and_all_together_are_capped(services: Services, clock: FakeClock) -> None:
    def on_day(day: int, **options: Any) -> Reported:
        return reported(services, replace(FACTS, given_on=date(2026, 11, day)), **options)

    assert [bool(on_day(day).token) for day in (1, 2, 3, 4)] == [True, True, True, False]
    assert on_day(4).retry_after_s > 0
    assert on_day(3).is_joined  # what is open is open
    tight = replace(LIMITS, overall=replace(LIMITS.overall, most=3))
    assert not reported(services, replace(FACTS, phone=OTHER), limits=tight).token
    clock.tick(days=1)
    assert on_day(4).token


def test_the_case_closes_when_the_dose_arrives_with_the_number_and_the_birth_date(desk: Desk) -> None:
    made = reported(desk.services, picture=b"jpeg")
    arrives(desk, person={"nik": None})
    case = case_of(desk.services, made.reference)
    assert (case.status, case.outcome) == (CLOSED, CaseOutcome.ARRIVED)
    assert case.person_id is not None
    assert steps_of(desk.services, case.id)[-1] is StepKind.ARRIVED
    with desk.services.db.read() as conn:
        assert conn.execute(sa.select(case_picture)).all() == []


def test_the_case_closes_when_the_dose_arrives_with_the_nik_whatever_the_name(desk: Desk) -> None:
    made = reported(desk.services, replace(FACTS, nik=NIK, name="S. Aminah"))
    arrives(desk, person={"birth_date": "1989-02-11"})
    assert case_of(desk.services, made.reference).outcome == CaseOutcome.ARRIVED


def test_a_batch_closes_cases_too(services: Services) -> None:
    made = reported(services)
    batch = [
        an_event(
            event_id=f"event-{number}",
            person={"id": f"person-{number}", "nik": None, "phone": PHONE if number == 3 else None},
            dose={"id": f"dose-{number}", **GIVEN},
        )
        for number in range(6)
    ]
    record_many(services, batch, door=Door.STREAM, actor="door:stream")
    follow_ups.run(services)
    assert case_of(services, made.reference).outcome == CaseOutcome.ARRIVED


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"person": {"name": "Siti Aminah", "nik": None, "phone": "085799998888"}}, None),
        ({"person": {"nik": None, "birth_date": "1989-02-11"}}, None),
        ({"person": {"nik": None, "name": "Sari Aminah"}}, StepKind.PERHAPS_ARRIVED),  # a twin
        ({"person": {"nik": None}, "dose": {"given_on": "2026-11-20"}}, StepKind.PERHAPS_ARRIVED),
        ({"person": {"phone": "085799998888"}}, StepKind.PERHAPS_ARRIVED),  # by NIK, to another number
    ],
    ids=["name-alone", "another-birth-date", "twin", "another-day", "another-number"],
)
def test_anything_less_is_left_to_staff(desk: Desk, changes: dict[str, Any], step: StepKind | None) -> None:
    made = reported(desk.services, replace(FACTS, nik=NIK if "nik" not in changes["person"] else None))
    arrives(desk, **changes)
    case = case_of(desk.services, made.reference)
    assert case.status == OPEN
    assert (StepKind.PERHAPS_ARRIVED in steps_of(desk.services, case.id)) == (step is not None)


def test_the_case_closes_when_the_number_is_corrected(desk: Desk) -> None:
    made = reported(desk.services, replace(FACTS, nik=NIK))
    arrives(desk, person={"phone": "085799998888"})
    assert case_of(desk.services, made.reference).cause == Cause.NUMBER_DIFFERS
    arrives(desk, event_id="event-2", event_type="corrected", recorded_at="2026-11-23T03:30:00Z")
    assert case_of(desk.services, made.reference).outcome == CaseOutcome.ARRIVED


def test_a_dose_that_was_here_all_along_closes_its_case(desk: Desk) -> None:
    arrives(desk)
    assert case_of(desk.services, reported(desk.services).reference).outcome == CaseOutcome.ARRIVED


def test_a_person_and_a_number_that_no_key_opens_keep_no_case_waiting(desk: Desk, clock: FakeClock) -> None:
    desk.record(dose=GIVEN | {"given_on": "2026-11-01"})
    broken = case_of(desk.services, at_facility(desk.services, "facility-1"))
    other = case_of(desk.services, at_facility(desk.services, "facility-1", replace(FACTS, phone=OTHER)))
    with desk.services.db.write() as conn:
        conn.execute(person.update().values(name_sealed=b"\x01broken"))
        conn.execute(contact.update().where(contact.c.id == broken.contact_id).values(phone_sealed=b"\x01broken"))
    assert answers.look(desk.services, broken.reference, only_facility=None, with_persons=True).facts == FACTS
    clock.tick(days=3)
    waiting.run(desk.services)
    assert all(StepKind.REMINDED in steps_of(desk.services, row.id) for row in (broken, other))
    clock.tick(days=8)
    waiting.run(desk.services)
    assert all(StepKind.OVERDUE in steps_of(desk.services, row.id) for row in (broken, other))


def test_a_withdrawn_dose_closes_nothing(desk: Desk) -> None:
    made = reported(desk.services)
    desk.record(dose=GIVEN)
    desk.record(event_id="event-2", event_type="entered_in_error")
    follow_ups.run(desk.services)
    assert case_of(desk.services, made.reference).status == OPEN


def test_intake_asks_one_small_question_where_no_report_is_open(services: Services) -> None:
    said: list[str] = []
    sa.event.listen(services.db.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    Desk(services).record()
    assert sum("support_case" in statement for statement in said) == 1


def test_erasing_a_person_takes_their_reports_along_and_the_export_shows_them(desk: Desk) -> None:
    services = desk.services
    by_nik = reported(services, replace(FACTS, nik=NIK, phone=OTHER, given_on=date(2026, 11, 1)), picture=b"jpeg")
    by_birth = reported(services, replace(FACTS, given_on=date(2026, 11, 2), words="Saya ibunya"))
    other = reported(services, replace(FACTS, birth_date=date(2020, 1, 1), given_on=date(2026, 11, 3)))
    desk.record()
    follow_ups.run(services)
    [person_id] = {row.person_id for row in desk.rows() if row.person_id}
    told = json.dumps(export(services, person_id, reason="diminta orangnya", actor="test"))
    assert by_nik.reference in told
    assert OTHER not in told
    desk.send()
    erase(services, person_id, reason="diminta orangnya", actor="test", keep_certificates=False)
    for made in (by_nik, by_birth):
        case = case_of(services, made.reference)
        assert (case.status, case.facts_sealed, case.nik_index, case.born_index) == (CLOSED, None, None, None)
        with services.db.read() as conn:
            assert not case_steps.has_picture(conn, case.id)
            assert not any(step.words_sealed for step in case_steps.of_case(conn, case.id))
    assert case_of(services, other.reference).status == OPEN


def test_a_report_and_its_dose_at_the_same_moment_find_each_other(each_desk: Desk) -> None:
    """Neither transaction sees the other; the follow-up of either does."""
    services = each_desk.services
    services.reader.read()
    for turn in range(5):
        phone = f"+62812000000{turn:02}"
        facts = replace(FACTS, phone=phone, given_on=date(2026, 11, 13))
        made: dict[str, Any] = {
            "event_id": f"event-{turn}",
            "person": {"id": f"person-{turn}", "nik": None, "phone": phone},
            "dose": {"id": f"dose-{turn}", **GIVEN},
        }
        with ThreadPoolExecutor(2) as pool:
            report = pool.submit(reported, services, facts, works=False)
            dose = pool.submit(each_desk.record, **made)
            reference = report.result().reference
            dose.result()
        follow_ups.run(services)
        assert case_of(services, reference).outcome == CaseOutcome.ARRIVED


class Died(BaseException):
    """As a worker that is killed."""


def test_a_worker_that_dies_over_an_arrival_leaves_it_to_the_next(desk: Desk) -> None:
    """Closing the case, its step and the SMS are one transaction with the follow-up: all of it, or nothing."""
    made = reported(desk.services)
    before = case_sms(desk.services)
    desk.record(dose=GIVEN, person={"nik": None})
    [dose_id] = {row.dose_id for row in desk.rows() if row.dose_id}

    def die_over_it() -> None:
        with desk.services.db.write() as conn:
            arrivals.dose_arrived(conn, desk.services, dose_id, since=desk.services.clock.now())
            raise Died

    with pytest.raises(Died):
        die_over_it()
    assert case_of(desk.services, made.reference).status == OPEN
    assert case_sms(desk.services) == before
    follow_ups.run(desk.services)
    follow_ups.run(desk.services)
    case = case_of(desk.services, made.reference)
    assert case.outcome == CaseOutcome.ARRIVED
    assert steps_of(desk.services, case.id).count(StepKind.ARRIVED) == 1
