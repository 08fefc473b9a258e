"""Locked, and on the way there: what the page says, and "my birth date is not accepted"."""

from __future__ import annotations

import pytest

from notifier.services import Services
from notifier.support import cases
from notifier.support.lockouts import REJECTIONS
from tests.builders import MadeCertificate, a_certificate
from tests.canaries import stands_in
from tests.desk import Desk
from tests.web.public.conftest import RIGHT, WRONG, NewVisitor, Visitor, told
from tests.web.public.test_link import PERSONAL, everything

REPORT = {"birth-date": "ask"}
BUTTON = 'name="birth-date" value="ask"'
ANSWER = "<h1>Laporan Anda kami terima</h1>"


def locked(visitor: Visitor, made: MadeCertificate) -> None:
    for _ in range(5):
        visitor.post(f"/c/{made.token}", WRONG)


def open_cases(services: Services) -> int:
    return len(cases.listed(services, only_facility="facility-1", with_persons=False)[0])


def test_the_locked_page_says_how_many_tries_who_unlocks_and_who_was_told(
    visitor: Visitor, made: MadeCertificate
) -> None:
    locked(visitor, made)
    page = visitor.get(f"/c/{made.token}").text
    who = ("Petugas fasilitas tempat vaksin", "Kami memberi tahu nomor yang terdaftar lewat SMS")
    assert [words in page for words in ("5 kali", *who, BUTTON)] == [True] * 4


def test_the_button_stands_after_a_wrong_date_and_not_before(visitor: Visitor, made: MadeCertificate) -> None:
    assert BUTTON not in visitor.get(f"/c/{made.token}").text
    assert BUTTON not in visitor.post(f"/c/{made.token}", {"day": "40"}).text
    assert BUTTON in visitor.post(f"/c/{made.token}", WRONG).text


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_report_opens_one_case_and_always_answers_the_same(
    services: Services, visitor: Visitor, made: MadeCertificate, is_locked: bool
) -> None:
    locked(visitor, made) if is_locked else visitor.post(f"/c/{made.token}", WRONG)
    before = visitor.get(f"/c/{made.token}").data
    led = visitor.post(f"/c/{made.token}", REPORT)
    assert (led.status_code, led.location) == (307, f"/c/{made.token}/birth-date")
    answers = [told(visitor.post(led.location, REPORT)) for _ in range(3)]
    assert answers == [answers[0]] * 3
    assert ANSWER in answers[0][1].decode()
    assert not [word for word in (*PERSONAL, made.token) if stands_in(word, answers[0][1].decode())]
    assert open_cases(services) == 1
    assert visitor.get(f"/c/{made.token}").data == before


def test_a_get_reports_nothing(services: Services, visitor: Visitor, made: MadeCertificate) -> None:
    locked(visitor, made)
    before = everything(services)
    page = told(visitor.get(f"/c/{made.token}"))
    assert told(visitor.get(f"/c/{made.token}/birth-date?birth-date=ask")) == page
    assert everything(services) == before


def test_another_site_cannot_report(services: Services, visitor: Visitor, made: MadeCertificate) -> None:
    answer = visitor.post(f"/c/{made.token}/birth-date", REPORT, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, open_cases(services)) == (403, 0)


def test_too_many_reports_are_limited(visitor: Visitor, made: MadeCertificate) -> None:
    statuses = [visitor.post(f"/c/{made.token}/birth-date").status_code for _ in range(REJECTIONS.link.most + 1)]
    assert statuses == [200] * REJECTIONS.link.most + [429]


def test_a_locked_certificate_page_bears_no_button_that_leads_nowhere(
    visitor: Visitor, new_visitor: NewVisitor, made: MadeCertificate
) -> None:
    view = visitor.opened(made)
    locked(new_visitor(), made)
    page = visitor.get(view)
    assert (page.status_code, "<form" in page.text) == (423, False)


def test_three_on_one_number_each_open_their_own_link_and_no_other(desk: Desk, new_visitor: NewVisitor) -> None:
    """A mother, a father and a baby: the SMS tells them apart by the initial, the landings do not."""
    family = {
        "Siti": {"id": "p1", "name": "Siti Aminah", "birth_date": "1989-02-10"},
        "Budi": {"id": "p2", "name": "Budi", "nik": None, "birth_date": "1985-07-01"},
        "Wayan": {"id": "p3", "name": "Wayan", "nik": None, "birth_date": "2026-01-05"},
    }
    for number, person in enumerate(family.values()):
        desk.record(event_id=f"e{number}", dose={"id": f"dose-{number}"}, person=person)
    desk.send()
    assert {sms.to for sms in desk.gateway.sent} == {"+6281234567890"}
    sent = {sms.text.partition("vaksin ")[2][0]: sms.text for sms in desk.gateway.sent}
    assert sorted(sent) == ["B", "S", "W"]
    links = desk.services.links
    tokens = {initial: links.sign(links.find_in(text) or "") for initial, text in sent.items()}
    born = {
        "S": RIGHT,
        "B": {"day": "1", "month": "7", "year": "1985"},
        "W": {"day": "5", "month": "1", "year": "2026"},
    }

    visitor = new_visitor()
    assert len({told(visitor.get(f"/c/{token}"))[1] for token in tokens.values()}) == 1
    for whose, token in tokens.items():
        for typed, date in born.items():
            expected = 303 if typed == whose else 422
            assert new_visitor().post(f"/c/{token}", date).status_code == expected, (whose, typed)
    hint = "SMS ini mungkin untuk anggota keluarga lain yang memakai nomor ini."
    baby = [visitor.post(f"/c/{tokens['W']}", RIGHT) for _ in range(3)]  # the mother types her own, two tries are gone
    assert [(answer.status_code, hint in answer.text) for answer in baby] == [(422, True), (422, True), (423, False)]
    assert visitor.post(f"/c/{tokens['S']}", RIGHT).status_code == 303  # the baby's lock is nobody else's


def test_a_report_about_a_link_without_a_facility_goes_to_the_operators(services: Services, visitor: Visitor) -> None:
    made = a_certificate(services, facility_id=None)
    visitor.post(f"/c/{made.token}/birth-date", REPORT)
    assert open_cases(services) == 0
    assert len(cases.listed(services, only_facility=None, with_persons=False)[0]) == 1
