"""Reports of a missing certificate at the staff's desks: who sees what, who answers, and what the reporter is told."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from PIL import Image

from notifier.access.roles import Role
from notifier.core.states import CaseOutcome, StepKind
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import audit, case_steps, doses
from notifier.support import follow_ups
from notifier.support.missing import answers, trackers, waiting
from tests.builders import NIK
from tests.canaries import stands_in
from tests.fakes import FakeClock, FakeGateway
from tests.support.missing.reporting import FACTS, PHONE, at_facility, case_of, reported, steps_of
from tests.web.staff.conftest import FACILITY, OTHER_FACILITY, Desk, NewDesk

WITH_NIK = replace(FACTS, nik=NIK, words="Saya sudah dua kali ke sana")


@pytest.fixture
def report(services: Services) -> str:
    return at_facility(services, FACILITY, WITH_NIK)


@pytest.fixture
def operator(new_desk: NewDesk) -> Desk:
    return new_desk("omar", Role.OPERATOR, None)


@pytest.fixture
def lead(new_desk: NewDesk) -> Desk:
    return new_desk("lia", Role.FACILITY_LEAD, FACILITY)


def sms_about_it(services: Services, gateway: FakeGateway) -> int:
    follow_ups.run(services)
    Sender(services).send_batch(100)
    return sum("/kasus/" in sms.text for sms in gateway.sent)


def test_the_facility_finds_it_on_its_list_its_work_list_and_its_home_page(worker: Desk, report: str) -> None:
    assert "Siti Aminah" in worker.get("/cases?kind=missing").text
    assert "menunggu jawaban: 1" in worker.get("/").text
    assert "/cases?kind=missing" in worker.get("/work").text


def test_another_facility_does_not_see_it(new_desk: NewDesk, report: str) -> None:
    stranger = new_desk("joko", Role.FACILITY_LEAD, OTHER_FACILITY)
    for path in (f"/cases/{report}", f"/cases/{report}/picture"):
        assert stranger.get(path).status_code == 404
    stranger.get("/cases")
    for deed in ("entered", "not-ours", "not-found", "end", "report"):
        assert stranger.post(f"/cases/{report}/{deed}", {"reason": "x", "why": "abuse"}).status_code == 404


def test_what_was_reported_is_masked_until_somebody_says_why(services: Services, lead: Desk, report: str) -> None:
    page = lead.get(f"/cases/{report}").text
    assert "0812••••90" in page
    for secret in (NIK, "10 Februari 1989", "0812-3456-7890"):
        assert secret not in page
    assert lead.post(f"/cases/{report}/report", {"reason": " "}).status_code == 422
    whole = lead.post(f"/cases/{report}/report", {"reason": "orangnya datang"}).text
    for told in (NIK, "10 Februari 1989", "0812-3456-7890"):
        assert told in whole
    with services.db.read() as conn:
        deeds = [row.action for row in audit.of_subjects(conn, [case_of(services, report).id])]
    assert "case.revealed" in deeds


def test_auditors_see_what_was_done_and_not_to_whom(new_desk: NewDesk, report: str) -> None:
    page = new_desk("adi", Role.AUDITOR, None).get(f"/cases/{report}").text
    assert "Kepada fasilitas" in page or "Kepada operator" in page
    for secret in ("Siti", "0812", "dua kali ke sana", "Menteng"):
        assert not stands_in(secret, page)


def test_the_picture_is_shown_to_whom_the_audit_names(services: Services, lead: Desk, worker: Desk) -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG")
    reference = at_facility(services, FACILITY, picture=out.getvalue())
    assert worker.get(f"/cases/{reference}/picture").status_code == 403
    shown = lead.get(f"/cases/{reference}/picture")
    assert (shown.mimetype, shown.data) == ("image/jpeg", out.getvalue())
    with services.db.read() as conn:
        rows = audit.of_subjects(conn, [case_of(services, reference).id])
    assert [row.actor.partition(":")[0] for row in rows if row.action == "case.picture-seen"] == ["staff"]


def test_entered_now_waits_for_the_dose_and_tells(
    services: Services, worker: Desk, gateway: FakeGateway, report: str
) -> None:
    before = sms_about_it(services, gateway)
    worker.get(f"/cases/{report}")
    done = worker.post(f"/cases/{report}/entered", {"words": "dicatat tadi pagi"})
    assert done.location == f"/cases/{report}?done=entered"
    assert "Terima kasih" in worker.get(done.location).text
    case = case_of(services, report)
    assert (case.status, case.waits_for) == ("open", "operators")
    assert sms_about_it(services, gateway) == before + 1


def test_not_ours_moves_to_the_facility_that_is_named(
    services: Services, new_desk: NewDesk, worker: Desk, report: str
) -> None:
    new_desk("joko", Role.FACILITY_LEAD, OTHER_FACILITY)
    worker.get(f"/cases/{report}")
    assert worker.post(f"/cases/{report}/not-ours", {"facility": "entah"}).status_code == 422
    assert worker.post(f"/cases/{report}/not-ours", {"facility": "puskesmas PKM-2"}).location == "/cases?done=not-ours"
    assert case_of(services, report).facility_id == OTHER_FACILITY
    assert worker.get(f"/cases/{report}").status_code == 404


def test_not_ours_without_a_name_goes_to_the_operators_who_find_one(
    services: Services, operator: Desk, worker: Desk, report: str
) -> None:
    worker.get(f"/cases/{report}")
    worker.post(f"/cases/{report}/not-ours", {"facility": ""})
    case = case_of(services, report)
    assert (case.facility_id, case.waits_for) == (FACILITY, "operators")
    operator.get(f"/cases/{report}")
    assert operator.post(f"/cases/{report}/assign", {"facility": ""}).status_code == 422
    assert operator.post(f"/cases/{report}/assign", {"facility": FACILITY}).status_code == 303
    assert steps_of(services, case.id)[-3:] == [StepKind.NOT_OURS, StepKind.TO_OPERATORS, StepKind.TO_FACILITY]


def test_not_found_goes_to_the_operators_who_close_and_tell_in_our_words(
    services: Services, operator: Desk, worker: Desk, gateway: FakeGateway
) -> None:
    made = reported(services, picture=b"jpeg")
    before = sms_about_it(services, gateway)
    with services.db.write() as conn:
        doses.remember_facility(conn, FACILITY, "Puskesmas pkm-1")
    operator.get(f"/cases/{made.reference}")
    operator.post(f"/cases/{made.reference}/assign", {"facility": FACILITY})
    worker.get(f"/cases/{made.reference}")
    worker.post(f"/cases/{made.reference}/not-found", {"reason": "sudah dicari di buku bulan ini"})
    assert "jawab" not in [step.kind for step in trackers.look(services, made.token).steps]
    operator.get(f"/cases/{made.reference}")
    assert operator.post(f"/cases/{made.reference}/end", {"reason": "x"}).status_code == 422
    ended = operator.post(f"/cases/{made.reference}/end", {"why": "no-record", "reason": "kata dokter Budi tidak ada"})
    assert ended.status_code == 303
    case = case_of(services, made.reference)
    assert (case.status, case.outcome) == ("closed", CaseOutcome.NOT_FOUND)
    seen = trackers.look(services, made.token)
    assert (seen.outcome, seen.steps[-1].detail) == (CaseOutcome.NOT_FOUND, "no-record")
    assert sms_about_it(services, gateway) == before + 1
    with services.db.read() as conn:
        assert not case_steps.has_picture(conn, case.id)
    assert operator.post(f"/cases/{made.reference}/entered", {}).status_code == 409


def test_of_two_who_answer_at_once_one_is_told(services: Services, report: str) -> None:
    def end(number: int) -> str:
        try:
            answers.close(
                services,
                report,
                only_facility=None,
                why=answers.CloseReason.NO_RECORD,
                reason="sudah dicari",
                actor=f"staff:{number}",
            )
        except answers.Refused as refused:
            return refused.reason
        return "closed"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(end, range(8))) == ["already-closed"] * 7 + ["closed"]


def test_the_facility_is_reminded_twice_then_operators_have_it(
    services: Services, clock: FakeClock, report: str
) -> None:
    case = case_of(services, report)
    for _ in range(3):
        clock.tick(days=2, seconds=1)
        waiting.run(services)
        waiting.run(services)
    assert steps_of(services, case.id)[2:] == [StepKind.REMINDED, StepKind.REMINDED, StepKind.TO_OPERATORS]
    assert case_of(services, report).waits_for == "operators"


def test_a_broken_promise_alarms_once_and_the_tracker_says_so(
    services: Services, clock: FakeClock, gateway: FakeGateway
) -> None:
    made = reported(services)
    before = sms_about_it(services, gateway)
    clock.tick(days=7, seconds=1)
    assert waiting.run(services) == 1
    assert waiting.run(services) == 0
    with services.db.read() as conn:
        rows = audit.of_subjects(conn, [made.case_id])
    assert [row.action for row in rows].count(waiting.BROKEN) == 1
    assert trackers.look(services, made.token).is_late
    assert sms_about_it(services, gateway) == before + 1


def test_staff_see_what_we_hold_that_may_be_meant(services: Services, worker: Desk, operator: Desk) -> None:
    message = worker.entered(nik=NIK, phone="0857-0000-2222", given_day="13")
    reference = reported(services, WITH_NIK).reference
    page = operator.get(f"/cases/{reference}").text
    assert message in page
    assert "Tercatat dengan nomor lain" in page
    assert "0857••••22" in page
    assert "tidak tercatat pada orang ini" in page
    assert PHONE not in page


def test_deeds_of_other_cases_do_nothing_to_a_report(services: Services, lead: Desk, report: str) -> None:
    lead.get(f"/cases/{report}")
    for deed in ("undo", "confirm", "unlock", "close", "reveal"):
        assert lead.post(f"/cases/{report}/{deed}", {"reason": "coba saja"}).status_code == 409
    assert case_of(services, report).status == "open"
