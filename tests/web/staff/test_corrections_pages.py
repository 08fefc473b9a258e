"""Corrections at the desk: typed, read back, confirmed; what is shown to whom; two at once; resends looked at first."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.access.roles import Role
from notifier.core.states import Reason, State
from notifier.gateways import Outcome, OutcomeClass
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import audit, certificates, doses, notifications, persons
from notifier.store.tables import event
from tests.canaries import stands_in
from tests.fakes import FakeClock, FakeGateway
from tests.web.staff.conftest import OTHER_FACILITY, SITI, Desk, NewDesk

CHECKED = {"checked": "id-card", "checked_words": ""}


def row_of(services: Services, reference: str) -> notifications.Row:
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
    assert row is not None
    return row


def person_of(services: Services, reference: str) -> persons.Person:
    with services.db.read() as conn:
        return persons.get(conn, services.sealer, row_of(services, reference).person_id)


def revision_at(desk: Desk, path: str) -> str:
    found = re.search(r'name="revision" value="([^"]+)"', desk.get(path).text)
    assert found
    return found[1]


def form_at(desk: Desk, path: str, **changes: str) -> dict[str, str]:
    """What the form at `path` would send, with what is changed in it."""
    page = desk.get(path).text.partition('name="revision"')[2]
    revision = re.search(r'value="([^"]+)"', page)
    assert revision
    typed = dict(re.findall(r'<input id="(\w+)" name="\w+" value="([^"]*)"', page))
    return typed | {"revision": revision[1]} | CHECKED | changes


def events_in(services: Services) -> int:
    with services.db.read() as conn:
        return conn.scalar(sa.select(sa.func.count()).select_from(event)) or 0


@pytest.fixture
def waiting(worker: Desk) -> str:
    """The reference of Siti's SMS, which waits."""
    return worker.entered()


@pytest.fixture
def sent(worker: Desk, services: Services, clock: FakeClock) -> str:
    reference = worker.entered()
    clock.tick(minutes=11)
    Sender(services).send_batch(10)
    return reference


def test_a_wrong_number_fixed_before_the_sms_leaves_gets_none_and_the_right_one_gets_one(
    worker: Desk, services: Services, clock: FakeClock, gateway: FakeGateway, waiting: str
) -> None:
    form = form_at(worker, f"/doses/{waiting}/number", phone="0812 9876 5432")
    asked = worker.post(f"/doses/{waiting}/number", form | {"step": "check"})
    assert asked.status_code == 200
    assert '<p class="echo">0812-9876-5432</p>' in asked.text
    assert "belum dikirim" in asked.text
    assert person_of(services, waiting).phone == "+6281234567890"
    response = worker.post(f"/doses/{waiting}/number", form | {"step": "save"})
    assert (response.status_code, response.location) == (303, f"/messages/{waiting}?done=corrected")
    assert "Sudah diperbaiki. SMS dikirim Senin 23 November 10.10 WIB." in worker.get(response.location).text
    clock.tick(minutes=11)
    Sender(services).send_batch(10)
    Sender(services).send_batch(10)
    assert [sms.to for sms in gateway.sent] == ["+6281298765432"]


def test_a_failed_number_is_fixed_with_a_new_message_and_a_new_link(
    worker: Desk, services: Services, clock: FakeClock, gateway: FakeGateway
) -> None:
    gateway.answer = lambda _: Outcome(OutcomeClass.NUMBER_BAD, code="21614")
    reference = worker.entered()
    clock.tick(minutes=11)
    Sender(services).send_batch(10)
    gateway.answer = gateway.accept
    form = form_at(worker, f"/doses/{reference}/number", phone="0812 9876 5432")
    assert "Satu SMS dengan tautan baru" in worker.post(f"/doses/{reference}/number", form | {"step": "check"}).text
    response = worker.post(f"/doses/{reference}/number", form | {"step": "save"})
    new = response.location.partition("?")[0].rpartition("/")[2]
    assert new != reference
    assert row_of(services, new).generation == 2
    told = worker.get(f"/messages/{reference}").text
    assert "Data diperbaiki petugas" in told
    assert "Nomor ponsel" in told
    assert "KTP atau kartu keluarga" in told
    clock.tick(minutes=11)
    Sender(services).send_batch(10)
    assert [sms.to for sms in gateway.sent] == ["+6281234567890", "+6281298765432"]


def test_the_old_links_are_counted_before_and_dead_after(worker: Desk, services: Services, sent: str) -> None:
    form = form_at(worker, f"/doses/{sent}/number", phone="0812 9876 5432")
    assert "Tautan yang dimatikan: 1." in worker.post(f"/doses/{sent}/number", form | {"step": "check"}).text
    worker.post(f"/doses/{sent}/number", form | {"step": "save"})
    with services.db.read() as conn:
        link = certificates.load_links(conn, [row_of(services, sent).link_id]).popitem()[1]
    assert link.revoke_reason == Reason.NUMBER_CHANGED


def test_a_number_that_others_have_is_said(worker: Desk, waiting: str) -> None:
    worker.entered(name="Wayan", nik="", phone="0812-9876-5432")
    form = form_at(worker, f"/doses/{waiting}/number", phone="0812-9876-5432")
    assert (
        "dipakai orang lain yang tercatat: 1." in worker.post(f"/doses/{waiting}/number", form | {"step": "check"}).text
    )


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"phone": ""}, "phone", "Tulis nomor ponsel"),
        ({"phone": "021-7654321"}, "phone", "bukan nomor ponsel"),
        ({"phone": "besok"}, "phone", "Tulis nomor ponsel"),
        ({"phone": "0812-3456-7890"}, "phone", "sama dengan yang tercatat"),
        ({"checked": ""}, "checked", "Pilih bagaimana"),
        ({"checked": "guess"}, "checked", "Pilih bagaimana"),
        ({"checked": "other"}, "checked_words", "Tulis bagaimana diperiksa"),
        ({"checked_words": "x" * 301}, "checked_words", "Terlalu panjang"),
    ],
)
@pytest.mark.parametrize("step", ["check", "save"])
def test_a_bad_number_form_says_what_to_type_and_keeps_what_was(
    worker: Desk, services: Services, waiting: str, changes: dict[str, str], field: str, words: str, step: str
) -> None:
    form = form_at(worker, f"/doses/{waiting}/number", **({"phone": "0812-9876-5432"} | changes))
    response = worker.post(f"/doses/{waiting}/number", form | {"step": step})
    assert response.status_code == 422
    beside = re.search(rf'<p class="problem" id="{field}-problem">([^<]*)</p>', response.text)
    assert beside
    assert words in beside[1]
    anchor = re.search(r'role="alert".*?<a href="#([\w-]+)"', response.text, re.DOTALL)
    assert anchor
    assert f'id="{anchor[1]}"' in response.text
    assert f'value="{form["phone"]}"' in response.text
    assert events_in(services) == 1


def test_whoever_typed_the_dose_today_sees_it_and_a_day_later_nobody_does(
    worker: Desk, operator: Desk, clock: FakeClock, waiting: str
) -> None:
    secrets = (SITI["nik"], "0812-3456-7890", 'name="birth_year" value="1989"')
    page = worker.get(f"/doses/{waiting}/correct").text
    assert all(secret in page for secret in secrets)
    masked = operator.get(f"/doses/{waiting}/correct").text
    assert not any(secret in masked for secret in secrets)
    assert "0812••••90" in masked
    assert "3174••••••••0009" in masked
    clock.tick(hours=24)
    worker.sign_in("sari")
    page = worker.get(f"/doses/{waiting}/correct").text
    assert not any(secret in page for secret in secrets)
    assert "Siti Aminah" in page


def test_who_recognised_a_person_by_the_card_does_not_get_to_see_their_number(
    worker: Desk, new_desk: NewDesk, waiting: str
) -> None:
    elsewhere = new_desk("wati", Role.HEALTH_WORKER, OTHER_FACILITY)
    second = elsewhere.entered(name="", phone="", number="2")  # NIK and birth date alone: the rest is on record
    page = elsewhere.get(f"/doses/{second}/correct").text
    assert "0812••••90" in page
    assert "0812-3456-7890" not in page
    assert worker.get(f"/doses/{waiting}/correct").text.count("0812-3456-7890") == 1


def test_an_operator_sees_the_data_for_a_reason_and_the_audit_knows(
    operator: Desk, services: Services, waiting: str
) -> None:
    operator.get(f"/doses/{waiting}/correct")
    assert operator.post(f"/doses/{waiting}/reveal", {"reason": " "}).status_code == 422
    page = operator.post(f"/doses/{waiting}/reveal", {"reason": "KTP di depan saya"}).text
    assert SITI["nik"] in page
    assert SITI["nik"] not in operator.get(f"/doses/{waiting}/correct").text
    with services.db.read() as conn:
        told = audit.of_subjects(conn, [row_of(services, waiting).dose_id])
    assert [row.detail for row in told if row.action == "dose.revealed"] == [{"reason": "KTP di depan saya"}]


def test_a_worker_cannot_reveal_at_all(worker: Desk, waiting: str) -> None:
    worker.get(f"/doses/{waiting}/correct")
    assert worker.post(f"/doses/{waiting}/reveal", {"reason": "ingin tahu"}).status_code == 403


def test_what_changes_is_shown_old_and_new_before_it_is_saved(worker: Desk, services: Services, waiting: str) -> None:
    form = form_at(worker, f"/doses/{waiting}/correct", lot="BX-9", given_day="22", birth_day="11")
    page = worker.post(f"/doses/{waiting}/correct", form | {"step": "check"}).text
    changes = page.partition('class="changes"')[2].partition("</table>")[0]
    for words in ("BX-2201", "BX-9", "10 Februari 1989", "11 Februari 1989", "23 November 2026", "22 November 2026"):
        assert words in changes
    assert "CoronaVac" not in changes
    assert "Tanggal lahir di dalam NIK berbeda" in page
    assert worker.post(f"/doses/{waiting}/correct", form | {"step": "save"}).status_code == 303
    with services.db.read() as conn:
        shot = doses.get(conn, row_of(services, waiting).dose_id)
    assert (shot.lot, shot.given_on.day) == ("BX-9", 22)


def test_an_operator_changes_what_is_typed_and_nothing_that_was_left_empty(
    operator: Desk, services: Services, waiting: str
) -> None:
    form = form_at(operator, f"/doses/{waiting}/correct", name="Siti Aminah Rahma")
    assert form["nik"] == ""
    page = operator.post(f"/doses/{waiting}/correct", form | {"step": "check"}).text
    assert "Siti Aminah Rahma" in page
    assert SITI["nik"] not in page
    assert operator.post(f"/doses/{waiting}/correct", form | {"step": "save"}).status_code == 303
    person = person_of(services, waiting)
    assert (person.name, person.nik, person.phone) == ("Siti Aminah Rahma", SITI["nik"], "+6281234567890")


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({}, "", "Semuanya sama"),
        ({"name": ""}, "name", "Tulis nama"),
        ({"nik": "123"}, "nik", "16 angka"),
        ({"birth_year": "84"}, "birth_date", "4 angka"),
        ({"phone": "021-7654321"}, "phone", "bukan nomor ponsel"),
        ({"number": ""}, "number", "dosis keberapa"),
        ({"number": "dua"}, "number", "angka saja"),
        ({"number": "3"}, "series_total", "tidak boleh kurang"),
        ({"product": ""}, "product", "nama vaksin"),
        ({"given_day": "31", "given_month": "2"}, "given_on", "tidak punya tanggal ini"),
        ({"given_year": "1988"}, "given_on", "lebih awal"),
        ({"given_day": "", "given_month": "", "given_year": ""}, "given_on", "Tulis tanggal"),
        ({"checked": ""}, "checked", "Pilih bagaimana"),
    ],
)
def test_a_bad_correction_says_what_to_type_and_writes_nothing(
    worker: Desk, services: Services, waiting: str, changes: dict[str, str], field: str, words: str
) -> None:
    form = form_at(worker, f"/doses/{waiting}/correct", **changes)
    for step in ("check", "save"):
        response = worker.post(f"/doses/{waiting}/correct", form | {"step": step})
        assert response.status_code == 422, step
        band = response.text.partition('role="alert"')[2].partition("</div>")[0]
        assert words in band
        if field:
            assert f'id="{field}-problem"' in response.text
    assert events_in(services) == 1


def test_two_of_name_birth_date_and_nik_are_another_person_and_say_so(
    worker: Desk, services: Services, waiting: str
) -> None:
    form = form_at(worker, f"/doses/{waiting}/correct", name="Budi", birth_year="1990")
    response = worker.post(f"/doses/{waiting}/correct", form | {"step": "save"})
    assert response.status_code == 422
    assert "dua berarti orang lain" in response.text
    assert person_of(services, waiting).name == "Siti Aminah"


def test_of_two_clerks_the_second_sees_what_changed_meanwhile(
    worker: Desk, new_desk: NewDesk, services: Services, waiting: str
) -> None:
    other = new_desk("budi", Role.HEALTH_WORKER)
    path = f"/doses/{waiting}/correct"
    mine, theirs = form_at(worker, path, lot="BX-1"), form_at(other, path, lot="BX-2")
    assert other.post(path, theirs | {"step": "save"}).status_code == 303
    worker.get("/account")
    for step in ("check", "save"):
        response = worker.post(path, mine | {"step": step})
        assert response.status_code == 409
        for words in ("baru saja berubah", "Budi", "Nomor batch", "BX-1", "BX-2"):
            assert words in response.text
    with services.db.read() as conn:
        assert doses.get(conn, row_of(services, waiting).dose_id).lot == "BX-2"


def test_a_form_that_was_sent_twice_is_saved_once(worker: Desk, services: Services, sent: str) -> None:
    form = form_at(worker, f"/doses/{sent}/number", phone="0812 9876 5432") | {"step": "save"}
    first, second = (worker.post(f"/doses/{sent}/number", form) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.location == second.location
    assert events_in(services) == 2


@pytest.mark.parametrize("revision", ["", "0", "x" * 500, "'; --", "\0", "1.ff"])
def test_a_revision_that_we_did_not_make_changes_nothing(
    worker: Desk, services: Services, waiting: str, revision: str
) -> None:
    form = form_at(worker, f"/doses/{waiting}/number", phone="0812 9876 5432") | {"revision": revision, "step": "save"}
    assert worker.post(f"/doses/{waiting}/number", form).status_code == 409
    assert worker.post(f"/doses/{waiting}/withdraw", {"revision": revision, "reason": "x"}).status_code == 409
    assert events_in(services) == 1


def test_going_back_keeps_what_was_typed(worker: Desk, waiting: str) -> None:
    form = form_at(worker, f"/doses/{waiting}/correct", lot="BX-9", name="")
    response = worker.post(f"/doses/{waiting}/correct", form | {"step": "edit"})
    assert response.status_code == 200
    assert 'value="BX-9"' in response.text
    assert 'class="problem"' not in response.text


def test_a_dose_is_withdrawn_for_a_reason_and_then_stands_still(
    worker: Desk, services: Services, clock: FakeClock, gateway: FakeGateway, waiting: str
) -> None:
    path = f"/doses/{waiting}/withdraw"
    form = {"revision": revision_at(worker, path)}
    assert worker.post(path, form | {"reason": " "}).status_code == 422
    response = worker.post(path, form | {"reason": "salah orang"})
    assert "Dosis ditarik." in worker.get(response.location).text
    assert worker.post(path, form | {"reason": "salah orang"}).status_code == 303  # the same press again
    clock.tick(minutes=20)
    Sender(services).send_batch(10)
    assert gateway.sent == []
    for other in ("number", "correct", "withdraw"):
        response = worker.get(f"/doses/{waiting}/{other}")
        assert response.status_code == 409
        assert "sudah ditarik" in response.text
    told = worker.get(f"/messages/{waiting}").text
    assert "Dosis ditarik petugas" in told
    assert "salah orang" in told


def test_a_dose_of_another_facility_is_not_there(
    worker: Desk, new_desk: NewDesk, services: Services, waiting: str
) -> None:
    lead = new_desk("made", Role.FACILITY_LEAD, OTHER_FACILITY)
    for what in ("number", "correct", "withdraw"):
        assert lead.get(f"/doses/{waiting}/{what}").status_code == 404
        lead.get("/account")
        form: dict[str, Any] = {"step": "save", "phone": "0812-9876-5432", "reason": "x", "revision": "1.0"} | CHECKED
        assert lead.post(f"/doses/{waiting}/{what}", form).status_code == 404
    assert lead.post(f"/doses/{waiting}/reveal", {"reason": "x"}).status_code == 404
    assert lead.post(f"/messages/{waiting}/revoke", {"reason": "x"}).status_code == 404
    assert events_in(services) == 1


def test_without_the_token_of_the_page_nothing_is_done(worker: Desk, services: Services, waiting: str) -> None:
    form = form_at(worker, f"/doses/{waiting}/number", phone="0812 9876 5432")
    for path in (f"/doses/{waiting}/number", f"/doses/{waiting}/correct", f"/doses/{waiting}/withdraw"):
        assert worker.client.post(path, data=form | {"step": "save", "reason": "x"}).status_code == 400
    assert events_in(services) == 1


def test_links_are_turned_off_for_a_reason_and_the_timeline_says_so(
    operator: Desk, services: Services, clock: FakeClock, gateway: FakeGateway, sent: str
) -> None:
    operator.get(f"/messages/{sent}")
    assert operator.post(f"/messages/{sent}/revoke", {"reason": ""}).status_code == 422
    response = operator.post(f"/messages/{sent}/revoke", {"scope": "person", "reason": "ponsel dicuri"})
    page = operator.get(response.location).text
    assert "Tautan sudah dimatikan" in page
    assert "Tautan dimatikan petugas" in page
    assert "ponsel dicuri" in page
    operator.get(f"/messages/{sent}")
    assert operator.post(f"/messages/{sent}/revoke", {"reason": "lagi"}).status_code == 409
    Sender(services).send_batch(10)
    assert len(gateway.sent) == 1


def test_a_worker_cannot_turn_links_off_and_their_lead_can(worker: Desk, new_desk: NewDesk, sent: str) -> None:
    worker.get(f"/messages/{sent}")
    assert worker.post(f"/messages/{sent}/revoke", {"reason": "ponsel dicuri"}).status_code == 403
    lead = new_desk("bu-kepala", Role.FACILITY_LEAD)
    lead.get(f"/messages/{sent}")
    assert lead.post(f"/messages/{sent}/revoke", {"reason": "ponsel dicuri"}).status_code == 303


def test_a_resend_is_looked_at_before_it_is_planned(operator: Desk, services: Services, sent: str) -> None:
    form = {"when": "at", "at": "2026-11-24T21:00", "reason": "ponsel baru", "step": "preview"}
    operator.get(f"/messages/{sent}")
    assert operator.post(f"/messages/{sent}/resend", form | {"reason": ""}).status_code == 422
    page = operator.post(f"/messages/{sent}/resend", form).text
    for words in (
        "0812••••90", "Rabu 25 November 08.00 WIB", "Digeser ke jam kirim", "1 segmen", "Sertifikat vaksin S. dosis 1",
        "tetap berlaku: 1.", "ponsel baru",
    ):  # fmt: skip
        assert words in page
    assert "3456-7890" not in page
    assert "xxxxxxxx" not in page
    with services.db.read() as conn:
        assert len(notifications.of_dose(conn, row_of(services, sent).dose_id)) == 1
    assert operator.post(f"/messages/{sent}/resend", form | {"step": "send"}).status_code == 303


def test_the_preview_counts_the_segments_that_the_message_then_has(
    operator: Desk, services: Services, clock: FakeClock, gateway: FakeGateway, sent: str
) -> None:
    operator.get(f"/messages/{sent}")
    page = operator.post(f"/messages/{sent}/resend", {"when": "now", "reason": "x", "step": "preview"}).text
    units = re.search(r"(\d+) segmen, (\d+) karakter", page)
    assert units
    operator.post(f"/messages/{sent}/resend", {"when": "now", "reason": "x", "step": "send"})
    Sender(services).send_batch(10)
    assert len(gateway.sent) == 2
    assert (int(units[1]), int(units[2])) == (gateway.sent[1].segments, len(gateway.sent[1].text))


def test_a_second_resend_within_fifteen_minutes_is_refused_with_the_time(
    operator: Desk, services: Services, clock: FakeClock, sent: str
) -> None:
    for _ in range(2):
        operator.get(f"/messages/{sent}")
        response = operator.post(f"/messages/{sent}/resend", {"when": "now", "reason": "lagi"})
        Sender(services).send_batch(10)
        clock.tick(minutes=5)
    assert response.status_code == 409
    assert "paling sedikit 15 menit" in response.text
    assert "Dapat dikirim mulai Senin 23 November 10.26 WIB." in response.text
    preview = operator.post(f"/messages/{sent}/resend", {"when": "now", "reason": "lagi", "step": "preview"})
    assert preview.status_code == 409
    clock.tick(minutes=15)
    operator.get(f"/messages/{sent}")
    assert operator.post(f"/messages/{sent}/resend", {"when": "now", "reason": "lagi"}).status_code == 303


def test_what_was_typed_stands_in_no_address_and_no_audit(worker: Desk, services: Services, waiting: str) -> None:
    form = form_at(worker, f"/doses/{waiting}/correct", name="Siti Kenari", phone="0812-9876-5432")
    worker.post(f"/doses/{waiting}/correct", form | {"step": "check"})
    response = worker.post(f"/doses/{waiting}/correct", form | {"step": "save"})
    assert not stands_in("9876", response.location)
    with services.db.read() as conn:
        told = str([tuple(row) for row in audit.of_subjects(conn, [row_of(services, waiting).dose_id])])
        ids = str(list(conn.scalars(sa.select(event.c.event_id))))
    for secret in ("Kenari", "98765432", SITI["nik"]):
        assert secret not in told
        assert secret not in ids
    assert row_of(services, waiting).status == State.SCHEDULED
    assert row_of(services, waiting).due_at - row_of(services, waiting).created_at == timedelta(minutes=10)
