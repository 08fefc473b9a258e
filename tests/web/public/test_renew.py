"""/c/<token>/renew: one tap on the expired page, one answer for whatever comes of it."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace

import pytest

from notifier.core.link_tokens import new_public_id
from notifier.core.states import Channel, Kind
from notifier.services import Services
from notifier.store import persons
from notifier.support import opt_out
from notifier.support.renewal import RENEWALS
from tests.builders import SITI, a_certificate
from tests.canaries import stands_in
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.web.public.conftest import RIGHT, NewVisitor, Visitor, told
from tests.web.public.test_link import PERSONAL, PREVIEWS, NoDatabase, ended, everything
from tests.web.public.test_stop import first_token

RENEW = {"renew": "ask"}
ANSWER = "<h1>Permintaan Anda kami terima</h1>"


@pytest.fixture
def token(desk: Desk, clock: FakeClock) -> str:
    """The token in Siti's SMS of 91 days ago."""
    found = first_token(desk)
    clock.tick(days=91)
    return found


def renewals(desk: Desk) -> int:
    return sum(row.kind == Kind.RENEWAL for row in desk.rows())


def test_one_tap_on_the_expired_page_sends_a_new_link(desk: Desk, visitor: Visitor, token: str) -> None:
    page = visitor.get(f"/c/{token}")
    assert page.status_code == 410
    assert 'name="renew" value="ask">Kirim tautan baru ke nomor yang terdaftar</button>' in page.text
    led = visitor.post(f"/c/{token}", RENEW)
    assert (led.status_code, led.location, led.data) == (307, f"/c/{token}/renew", b"")
    answer = visitor.post(led.location, RENEW)
    assert (answer.status_code, ANSWER in answer.text) == (200, True)
    assert "Jika nomornya masih benar" in answer.text
    desk.send()
    new = desk.services.links.find_in(desk.gateway.sent[1].text)
    assert visitor.post(f"/c/{desk.services.links.sign(new or '')}", RIGHT).status_code == 303


def test_the_answer_is_the_same_whoever_asks_and_whatever_comes_of_it(
    desk: Desk, services: Services, new_visitor: NewVisitor, clock: FakeClock
) -> None:
    sent = first_token(desk)
    nobody = a_certificate(services, person=replace(SITI, phone=None))
    stopped = a_certificate(services, person=replace(SITI, phone="+6281300000000"))
    index = persons.phone_index(services.sealer, "+6281300000000")
    opt_out.stop(services, index, channel=Channel.SMS, source=opt_out.Source.OPERATOR, actor="test")
    clock.tick(days=91)
    tokens = (sent, sent, nobody.token, stopped.token)  # the second tap of the first is refused within
    answers = [told(new_visitor().post(f"/c/{token}/renew", RENEW)) for token in tokens]
    assert answers == [answers[0]] * 4
    assert answers[0][0] == 200
    page = answers[0][1].decode()
    assert not [word for word in (*PERSONAL, sent, "0813") if stands_in(word, page)]
    assert (renewals(desk), len(desk.gateway.sent)) == (3, 1)


@pytest.mark.parametrize("agent", PREVIEWS)
def test_no_preview_asks_for_anything(services: Services, visitor: Visitor, token: str, agent: str) -> None:
    before = everything(services)
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in (f"/c/{token}/renew", f"/c/{token}/renew?renew=ask", f"/c/{token}?renew=ask"):
            assert visitor.client.open(path, method=method, headers={"User-Agent": agent}).status_code in {200, 410}
    assert everything(services) == before


@pytest.mark.parametrize("how", ["replaced", "withdrawn", "turned off"])
def test_a_link_that_ended_otherwise_shows_its_own_page(services: Services, visitor: Visitor, how: str) -> None:
    made = ended(services, how)
    page = told(visitor.get(f"/c/{made.token}"))
    assert b"<form" not in page[1]
    assert told(visitor.post(f"/c/{made.token}/renew", RENEW)) == page
    assert told(visitor.post(f"/c/{made.token}", RENEW)) == page


def test_a_live_link_leads_to_its_landing(desk: Desk, visitor: Visitor) -> None:
    token = first_token(desk)
    assert (led := visitor.post(f"/c/{token}", RENEW)).status_code == 303
    assert led.location == f"/c/{token}"
    assert visitor.get(f"/c/{token}/renew").location == f"/c/{token}"
    visitor.post(f"/c/{token}/renew", RENEW)
    assert renewals(desk) == 0


def test_a_forged_link_is_unknown_and_reaches_no_database(
    services: Services, visitor: Visitor, new_visitor: NewVisitor, token: str
) -> None:
    unknown = told(visitor.get("/c/x"))
    blind = new_visitor(replace(services, db=NoDatabase()))  # type: ignore[arg-type]  # a fake that only raises
    flipped = token[:-1] + ("0" if token[-1] != "0" else "1")
    for button in ("renew", "not-me", "birth-date"):
        for path in (f"/c/{flipped}/{button}", f"/c/x/{button}", f"/c/a/b/{button}", f"/c/{token}x/{button}"):
            assert told(blind.post(path, {button: "yes"})) == unknown
            assert told(blind.get(path)) == unknown
        assert told(visitor.post(f"/c/{services.links.sign(new_public_id())}/{button}", {button: "yes"})) == unknown
        assert told(blind.post(f"/c/{flipped}", {button: "ask"})) == unknown


def test_another_site_cannot_ask(desk: Desk, visitor: Visitor, token: str) -> None:
    for path in (f"/c/{token}", f"/c/{token}/renew"):
        assert visitor.post(path, RENEW, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert renewals(desk) == 0


def test_too_many_taps_say_when_to_come_back(visitor: Visitor, token: str) -> None:
    answers = [visitor.post(f"/c/{token}/renew", RENEW) for _ in range(RENEWALS.link.most + 1)]
    assert [answer.status_code for answer in answers] == [200] * RENEWALS.link.most + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 600


def test_the_button_works_where_another_button_s_address_shows_the_expired_page(visitor: Visitor, token: str) -> None:
    shown = visitor.post(f"/c/{token}/stop", {"stop": "yes"})
    assert told(shown) == told(visitor.get(f"/c/{token}"))
    led = visitor.post(f"/c/{token}/stop", RENEW)
    assert (led.status_code, led.location) == (307, f"/c/{token}/renew")


def test_an_open_certificate_whose_link_expires_says_where_to_ask(
    desk: Desk, visitor: Visitor, clock: FakeClock
) -> None:
    token = first_token(desk)
    clock.tick(days=89, hours=23, minutes=50)
    view = visitor.post(f"/c/{token}", RIGHT).location
    clock.tick(minutes=11)
    page = visitor.get(view)
    assert page.status_code == 410
    assert "Ketuk lagi tautan di SMS, lalu minta tautan baru di sana." in page.text
    assert "<form" not in page.text
    clock.tick(minutes=10)
    assert "Di halaman itu Anda dapat meminta tautan baru." in visitor.get(view).text


@pytest.mark.parametrize("language", ["id", "en"])
def test_its_pages_are_light_and_need_no_script(visitor: Visitor, token: str, language: str) -> None:
    visitor.get(f"/c/{token}?lang={language}")
    for page in (visitor.get(f"/c/{token}"), visitor.post(f"/c/{token}/renew", RENEW)):
        assert f'<html lang="{language}">' in page.text
        needed = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
        parts = [visitor.get(path, headers={"Accept-Encoding": "gzip"}).data for path in needed]
        assert len(gzip.compress(page.data)) + sum(map(len, parts)) <= 14 * 1024
        assert not [bad for bad in ("<script", "https://", "style=", "onclick") if bad in page.text]
    assert ("We have received your request" in visitor.post(f"/c/{token}/renew", RENEW).text) == (language == "en")


@pytest.mark.parametrize(
    "form", [{"renew": ["a", "b"]}, {"renew": "x" * 9000}, {"renew": ""}, {}, {"stop": "", "renew": ""}]
)
def test_rubbish_in_the_form_breaks_nothing(visitor: Visitor, token: str, form: dict[str, object]) -> None:
    for path in (f"/c/{token}", f"/c/{token}/renew", f"/c/{token}/not-me", f"/c/{token}/birth-date"):
        assert visitor.post(path, form).status_code in {200, 307, 410}
