"""Requests of people on the staff's pages: what is shown to whom, and what is done."""

from __future__ import annotations

from typing import Any

import pytest

from notifier.access.roles import Role
from notifier.core.own_corrections import Field, Proof
from notifier.services import Services
from notifier.store import audit, notifications, own_corrections, persons
from notifier.support.own_corrections.asking import ask, send_evidence
from tests.support.test_photos import a_photo
from tests.web.staff.conftest import FACILITY, OTHER_FACILITY, Desk, NewDesk

REASON = {"reason": "KTP cocok"}


@pytest.fixture
def person_id(worker: Desk, services: Services) -> str:
    reference = worker.entered()
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
    assert row is not None
    return str(row.person_id)


@pytest.fixture
def wish(person_id: str, services: Services) -> str:
    """The reference of a request about the birth date."""
    return ask(services, person_id, Field.BIRTH_DATE, "1989-02-11", door="me", proved_by=Proof.OTP).reference


@pytest.fixture
def lead(new_desk: NewDesk) -> Desk:
    return new_desk("lia", Role.FACILITY_LEAD, FACILITY)


def row_of(services: Services, reference: str) -> Any:
    with services.db.read() as conn:
        return own_corrections.find(conn, reference, None)


def test_it_is_on_the_list_of_its_facility_and_on_the_work_list(wish: str, lead: Desk, new_desk: NewDesk) -> None:
    assert wish in lead.get("/requests").text
    assert "Minta datanya diperbaiki" in lead.get("/work").text
    stranger = new_desk("budi", Role.FACILITY_LEAD, OTHER_FACILITY)
    assert wish not in stranger.get("/requests").text
    assert stranger.get(f"/requests/{wish}").status_code == 404
    assert wish in new_desk("oki", Role.OPERATOR).get("/requests?state=review").text


def test_values_are_masked_until_somebody_says_why(
    wish: str, lead: Desk, new_desk: NewDesk, services: Services
) -> None:
    page = f"/requests/{wish}"
    assert "11 Februari 1989" not in lead.get(page).text
    assert lead.post(f"{page}/reveal", {"reason": ""}).status_code == 422
    told = lead.post(f"{page}/reveal", REASON).text
    assert "10 Februari 1989" in told
    assert "11 Februari 1989" in told
    with services.db.read() as conn:
        assert "correction.revealed" in {one.action for one in audit.of_subjects(conn, [row_of(services, wish).id])}
    seen = new_desk("ari", Role.AUDITOR).get(page).text
    assert "Tercatat" not in seen
    assert "Siti" not in seen


def test_a_photo_is_a_picture_in_one_answer_and_gone_after_the_decision(
    wish: str, person_id: str, lead: Desk, services: Services
) -> None:
    page = f"/requests/{wish}"
    assert lead.post(f"{page}/ask-evidence", REASON).status_code == 303
    send_evidence(services, person_id, wish, a_photo(), door="me")
    assert "Lihat foto kartu" in lead.get(page).text
    answer = lead.post(f"{page}/evidence", REASON)
    assert answer.content_type == "image/jpeg"
    assert "no-store" in answer.headers["Cache-Control"]
    assert lead.post(f"{page}/approve", REASON).status_code == 303
    assert lead.post(f"{page}/evidence", REASON).status_code == 409
    assert "Data diperbaiki" in lead.get(f"{page}?done=approve").text
    with services.db.read() as conn:
        born = persons.get(conn, services.sealer, person_id).birth_date
    assert str(born) == "1989-02-11"
    late = lead.post(f"{page}/refuse", REASON | {"why": "no-match"})
    assert late.status_code == 409
    assert "Petugas lain baru saja memutuskan" in late.text


def test_a_refusal_has_a_sentence_for_the_person(wish: str, lead: Desk, worker: Desk, services: Services) -> None:
    page = f"/requests/{wish}"
    assert lead.post(f"{page}/refuse", REASON).status_code == 422
    assert worker.post(f"{page}/refuse", REASON | {"why": "no-match"}).status_code == 403
    assert lead.post(f"{page}/refuse", REASON | {"why": "no-match"}).status_code == 303
    assert row_of(services, wish).refused_why == "no-match"
