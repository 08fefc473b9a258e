"""Programme settings and SMS texts in the browser: who may, what is said beside a field, two at once, history."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from linkserver.staff.vocabulary import SMS_FAULTS
from notifier.access.roles import PERMISSIONS, Permission, Role
from notifier.messages import own_text
from notifier.services import Services
from notifier.support import programme, sms_texts
from tests.web.staff.conftest import Desk, NewDesk

FORM = {"delay_hours": "", "quiet_hours": "", "person_daily_cap": "", "hold_after_hours": "", "why": "bulan puasa"}
TEXT = "/settings/texts/id/certificate"
OWN = "((pengirim)): Sertifikat ((inisial)) siap. Buka ((tautan)) lalu isi tanggal lahir"


@pytest.fixture
def boss(new_desk: NewDesk) -> Desk:
    return new_desk("rini", Role.ADMINISTRATOR, None)


def save(desk: Desk, **changes: Any) -> Any:
    """As somebody who looks at the page now does it."""
    page = desk.get("/settings").text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    assert revision
    return desk.post("/settings/programme", FORM | {"revision": revision[1]} | changes)


def test_only_an_administrator_writes() -> None:
    assert {role for role in Role if Permission.SETTINGS_WRITE in PERMISSIONS[role]} == {Role.ADMINISTRATOR}


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR])
def test_others_read_values_texts_and_history_without_a_form(boss: Desk, new_desk: NewDesk, role: Role) -> None:
    assert save(boss, delay_hours="2").status_code == 303
    reader = new_desk("siti", role, None)
    page = reader.get("/settings").text
    assert "Hanya administrator yang dapat mengubahnya." in page
    assert 'name="delay_hours"' not in page
    assert "diatur di halaman ini; nilai server 0" in page
    assert "bulan puasa" in page
    text = reader.get(TEXT)
    assert text.status_code == 200
    assert "<textarea" not in text.text
    for path in ("/settings/programme", TEXT):
        assert reader.post(path, FORM | {"revision": "1", "step": "save", "text": OWN}).status_code == 403


def test_a_facilitys_staff_see_no_settings(worker: Desk) -> None:
    assert worker.get("/settings").status_code == 403
    assert worker.get(TEXT).status_code == 403


def test_a_saved_value_is_in_force_and_stands_in_the_history(boss: Desk, services: Services) -> None:
    response = save(boss, delay_hours="2,5", quiet_hours="21:00-07:00")
    assert (response.status_code, response.location) == (303, "/settings?done=saved")
    page = boss.get(response.location).text
    assert "Tersimpan. Berlaku di semua pekerja dalam 10 detik." in page
    assert 'value="2.5"' in page
    assert "nilai server → <b>2.5</b>" in page
    assert "Rini · bulan puasa" in page
    assert services.programme.delay_hours == 2.5


def test_faults_stand_beside_their_fields_and_what_was_typed_is_kept(boss: Desk, services: Services) -> None:
    response = save(boss, delay_hours="99", quiet_hours="malam", person_daily_cap="<b>", hold_after_hours="5", why="")
    assert response.status_code == 422
    page = response.text
    for name, words in (
        ("delay_hours", "Tulis 0 sampai 48 jam"),
        ("quiet_hours", "Tulis misalnya 20:00-08:00"),
        ("person_daily_cap", "Tulis angka dari 1 sampai 1000"),
    ):
        assert f'id="{name}-problem">{words}' in page
        assert re.search(rf'id="{name}"[^>]* aria-invalid="true"', page)
    assert all(f'value="{kept}"' in page for kept in ("99", "malam", "&lt;b&gt;", "5"))
    assert services.programme.revision == 0
    assert 'id="why-problem">Tulis alasannya' in save(boss, delay_hours="1", why=" ").text


def test_the_second_of_two_editors_is_told_what_changed(boss: Desk, services: Services, new_desk: NewDesk) -> None:
    boss.get("/settings")
    other = new_desk("dewi", Role.ADMINISTRATOR, None)
    assert save(other, delay_hours="4", why="libur").status_code == 303
    response = boss.post("/settings/programme", FORM | {"revision": "0", "delay_hours": "1"})
    assert response.status_code == 409
    assert "Setelan baru saja diubah orang lain" in response.text
    assert re.search(r"Dewi, .*: Jeda sebelum SMS, dalam jam nilai server → 4 \(libur\)", response.text)
    assert 'id="delay_hours" name="delay_hours" value="1"' in response.text
    assert services.programme.delay_hours == 4
    assert save(boss, delay_hours="1").status_code == 303
    assert services.programme.delay_hours == 1


@pytest.mark.parametrize("revision", ["", "x", "-1", "٣", "9" * 400, "1e3", None])
def test_a_form_without_a_readable_version_saves_nothing(boss: Desk, services: Services, revision: str | None) -> None:
    boss.get("/settings")
    form = FORM | {"delay_hours": "1"} | ({} if revision is None else {"revision": revision})
    assert boss.post("/settings/programme", form).status_code == 409
    assert services.programme.revision == 0


def test_saving_nothing_new_is_said(boss: Desk) -> None:
    response = save(boss)
    assert response.status_code == 409
    assert "Tidak ada yang berubah" in response.text


def test_without_the_csrf_token_nothing_is_saved(boss: Desk, services: Services) -> None:
    boss.get("/settings")
    for path in ("/settings/programme", TEXT):
        form = FORM | {"csrf_token": "", "revision": "0", "delay_hours": "1", "step": "save", "text": OWN}
        assert boss.post(path, form).status_code == 400
    assert services.reader.read_now().revision == 0
    assert services.programme.texts == {}


def test_a_text_is_shown_with_its_cost_before_it_is_saved(boss: Desk, services: Services) -> None:
    page = boss.get(TEXT).text
    assert "Teks bawaan dipakai" in page
    response = boss.post(TEXT, {"step": "preview", "revision": "0", "text": OWN})
    assert response.status_code == 200
    assert re.search(r"Kemenkes: Sertifikat S\. siap\. Buka \S+ lalu isi tanggal lahir</p>", response.text)
    assert re.search(r"Paling panjang \d+ tanda, 1 segmen per SMS", response.text)
    assert services.reader.read_now().texts == {}


def test_a_text_is_saved_used_and_given_back(boss: Desk, services: Services) -> None:
    boss.get(TEXT)
    form = {"revision": "0", "text": OWN, "reason": "lebih pendek"}
    assert boss.post(TEXT, form | {"step": "save"}).location == "/settings?done=text"
    assert services.programme.texts == {"id/certificate": OWN}
    page = boss.get(TEXT).text
    assert "Teks program dipakai" in page
    assert "Rini · lebih pendek" in page
    response = boss.post(TEXT, {"revision": "1", "step": "reset", "reason": "kembali"})
    assert response.location == "/settings?done=reset"
    assert "Kembali ke teks bawaan." in boss.get(response.location).text
    assert services.programme.texts == {}


def test_a_text_with_faults_names_each_and_is_kept_in_the_form(boss: Desk, services: Services) -> None:
    boss.get(TEXT)
    typed = "klik <script>alert(1)</script> ((<b>)) “((tautan))"
    for step in ("preview", "save"):
        response = boss.post(TEXT, {"step": step, "revision": "0", "text": typed, "reason": "coba"})
        assert response.status_code == (200 if step == "preview" else 422)
        page = html.unescape(response.text)
        for words in ("bernama ((<b>))", "Sebut pengirimnya", "Beri spasi sebelum", "Ditemukan: klik", "biasa: “"):
            assert words in page, words
        assert "<script>" not in response.text
        assert "((&lt;b&gt;))" in response.text
        assert typed in page
    assert services.programme.texts == {}


def test_a_reason_is_asked_for_and_the_text_is_kept(boss: Desk, services: Services) -> None:
    boss.get(TEXT)
    response = boss.post(TEXT, {"step": "save", "revision": "0", "text": OWN, "reason": " "})
    assert response.status_code == 422
    assert 'id="reason-problem">Tulis alasannya' in response.text
    assert OWN in response.text
    assert services.programme.texts == {}


def test_the_second_who_changes_a_text_is_told(boss: Desk, services: Services) -> None:
    boss.get(TEXT)
    one = sms_texts.find(services, "id", "certificate")
    sms_texts.save(services, one, OWN, base=0, reason="lebih dulu", actor="test")
    response = boss.post(TEXT, {"step": "save", "revision": "0", "text": OWN + " Anda", "reason": "coba"})
    assert response.status_code == 409
    assert "Teks ini baru saja diubah orang lain" in response.text
    assert "(lebih dulu)" in response.text
    assert OWN + " Anda</textarea>" in response.text
    assert services.programme.texts == {"id/certificate": OWN}


@pytest.mark.parametrize("path", ["/settings/texts/fr/certificate", "/settings/texts/id/otp", "/settings/texts/x/y"])
def test_a_text_that_is_not_there_is_404(boss: Desk, path: str) -> None:
    assert boss.get(path).status_code == 404
    assert boss.post(path, {"step": "save", "revision": "0", "text": OWN, "reason": "x"}).status_code == 404


def test_two_segments_are_warned_of(boss: Desk) -> None:
    boss.get(TEXT)
    page = boss.post(TEXT, {"step": "preview", "text": OWN + " dan simpan pesan ini baik-baik ya" * 2}).text
    assert "Dua segmen: setiap SMS dibayar dua kali." in page


def test_every_fault_of_a_text_has_words() -> None:
    samples = ["", "x" * 601, "((a", "((tautan)) ((tautan)) 08123456789 x.id klik segera ((a)) “", "(( tautan ))."]
    samples += ["((pengirim)) ((tautan)) " + "panjang " * 60]
    found = {
        fault.rule
        for text in samples
        for bears_link in (True, False)
        for fault in own_text.check(
            text, language="id", sender="Kemenkes", link="https://x.id/c/" + "x" * 33, bears_link=bears_link
        ).faults
    }
    assert found == set(SMS_FAULTS)


def test_the_history_is_bounded(boss: Desk, services: Services) -> None:
    for place in range(programme.HISTORY + 5):
        programme.change(services, {"delay_hours": str(place + 1)}, base=place, reason="uji", actor="test")
    page = boss.get("/settings").text
    assert page.count("<li><p>Jeda sebelum SMS") == programme.HISTORY
    assert "24 → <b>25</b>" in page
