"""Dose entry: what is asked again, what is read back, what is recorded once."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from linkserver import create_staff_app
from notifier.access.roles import Role
from notifier.core.states import State
from notifier.services import Services
from notifier.store import doses, notifications, persons, tables
from tests.canaries import stands_in
from tests.conftest import Build
from tests.fakes import FakeClock
from tests.web.staff.conftest import OTHER_FACILITY, SITI, Desk, NewDesk, add_staff


def count(services: Services, table: sa.Table) -> int:
    with services.db.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def notification(services: Services, reference: str) -> notifications.Row:
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
    assert row is not None
    return row


def checked(desk: Desk, **changes: str) -> str:
    """The page after the first submit, which must be the form again."""
    response = desk.post("/doses/new", SITI | {"key": desk.key(), "step": "check"} | changes)
    assert response.status_code == 422
    return response.text


def test_the_number_is_read_back_before_anything_is_recorded(worker: Desk, services: Services) -> None:
    response = worker.post("/doses/new", SITI | {"key": worker.key(), "step": "check", "phone": "+62 812 3456 7890"})
    assert response.status_code == 200
    assert '<p class="echo">0812-3456-7890</p>' in response.text
    assert count(services, tables.dose) == 0


def test_a_typed_dose_is_scheduled_after_the_undo_minutes(worker: Desk, services: Services, clock: FakeClock) -> None:
    row = notification(services, worker.entered())
    assert row.status == State.SCHEDULED
    assert row.lane == "fresh"
    assert row.due_at == clock.now() + timedelta(minutes=10)
    with services.db.read() as conn:
        shot = doses.get(conn, row.dose_id)
        person = persons.get(conn, services.sealer, row.person_id)
        staff_id = conn.scalar(sa.select(tables.staff.c.id).where(tables.staff.c.username == "sari"))
    assert (shot.facility_id, shot.facility, shot.product, shot.lot, shot.number, shot.series_total) == (
        "pkm-1", "Puskesmas pkm-1", "CoronaVac", "BX-2201", 1, 2,
    )  # fmt: skip
    assert shot.entered_by == staff_id
    assert (person.name, person.nik, person.phone) == ("Siti Aminah", SITI["nik"], "+6281234567890")


def test_the_answer_says_when_in_both_languages(worker: Desk, clock: FakeClock) -> None:
    clock.set(datetime(2026, 11, 23, 14, 0, tzinfo=UTC))  # 21:00 in Jakarta: quiet
    worker.sign_in("sari")
    page = f"/doses/done/{worker.entered()}"
    assert "SMS dijadwalkan Selasa 24 November 08.00 WIB" in worker.get(page).text
    worker.post("/language", {"language": "en"})
    assert "SMS scheduled for Tuesday 24 November 08:00 WIB" in worker.get(page).text


def test_a_form_sent_twice_makes_one_dose(worker: Desk, services: Services) -> None:
    typed = SITI | {"key": worker.key(), "step": "record"}
    first, second = worker.post("/doses/new", typed), worker.post("/doses/new", typed)
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert count(services, tables.dose) == count(services, tables.notification) == count(services, tables.event) == 1


def test_a_form_that_was_recorded_and_then_changed_points_to_what_stands(worker: Desk, services: Services) -> None:
    typed = SITI | {"key": worker.key(), "step": "record"}
    reference = worker.post("/doses/new", typed).location.rpartition("/")[2]
    response = worker.post("/doses/new", typed | {"lot": "OTHER"})
    assert response.status_code == 409
    assert f"/messages/{reference}" in response.text
    assert count(services, tables.dose) == 1


def test_two_colleagues_with_one_key_make_two_doses(worker: Desk, new_desk: NewDesk, services: Services) -> None:
    key, other = worker.key(), new_desk("budi", Role.HEALTH_WORKER)
    other.key()
    assert worker.post("/doses/new", SITI | {"key": key, "step": "record"}).status_code == 303
    response = other.post("/doses/new", SITI | {"key": key, "step": "record", "nik": "", "name": "Wayan"})
    assert response.status_code == 303
    assert count(services, tables.dose) == 2


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"nik": "317403500289000"}, "nik", "16 angka"),
        ({"nik": "31740350028900O9"}, "nik", "hanya berisi angka"),
        ({"nik": "0" * 16}, "nik", "Kosongkan"),
        ({"name": "  "}, "name", "Tulis nama"),
        ({"birth_year": "84"}, "birth_date", "Tulis tahun dengan 4 angka, misalnya 1984"),
        ({"birth_day": "31", "birth_month": "2"}, "birth_date", "tidak punya tanggal ini"),
        ({"birth_day": "", "birth_month": "", "birth_year": ""}, "birth_date", "membuka sertifikat"),
        ({"birth_year": "2027"}, "birth_date", "belum terjadi"),
        ({"phone": ""}, "phone", "Tidak punya nomor"),
        ({"phone": "021-7654321"}, "phone", "bukan nomor ponsel"),
        ({"phone": "+65 8123 4567"}, "phone", "negara yang tidak kami layani"),
        ({"phone": "0812-0"}, "phone", "Tidak ada telepon"),
        ({"phone": "besok"}, "phone", "Tulis nomor ponsel"),
        ({"no_phone": "1"}, "phone", "Hapus nomornya"),
        ({"product": ""}, "product", "nama vaksin"),
        ({"number": ""}, "number", "dosis keberapa"),
        ({"number": "0"}, "number", "1 sampai 99"),
        ({"number": "dua"}, "number", "angka saja"),
        ({"number": "3"}, "series_total", "tidak boleh kurang"),
        ({"given_day": "24"}, "given_on", "belum terjadi"),
        ({"given_year": "1988"}, "given_on", "lebih awal daripada tanggal lahir"),
        ({"delay": "later", "delay_hours": "49"}, "delay", "0 sampai 48"),
        ({"delay": "later", "delay_hours": "-1"}, "delay", "0 sampai 48"),
        ({"delay": "later", "delay_hours": "nan"}, "delay", "0 sampai 48"),
        ({"delay": "later"}, "delay", "berapa jam"),
        ({"delay": "whenever"}, "delay", "Pilih salah satu"),
    ],
)
def test_what_is_wrong_stands_on_top_and_beside_the_field_and_nothing_is_recorded(
    worker: Desk, services: Services, changes: dict[str, str], field: str, words: str
) -> None:
    page = checked(worker, **changes)
    beside = re.search(rf'<p class="problem" id="{field}-problem">([^<]*)</p>', page)
    assert beside
    assert words in beside[1]
    band = page.partition('role="alert"')[2].partition("</div>")[0]
    assert beside[1] in band
    anchor = re.search(r'<a href="#([a-z_-]+)"', band)
    assert anchor
    assert f'id="{anchor[1]}"' in page
    assert count(services, tables.event) == 0


def test_every_typed_value_is_kept_through_an_error(worker: Desk) -> None:
    page = checked(worker, number="0", phone="021-7654321", delay="later", delay_hours="1,5", language="en")
    for value in ("Siti Aminah", "021-7654321", "BX-2201", "CoronaVac", "1,5", "1989", SITI["nik"]):
        assert f'value="{value}"' in page
    assert re.search(r'value="later" checked', page)
    assert re.search(r'name="language" value="en" checked', page)


def test_markup_in_a_name_stays_text(worker: Desk) -> None:
    response = worker.post("/doses/new", SITI | {"key": worker.key(), "step": "check", "name": "<b>Siti</b>"})
    assert "&lt;b&gt;Siti&lt;/b&gt;" in response.text
    assert "<b>Siti</b>" not in response.text


def test_the_second_submit_is_checked_like_the_first(worker: Desk, services: Services) -> None:
    response = worker.post("/doses/new", SITI | {"key": worker.key(), "step": "record", "phone": "021-7654321"})
    assert response.status_code == 422
    assert count(services, tables.event) == 0


def test_going_back_keeps_everything_and_complains_of_nothing(worker: Desk) -> None:
    response = worker.post("/doses/new", SITI | {"key": worker.key(), "step": "edit"})
    assert response.status_code == 200
    assert 'value="Siti Aminah"' in response.text
    assert 'class="problem"' not in response.text


def test_another_birth_date_in_the_nik_is_a_warning_and_no_refusal(worker: Desk, services: Services) -> None:
    typed = SITI | {"key": worker.key(), "birth_day": "11"}
    response = worker.post("/doses/new", typed | {"step": "check"})
    assert response.status_code == 200
    assert "Tanggal lahir di dalam NIK berbeda" in response.text
    confirmed = typed | {"step": "record", "checked": "nik-birth-date"}
    assert worker.post("/doses/new", confirmed).status_code == 303


def test_a_person_without_a_phone_is_recorded_and_told_plainly(worker: Desk, services: Services) -> None:
    typed = SITI | {"key": worker.key(), "phone": "", "no_phone": "1"}
    assert "SMS tidak dikirim" in worker.post("/doses/new", typed | {"step": "check"}).text
    done = worker.get(worker.post("/doses/new", typed | {"step": "record"}).location).text
    assert "SMS tidak dikirim: tidak ada nomor ponsel" in done
    row = notification(services, worker.get("/doses").text.partition("/messages/")[2][:10])
    assert (row.status, row.reason) == ("suppressed", "no-phone")


def test_without_a_phone_a_known_persons_number_is_used_and_shown_masked(worker: Desk) -> None:
    worker.entered()
    typed = SITI | {"key": worker.key(), "phone": "", "no_phone": "1", "number": "2"}
    page = worker.post("/doses/new", typed | {"step": "check"}).text
    assert "0812••••90" in page
    done = worker.get(worker.enter_dose(phone="", no_phone="1", number="2").location).text
    assert "SMS dijadwalkan" in done


def test_a_strangers_birth_date_shows_no_number(worker: Desk) -> None:
    worker.entered()
    typed = SITI | {"key": worker.key(), "phone": "", "no_phone": "1", "birth_day": "12", "step": "check"}
    assert "••••" not in worker.post("/doses/new", typed).text


def test_a_baby_without_nik_is_recorded(worker: Desk, services: Services) -> None:
    row = notification(services, worker.entered(nik="", name="Bayi", birth_year="2026", birth_day="1"))
    assert row.status == State.SCHEDULED


@pytest.mark.parametrize(
    ("delay", "hours", "wait"),
    [("default", "", timedelta(hours=3)), ("now", "", timedelta(minutes=10)), ("later", "1,5", timedelta(hours=1.5))],
)
def test_the_delay_is_the_workers_choice_and_never_shorter_than_the_undo_minutes(
    build_services: Build, clock: FakeClock, delay: str, hours: str, wait: timedelta
) -> None:
    services = build_services(delay_hours=3)
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = Desk(create_staff_app(services).test_client())
    desk.sign_in("sari")
    row = notification(services, desk.entered(delay=delay, delay_hours=hours))
    assert row.due_at == clock.now() + wait


def test_vaccine_and_lot_are_kept_for_the_next_person_and_nothing_else_is(worker: Desk) -> None:
    worker.entered()
    page = worker.get("/doses/new").text
    assert 'value="CoronaVac"' in page
    assert 'value="BX-2201"' in page
    for value in ("Siti", "0812", SITI["nik"], "1989"):
        assert not stands_in(value, page)


def test_the_day_shows_the_own_facilitys_doses_alone(worker: Desk, new_desk: NewDesk, clock: FakeClock) -> None:
    reference = worker.entered()
    other = new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY)
    assert "Siti Aminah" in worker.get("/doses").text
    assert "Siti Aminah" not in other.get("/doses").text
    assert "Belum ada dosis" in other.get("/doses").text
    assert other.get(f"/doses/done/{reference}").status_code == 404
    clock.tick(hours=24)
    worker.sign_in("sari")
    assert "Siti Aminah" not in worker.get("/doses").text
    assert "Siti Aminah" in worker.get("/doses?day=2026-11-23").text
    assert worker.get("/doses?day=nonsense").status_code == 200


def test_an_administrator_without_a_facility_is_told_and_cannot_post(new_desk: NewDesk, services: Services) -> None:
    boss = new_desk("boss", Role.ADMINISTRATOR, None)
    assert "belum terikat pada fasilitas" in boss.get("/doses/new").text
    assert boss.post("/doses/new", SITI | {"key": "A" * 22, "step": "record"}).status_code == 403
    assert count(services, tables.event) == 0


def test_no_log_line_holds_what_was_typed(worker: Desk, operator: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reference = worker.entered(name="Kenari Rahasia")
    checked(worker, phone="021-7654321")
    operator.get("/messages")
    operator.post("/messages", {"q": "0812-3456-7890"})
    operator.get(f"/messages/{reference}")
    operator.post(f"/messages/{reference}/reveal", {"reason": "telepon balik"})
    operator.sign_in("oki", "kata sandi salah")
    said = caplog.text + " ".join(str(record.__dict__) for record in caplog.records)
    for secret in ("Kenari", "81234567890", "3456-7890", "7654321", SITI["nik"], "kata sandi salah", "tiga kucing"):
        assert not stands_in(secret, said)


def test_no_plain_column_holds_what_was_typed(worker: Desk, services: Services) -> None:
    worker.entered(name="Kenari Rahasia")
    with services.db.read() as conn:
        for table in tables.metadata.sorted_tables:
            for row in conn.execute(sa.select(table)):
                for secret in ("Kenari", "81234567890", SITI["nik"], "1989-02-10"):
                    assert secret not in str(tuple(row)), table.name
