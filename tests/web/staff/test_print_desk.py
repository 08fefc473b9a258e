"""The print desk's pages: what a sheet shows, to whom, and that it is shown once."""

from __future__ import annotations

import io
import logging
import re

import pytest

from linkserver import create_staff_app
from notifier.access.roles import Role
from notifier.certificates.opening import LinkState, look
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.support.print_desk import MOST
from tests.canaries import stands_in
from tests.conftest import Build
from tests.drawn_codes import code_on
from tests.web.staff.conftest import OTHER_FACILITY, Desk, NewDesk, add_staff


def link_on(page: str) -> str:
    found = re.search(r'class="address">([^<]+)<', page)
    assert found
    return found[1]


def printed(desk: Desk, reference: str) -> str:
    desk.get(f"/doses/{reference}/print")
    response = desk.post(f"/doses/{reference}/print")
    assert response.status_code == 200, response.text
    return response.text


def test_making_a_sheet_is_asked_for_and_changes_nothing_before(worker: Desk, services: Services) -> None:
    reference = worker.entered()
    page = worker.get(f"/doses/{reference}/print").text
    assert "Buat lembar" in page
    assert f"masih dapat dibuat {MOST} lembar" in page
    assert "/c/" not in page


def test_the_sheet_bears_the_link_as_a_code_and_the_initial_alone(worker: Desk, services: Services) -> None:
    page = printed(worker, worker.entered())
    link = link_on(page)
    assert code_on(page) == link
    assert look(services, link.rpartition("/")[2]).state is LinkState.LIVE
    sheet = page.partition('class="sheet"')[2]
    assert "Sertifikat vaksin S. dosis 1" in sheet
    assert "Isi tanggal lahir penerima vaksin" in sheet
    for secret in ("Siti", "Aminah", "1989", "Februari 1989", "3174035002890009", "7890", "CoronaVac"):
        assert not stands_in(secret, page)


def test_the_sheet_is_kept_by_nobody_and_cannot_be_shown_again(worker: Desk, services: Services) -> None:
    reference = worker.entered()
    worker.get(f"/doses/{reference}/print")
    response = worker.post(f"/doses/{reference}/print")
    assert response.headers["Cache-Control"] == "no-store"
    token = link_on(response.text).rpartition("/")[2]
    for path in (f"/doses/{reference}/print", f"/messages/{reference}", "/doses", f"/doses/done/{reference}"):
        assert token not in worker.get(path).text
    again = link_on(printed(worker, reference))
    assert token not in again
    assert look(services, token).state is LinkState.REVOKED
    assert "Lembar dengan tautan dicetak" in worker.get(f"/messages/{reference}").text


def test_too_many_sheets_are_refused_with_words(worker: Desk) -> None:
    reference = worker.entered()
    for _ in range(MOST):
        printed(worker, reference)
    response = worker.post(f"/doses/{reference}/print")
    assert response.status_code == 409
    assert "sudah 5 lembar dibuat" in response.text
    assert "Buat lembar</button>" not in response.text


def test_another_facilitys_dose_is_not_there(worker: Desk, new_desk: NewDesk) -> None:
    reference = worker.entered()
    other = new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY)
    assert other.get(f"/doses/{reference}/print").status_code == 404
    assert other.post(f"/doses/{reference}/print").status_code == 404
    assert worker.post("/doses/0000000000/print").status_code == 404


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR])
def test_who_enters_no_doses_prints_no_links(worker: Desk, new_desk: NewDesk, role: Role) -> None:
    reference = worker.entered()
    desk = new_desk("other", role, None)
    assert desk.get(f"/doses/{reference}/print").status_code == 403
    assert desk.post(f"/doses/{reference}/print").status_code == 403


def test_no_sheet_without_the_forms_own_token(worker: Desk) -> None:
    reference = worker.entered()
    response = worker.client.post(f"/doses/{reference}/print")
    assert response.status_code == 400
    assert "/c/" not in response.text


def test_no_log_line_holds_the_link(worker: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = link_on(printed(worker, worker.entered())).rpartition("/")[2]
    said = io.StringIO()
    for record in caplog.records:
        said.write(f"{record.getMessage()} {record.__dict__}")
    assert token not in said.getvalue()


def test_where_no_birth_date_is_asked_the_sheet_asks_for_none(build_services: Build) -> None:
    services = build_services(link_check=LinkCheck.NONE)
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = Desk(create_staff_app(services).test_client())
    desk.sign_in("sari")
    page = printed(desk, desk.entered())
    assert "Isi tanggal lahir" not in page
    assert "Buka sertifikat" in page


def test_the_sheet_speaks_both_languages_whatever_the_workers_is(worker: Desk) -> None:
    reference = worker.entered()
    worker.get("/account")
    worker.post("/language", {"language": "en"})
    page = printed(worker, reference)
    assert "The sheet is ready to print" in page
    assert "Berlaku sampai 21 Februari 2027" in page
    assert "Valid until 21 February 2027" in page
