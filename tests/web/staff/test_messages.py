"""Messages: search, timeline, resend, cancel, whose they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifier.access.roles import Role
from notifier.core.states import State
from notifier.gateways import ErrorMeaning, Outcome, OutcomeClass, Receipt, ReceiptState
from notifier.messages import receipts
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import attempts, audit, caught, notifications
from notifier.support.timeline import timeline
from tests.fakes import FakeClock, FakeGateway
from tests.web.staff.conftest import OTHER_FACILITY, Desk, NewDesk


def row_of(services: Services, reference: str) -> notifications.Row:
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
    assert row is not None
    return row


@pytest.fixture
def sent(worker: Desk, services: Services, clock: FakeClock) -> str:
    """The reference of Siti's SMS, accepted by the provider."""
    reference = worker.entered()
    clock.tick(minutes=11)
    Sender(services).send_batch(10)
    assert row_of(services, reference).status == State.ACCEPTED
    return reference


def test_a_message_is_found_by_its_reference_however_it_is_typed(operator: Desk, sent: str) -> None:
    operator.get("/messages")
    typed = f" {sent[:5].lower()}-{sent[5:]} "
    response = operator.post("/messages", {"q": typed})
    assert (response.status_code, response.location) == (303, f"/messages/{sent}")


@pytest.mark.parametrize("number", ["0812-3456-7890", "+62 812 3456 7890", "081234567890"])
def test_messages_are_found_by_phone_and_the_number_never_stands_in_an_address(
    operator: Desk, sent: str, number: str
) -> None:
    operator.get("/messages")
    response = operator.post("/messages", {"q": number})
    assert response.status_code == 200
    assert sent in response.text
    assert "0812••••90" in response.text
    assert "3456-7890" not in response.text.replace(f'value="{number}"', "")


def test_a_number_without_messages_and_something_unreadable_get_their_own_words(operator: Desk) -> None:
    operator.get("/messages")
    assert "Belum pernah ada SMS untuk nomor itu" in operator.post("/messages", {"q": "0812-9999-8888"}).text
    response = operator.post("/messages", {"q": "0812-00"})
    assert response.status_code == 422
    assert "Tidak ada telepon dengan nomor ini" in response.text
    assert 'value="0812-00"' in response.text


def test_the_list_is_narrowed_by_state(operator: Desk, worker: Desk, sent: str) -> None:
    waiting = worker.entered(name="Wayan", nik="", phone="0812-3456-7891")
    assert sent in operator.get("/messages").text
    accepted, scheduled = (operator.get(f"/messages?state={state}").text for state in ("accepted", "scheduled"))
    assert (sent in accepted, waiting in accepted) == (True, False)
    assert (sent in scheduled, waiting in scheduled) == (False, True)
    assert operator.get("/messages?state=nonsense").status_code == 200


def test_a_long_list_goes_on_where_the_page_ends(operator: Desk, worker: Desk, clock: FakeClock) -> None:
    references = []
    for number in range(53):
        references.append(worker.entered(name="Wayan", nik="", phone=f"0812-3456-78{number:02}"))
    first = operator.get("/messages").text
    assert all(reference in first for reference in references[3:])
    assert not any(reference in first for reference in references[:3])
    rest = operator.get(f"/messages?before={references[3]}").text
    assert all(reference in rest for reference in references[:3])
    assert references[3] not in rest


def test_another_facilitys_message_is_not_there_for_a_health_worker(
    worker: Desk, new_desk: NewDesk, operator: Desk, services: Services, sent: str
) -> None:
    other = new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY)
    assert worker.get(f"/messages/{sent}").status_code == 200
    assert operator.get(f"/messages/{sent}").status_code == 200
    assert other.get(f"/messages/{sent}").status_code == 404
    for deed in ("resend", "cancel"):
        other.get("/messages")
        assert other.post(f"/messages/{sent}/{deed}", {"reason": "ingin tahu"}).status_code == 404
    assert sent not in other.get("/messages").text
    assert "Belum pernah ada SMS" in other.post("/messages", {"q": "0812-3456-7890"}).text
    assert "Tidak ditemukan" in other.post("/messages", {"q": sent}).text
    assert sent not in other.get("/").text
    with services.db.read() as conn:
        assert len(notifications.of_dose(conn, row_of(services, sent).dose_id)) == 1


def test_a_facility_lead_of_another_facility_cannot_reveal(new_desk: NewDesk, sent: str) -> None:
    lead = new_desk("made", Role.FACILITY_LEAD, OTHER_FACILITY)
    lead.get("/messages")
    assert lead.post(f"/messages/{sent}/reveal", {"reason": "ingin tahu"}).status_code == 404


def test_the_timeline_tells_the_whole_way(operator: Desk, services: Services, clock: FakeClock, sent: str) -> None:
    with services.db.read() as conn:
        row = row_of(services, sent)
        attempt = attempts.of_notification(conn, row.id)[0].reference
    clock.tick(minutes=1)
    receipts.apply(services, Receipt(attempt, row.provider_sid, ReceiptState.DELIVERED, "delivered"))
    seen = [entry.what for entry in timeline(services, sent).entries]
    assert seen == ["event-accepted", "planned", "attempt", "answer", "receipt"]
    page = operator.get(f"/messages/{sent}").text
    for words in ("Catatan dosis diterima", "SMS dijadwalkan", "Mulai dikirim", "Jawaban penyedia", "Sampai di ponsel"):
        assert words in page
    assert 'title="delivered"' in page
    assert "23 November 2026 10.11 WIB" in page
    assert "Siti Aminah" in page
    assert "0812••••90" in page
    assert "3456-7890" not in page


class _Explains(FakeGateway):
    def explain(self, code: str) -> ErrorMeaning | None:
        return ErrorMeaning(code, OutcomeClass.NUMBER_BAD, "The number cannot be reached.", "Ask for another.", "docs")


def test_a_providers_code_stands_with_its_meaning_and_advice(
    worker: Desk, services: Services, gateway: FakeGateway, clock: FakeClock
) -> None:
    gateway.answer = lambda message: Outcome(OutcomeClass.NUMBER_BAD, http_status=400, code="21614")
    object.__setattr__(gateway, "explain", _Explains().explain)
    reference = worker.entered()
    clock.tick(minutes=11)
    Sender(services).send_batch(10)
    page = worker.get(f"/messages/{reference}").text
    for words in ("21614", "The number cannot be reached.", "Ask for another.", "Gagal"):
        assert words in page


def test_a_resend_tomorrow_at_nine_goes_out_once_then_with_a_new_link(
    operator: Desk, services: Services, clock: FakeClock, gateway: FakeGateway, sent: str
) -> None:
    page = operator.get(f"/messages/{sent}").text
    assert "(WIB)" in page
    response = operator.post(
        f"/messages/{sent}/resend", {"when": "at", "at": "2026-11-24T09:00", "reason": "ponsel baru"}
    )
    new = response.location.partition("?")[0].rpartition("/")[2]
    assert response.status_code == 303
    assert "Selasa 24 November 09.00 WIB" in operator.get(response.location).text
    row = row_of(services, new)
    assert (row.generation, row.due_at) == (2, datetime(2026, 11, 24, 2, 0, tzinfo=UTC))
    assert row.link_id != row_of(services, sent).link_id

    clock.set(row.due_at - timedelta(seconds=1))
    Sender(services).send_batch(10)
    assert len(gateway.sent) == 1
    clock.tick(seconds=1)
    Sender(services).send_batch(10)
    Sender(services).send_batch(10)
    assert len(gateway.sent) == 2
    assert gateway.sent[0].text != gateway.sent[1].text
    operator.sign_in("oki")
    told = operator.get(f"/messages/{new}").text
    assert "ponsel baru" in told
    assert "Oki" in told


def test_a_cancelled_message_does_not_go(
    worker: Desk, services: Services, clock: FakeClock, gateway: FakeGateway
) -> None:
    reference = worker.entered()
    worker.get(f"/messages/{reference}")
    response = worker.post(f"/messages/{reference}/cancel", {"reason": "orang yang salah"})
    assert "Dibatalkan. SMS ini tidak akan dikirim." in worker.get(response.location).text
    clock.tick(minutes=20)
    Sender(services).send_batch(10)
    assert gateway.sent == []
    assert row_of(services, reference).status == State.CANCELLED


def test_a_message_that_is_held_back_waits_until_it_is_released(
    worker: Desk, services: Services, gateway: FakeGateway, clock: FakeClock
) -> None:
    reference = worker.entered()
    worker.get(f"/messages/{reference}")
    assert worker.post(f"/messages/{reference}/hold", {"reason": ""}).status_code == 422
    worker.post(f"/messages/{reference}/hold", {"reason": "nomor sedang ditanyakan"})
    page = worker.get(f"/messages/{reference}").text
    assert "Ditahan petugas" in page
    assert worker.post(f"/messages/{reference}/hold", {"reason": "lagi"}).status_code == 409
    clock.tick(minutes=20)
    Sender(services).send_batch(10)
    assert gateway.sent == []
    worker.post(f"/messages/{reference}/resend", {"reason": "nomornya benar", "when": "now"})
    Sender(services).send_batch(10)
    assert len(gateway.sent) == 1


def test_what_has_left_cannot_be_cancelled_and_says_so(operator: Desk, services: Services, sent: str) -> None:
    assert "Batalkan SMS ini" not in operator.get(f"/messages/{sent}").text
    response = operator.post(f"/messages/{sent}/cancel", {"reason": "terlambat"})
    assert response.status_code == 409
    assert "telanjur dikirim" in response.text
    assert row_of(services, sent).status == State.ACCEPTED


def test_a_resend_pressed_twice_makes_one(operator: Desk, services: Services, sent: str) -> None:
    operator.get(f"/messages/{sent}")
    form = {"when": "now", "reason": "ponsel baru"}
    assert operator.post(f"/messages/{sent}/resend", form).status_code == 303
    operator.get(f"/messages/{sent}")
    response = operator.post(f"/messages/{sent}/resend", form)
    assert response.status_code == 409
    assert "Masih ada SMS yang menunggu" in response.text
    with services.db.read() as conn:
        assert len(notifications.of_dose(conn, row_of(services, sent).dose_id)) == 2


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"when": "now", "reason": " "}, "Tulis alasannya"),
        ({"when": "at", "at": "", "reason": "ponsel baru"}, "Pilih tanggal dan jamnya"),
        ({"when": "at", "at": "2026-11-22T09:00", "reason": "ponsel baru"}, "sudah lewat"),
        ({"when": "at", "at": "2027-11-22T09:00", "reason": "ponsel baru"}, "60 hari"),
    ],
)
def test_a_resend_without_reason_or_time_is_asked_again(
    operator: Desk, services: Services, sent: str, form: dict[str, str], words: str
) -> None:
    operator.get(f"/messages/{sent}")
    response = operator.post(f"/messages/{sent}/resend", form)
    assert response.status_code == 422
    assert words in response.text
    with services.db.read() as conn:
        assert len(notifications.of_dose(conn, row_of(services, sent).dose_id)) == 1


def test_the_number_is_shown_for_a_reason_once_and_the_audit_knows(
    operator: Desk, services: Services, sent: str
) -> None:
    operator.get(f"/messages/{sent}")
    assert operator.post(f"/messages/{sent}/reveal", {"reason": " "}).status_code == 422
    response = operator.post(f"/messages/{sent}/reveal", {"reason": "telepon balik"})
    assert "0812-3456-7890" in response.text
    assert "0812-3456-7890" not in operator.get(f"/messages/{sent}").text
    with services.db.read() as conn:
        found = [row for row in audit.of_subjects(conn, [row_of(services, sent).id]) if row.action == "phone.revealed"]
    assert [row.detail["reason"] for row in found] == ["telepon balik"]
    assert found[0].actor.startswith("staff:")


def test_an_auditor_sees_what_happened_and_never_to_whom(new_desk: NewDesk, sent: str) -> None:
    auditor = new_desk("tuti", Role.AUDITOR, None)
    for path in ("/messages", f"/messages/{sent}"):
        page = auditor.get(path).text
        assert sent in page
        assert "Siti" not in page
        assert "••••" not in page
    assert auditor.post("/messages", {"q": "0812-3456-7890"}).status_code == 422


def test_holding_everything_stops_the_sending_until_released(
    new_desk: NewDesk, worker: Desk, services: Services, clock: FakeClock, gateway: FakeGateway
) -> None:
    boss = new_desk("boss", Role.SUPERVISOR, None)
    worker.entered()
    clock.tick(minutes=11)
    boss.get("/settings")
    assert boss.post("/settings/hold", {"reason": ""}).status_code == 422
    assert boss.post("/settings/hold", {"reason": "teks salah"}).status_code == 303
    Sender(services).send_batch(10)
    assert gateway.sent == []
    for desk in (worker, boss):
        assert "sedang ditahan" in desk.get("/").text
    page = boss.get("/settings").text
    assert "teks salah" in page
    assert "Boss" in page
    assert boss.post("/settings/release", {"reason": "teks sudah benar"}).status_code == 303
    Sender(services).send_batch(10)
    assert len(gateway.sent) == 1


def test_the_catcher_shows_the_sms_as_a_phone_would_with_a_live_link(
    worker: Desk, services: Services, clock: FakeClock
) -> None:
    assert "Belum ada SMS yang tertangkap" in worker.get("/catcher").text
    link = services.settings.public_url + "/c/" + "A1" * 16 + "Z"
    sms = caught.CaughtSms(
        "SM1",
        "attempt-1",
        "+6281234567890",
        f"Kemenkes: siap. Buka {link} lalu isi.",
        "GSM-7",
        1,
        clock.now(),
        None,
        None,
    )
    with services.db.write() as conn:
        caught.insert_many(conn, services.sealer, [sms])
    page = worker.get("/catcher").text
    assert f'<a href="{link}"' in page
    assert "Kemenkes: siap. Buka <a" in page
    assert "</a> lalu isi." in page
    assert "0812-3456-7890" in page
    assert "1 segmen" in page
    assert "GSM-7" in page
    assert 'http-equiv="refresh"' not in page
    assert 'http-equiv="refresh"' in worker.get("/catcher?live=1").text
