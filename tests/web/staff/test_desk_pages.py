"""The desk's pages: who sees what, right or wrong and no word more, one of two who act has the case."""

from __future__ import annotations

import re

import pytest

from notifier.access.roles import Role
from notifier.services import Services
from notifier.store import audit
from notifier.store.tables import mail_out, support_case
from tests.canaries import stands_in
from tests.desk import Desk as Installation
from tests.letters import FREE_WORDS, a_letter, taken
from tests.web.staff.conftest import Desk, NewDesk

NIK_END = {"name": "Siti Aminah", "day": "10", "month": "2", "year": "1989", "nik_end": "0009"}


@pytest.fixture
def services(build_services: object) -> Services:
    return build_services(mail_host="localhost")  # type: ignore[operator,no-any-return]


@pytest.fixture
def letter(services: Services) -> str:
    """The reference of a case that a letter made."""
    taken(services, a_letter(photos=30_000))
    with services.db.read() as conn:
        return str(conn.execute(support_case.select()).one().reference)


@pytest.fixture
def colleague(new_desk: NewDesk) -> Desk:
    return new_desk("ani", Role.OPERATOR, None)


def test_the_next_case_is_taken_and_a_colleague_is_told(operator: Desk, colleague: Desk, letter: str) -> None:
    assert letter in operator.get("/desk").text
    taken_one = operator.post("/desk/next", {})
    assert taken_one.location == f"/desk/{letter}?done=take"
    assert "Kasus ini milik Anda" in operator.get(taken_one.location).text
    page = colleague.get(f"/desk/{letter}").text
    assert "Oki" in page
    refused = colleague.post(f"/desk/{letter}/note", {"note": "x"})
    assert (refused.status_code, "Rekan lain sedang memegang" in refused.text) == (409, True)
    colleague.get("/desk")
    assert colleague.post("/desk/next", {}).location == "/desk?none=1"


def test_numbers_in_a_letter_are_masked_until_a_reason_is_given(
    operator: Desk, services: Services, letter: str
) -> None:
    page = operator.get(f"/desk/{letter}").text
    assert ("3174••••09" in page, "0289 0009" in page, "0812-3456-7890" in page) == (True, False, False)
    assert "Foto atau berkas yang tidak dibuka: 1" in page
    assert operator.post(f"/desk/{letter}/reveal", {"reason": ""}).status_code == 422
    assert "3174 0310 0289 0009" in operator.post(f"/desk/{letter}/reveal", {"reason": "dibacakan"}).text
    with services.db.read() as conn:
        case = conn.execute(support_case.select()).one()
        assert "letter.revealed" in [row.action for row in audit.of_subjects(conn, [case.id])]


def test_an_answer_is_planned_and_a_telling_one_is_not(operator: Desk, services: Services, letter: str) -> None:
    page = operator.get(f"/desk/{letter}").text
    form, to = (
        re.findall(r'name="form" value="([^"]+)"', page)[0],
        re.findall(r'<option value="([0-9a-f-]{36})"', page)[0],
    )
    typed = {"form": form, "letter": to, "language": "id"}
    inserted = operator.post(
        f"/desk/{letter}/email", typed | {"step": "insert", "block": "lihat-sebab", "text": "Halo."}
    )
    assert "Halo.\n\nApa yang terjadi" in inserted.text
    wrong = operator.post(f"/desk/{letter}/email", typed | {"text": "Siti Aminah sudah divaksin"})
    assert (wrong.status_code, "Hapus nama" in wrong.text, "Siti Aminah sudah divaksin" in wrong.text) == (
        422,
        True,
        True,
    )
    assert operator.post(f"/desk/{letter}/email", typed | {"text": "Mohon buka halaman laporan."}).status_code == 303
    with services.db.read() as conn:
        assert len(conn.execute(mail_out.select()).all()) == 2


def test_a_caller_is_right_or_wrong_and_the_page_shows_nothing_of_them(operator: Desk, services: Services) -> None:
    Installation(services).record()
    for changes in ({"nik_end": "1111"}, {"day": "11"}, {"phone": "0857-1111-2222"}):
        page = operator.post("/desk/check", {"phone": "0812-3456-7890", "case": ""} | NIK_END | changes).text
        found = re.search(r'<div class="band bad".*?</div>', page, re.DOTALL)
        assert found is not None
        assert "Tidak cocok" in found[0]
        operator.get("/desk/check")
    page = operator.post("/desk/check", {"phone": "0812-3456-7890", "case": ""} | NIK_END).text
    assert "Anda boleh berbicara" in page
    assert not [word for word in ("Aminah", "1989", "3174", "7890") if stands_in(word, page)]


def test_wrong_pages_differ_in_nothing_but_what_was_typed(operator: Desk, services: Services) -> None:
    Installation(services).record()

    def page(phone: str) -> str:
        operator.get("/desk/check")
        text = operator.post("/desk/check", {"phone": phone, "case": ""} | NIK_END | {"nik_end": "1111"}).text
        return re.sub(r'name="csrf_token" value="[^"]+"', "", text.replace(phone, ""))

    assert page("0812-3456-7890") == page("0857-1111-2222")


def test_a_case_of_letters_leads_from_the_list_of_cases_to_the_desk(
    operator: Desk, new_desk: NewDesk, letter: str
) -> None:
    assert letter in operator.get("/cases").text
    assert operator.get(f"/cases/{letter}").location == f"/desk/{letter}"
    lead = new_desk("lia", Role.FACILITY_LEAD)
    assert letter not in lead.get("/cases").text
    assert (lead.get(f"/cases/{letter}").status_code, lead.get(f"/desk/{letter}").status_code) == (404, 403)


def test_a_call_becomes_a_case_once(operator: Desk, services: Services) -> None:
    form = re.findall(r'name="form" value="([^"]+)"', operator.get("/desk/new").text)[0]
    assert operator.post("/desk/new", {"form": form, "note": " "}).status_code == 422
    made = [operator.post("/desk/new", {"form": form, "note": "<b>SMS</b> tidak datang"}).location for _ in range(2)]
    assert made[0] == made[1]
    assert "&lt;b&gt;SMS&lt;/b&gt; tidak datang" in operator.get(made[0]).text


def test_what_a_stranger_wrote_is_shown_as_text(operator: Desk, services: Services) -> None:
    bad = "<script>alert(1)</script> " + FREE_WORDS
    taken(services, a_letter(bad, subject="<img src=x onerror=y>"))
    with services.db.read() as conn:
        reference = conn.execute(support_case.select()).one().reference
    page = operator.get(f"/desk/{reference}").text
    assert ("<script>alert" in page, "<img src=x" in page, "&lt;script&gt;" in page) == (False, False, True)


@pytest.mark.parametrize(
    "path", ["/desk/0000000000", "/desk/%00", "/desk/texts/id/..%2f..", "/desk/texts/xx/lihat-sebab"]
)
def test_what_is_not_there_is_not_found(operator: Desk, path: str) -> None:
    assert operator.get(path).status_code == 404
