"""The health worker's minute: the search, what looks wrong, the SMS beforehand, the next person, a flaky network."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from linkserver import create_staff_app
from notifier.access.roles import Role
from notifier.services import Services
from notifier.store import notifications, persons, tables
from notifier.support.dose_checks import LOOKS
from tests.canaries import stands_in
from tests.conftest import Build
from tests.fakes import FakeClock
from tests.web.staff.conftest import OTHER_FACILITY, SITI, Desk, NewDesk, add_staff

WHO = {name: SITI[name] for name in ("nik", "birth_day", "birth_month", "birth_year")}
KNOWN = SITI | {"name": "", "phone": "", "number": "2"}
NEAR = "3174035002890008"


def count(services: Services, table: sa.Table) -> int:
    with services.db.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def step(desk: Desk, which: str, **typed: str) -> TestResponse:
    return desk.post("/doses/new", {"key": desk.key(), "step": which} | typed)


def box(page: str) -> str | None:
    found = re.search(r'name="checked" value="([^"]+)"', page)
    return found[1] if found else None


def focused(page: str) -> str:
    [tag] = re.findall(r"<[^>]*autofocus[^>]*>", page)
    found = re.search(r'(?:id|value)="([^"]+)"', tag)
    assert found
    return found[1]


@pytest.mark.parametrize("which", ["find", "next"])
def test_a_search_shows_initials_and_a_masked_number_and_no_more(worker: Desk, which: str) -> None:
    worker.entered()
    page = step(worker, which, **WHO, product="CoronaVac").text
    assert "Sudah tercatat: <b>S. A.</b>" in page
    assert "0812••••90" in page
    for hidden in ("Siti", "Aminah", "3456", "7890"):
        assert not stands_in(hidden, page)
    assert focused(page) == "number"


def test_a_search_for_somebody_new_goes_on_to_the_name(worker: Desk) -> None:
    page = step(worker, "find", **WHO).text
    assert "Belum tercatat dengan NIK dan tanggal lahir ini" in page
    assert focused(page) == "name"
    assert f'value="{SITI["nik"]}"' in page


@pytest.mark.parametrize("change", [{"birth_day": "11"}, {"nik": NEAR}])
def test_a_nik_alone_tells_nothing_not_even_that_it_is_known(worker: Desk, change: dict[str, str]) -> None:
    worker.entered()
    page = step(worker, "find", **WHO | change).text
    assert "Belum tercatat" in page
    assert "S. A." not in page
    assert "••••" not in page


def test_a_search_asks_for_both(worker: Desk) -> None:
    for missing in ({"nik": ""}, {"birth_day": "", "birth_month": "", "birth_year": ""}, {"nik": "12"}):
        response = step(worker, "find", **WHO | missing)
        assert response.status_code == 422
        assert response.text.count('class="problem"') == 1
        assert focused(response.text) in {"nik", "birth_day"}


def test_enter_searches_once_and_then_goes_on(worker: Desk) -> None:
    worker.entered()
    page = step(worker, "next", **WHO).text
    found = re.search(r'name="searched" value="([^"]+)"', page)
    assert found
    assert step(worker, "next", **KNOWN, searched=found[1]).status_code == 200
    other = KNOWN | {"nik": NEAR}
    assert "Belum tercatat" in step(worker, "next", **other, searched=found[1]).text


def test_a_known_person_needs_neither_name_nor_number(worker: Desk, services: Services) -> None:
    worker.entered()
    page = step(worker, "check", **KNOWN).text
    assert '<p class="echo">0812••••90</p>' in page
    assert "S. A. <small>nama yang sudah tercatat</small>" in page
    assert "Siti" not in page
    worker.entered(name="", phone="", number="2")
    assert count(services, tables.person) == 1
    with services.db.read() as conn:
        [row] = conn.execute(sa.select(tables.person.c.id))
        person = persons.get(conn, services.sealer, row.id)
    assert (person.name, person.phone) == ("Siti Aminah", "+6281234567890")


def test_a_stranger_needs_both(worker: Desk) -> None:
    response = step(worker, "check", **KNOWN)
    assert response.status_code == 422
    assert "name-problem" in response.text
    assert "phone-problem" in response.text


def test_a_known_person_without_a_number_is_asked_for_one(worker: Desk) -> None:
    worker.entered(phone="", no_phone="1")
    page = step(worker, "find", **WHO).text
    assert "Belum ada nomor yang dapat menerima SMS" in page
    assert focused(page) == "phone"
    assert step(worker, "check", **KNOWN).status_code == 422


def test_after_too_many_searches_doses_are_recorded_all_the_same(worker: Desk, services: Services) -> None:
    worker.entered()
    with services.db.write() as conn:
        names = tables.counter.c.name.startswith(LOOKS.name)
        conn.execute(tables.counter.update().where(names).values(count=LOOKS.most))
    page = step(worker, "find", **WHO).text
    assert "Terlalu banyak pencarian" in page
    assert "S. A." not in page
    page = step(worker, "check", **SITI | {"number": "2"}).text
    assert box(page) == "not-checked"
    assert "Siti Aminah" in page
    worker.entered(number="2")


def test_the_last_four_digits_are_read_back_and_others_are_counted(worker: Desk) -> None:
    assert "Tidak dipakai orang lain" in step(worker, "check", **SITI).text
    worker.entered()
    page = step(worker, "check", **SITI | {"nik": "", "name": "Adik"}).text
    assert re.search(r'class="last-four">.*<b>7890</b>', page)
    assert "Dipakai juga oleh 1 orang lain" in page
    assert box(page) is None
    assert "Siti" not in page


def test_what_looks_wrong_is_recorded_only_once_it_is_confirmed(worker: Desk, services: Services) -> None:
    worker.entered()
    typed = SITI | {"key": worker.key(), "nik": NEAR, "name": "Budi", "phone": "0812-9876-5432"}
    page = worker.post("/doses/new", typed | {"step": "check"}).text
    assert "NIK ini mirip NIK orang lain" in page
    assert box(page) == "nik-near"
    for unconfirmed in ({}, {"checked": ""}, {"checked": "nik-birth-date"}):
        response = worker.post("/doses/new", typed | {"step": "record"} | unconfirmed)
        assert response.status_code == 422
        assert 'id="checked-problem"' in response.text
        assert 'value="Budi"' in response.text
    assert count(services, tables.dose) == 1
    assert worker.post("/doses/new", typed | {"step": "record", "checked": "nik-near"}).status_code == 303


def test_what_came_up_after_the_page_was_shown_is_shown_first(worker: Desk, services: Services) -> None:
    typed = SITI | {"key": worker.key(), "birth_day": "11"}
    assert box(worker.post("/doses/new", typed | {"step": "check"}).text) == "nik-birth-date"
    worker.entered(birth_day="11", phone="0812-9876-5432")
    response = worker.post("/doses/new", typed | {"step": "record", "checked": "nik-birth-date"})
    assert response.status_code == 422
    assert box(response.text) == "dose-today nik-birth-date number-changes"
    assert count(services, tables.dose) == 1


def test_a_dose_of_today_elsewhere_is_told_by_time_and_facility_alone(
    worker: Desk, new_desk: NewDesk, clock: FakeClock
) -> None:
    new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY).entered()
    clock.tick(minutes=5)
    page = step(worker, "check", **SITI).text
    assert "dicatat 23 November 2026 10.00 WIB di Puskesmas pkm-2" in page
    assert "Made" not in page


def test_the_sms_is_shown_with_its_cost_and_time_before_anything_is_recorded(
    worker: Desk, services: Services, clock: FakeClock
) -> None:
    clock.set(datetime(2026, 11, 26, 22, 0, tzinfo=UTC))  # 05:00 in Jakarta: quiet
    worker.sign_in("sari")
    page = step(worker, "check", **SITI).text
    assert "Dijadwalkan: 27 November 2026 08.00 WIB" in page
    assert "Kemenkes: Sertifikat vaksin S. dosis 1 siap. Buka http" in page
    assert re.search(r"1\s+segmen · GSM-7 · \d+ karakter", page)
    page = step(worker, "check", **SITI | {"delay": "later", "delay_hours": "4"}).text
    assert "Dijadwalkan: 27 November 2026 09.00 WIB" in page
    assert count(services, tables.event) == 0
    assert "Dijadwalkan" not in step(worker, "check", **SITI | {"phone": "", "no_phone": "1"}).text


def test_what_waits_for_the_morning_is_foretold_as_a_span(build_services: Build, clock: FakeClock) -> None:
    services = build_services(smooth_minutes=30)
    add_staff(services, "sari", Role.HEALTH_WORKER)
    clock.set(datetime(2026, 11, 26, 22, 0, tzinfo=UTC))
    desk = Desk(create_staff_app(services).test_client())
    desk.sign_in("sari")
    assert "antara 27 November 2026 08.00 WIB dan 08.29 WIB" in step(desk, "check", **SITI).text


def test_saving_leads_to_an_empty_form_that_tells_of_the_one_before(worker: Desk, new_desk: NewDesk) -> None:
    response = step(worker, "record-next", **SITI)
    assert response.status_code == 303
    page = worker.get(response.location).text
    assert "Tersimpan. SMS dijadwalkan Senin 23 November 10.10 WIB" in page
    assert 'value="CoronaVac"' in page
    assert focused(page) == "nik"
    for value in ("Siti", "0812", SITI["nik"], "1989"):
        assert not stands_in(value, page)
    other = new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY)
    assert "Tersimpan" not in other.get(response.location).text
    assert "Tersimpan" not in worker.get("/doses/new?saved=nonsense").text


def test_going_back_starts_at_the_number(worker: Desk) -> None:
    assert focused(step(worker, "edit", **SITI).text) == "phone"


def posted_at_once(desk: Desk, typed: dict[str, str], times: int = 2) -> list[TestResponse]:
    """The same form from several connections of one browser in the same moment."""
    gate, cookie = Barrier(times), desk.client.get_cookie("sertilink-staff")
    assert cookie is not None

    def post() -> TestResponse:
        client = desk.client.application.test_client()
        client.set_cookie("sertilink-staff", cookie.value)
        gate.wait()
        return client.post("/doses/new", data=typed | {"csrf_token": desk.token})

    with ThreadPoolExecutor(times) as pool:
        return [each.result() for each in [pool.submit(post) for _ in range(times)]]


@pytest.mark.parametrize("changes", [{}, {"nik": "", "name": "Bayi"}, {"phone": "", "no_phone": "1"}])
def test_a_form_sent_twice_at_once_makes_one_dose(each_services: Services, changes: dict[str, str]) -> None:
    services = each_services
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = Desk(create_staff_app(services).test_client())
    desk.sign_in("sari")
    first, *others = posted_at_once(desk, SITI | {"key": desk.key(), "step": "record"} | changes, times=4)
    assert {response.status_code for response in (first, *others)} == {303}
    assert {response.location for response in others} == {first.location}
    for table in (tables.dose, tables.event, tables.notification, tables.person):
        assert count(services, table) == 1, table.name


@pytest.mark.parametrize("which", ["record", "record-next"])
def test_a_form_whose_answer_was_lost_leads_to_the_same_place(worker: Desk, services: Services, which: str) -> None:
    worker.entered()
    typed = KNOWN | {"key": worker.key(), "step": which, "checked": "dose-today"}
    first = worker.post("/doses/new", typed)
    assert first.status_code == 303
    again = worker.post("/doses/new", typed | {"checked": ""})  # nothing is asked about what is recorded
    assert (again.status_code, again.location) == (303, first.location)
    assert count(services, tables.dose) == count(services, tables.notification) == 2


def test_every_look_that_showed_somebody_is_audited_without_their_data(worker: Desk, services: Services) -> None:
    worker.entered()
    step(worker, "find", **WHO)
    step(worker, "check", **KNOWN)
    step(worker, "find", **WHO | {"nik": NEAR})
    with services.db.read() as conn:
        rows = list(conn.execute(sa.select(tables.audit).where(tables.audit.c.action == "person.recognised")))
        [person_id] = conn.scalars(sa.select(tables.person.c.id))
    assert [row.subject_id for row in rows] == [person_id] * 2
    assert all(row.detail == {} for row in rows)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.SUPERVISOR])
def test_who_enters_no_doses_cannot_search(new_desk: NewDesk, role: Role) -> None:
    desk = new_desk("other", role, None)
    assert desk.post("/doses/new", WHO | {"step": "find"}).status_code == 403


@pytest.mark.parametrize("value", ["\0", "<script>", "9" * 5000, "💉" * 40, "٣" * 16])
def test_rubbish_is_answered_with_words(worker: Desk, services: Services, value: str) -> None:
    for name in ("nik", "name", "birth_day", "birth_year", "phone", "lot", "delay_hours", "key", "searched", "checked"):
        for which in ("find", "next", "check", "record", "record-next", "edit", "nonsense", ""):
            response = worker.post("/doses/new", SITI | {"key": "A" * 22, "step": which, "nik": "", name: value})
            assert response.status_code in {200, 303, 409, 422}, (name, which)
            assert "<script>" not in response.text


def test_notifications_are_planned_once_a_dose(worker: Desk, services: Services) -> None:
    reference = worker.entered()
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
        assert row is not None
        assert len(notifications.of_dose(conn, row.dose_id)) == 1
