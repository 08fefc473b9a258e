"""The facility's list: stages and their counts, what needs help, whose list it is."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from notifier.access.roles import Role
from notifier.core.ids import new_id
from notifier.core.states import CaseKind, Reason, State
from notifier.gateways import Outcome, OutcomeClass, Receipt, ReceiptState
from notifier.messages import receipts
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import attempts, cases, doses, notifications
from notifier.support import unknown
from tests.fakes import FakeClock, FakeGateway
from tests.web.staff.conftest import FACILITY, OTHER_FACILITY, Desk, NewDesk


def row_of(services: Services, reference: str) -> notifications.Row:
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
    assert row is not None
    return row


def send(services: Services, clock: FakeClock) -> None:
    clock.tick(minutes=11)
    Sender(services).send_batch(100)


def entered(desk: Desk, number: int, **changes: str) -> str:
    return desk.entered(**({"name": f"Orang{number}", "nik": "", "phone": f"0812-3456-78{number:02}"} | changes))


def arrives(services: Services, reference: str) -> None:
    row = row_of(services, reference)
    with services.db.read() as conn:
        attempt = attempts.of_notification(conn, row.id)[0].reference
    receipts.apply(services, Receipt(attempt, row.provider_sid, ReceiptState.DELIVERED, "delivered"))


def chip(page: str, words: str) -> str:
    """The count on a chip."""
    found = re.search(
        rf'aria-current="true"[^>]*>{words} <b class="num">(\d+)</b>|>{words} <b class="num">(\d+)</b>', page
    )
    assert found, page
    return found[1] or found[2]


@pytest.fixture
def four(worker: Desk, services: Services, gateway: FakeGateway, clock: FakeClock) -> dict[str, str]:
    """One message that arrived, one that failed, one that nobody can send, one that waits."""
    arrived = entered(worker, 1)
    send(services, clock)
    arrives(services, arrived)
    failed = entered(worker, 2)
    gateway.answer = lambda _: Outcome(OutcomeClass.PERMANENT, code="30005")
    send(services, clock)
    gateway.answer = gateway.accept
    none = entered(worker, 3, phone="", no_phone="1")
    waiting = entered(worker, 4)
    return {"arrived": arrived, "failed": failed, "none": none, "waiting": waiting}


def test_each_stage_is_counted_and_leads_to_its_doses(worker: Desk, four: dict[str, str]) -> None:
    page = worker.get("/doses").text
    assert [chip(page, words) for words in ("Semua", "Menunggu atau di jalan", "Sampai", "Perlu dibantu")] == [
        "4", "1", "1", "2",
    ]  # fmt: skip
    for stage, wanted in (
        ("", {"arrived", "failed", "none", "waiting"}),
        ("waiting", {"waiting"}),
        ("arrived", {"arrived"}),
        ("help", {"failed", "none"}),
        ("nonsense", {"arrived", "failed", "none", "waiting"}),
    ):
        shown = worker.get(f"/doses?stage={stage}").text
        assert {name for name, reference in four.items() if f"/messages/{reference}" in shown} == wanted


def test_beside_what_another_number_helps_is_one_tap_to_it(worker: Desk, four: dict[str, str]) -> None:
    page = worker.get("/doses").text
    for name, reference in four.items():
        assert (f'href="/doses/{reference}/number"' in page) == (name in {"failed", "none"})
    assert f'href="/doses/{four["waiting"]}/correct"' in page


def test_what_needs_help_is_there_for_two_weeks_and_no_longer(
    worker: Desk, four: dict[str, str], clock: FakeClock
) -> None:
    clock.tick(days=13)
    worker.sign_in("sari")
    assert four["failed"] not in worker.get("/doses").text
    page = worker.get("/doses/help").text
    assert four["failed"] in page
    assert four["none"] in page
    assert four["arrived"] not in page
    clock.tick(days=1, minutes=1)
    worker.sign_in("sari")
    assert "Tidak ada yang perlu dibantu" in worker.get("/doses/help").text


def test_a_resend_that_waits_takes_the_dose_off_the_list(
    worker: Desk, four: dict[str, str], services: Services
) -> None:
    worker.get("/account")
    assert worker.post(f"/messages/{four['failed']}/resend", {"reason": "sudah ditelepon"}).status_code == 303
    assert four["failed"] not in worker.get("/doses/help").text
    assert chip(worker.get("/doses").text, "Perlu dibantu") == "1"


def test_held_and_unknown_ask_until_somebody_decides(
    worker: Desk, services: Services, gateway: FakeGateway, clock: FakeClock
) -> None:
    gateway.answer = lambda _: Outcome(OutcomeClass.UNKNOWN)
    doubtful = entered(worker, 1)
    send(services, clock)
    assert row_of(services, doubtful).status == State.UNKNOWN
    page = worker.get("/doses/help").text
    assert doubtful in page
    assert "Putuskan" in page
    unknown.leave(services, doubtful, reason="the person has it", actor="staff:x")
    assert doubtful not in worker.get("/doses/help").text
    waiting = entered(worker, 2)
    with services.db.write() as conn:
        notifications.move(
            conn,
            [row_of(services, waiting).id],
            State.HELD,
            old=[State.SCHEDULED],
            at=clock.now(),
            reason=Reason.PAST_DUE,
        )
    assert waiting in worker.get("/doses/help").text


def test_a_withdrawn_dose_is_shown_as_such_and_needs_no_help(worker: Desk, four: dict[str, str]) -> None:
    worker.get(f"/doses/{four['failed']}/withdraw")
    page = worker.get(f"/doses/{four['failed']}/withdraw").text
    revision = re.search(r'name="revision" value="([^"]+)"', page)
    assert revision
    worker.post(f"/doses/{four['failed']}/withdraw", {"revision": revision[1], "reason": "salah orang"})
    assert four["failed"] not in worker.get("/doses/help").text
    page = worker.get("/doses").text
    assert "Dosis ditarik" in page
    assert f"/doses/{four['failed']}/number" not in page


def test_a_long_list_goes_on_where_the_page_ends(
    worker: Desk, services: Services, clock: FakeClock, gateway: FakeGateway
) -> None:
    references = [entered(worker, number, phone="", no_phone="1") for number in range(53)]
    for path in ("/doses", "/doses/help", "/doses?stage=help"):
        first = worker.get(path).text
        assert all(reference in first for reference in references[3:])
        assert not any(reference in first for reference in references[:3])
        following = re.search(r'<p><a href="([^"]+)">Lebih lama', first)
        assert following
        rest = worker.get(following[1].replace("&amp;", "&")).text
        assert all(reference in rest for reference in references[:3])
        assert not any(reference in rest for reference in references[3:])
        assert "Lebih lama" not in rest
    for rubbish in ("nonsense", "' OR 1=1", "0" * 500, new_id()):
        assert worker.get("/doses", query_string={"before": rubbish}).status_code == 200
        assert worker.get("/doses/help", query_string={"before": rubbish, "day": "x"}).status_code == 200


def test_another_facilitys_list_is_not_there_for_its_workers(
    worker: Desk, new_desk: NewDesk, four: dict[str, str]
) -> None:
    other = new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY)
    assert other.get(f"/doses?facility={FACILITY}").status_code == 404
    assert other.get(f"/doses/help?facility={FACILITY}").status_code == 404
    assert other.get(f"/doses?facility={OTHER_FACILITY}").status_code == 200
    for path in ("/doses", "/doses/help", "/doses?find=pkm"):
        page = other.get(path).text
        assert not any(reference in page for reference in four.values())
    assert "Puskesmas pkm-1" not in other.get("/doses?find=pkm").text


def test_an_operator_finds_a_facility_by_a_part_of_its_name_and_sees_its_list(
    operator: Desk, worker: Desk, four: dict[str, str]
) -> None:
    assert "Tulis sebagian namanya" in operator.get("/doses").text
    page = operator.get("/doses", query_string={"find": "MAS pkm"}).text
    assert f'href="/doses?facility={FACILITY}"' in page
    shown = operator.get(f"/doses?facility={FACILITY}").text
    assert all(reference in shown for reference in four.values())
    assert f"/doses/help?facility={FACILITY}" in shown
    assert f"stage=help&amp;facility={FACILITY}" in shown or f"facility={FACILITY}&amp;stage=help" in shown
    assert "Catat dosis" not in shown
    assert four["none"] in operator.get(f"/doses/help?facility={FACILITY}").text
    assert operator.get("/doses?facility=nowhere").status_code == 404


@pytest.mark.parametrize("words", ["%", "_", "\\", "'", "x" * 5000, "\0", "   ", "%00"])
def test_no_words_of_a_search_break_it_or_stand_for_everything(operator: Desk, worker: Desk, words: str) -> None:
    entered(worker, 1)
    response = operator.get("/doses", query_string={"find": words})
    assert response.status_code == 200
    assert f"facility={FACILITY}" not in response.text


def test_who_said_that_it_is_not_for_them_stands_on_the_facilitys_list_alone(
    worker: Desk, new_desk: NewDesk, operator: Desk, services: Services, clock: FakeClock
) -> None:
    reference = entered(worker, 1)
    row = row_of(services, reference)
    with services.db.write() as conn:
        case = cases.insert_new(
            conn,
            kind=CaseKind.NOT_ME,
            opened_at=clock.now(),
            due_at=clock.now() + timedelta(days=2),
            person_id=row.person_id,
            facility_id=doses.get(conn, row.dose_id).facility_id,
            phone_index=b"x" * 16,
        )
    assert case is not None
    for desk, path in ((worker, "/doses"), (worker, "/doses/help"), (operator, f"/doses?facility={FACILITY}")):
        page = desk.get(path).text
        assert f"/cases/{case.reference}" in page
        assert "Orang1" in page
    other = new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY)
    assert case.reference not in other.get("/doses").text


def test_nobody_reads_the_list_without_the_right(new_desk: NewDesk) -> None:
    auditor = new_desk("tuti", Role.AUDITOR, None)
    assert auditor.get("/doses").status_code == 403
    assert auditor.get(f"/doses/help?facility={FACILITY}").status_code == 403


def test_the_words_of_an_empty_list_say_what_would_be_there(worker: Desk) -> None:
    for path, words in (
        ("/doses", "Belum ada dosis pada hari ini"),
        ("/doses?stage=arrived", "Tidak ada dosis di tahap ini"),
        ("/doses?stage=help", "Tidak ada yang perlu dibantu pada hari ini"),
        ("/doses/help", "Tidak ada yang perlu dibantu"),
    ):
        assert words in worker.get(path).text
