"""The staff's list of cases: whose it is, what is shown to whom, what is done and by whom."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from notifier.access.roles import Role
from notifier.core.states import CaseOutcome
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import audit, persons
from notifier.store.tables import support_case
from notifier.support.lockouts import report_birth_date
from notifier.support.not_me import say_not_me
from tests.canaries import stands_in
from tests.fakes import FakeClock, FakeGateway
from tests.web.staff.conftest import FACILITY, OTHER_FACILITY, Desk, NewDesk
from tests.web.staff.test_messages import row_of

REASON = {"reason": "sudah ditelepon"}


@pytest.fixture
def token(worker: Desk, services: Services, gateway: FakeGateway, clock: FakeClock) -> str:
    """The token in Siti's SMS, whose dose FACILITY typed."""
    worker.entered()
    clock.tick(minutes=11)
    Sender(services).send_batch(10)
    return services.links.sign(services.links.find_in(gateway.sent[0].text) or "")


@pytest.fixture
def wrong_number(services: Services, token: str) -> str:
    """The reference of a case about Siti's number."""
    say_not_me(services, token, address="198.51.100.7")
    return newest(services)


@pytest.fixture
def rejected(services: Services, token: str, clock: FakeClock) -> str:
    """The reference of a case about Siti's birth date; she is locked."""
    report_birth_date(services, token, address="198.51.100.7")
    with services.db.write() as conn:
        for _ in range(5):
            persons.count_wrong_try(conn, case_row(services).person_id, clock.now())
    return newest(services)


@pytest.fixture
def lead(new_desk: NewDesk) -> Desk:
    return new_desk("lia", Role.FACILITY_LEAD, FACILITY)


def case_row(services: Services) -> Any:
    with services.db.read() as conn:
        return conn.execute(support_case.select()).one()


def newest(services: Services) -> str:
    return str(case_row(services).reference)


def deeds(page: str) -> list[str]:
    return re.findall(r'action="/cases/\w+/(\w+)"', page)


def test_an_empty_list_says_what_would_be_here(lead: Desk) -> None:
    page = lead.get("/cases").text
    assert "Tidak ada kasus di sini" in page
    assert "Ini bukan untuk saya" in page


def test_the_rail_leads_to_the_list_and_the_list_to_the_case(lead: Desk, wrong_number: str) -> None:
    assert '<a href="/cases">Kasus</a>' in lead.get("/").text
    page = lead.get("/cases").text
    assert f'href="/cases/{wrong_number}"' in page
    assert all(words in page for words in ("Nomor salah?", "Siti Aminah", "Terbuka"))
    assert wrong_number not in lead.get("/cases?kind=birth-date-rejected").text
    assert wrong_number in lead.get("/cases?kind=not-me").text
    assert wrong_number not in lead.get("/cases?status=closed").text
    assert lead.get("/cases?kind=nonsense&status=nonsense&before=nonsense").status_code == 200


def test_the_start_page_says_how_many_wait_and_leads_there(lead: Desk, new_desk: NewDesk, wrong_number: str) -> None:
    assert '<a href="/cases">Kasus yang menunggu keputusan: 1</a>' in lead.get("/").text
    assert "menunggu keputusan" not in new_desk("made", Role.FACILITY_LEAD, OTHER_FACILITY).get("/").text
    lead.get(f"/cases/{wrong_number}")
    lead.post(f"/cases/{wrong_number}/undo", REASON)
    assert "menunggu keputusan" not in lead.get("/").text


def test_the_case_shows_the_facts_and_what_can_be_done(lead: Desk, wrong_number: str, services: Services) -> None:
    page = lead.get(f"/cases/{wrong_number}").text
    for words in ("Siti Aminah", "0812••••90", "tautan yang belum dimatikan: 1", "Penerima SMS memberi tahu"):
        assert words in page
    assert deeds(page) == ["confirm", "undo"]
    assert "3456-7890" not in page
    assert not [word for word in ("3174", "1989") if stands_in(word, page)]


def test_a_health_worker_sees_the_case_and_decides_nothing(worker: Desk, wrong_number: str) -> None:
    page = worker.get(f"/cases/{wrong_number}").text
    assert deeds(page) == []
    assert "Kepala fasilitas atau operator yang memutuskan kasus ini." in page
    assert worker.post(f"/cases/{wrong_number}/undo", REASON).status_code == 403


def test_an_auditor_sees_what_was_done_and_never_to_whom(new_desk: NewDesk, wrong_number: str, lead: Desk) -> None:
    lead.get(f"/cases/{wrong_number}")
    lead.post(f"/cases/{wrong_number}/undo", REASON)
    auditor = new_desk("ayu", Role.AUDITOR, None)
    for path in ("/cases?status=closed", f"/cases/{wrong_number}"):
        page = auditor.get(path).text
        assert wrong_number in page
        assert not [word for word in ("Siti", "Aminah", "0812") if stands_in(word, page)]
    assert "sudah ditelepon" in auditor.get(f"/cases/{wrong_number}").text


def test_another_facility_s_case_is_not_there(new_desk: NewDesk, wrong_number: str, operator: Desk) -> None:
    other = new_desk("made", Role.FACILITY_LEAD, OTHER_FACILITY)
    assert wrong_number not in other.get("/cases").text
    assert other.get(f"/cases/{wrong_number}").status_code == 404
    for deed in ("undo", "confirm", "unlock", "close", "reveal"):
        other.get("/cases")
        assert other.post(f"/cases/{wrong_number}/{deed}", REASON).status_code == 404
    assert operator.get(f"/cases/{wrong_number}").status_code == 200
    assert wrong_number in operator.get("/cases").text


@pytest.mark.parametrize(
    ("deed", "outcome", "words"),
    [("undo", CaseOutcome.UNDONE, "berjalan lagi"), ("confirm", CaseOutcome.CONFIRMED, "sudah dimatikan")],
)
def test_a_number_is_decided_about_with_a_reason_and_an_audit_row(
    lead: Desk, services: Services, wrong_number: str, deed: str, outcome: CaseOutcome, words: str
) -> None:
    lead.get(f"/cases/{wrong_number}")
    empty = lead.post(f"/cases/{wrong_number}/{deed}", {"reason": "  "})
    assert (empty.status_code, "Tulis alasannya" in empty.text) == (422, True)
    assert case_row(services).status == "open"
    response = lead.post(f"/cases/{wrong_number}/{deed}", REASON)
    assert (response.status_code, response.location) == (303, f"/cases/{wrong_number}?done={deed}")
    page = lead.get(response.location).text
    assert words in page
    assert "Lia" in page
    case = case_row(services)
    assert (case.outcome, case.closed_by[:6]) == (outcome, "staff:")
    with services.db.read() as conn:
        last = audit.of_subjects(conn, [case.id])[-1]
    assert (last.actor, last.detail["reason"]) == (case.closed_by, "sudah ditelepon")
    assert wrong_number in lead.get("/cases?status=closed").text


def test_the_second_of_two_who_decide_is_told(lead: Desk, operator: Desk, wrong_number: str) -> None:
    lead.get(f"/cases/{wrong_number}")
    operator.get(f"/cases/{wrong_number}")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda desk: desk.post(f"/cases/{wrong_number}/confirm", REASON), (lead, operator)))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    loser = next(answer for answer in answers if answer.status_code == 409)
    assert "Petugas lain baru saja menutup kasus ini" in loser.text
    assert deeds(loser.text) == ["undo"]


def test_a_rejected_birth_date_is_looked_at_with_a_reason_and_unlocked(
    lead: Desk, services: Services, rejected: str
) -> None:
    page = lead.get(f"/cases/{rejected}").text
    assert deeds(page) == ["unlock", "close", "reveal"]
    assert "terkunci" in page
    assert not stands_in("1989", page)
    assert lead.post(f"/cases/{rejected}/reveal", {"reason": ""}).status_code == 422
    shown = lead.post(f"/cases/{rejected}/reveal", REASON)
    assert "10 Februari 1989" in shown.text
    assert not stands_in("1989", lead.get(f"/cases/{rejected}").text)
    lead.post(f"/cases/{rejected}/unlock", REASON)
    with services.db.read() as conn:
        assert persons.get(conn, services.sealer, case_row(services).person_id).wrong_tries == 0
    assert case_row(services).outcome == CaseOutcome.CLOSED


def test_a_case_that_needs_nothing_is_closed_and_stays_closed(lead: Desk, services: Services, rejected: str) -> None:
    lead.get(f"/cases/{rejected}")
    assert lead.post(f"/cases/{rejected}/close", REASON).status_code == 303
    lead.get(f"/cases/{rejected}")
    assert lead.post(f"/cases/{rejected}/close", REASON).status_code == 409
    assert lead.post(f"/cases/{rejected}/confirm", REASON).status_code == 409
    with services.db.read() as conn:
        assert persons.get(conn, services.sealer, case_row(services).person_id).wrong_tries == 5


def test_without_a_csrf_token_nothing_is_done(lead: Desk, services: Services, wrong_number: str) -> None:
    answer = lead.client.post(f"/cases/{wrong_number}/undo", data=REASON)
    assert (answer.status_code, case_row(services).status) == (400, "open")


def test_a_case_that_waits_too_long_stands_out(lead: Desk, wrong_number: str, clock: FakeClock) -> None:
    assert "Terlambat" not in lead.get("/cases").text
    clock.tick(days=2, minutes=1)
    lead.sign_in("lia")
    assert "Terlambat" in lead.get("/cases").text


def test_a_long_list_goes_on_where_the_page_ends(operator: Desk, services: Services, clock: FakeClock) -> None:
    from tests.builders import a_certificate
    from tests.store.test_cases import opened

    references = []
    for _ in range(53):
        row = opened(services, a_certificate(services))
        assert row is not None
        references.append(row.reference)
        clock.tick(seconds=1)
    first = operator.get("/cases").text
    assert [reference in first for reference in references] == [False] * 3 + [True] * 50
    rest = operator.get(f"/cases?before={references[3]}").text
    assert [reference in rest for reference in references[:4]] == [True] * 3 + [False]


@pytest.mark.parametrize("reference", ["0000000000", "x", "%00", "a" * 500, "' OR 1=1 --"])
def test_a_case_that_does_not_exist_is_not_found(operator: Desk, reference: str) -> None:
    assert operator.get(f"/cases/{reference}").status_code == 404


def test_a_locked_person_is_unlocked_from_their_message(
    lead: Desk, worker: Desk, services: Services, rejected: str
) -> None:
    reference = re.findall(r'href="/messages/(\w+)"', lead.get(f"/cases/{rejected}").text)[0]
    page = lead.get(f"/messages/{reference}").text
    assert "terkunci" in page
    worker.get("/messages")
    assert worker.post(f"/messages/{reference}/unlock", REASON).status_code == 403
    assert "/unlock" not in worker.get(f"/messages/{reference}").text
    lead.get(f"/messages/{reference}")
    assert lead.post(f"/messages/{reference}/unlock", {"reason": ""}).status_code == 422
    done = lead.post(f"/messages/{reference}/unlock", REASON)
    assert done.status_code == 303
    page = lead.get(done.location).text
    assert "5 kesempatan lagi" in page
    assert "Kunci dibuka" in page  # and in the timeline
    assert lead.post(f"/messages/{reference}/unlock", REASON).status_code == 409
    with services.db.read() as conn:
        assert persons.get(conn, services.sealer, row_of(services, reference).person_id).locked_at is None


def test_a_paused_link_shows_on_its_message(lead: Desk, wrong_number: str) -> None:
    reference = re.findall(r'href="/messages/(\w+)"', lead.get(f"/cases/{wrong_number}").text)[0]
    assert "dihentikan sementara" in lead.get(f"/messages/{reference}").text


def test_english_says_the_same(lead: Desk, wrong_number: str) -> None:
    lead.get("/cases")
    lead.post("/language", {"language": "en", "next": "/cases"})
    page = lead.get(f"/cases/{wrong_number}").text
    assert all(words in page for words in ("Wrong number?", "The number is somebody else", "Whoever got the SMS said"))


def test_a_due_time_is_two_days_away(services: Services, wrong_number: str) -> None:
    case = case_row(services)
    assert case.due_at - case.opened_at == timedelta(days=2)
