"""Dead letters in the browser: what is wrong, opened for a reason, corrected and taken, discarded."""

from __future__ import annotations

import html
import json
from typing import Any

import pytest

from notifier.access.roles import Role
from notifier.core.errors import BadInput
from notifier.core.states import DeadLetterStatus
from notifier.intake import readers
from notifier.intake.record import Door, dead_letter
from notifier.services import Services
from notifier.store import dead_letters
from tests.builders import event_json
from tests.canaries import stands_in
from tests.web.staff.conftest import Desk, NewDesk

BAD = event_json(dose={"number": 0})


def buried(services: Services, body: dict[str, Any] = BAD) -> str:
    raw = json.dumps(body).encode()
    with pytest.raises(BadInput) as caught:
        readers.from_json(services, raw)
    dead_letter(services, door=Door.STREAM, body=raw, problems=caught.value.problems)
    with services.db.read() as conn:
        return str(dead_letters.listed(conn, status=DeadLetterStatus.OPEN, limit=100)[-1].id)


def test_the_list_says_what_is_wrong_and_shows_no_body(operator: Desk, services: Services) -> None:
    letter = buried(services)
    for path in ("/work/dead-letters", f"/work/dead-letters/{letter}"):
        page = operator.get(path).text
        assert "dose.number" in page
        assert "stream" in page
        assert not [secret for secret in ("Siti", "0812", "event-1") if stands_in(secret, page)]


def test_a_letter_is_opened_for_a_reason_corrected_and_becomes_a_message(operator: Desk, services: Services) -> None:
    path = f"/work/dead-letters/{buried(services)}"
    operator.get(path)
    assert operator.post(path + "/open", {"reason": ""}).status_code == 422
    page = operator.post(path + "/open", {"reason": "laporan dinas"}).text
    text = html.unescape(page.partition('<textarea id="body"')[2].partition(">\n")[2].partition("</textarea>")[0])
    assert json.loads(text) == BAD
    assert "Siti Aminah" not in operator.get(path).text

    response = operator.post(path + "/replay", {"body": text, "reason": "dicek"})
    assert response.status_code == 422
    assert "Masih ada yang salah" in response.text
    assert "dose.number" in response.text
    assert html.escape('"number": 0') in response.text.replace("&#34;", "&quot;")

    fixed = text.replace('"number": 0', '"number": 1')
    response = operator.post(path + "/replay", {"body": fixed, "reason": "dicek"}, content_type="multipart/form-data")
    assert response.status_code == 303
    page = operator.get(response.location).text
    assert "Diterima. SMS-nya dijadwalkan" in page
    reference = page.partition('href="/messages/')[2].partition('"')[0]
    if len(reference) != 10:
        reference = page.partition("Diterima. SMS")[2].partition('href="/messages/')[2].partition('"')[0]
    assert 'title="scheduled"' in operator.get(f"/messages/{reference}").text
    again = operator.post(path + "/replay", {"body": fixed, "reason": "dicek"})
    assert again.status_code == 409
    assert "Petugas lain baru saja menyelesaikan" in again.text


def test_a_reason_is_asked_for_and_what_was_typed_is_kept(operator: Desk, services: Services) -> None:
    path = f"/work/dead-letters/{buried(services)}"
    operator.get(path)
    response = operator.post(path + "/replay", {"body": "{ini belum", "reason": ""})
    assert response.status_code == 422
    assert "{ini belum</textarea>" in response.text
    response = operator.post(path + "/replay", {"body": "{ini belum", "reason": "dicek"})
    assert "Ini bukan JSON yang utuh" in response.text
    assert 'value="dicek"' in response.text


def test_a_long_event_fits_the_form_and_a_longer_one_is_told_so(operator: Desk, services: Services) -> None:
    path = f"/work/dead-letters/{buried(services)}"
    operator.get(path)
    for length, words in ((39_000, "Masih ada yang salah"), (41_000, "Terlalu panjang"), (150_000, "terlalu besar")):
        response = operator.post(
            path + "/replay",
            {"body": json.dumps(event_json(event_id="é" * length), ensure_ascii=False), "reason": "dicek"},
            content_type="multipart/form-data",
        )
        assert response.status_code in {413, 422}
        assert words in response.text


def test_two_operators_at_one_letter_one_wins(operator: Desk, new_desk: NewDesk, services: Services) -> None:
    other = new_desk("rina", Role.OPERATOR, None)
    path = f"/work/dead-letters/{buried(services)}"
    for desk in (operator, other):
        desk.get(path)
    assert operator.post(path + "/discard", {"reason": "uji coba"}).status_code == 303
    response = other.post(path + "/replay", {"body": json.dumps(event_json()), "reason": "dicek"})
    assert response.status_code == 409
    assert "Oki" in response.text
    assert "Terima yang sudah diperbaiki" not in response.text
    assert other.post(path + "/discard", {"reason": "uji coba"}).status_code == 409


def test_letters_alike_are_discarded_with_one_reason(operator: Desk, services: Services) -> None:
    for number in range(3):
        buried(services, event_json(event_id=f"e-{number}", dose={"number": 0}))
    page = operator.get("/work/dead-letters").text
    key, until = (page.partition(f'name="{name}" value="')[2].partition('"')[0] for name in ("key", "until"))
    form = {"key": key, "until": until}
    response = operator.post("/work/dead-letters/discard-alike", form | {"reason": ""})
    assert response.status_code == 422
    assert f'id="reason-{key}"' in response.text
    assert operator.post("/work/dead-letters/discard-alike", form | {"until": "x"}).status_code == 422
    assert operator.post("/work/dead-letters/discard-alike", form | {"until": "2026-11-23"}).status_code == 422
    response = operator.post("/work/dead-letters/discard-alike", form | {"reason": "uji coba"})
    assert "Dibuang: 3 kiriman" in operator.get(response.location).text
    assert operator.get("/work/dead-letters?status=discarded").text.count("dose.number") == 3


def test_an_auditor_sees_that_there_are_some_and_opens_none(new_desk: NewDesk, services: Services) -> None:
    auditor = new_desk("tuti", Role.AUDITOR, None)
    path = f"/work/dead-letters/{buried(services)}"
    page = auditor.get(path).text
    assert "dose.number" in page
    assert "<textarea" not in page
    for deed in ("open", "replay", "discard"):
        assert auditor.post(f"{path}/{deed}", {"reason": "x", "body": "{}"}).status_code == 403


@pytest.mark.parametrize("letter", ["nonsense", "0" * 36, "00000000-0000-7000-8000-000000000000"])
def test_a_letter_that_is_not_there_is_not_found(operator: Desk, letter: str) -> None:
    operator.get("/work")
    assert operator.get(f"/work/dead-letters/{letter}").status_code == 404
    for deed in ("open", "replay", "discard"):
        assert operator.post(f"/work/dead-letters/{letter}/{deed}", {"reason": "x", "body": "{}"}).status_code == 404


def test_nothing_is_done_without_the_forms_own_token(operator: Desk, services: Services) -> None:
    path = f"/work/dead-letters/{buried(services)}"
    for deed in ("open", "replay", "discard"):
        assert operator.client.post(f"{path}/{deed}", data={"reason": "x", "body": "{}"}).status_code == 400
