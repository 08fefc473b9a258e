"""What is said while a dose is typed: who is known, what looks wrong, what the SMS will be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from notifier.access.roles import Role
from notifier.access.sessions import SignedIn
from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.core.states import Reason
from notifier.intake.event import Event
from notifier.intake.record import Door, PlanOptions, record
from notifier.services import Services
from notifier.store import suppressions
from notifier.store.persons import phone_index
from notifier.store.tables import audit, counter
from notifier.support import dose_checks
from notifier.support.dose_checks import LOOKS, MANY, Checked, Looked, Warn
from notifier.support.dose_preview import preview
from tests.builders import NIK, SITI, a_certificate, an_event
from tests.conftest import Build
from tests.fakes import FakeClock

BORN = date(1989, 2, 10)
ME = SignedIn("worker-1", "sari", "Sari", Role.HEALTH_WORKER, "facility-1", "id", ZoneInfo("Asia/Jakarta"))


def look(services: Services, nik: str = NIK, born: date = BORN, *, shown: bool = True) -> Looked:
    return dose_checks.look(services, ME, nik, born, shown=shown)


def typed(**changes: Any) -> Event:
    """A dose of somebody who is typed in: without the id of a registry."""
    event = an_event(event_id="form-1", recorded_at=None, **changes)
    person = event.person.model_copy(update={"id": None, "phone": event.person.phone and "+6281234567890"})
    return event.model_copy(update={"person": person, "dose": event.dose.model_copy(update={"id": "form-1"})})


def check(services: Services, **changes: Any) -> Checked:
    event = typed(**changes)
    nik, born = event.person.nik, event.person.birth_date
    return dose_checks.check(services, event, look(services, nik, born) if nik and born else Looked())


def codes(services: Services, **changes: Any) -> set[str]:
    return set(check(services, **changes).codes)


def audited(services: Services) -> list[Any]:
    with services.db.read() as conn:
        return list(conn.execute(sa.select(audit).where(audit.c.action == "person.recognised")))


def test_nik_and_birth_date_lead_to_initials_and_a_masked_number(services: Services) -> None:
    made = a_certificate(services)
    known = look(services).known
    assert known is not None
    assert (known.initials, known.masked) == ("S. A.", "0812••••90")
    assert "Siti" not in repr(known)
    [row] = audited(services)
    assert (row.subject_id, row.actor, row.detail) == (made.person_id, "staff:worker-1", {})


@pytest.mark.parametrize(("nik", "born"), [(NIK, date(1989, 2, 11)), ("3174031002890008", BORN)])
def test_one_of_the_two_alone_leads_to_nobody(services: Services, nik: str, born: date) -> None:
    a_certificate(services)
    assert look(services, nik, born).known is None
    assert audited(services) == []


def test_a_person_without_a_birth_date_is_known_to_nobody(services: Services) -> None:
    a_certificate(services, person=replace(SITI, birth_date=None))
    assert look(services).known is None


def test_too_many_looks_end_recognising_until_the_hour_is_over(services: Services, clock: FakeClock) -> None:
    a_certificate(services)
    look(services)
    with services.db.write() as conn:
        conn.execute(counter.update().values(count=LOOKS.most))
    assert look(services) == Looked(allowed=False)
    assert dose_checks.look(services, replace(ME, staff_id="worker-2"), NIK, BORN, shown=True).known
    assert codes(services) == {Warn.NOT_CHECKED}
    clock.tick(hours=1)
    assert look(services).known


def test_nothing_looks_wrong_about_somebody_new(services: Services) -> None:
    assert check(services) == Checked()


@pytest.mark.parametrize("near", ["3174031002890008", "3174031002980009", "1374031002890009", "9174031002890009"])
def test_a_nik_one_slip_away_is_said_whoever_it_is(services: Services, near: str) -> None:
    a_certificate(services, person=replace(SITI, nik=near, name="Budi", phone=None))
    assert codes(services) == {Warn.NIK_NEAR}


@pytest.mark.parametrize("far", ["3174031002890018", "3174031020890009"[::-1]])
def test_two_slips_are_not(services: Services, far: str) -> None:
    a_certificate(services, person=replace(SITI, nik=far, phone=None))
    assert codes(services) == set()


def test_two_people_whose_birth_dates_explain_the_digit_are_no_slip(services: Services) -> None:
    sister = replace(SITI, nik="3174031102890009", birth_date=date(1989, 2, 11), phone=None)
    a_certificate(services, person=sister)
    assert codes(services) == set()
    assert codes(services, person={"birth_date": "1989-02-12"}) >= {Warn.NIK_NEAR, Warn.NIK_BIRTH_DATE}


def test_a_known_person_has_no_neighbours(services: Services) -> None:
    a_certificate(services, given_on=date(2026, 1, 1))
    a_certificate(services, person=replace(SITI, nik="3174031002890008", name="Budi", phone=None))
    assert codes(services) == set()


def test_a_nik_with_another_birth_date_is_said_and_nothing_more_of_that_person(services: Services) -> None:
    a_certificate(services)
    found = check(services, person={"birth_date": "1989-02-11", "phone": None})
    assert found.codes == {Warn.NIK_OTHER_BIRTH_DATE, Warn.NIK_BIRTH_DATE}
    assert all(one.at is None and one.facility is None for one in found.warnings)


def test_a_dose_of_the_same_day_is_told_by_time_and_facility(services: Services, clock: FakeClock) -> None:
    at = clock.now()
    a_certificate(services, facility="Puskesmas Kelapa Gading")
    clock.tick(minutes=30)
    [one] = check(services).warnings
    assert (one.code, one.at, one.facility) == (Warn.DOSE_TODAY, at, "Puskesmas Kelapa Gading")
    assert codes(services, dose={"given_on": "2026-11-21"}) == set()


def test_the_dose_itself_sent_again_is_no_second_one(services: Services) -> None:
    record(services, typed(), door=Door.FORM, actor="staff:worker-1")
    assert codes(services) == set()


def test_another_name_is_said_and_another_spelling_is_not(services: Services) -> None:
    a_certificate(services, given_on=date(2026, 1, 1))
    assert codes(services, person={"name": "Siti Aminah binti Ahmad"}) == set()
    assert codes(services, person={"name": "Budi Santoso"}) == {Warn.NAME_DIFFERS}


def test_a_changed_number_is_said(services: Services) -> None:
    a_certificate(services, person=replace(SITI, phone="+6281298765432"), given_on=date(2026, 1, 1))
    assert codes(services) == {Warn.NUMBER_CHANGES}
    assert codes(services, person={"phone": None}) == set()


def test_a_family_shares_a_number_and_a_village_does_not(services: Services) -> None:
    for _ in range(MANY - 1):
        a_certificate(services, person=replace(SITI, nik=None))
    assert check(services) == Checked((), MANY - 1)
    a_certificate(services, person=replace(SITI, nik=None))
    found = check(services)
    assert (found.codes, found.others) == ({Warn.NUMBER_SHARED}, MANY)


def test_the_person_is_none_of_the_others(services: Services) -> None:
    a_certificate(services, given_on=date(2026, 1, 1))
    assert check(services) == Checked()


def test_a_number_that_stopped_sms_is_said(services: Services, clock: FakeClock) -> None:
    index = phone_index(services.sealer, "+6281234567890")
    with services.db.write() as conn:
        suppressions.add(conn, index, reason=Reason.OPTED_OUT, source="link-page", at=clock.now())
    assert codes(services) == {Warn.NUMBER_STOPPED}


@pytest.mark.parametrize(
    ("now", "hours", "zone"),
    [
        (datetime(2026, 11, 23, 3, 0, tzinfo=UTC), None, None),
        (datetime(2026, 11, 23, 14, 0, tzinfo=UTC), None, None),
        (datetime(2026, 11, 23, 12, 30, tzinfo=UTC), 0, "Asia/Jayapura"),
        (datetime(2026, 11, 23, 3, 0, tzinfo=UTC), 47.5, None),
    ],
)
def test_what_is_foretold_is_what_is_planned(
    build_services: Build, clock: FakeClock, now: datetime, hours: float | None, zone: str | None
) -> None:
    services = build_services(smooth_minutes=30, delay_hours=2)
    clock.set(now)
    options = PlanOptions(undo=timedelta(minutes=10))
    event = typed(notify={"delay_hours": hours}, person={"time_zone": zone})
    if zone:
        a_certificate(services, person=replace(SITI, time_zone=zone), given_on=date(2026, 1, 1))
    seen = preview(services, event, look(services).known, options)
    due = record(services, event, door=Door.FORM, actor="staff:worker-1", options=options).due_at
    assert due is not None
    assert seen.when.earliest <= due <= seen.when.latest
    quiet = seen.when.earliest != seen.when.latest
    assert quiet == (seen.when.earliest.astimezone(ZoneInfo(zone or "Asia/Jakarta")).hour == 8)


def test_the_sms_is_shown_with_the_initial_and_a_link_of_real_length(services: Services) -> None:
    seen = preview(services, typed(), None, PlanOptions())
    base = services.settings.public_url
    sample = seen.text.partition(base + "/c/")[2].split()[0]
    assert len(sample) == TOKEN_LENGTH
    assert seen.text.startswith("Kemenkes: Sertifikat vaksin S. dosis 1 siap.")
    assert "Siti" not in seen.text
    assert (seen.size.encoding, seen.size.segments, seen.size.units) == ("GSM-7", 1, len(seen.text))
    english = preview(services, typed(person={"language": "en"}), None, PlanOptions())
    assert "S.'s vaccine certificate (dose 1)" in english.text
