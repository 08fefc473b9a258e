"""/asli: a page for each verdict, without a look at the database or a word of what was pasted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from notifier.certificates.genuine import Verdict
from notifier.core.states import Kind
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES, Services
from tests.builders import MadeCertificate
from tests.desk import Desk
from tests.web.public.conftest import NewVisitor, Visitor
from tests.web.public.test_link import NoDatabase


@pytest.fixture
def blind(services: Services, new_visitor: NewVisitor) -> Visitor:
    """At a face that must not touch its database."""
    return new_visitor(replace(services, db=NoDatabase()))  # type: ignore[arg-type]  # a fake that only raises


def test_the_sms_that_was_really_sent_is_genuine(desk: Desk, blind: Visitor) -> None:
    desk.record()
    desk.send()
    page = blind.post("/asli", {"text": desk.gateway.sent[0].text})
    assert (page.status_code, "<h1>Ini asli dari kami</h1>" in page.text) == (200, True)


@pytest.mark.parametrize("language", ["id", "en"])
def test_each_verdict_has_its_page(services: Services, blind: Visitor, made: MadeCertificate, language: str) -> None:
    link, url = services.link_url(made.public_id), services.settings.public_url
    sms = SmsTexts(TEMPLATES / "sms", services.settings.sender_name).render(
        Kind.CERTIFICATE, language=language, name="Siti", dose_number=1, link=link
    )
    texts = {
        Verdict.GENUINE: sms,
        Verdict.OURS: url + "/verify",
        Verdict.EXTRA: sms + " Kirim Rp50.000 ke 1234567890",
        Verdict.DAMAGED: link[:-4],
        Verdict.ALTERED: link.replace("http://", "https://"),
        Verdict.FAKE: f"https://127.0.0.1:8000.evil.example/c/{made.token}",
        Verdict.FOREIGN: sms + " atau https://evil.example",
        Verdict.NOTHING: "Anda menang undian",
    }
    assert texts.keys() == set(Verdict)
    blind.get(f"/asli?lang={language}")
    pages = {verdict: blind.post("/asli", {"text": text}) for verdict, text in texts.items()}
    for verdict, page in pages.items():
        assert page.status_code == 200, verdict
        assert not [word for word in (made.token, "Rp50", "undian", "evil.example") if word in page.text]
        assert all(
            way in page.text for way in ("Kemenkes", "127.0.0.1:8000", "0811-0000-0000", "bantuan@contoh.example")
        )
    assert len({page.data for page in pages.values()}) == len(Verdict)
    assert ("Ini palsu" if language == "id" else "This is a fake") in pages[Verdict.FAKE].text


def test_every_page_leads_there_and_the_landing_too(visitor: Visitor, made: MadeCertificate) -> None:
    for path in ("/verify", "/nowhere", "/asli", visitor.opened(made)):
        assert '<a href="/asli">' in visitor.get(path).text
    assert visitor.get(f"/c/{made.token}").text.count('<a href="/asli">') == 2


def test_a_text_in_the_address_is_not_looked_at(blind: Visitor, made: MadeCertificate) -> None:
    assert blind.get(f"/asli?text={made.token}").data == blind.get("/asli").data


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_nothing_pasted_is_asked_for_again(blind: Visitor, text: str) -> None:
    page = blind.post("/asli", {"text": text})
    assert page.status_code == 422
    assert '<a href="#text">Tempel pesan atau tautannya</a>' in page.text
    assert blind.post("/asli").status_code == 422


@pytest.mark.parametrize(
    "body", [b"text=%00%ff%fe", b"text=" + b"%F0%9F%98%80" * 1000, b"text=" + b"a." * 7000, b"\xff"]
)
def test_rubbish_gets_a_page(blind: Visitor, body: bytes) -> None:
    answer = blind.post("/asli", body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code in {200, 422}
    assert blind.post("/asli", {"text": "x" * 20_000}).status_code == 413


def test_another_site_cannot_ask_for_a_person(blind: Visitor) -> None:
    assert blind.post("/asli", {"text": "x"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
