"""Bulk resends on the staff face: counted, made, approved by another, paused, cancelled; who may, and who is told."""

from __future__ import annotations

import csv
import io
import re

import pytest

from notifier.access.roles import Permission, Role, may
from notifier.core.bulks import BulkState, ScheduleState
from notifier.services import Services
from notifier.store import bulk_schedules, bulks
from notifier.store.tables import link
from notifier.support import bulk_resend, bulk_run
from tests import bulk as many
from tests.canaries import stands_in
from tests.conftest import Build
from tests.desk import Desk as Sender
from tests.fakes import FakeClock
from tests.web.staff.conftest import Desk, NewDesk

NEW = "/resends/new"
FILTER = {"state": "failed"}


@pytest.fixture
def services(build_services: Build) -> Services:
    """Above four messages a second person is asked."""
    return build_services(bulk_approval_above=4)


@pytest.fixture
def sender(services: Services) -> Sender:
    return Sender(services)


@pytest.fixture
def supervisor(new_desk: NewDesk) -> Desk:
    return new_desk("susi", Role.SUPERVISOR, None)


def key_on(desk: Desk) -> str:
    found = re.search(r'name="key" value="([^"]+)"', desk.get(f"{NEW}?state=failed").text)
    assert found
    return found[1]


def made(desk: Desk, **changes: str) -> str:
    """The reference of a bulk that was made."""
    response = desk.post(NEW, FILTER | {"why": "penyedia bermasalah", "when": "now", "key": key_on(desk)} | changes)
    assert response.status_code == 303, response.text
    return response.location.rpartition("/")[2].partition("?")[0]


def row_of(services: Services, reference: str) -> bulks.Row:
    return bulk_resend.find(services, reference)


def test_only_operators_and_those_above_them_have_bulk_resends() -> None:
    wanted = {
        Permission.BULK_READ: {Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR},
        Permission.BULK_WRITE: {Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR},
        Permission.BULK_APPROVE: {Role.SUPERVISOR, Role.ADMINISTRATOR},
    }
    assert {one: {role for role in Role if may(role, one)} for one in wanted} == wanted


def test_an_empty_list_says_how_one_is_made(operator: Desk) -> None:
    page = operator.get("/resends").text
    assert "Belum ada kirim ulang massal" in page
    assert NEW in page


def test_a_dry_run_shows_count_cost_exclusions_and_a_masked_sample(
    operator: Desk, sender: Sender, services: Services
) -> None:
    references = many.failed_each(sender, 3)
    with services.db.write() as conn:
        wanted = link.c.id == sender.row(references[0]).link_id
        conn.execute(link.update().where(wanted).values(opened_at=services.clock.now()))
    page = operator.get(f"{NEW}?state=failed&facility=facility-1").text
    assert "2 SMS" in page
    assert "2 segmen" in page
    assert "sertifikatnya sudah dibuka" in page
    assert "0812••••" in page
    assert many.number_of(1) not in page
    assert "Siti" not in page
    with services.db.read() as conn:
        assert bulks.listed(conn, limit=5) == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("state=nonsense", "Pilih salah satu"),
        ("state=failed&code=%3Cscript%3E", "Tulis kode penyedia SMS"),
        ("unopened_days=0", "Tulis jumlah hari"),
        ("state=failed&unopened_days=3", "hanya SMS yang sampai"),
        ("sent_since=2026-11-23&sent_until=2026-11-01", "Hari terakhir lebih awal"),
        ("since=kemarin", "Pilih tanggalnya"),
        ("since=9999-12-31", "Pilih tanggalnya"),
        ("state=suppressed&sent_since=2026-11-01", "tidak punya tanggal kirim"),
        ("reason=%00&state=failed", "Pilih salah satu"),
        ("lot=" + "x" * 101, "Terlalu panjang"),
    ],
)
def test_a_filter_that_cannot_be_read_says_why_and_keeps_what_was_typed(operator: Desk, query: str, words: str) -> None:
    response = operator.get(f"{NEW}?{query}&product=Influenza")
    assert response.status_code == 422
    assert words in response.text
    assert 'value="Influenza"' in response.text


def test_a_bulk_is_made_runs_and_shows_its_numbers(operator: Desk, sender: Sender, services: Services) -> None:
    many.failed_each(sender, 3)
    reference = made(operator)
    bulk_run.run(services)
    while sender.send().claimed:
        pass
    page = operator.get(f"/resends/{reference}").text
    assert "3 dari 3 sudah berangkat" in page
    assert row_of(services, reference).reference in operator.get("/resends").text
    rows = operator.get(f"/resends/{reference}/rows?what=moving").text
    sent = [row for row in sender.rows() if row.bulk_id]
    assert all(row.reference in rows for row in sent)


def test_live_progress_refreshes_itself_and_only_while_it_runs(
    operator: Desk, sender: Sender, services: Services
) -> None:
    many.failed_each(sender, 1)
    reference = made(operator)
    refresh = '<meta http-equiv="refresh" content="5">'
    assert refresh not in operator.get(f"/resends/{reference}").text
    assert refresh in operator.get(f"/resends/{reference}?live=1").text
    bulk_resend.cancel(services, reference, reason="x", actor="test")
    assert refresh not in operator.get(f"/resends/{reference}?live=1").text


def test_the_report_holds_references_states_and_reasons_alone(
    operator: Desk, sender: Sender, services: Services
) -> None:
    references = many.failed_each(sender, 2)
    reference = made(operator)
    many.recorded(sender, 50, person={"id": "p0", "phone": many.number_of(0)})
    sender.send()
    bulk_run.run(services)
    response = operator.get(f"/resends/{reference}/report.csv")
    assert response.mimetype == "text/csv"
    found = list(csv.DictReader(io.StringIO(response.text)))
    assert {row["reference"] for row in found} == set(references)
    assert sorted((row["state"], row["reason"]) for row in found) == [("excluded", "cooldown"), ("scheduled", "")]
    assert not stands_in("0812", response.text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"why": " "}, "Tulis alasannya"),
        ({"when": "at", "at": ""}, "Pilih tanggal dan jamnya"),
        ({"when": "at", "at": "2020-01-01T09:00"}, "sudah lewat"),
        ({"when": "at", "at": "2029-01-01T09:00"}, "60 hari"),
    ],
)
def test_a_wish_that_cannot_be_done_is_told_beside_its_field(
    operator: Desk, sender: Sender, services: Services, changes: dict[str, str], words: str
) -> None:
    many.failed_each(sender, 1)
    typed = FILTER | {"why": "perbaikan rute", "when": "now", "key": key_on(operator)} | changes
    response = operator.post(NEW, typed)
    assert response.status_code == 422
    assert words in response.text
    if typed["why"].strip():
        assert 'value="perbaikan rute"' in response.text
    with services.db.read() as conn:
        assert bulks.listed(conn, limit=5) == []


def test_nothing_to_send_is_told(operator: Desk) -> None:
    response = operator.post(NEW, FILTER | {"why": "x", "when": "now", "key": "ABCDEFGH12"})
    assert response.status_code == 409
    assert "Tidak ada SMS yang dapat dikirim ulang" in response.text


def test_a_form_pressed_twice_makes_one(operator: Desk, sender: Sender, services: Services) -> None:
    many.failed_each(sender, 2)
    key = key_on(operator)
    assert made(operator, key=key) == made(operator, key=key)
    with services.db.read() as conn:
        assert len(bulks.listed(conn, limit=5)) == 1


def test_a_bulk_goes_tomorrow_at_nine_in_the_programme_s_zone(
    operator: Desk, sender: Sender, services: Services
) -> None:
    many.failed_each(sender, 1)
    reference = made(operator, when="at", at="2026-11-24T09:00")
    assert row_of(services, reference).starts_at.isoformat() == "2026-11-24T02:00:00+00:00"
    page = operator.get(f"/resends/{reference}").text
    assert "Terjadwal" in page
    assert "09.00 WIB" in page


def test_a_large_one_waits_for_a_second_person_who_sees_the_count(
    operator: Desk, supervisor: Desk, sender: Sender, services: Services
) -> None:
    many.failed_each(sender, 5)
    reference = made(operator)
    assert row_of(services, reference).state == BulkState.ASKED
    assert operator.get(f"/resends/{reference}/approve").status_code == 403
    assert "Setujui 5 SMS" in supervisor.get(f"/resends/{reference}/approve").text
    assert supervisor.post(f"/resends/{reference}/approve", {"seen": "5"}).status_code == 303
    assert row_of(services, reference).state == BulkState.RUNNING
    again = supervisor.post(f"/resends/{reference}/approve", {"seen": "5"})
    assert again.status_code == 409
    assert "Petugas lain baru saja memutuskan" in again.text


def test_nobody_approves_the_own_one(supervisor: Desk, sender: Sender, services: Services) -> None:
    many.failed_each(sender, 5)
    reference = made(supervisor)
    page = supervisor.get(f"/resends/{reference}/approve").text
    assert "Anda sendiri yang membuatnya" in page
    assert "Setujui 5 SMS" not in page
    assert supervisor.post(f"/resends/{reference}/approve", {"seen": "5"}).status_code == 409
    assert row_of(services, reference).state == BulkState.ASKED


@pytest.mark.parametrize("seen", ["5", "", "x", "-1", "９"])
def test_a_changed_count_is_shown_and_asked_about_again(
    operator: Desk, supervisor: Desk, sender: Sender, services: Services, seen: str
) -> None:
    many.failed_each(sender, 5)
    reference = made(operator)
    many.failed_each(sender, 3, start=10)
    response = supervisor.post(f"/resends/{reference}/approve", {"seen": seen})
    assert response.status_code == 409
    assert "Jumlahnya berubah" in response.text
    assert "Setujui 8 SMS" in response.text
    assert row_of(services, reference).state == BulkState.ASKED
    assert supervisor.post(f"/resends/{reference}/approve", {"seen": "8"}).status_code == 303


def test_pause_resume_and_cancel_ask_for_a_reason_and_tell_the_second(
    operator: Desk, new_desk: NewDesk, sender: Sender, services: Services
) -> None:
    many.failed_each(sender, 3)
    reference = made(operator)
    other = new_desk("olga", Role.OPERATOR, None)
    bulk_run.run(services)
    operator.get(f"/resends/{reference}")
    other.get(f"/resends/{reference}")
    assert operator.post(f"/resends/{reference}/pause", {"reason": ""}).status_code == 422
    assert operator.post(f"/resends/{reference}/pause", {"reason": "salah teks"}).status_code == 303
    second = other.post(f"/resends/{reference}/pause", {"reason": "salah teks"})
    assert second.status_code == 409
    assert "Keadaannya baru saja berubah" in second.text
    assert "Dijeda" in second.text
    assert operator.post(f"/resends/{reference}/resume", {"reason": "benar"}).status_code == 303
    assert other.post(f"/resends/{reference}/cancel", {"reason": "tidak perlu"}).status_code == 303
    assert operator.post(f"/resends/{reference}/resume", {"reason": "benar"}).status_code == 409
    page = operator.get(f"/resends/{reference}").text
    assert "salah teks" in page
    assert "Olga" in page
    assert "0 dari 3 sudah berangkat" in page


def test_a_form_without_its_token_does_nothing(operator: Desk, sender: Sender, services: Services) -> None:
    many.failed_each(sender, 1)
    reference = made(operator)
    operator.token = ""
    assert operator.post(f"/resends/{reference}/cancel", {"reason": "x"}).status_code == 400
    assert row_of(services, reference).state == BulkState.RUNNING


def test_an_auditor_reads_and_changes_nothing(
    operator: Desk, new_desk: NewDesk, sender: Sender, services: Services
) -> None:
    many.failed_each(sender, 1)
    reference = made(operator)
    auditor = new_desk("andi", Role.AUDITOR, None)
    assert auditor.get(f"/resends/{reference}").status_code == 200
    assert auditor.get(f"/resends/{reference}/report.csv").status_code == 200
    assert auditor.get(NEW).status_code == 403
    assert "Tindakan" not in auditor.get(f"/resends/{reference}").text
    assert auditor.post(f"/resends/{reference}/cancel", {"reason": "x"}).status_code == 403


@pytest.mark.parametrize("role", [Role.HEALTH_WORKER, Role.FACILITY_LEAD])
def test_a_facility_s_staff_have_no_bulk_resends(new_desk: NewDesk, role: Role) -> None:
    desk = new_desk("lina", role)
    assert desk.get("/resends").status_code == 403
    assert "Kirim ulang" not in desk.get("/").text.partition("<nav")[2].partition("</nav>")[0]


@pytest.mark.parametrize("path", ["", "/rows?what=planned", "/report.csv"])
def test_what_is_not_there_is_404(operator: Desk, path: str) -> None:
    assert operator.get(f"/resends/0000000000{path}").status_code == 404


def test_rows_of_an_unknown_number_are_404(operator: Desk, sender: Sender) -> None:
    many.failed_each(sender, 1)
    assert operator.get(f"/resends/{made(operator)}/rows?what=secrets").status_code == 404


def test_long_lists_are_cut_into_pages(operator: Desk, sender: Sender, services: Services, clock: FakeClock) -> None:
    many.failed_each(sender, 1)
    for _ in range(51):
        clock.tick(seconds=1)
        bulk_resend.create(services, many.FAILED, at=None, reason="x", actor="test")
    first = operator.get("/resends").text
    assert first.count('data-label="Acuan"') == 50
    older = re.search(r'href="(/resends\?before=[0-9A-Z]+)"', first)
    assert older
    assert operator.get(older[1]).text.count('data-label="Acuan"') == 1


# ---------------------------------------------------------------- schedules

SCHEDULE = {"state": "undelivered", "span": "yesterday", "time_of_day": "09:00", "most": "2", "why": "tiap pagi"}


def schedule(desk: Desk, **changes: str) -> str:
    desk.get("/resends/schedules/new")
    response = desk.post("/resends/schedules/new", SCHEDULE | changes)
    assert response.status_code == 303, response.text
    return response.location.rpartition("/")[2].partition("?")[0]


def state_of(services: Services, reference: str) -> str:
    with services.db.read() as conn:
        found = bulk_schedules.find(conn, reference)
    assert found is not None
    return str(found.state)


def test_a_schedule_runs_once_a_second_person_said_yes(operator: Desk, supervisor: Desk, services: Services) -> None:
    reference = schedule(operator)
    assert state_of(services, reference) == ScheduleState.ASKED
    path = f"/resends/schedules/{reference}"
    operator.get(path)
    assert operator.post(f"{path}/approve").status_code == 403
    supervisor.get(path)
    assert supervisor.post(f"{path}/approve").status_code == 303
    assert "Selasa 24 November 09.00 WIB" in supervisor.get(path).text
    assert supervisor.post(f"{path}/approve").status_code == 409
    for deed, state in (("pause", "paused"), ("resume", "active"), ("end", "ended")):
        assert operator.post(f"{path}/{deed}", {"reason": ""}).status_code == 422
        assert operator.post(f"{path}/{deed}", {"reason": "perlu"}).status_code == 303
        assert state_of(services, reference) == state
        assert operator.post(f"{path}/{deed}", {"reason": "perlu"}).status_code == 409
    assert reference in operator.get("/resends/schedules").text


def test_nobody_approves_the_own_schedule(supervisor: Desk, services: Services) -> None:
    reference = schedule(supervisor)
    assert supervisor.post(f"/resends/schedules/{reference}/approve").status_code == 409
    assert state_of(services, reference) == ScheduleState.ASKED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time_of_day": "25:00"}, "Tulis jamnya"),
        ({"most": "0"}, "dari 1 sampai 9"),
        ({"most": "²"}, "dari 1 sampai 9"),
        ({"span": ""}, "Pilih hari yang dilihat"),
        ({"span": "always"}, "Pilih salah satu"),
        ({"why": ""}, "Tulis alasannya"),
    ],
)
def test_a_schedule_that_cannot_be_says_why(
    operator: Desk, services: Services, changes: dict[str, str], words: str
) -> None:
    operator.get("/resends/schedules/new")
    response = operator.post("/resends/schedules/new", SCHEDULE | {"lot": "LOT-7"} | changes)
    assert response.status_code == 422
    assert words in response.text
    assert 'value="LOT-7"' in response.text
    with services.db.read() as conn:
        assert bulk_schedules.listed(conn, 5) == []


def test_an_empty_list_of_schedules_says_what_one_is(operator: Desk) -> None:
    assert "setiap pagi pukul 09.00" in operator.get("/resends/schedules").text
