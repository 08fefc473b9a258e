"""The search box, and a person's page: masked by default, whole for a reason, a call noted, whose it is."""

from __future__ import annotations

import logging

import pytest

from notifier.access.roles import Role
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import audit, certificates, notifications
from notifier.store.tables import person_call
from tests.fakes import FakeClock
from tests.web.staff.conftest import OTHER_FACILITY, Desk, NewDesk

NIK = "3174035002890009"


@pytest.fixture
def sent(worker: Desk, services: Services, clock: FakeClock) -> str:
    """The reference of Siti's SMS, accepted by the provider."""
    reference = worker.entered()
    clock.tick(minutes=11)
    Sender(services).send_batch(10)
    return reference


def searched(desk: Desk, q: str, **more: str) -> str:
    desk.get("/messages")
    response = desk.post("/messages", {"q": q} | more)
    assert response.status_code == 200, response.text
    return response.text


@pytest.mark.parametrize("typed", [NIK, "siti", "AMINAH siti", "0812-3456-7890"])
def test_a_person_is_found_masked_with_the_newest_messages_state(operator: Desk, sent: str, typed: str) -> None:
    page = searched(operator, typed)
    for words in ("Siti Aminah", "3174••••••••0009", "0812••••90", "1989", f"/persons/{sent}", 'title="accepted"'):
        assert words in page
    told = page.replace(f'value="{typed}"', "")
    assert not [secret for secret in (NIK, "3456-7890", "1989-02-10", "10 Februari") if secret in told]


def test_what_is_searched_for_stands_in_no_address_and_no_log(
    operator: Desk, sent: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        searched(operator, NIK)
        searched(operator, "Siti", birth_year="1989")
    assert not [text for text in (NIK, "Siti") if text in caplog.text]
    assert operator.get("/messages?q=Siti").text.count("Siti") == operator.get("/messages").text.count("Siti")


def test_a_certificates_number_leads_to_its_person(operator: Desk, services: Services, sent: str) -> None:
    with services.db.read() as conn:
        row = notifications.find(conn, sent)
        assert row is not None
        number = certificates.get(conn, row.certificate_id).number
    operator.get("/messages")
    response = operator.post("/messages", {"q": number.lower()})
    assert (response.status_code, response.location) == (303, f"/persons/{sent}")
    assert number in operator.get(f"/persons/{sent}").text


def test_many_of_one_name_are_asked_to_be_narrowed_and_what_was_typed_is_kept(operator: Desk, worker: Desk) -> None:
    for number in range(51):
        worker.entered(name="Wayan Sudira", nik="", phone=f"0812-3456-78{number:02}", birth_year=str(1980 + number % 2))
    page = searched(operator, "wayan")
    assert "Lebih dari 50 orang cocok" in page
    assert '<details class="narrow-more" open>' in page
    narrowed = searched(operator, "wayan", birth_year="1981")
    assert "Lebih dari 50" not in narrowed
    assert 'name="birth_year" value="1981"' in narrowed
    assert narrowed.count("Wayan Sudira") == 25


def test_a_bad_year_or_facility_is_told_beside_its_field(operator: Desk, sent: str) -> None:
    operator.get("/messages")
    response = operator.post("/messages", {"q": "siti", "birth_year": "89", "facility": ""})
    assert response.status_code == 422
    assert 'id="birth_year-problem"' in response.text
    assert 'value="siti"' in response.text
    response = operator.post("/messages", {"q": "siti", "facility": "Entah"})
    assert 'id="facility-problem"' in response.text
    assert operator.post("/messages", {"q": ""}).status_code == 422


def test_a_facility_is_found_by_a_word_of_its_name_and_opens_its_people(operator: Desk, sent: str) -> None:
    page = searched(operator, "puskesmas")
    assert "Puskesmas pkm-1" in page
    assert "Siti Aminah" in searched(operator, "", facility="pkm-1")


def test_nothing_found_says_what_to_try(operator: Desk, sent: str) -> None:
    for typed, words in (("Zulkarnaen", "Tulis kata yang utuh"), ("3174035002890008", "NIK ini tidak tercatat")):
        assert words in searched(operator, typed)
    assert "Tidak ada nomor acuan" in searched(operator, "7K3M9QXT2B")


def test_an_auditor_searches_by_reference_alone(new_desk: NewDesk, sent: str) -> None:
    auditor = new_desk("tuti", Role.AUDITOR, None)
    for typed in ("siti", NIK, "0812-3456-7890", "puskesmas"):
        auditor.get("/messages")
        response = auditor.post("/messages", {"q": typed, "facility": "pkm-1"})
        assert response.status_code == 422
        assert "Siti Aminah" not in response.text
        assert sent not in response.text
    assert auditor.post("/messages", {"q": sent}).location == f"/messages/{sent}"
    assert auditor.get(f"/persons/{sent}").status_code == 403


def test_the_page_of_a_person_shows_everything_masked(operator: Desk, sent: str) -> None:
    page = operator.get(f"/persons/{sent}").text
    for words in (
        "Siti Aminah",
        "3174••••••••0009",
        "0812••••90",
        "1989",
        "CoronaVac, dosis 1 dari 2",
        "Puskesmas pkm-1",
        "Catatan dosis diterima",
        "Jawaban penyedia SMS",
        "Sari",
        f"/messages/{sent}",
    ):
        assert words in page
    assert not [secret for secret in (NIK, "3456-7890", "10 Februari") if secret in page]
    newest, oldest = (operator.get(f"/persons/{sent}{order}").text for order in ("", "?order=oldest"))
    first, last = "Catatan dosis diterima", "Jawaban penyedia SMS"
    assert newest.index(last) < newest.index(first)
    assert oldest.index(first) < oldest.index(last)
    assert operator.get(f"/persons/{sent}?dose=1").text.count("<li><p class") > 0
    for rubbish in ("dose=9", "dose=x", "dose=²", "dose=99999999999999999999", "order=sideways", "dose=-1"):
        assert operator.get(f"/persons/{sent}?{rubbish}").status_code == 200


@pytest.mark.parametrize(
    ("what", "whole", "action"),
    [
        ("phone", "0812-3456-7890", "phone.revealed"),
        ("nik", NIK, "nik.revealed"),
        ("birth-date", "10 Februari 1989", "birth-date.revealed"),
    ],
)
def test_each_datum_is_whole_in_one_answer_for_a_reason(
    operator: Desk, services: Services, sent: str, what: str, whole: str, action: str
) -> None:
    path = f"/persons/{sent}"
    operator.get(path)
    response = operator.post(path + "/reveal", {"what": what, "reason": " "})
    assert response.status_code == 422
    assert whole not in response.text
    response = operator.post(path + "/reveal", {"what": what, "reason": "telepon balik"})
    others = {"0812-3456-7890", NIK, "10 Februari 1989"} - {whole}
    assert whole in response.text
    assert not [secret for secret in others if secret in response.text]
    assert response.headers["Cache-Control"].startswith("no-store")
    assert whole not in operator.get(path).text
    with services.db.read() as conn:
        row = notifications.find(conn, sent)
        assert row is not None
        found = [one for one in audit.of_subjects(conn, [row.person_id]) if one.action == action]
    assert [one.detail for one in found] == [{"reason": "telepon balik"}]
    assert "telepon balik" in operator.get(path).text


def test_something_else_is_not_revealed(operator: Desk, sent: str) -> None:
    operator.get(f"/persons/{sent}")
    assert operator.post(f"/persons/{sent}/reveal", {"what": "name", "reason": "x"}).status_code == 404


def test_a_call_is_noted_and_a_long_number_is_not(operator: Desk, services: Services, sent: str) -> None:
    path = f"/persons/{sent}"
    operator.get(path)
    response = operator.post(path + "/calls", {"kind": "number", "note": "nomor baru 0813-1111-2222 ya"})
    assert response.status_code == 422
    assert "Hapus NIK, nomor ponsel, dan tanggal" in response.text
    assert "nomor baru 0813-1111-2222 ya</textarea>" in response.text
    assert operator.post(path + "/calls", {"kind": "", "note": ""}).status_code == 422
    with services.db.read() as conn:
        assert conn.execute(person_call.select()).all() == []
    response = operator.post(path + "/calls", {"kind": "number", "note": "akan <b>datang</b> besok"})
    assert response.status_code == 303
    page = operator.get(response.location).text
    for words in ("Telepon dicatat", "Nomornya lain atau salah", "akan &lt;b&gt;datang&lt;/b&gt; besok", "Oki"):
        assert words in page


def test_another_facilitys_person_is_not_there_and_no_form_works(new_desk: NewDesk, sent: str) -> None:
    lead = new_desk("made", Role.FACILITY_LEAD, OTHER_FACILITY)
    lead.get("/messages")
    assert lead.get(f"/persons/{sent}").status_code == 404
    for path, form in (("reveal", {"what": "nik", "reason": "x"}), ("calls", {"kind": "other", "note": ""})):
        assert lead.post(f"/persons/{sent}/{path}", form).status_code == 404
    assert "Siti Aminah" not in searched(lead, "siti")
    assert "Siti Aminah" not in searched(lead, "siti", facility="pkm-1")


def test_nothing_is_done_without_the_forms_own_token(operator: Desk, sent: str) -> None:
    for path, form in (
        ("/messages", {"q": "siti"}),
        (f"/persons/{sent}/reveal", {"what": "nik", "reason": "x"}),
        (f"/persons/{sent}/calls", {"kind": "other"}),
    ):
        assert operator.client.post(path, data=form).status_code == 400


def test_what_somebody_typed_as_a_reason_is_text_and_never_markup(operator: Desk, sent: str) -> None:
    operator.get(f"/messages/{sent}")
    typed = "<b>ponsel</b> \0 baru"
    response = operator.post(f"/messages/{sent}/resend", {"when": "now", "reason": typed})
    assert response.status_code == 303
    for path in (f"/persons/{sent}", response.location):
        page = operator.get(path).text
        assert "&lt;b&gt;ponsel&lt;/b&gt; baru" in page
        assert "<b>ponsel" not in page
