"""/c/<token>/not-me: asked first, done by a POST alone, undone at the same place while no staff have decided."""

from __future__ import annotations

import re

import pytest

from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store.tables import support_case
from notifier.support import cases
from tests.builders import a_certificate
from tests.canaries import stands_in
from tests.conftest import Build
from tests.desk import Desk
from tests.web.public.conftest import RIGHT, NewVisitor, Visitor, told
from tests.web.public.test_link import PERSONAL, PREVIEWS, ended, everything
from tests.web.public.test_stop import first_token

ASK, YES, UNDO = {"not-me": "ask"}, {"not-me": "yes"}, {"not-me": "undo"}
QUESTION = "<h1>SMS ini bukan untuk Anda?</h1>"
DONE = "<h1>Terima kasih, sudah kami hentikan sementara</h1>"
BACK = "<h1>Pemberitahuan itu dibatalkan</h1>"


@pytest.fixture
def token(desk: Desk) -> str:
    """The token in Siti's SMS."""
    return first_token(desk)


def buttons(page: str) -> list[str]:
    return re.findall(r'<button name="not-me" value="(\w+)"', page)


def count(services: Services) -> int:
    with services.db.read() as conn:
        return len(list(conn.execute(support_case.select())))


def test_the_way_from_the_landing_to_a_pause_and_back(desk: Desk, visitor: Visitor, token: str) -> None:
    view = visitor.post(f"/c/{token}", RIGHT).location
    assert visitor.get(view).status_code == 200
    assert 'name="not-me" value="ask">Ini bukan untuk saya</button>' in visitor.get(f"/c/{token}").text
    led = visitor.post(f"/c/{token}", ASK)
    assert (led.status_code, led.location, led.data) == (307, f"/c/{token}/not-me", b"")
    asked = visitor.post(led.location, ASK)
    assert (asked.status_code, QUESTION in asked.text, buttons(asked.text)) == (200, True, ["yes"])
    assert count(desk.services) == 0

    done = visitor.post(led.location, YES)
    assert (done.status_code, DONE in done.text, buttons(done.text)) == (200, True, ["undo"])
    assert told(visitor.post(led.location, YES)) == told(done)
    assert count(desk.services) == 1
    for answer in (visitor.get(f"/c/{token}"), visitor.post(f"/c/{token}", RIGHT), visitor.get(view)):
        assert (answer.status_code, "<h1>Tautan ini dihentikan sementara</h1>" in answer.text) == (423, True)

    # later, from the page that the paused link shows
    assert buttons(visitor.get(f"/c/{token}").text) == ["ask"]
    assert visitor.post(f"/c/{token}", ASK).location == led.location
    assert buttons(visitor.post(led.location, ASK).text) == ["undo"]
    undone = visitor.post(led.location, UNDO)
    assert BACK in undone.text
    assert visitor.get(view).status_code == 200


def test_the_open_certificate_page_has_no_such_button(visitor: Visitor, token: str) -> None:
    assert "not-me" not in visitor.get(visitor.post(f"/c/{token}", RIGHT).location).text


def test_a_paused_certificate_page_bears_no_button_that_leads_nowhere(visitor: Visitor, token: str) -> None:
    view = visitor.post(f"/c/{token}", RIGHT).location
    visitor.post(f"/c/{token}/not-me", YES)
    assert "<form" not in visitor.get(view).text


@pytest.mark.parametrize("agent", PREVIEWS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_no_preview_pauses_or_learns_anything(
    services: Services, visitor: Visitor, token: str, agent: str, method: str
) -> None:
    landing, before = told(visitor.client.open(f"/c/{token}", method=method)), everything(services)
    for path in (f"/c/{token}/not-me", f"/c/{token}/not-me?not-me=yes", f"/c/{token}?not-me=yes"):
        seen = visitor.client.open(path, method=method, headers={"User-Agent": agent})
        assert seen.status_code in {200, 302}
        assert seen.headers.get("Location") in {None, f"/c/{token}"}
    assert told(visitor.client.open(f"/c/{token}", method=method)) == landing
    assert everything(services) == before


def test_no_page_names_anybody_and_two_links_have_the_same(desk: Desk, visitor: Visitor, token: str) -> None:
    other_person = {"id": "person-2", "name": "Budi", "nik": None, "phone": "0813-0000-0000"}
    desk.record(event_id="e2", dose={"id": "dose-2"}, person=other_person)
    desk.send()
    other = desk.services.links.sign(desk.services.links.find_in(desk.gateway.sent[1].text) or "")
    for form in (ASK, YES, ASK, UNDO):
        mine = told(visitor.post(f"/c/{token}/not-me", form))
        assert mine == told(visitor.post(f"/c/{other}/not-me", form))
        assert told(visitor.get(f"/c/{token}")) == told(visitor.get(f"/c/{other}"))
        assert not [word for word in (*PERSONAL, "Budi", token, token[:11]) if stands_in(word, mine[1].decode())]


@pytest.mark.parametrize("how", ["expired", "replaced", "withdrawn", "turned off"])
def test_a_link_that_ended_shows_its_own_page(services: Services, visitor: Visitor, how: str) -> None:
    made = ended(services, how)
    page = told(visitor.get(f"/c/{made.token}"))
    for form in (ASK, YES, UNDO):
        assert told(visitor.post(f"/c/{made.token}/not-me", form)) == page
        assert told(visitor.post(f"/c/{made.token}", form)) == page
    assert count(services) == 0


def test_once_staff_have_confirmed_the_page_undoes_nothing(desk: Desk, visitor: Visitor, token: str) -> None:
    visitor.post(f"/c/{token}/not-me", YES)
    [line] = cases.listed(desk.services, only_facility=None, with_persons=False)[0]
    cases.confirm(desk.services, line.case.reference, only_facility=None, reason="telepon", actor="test")
    answer = visitor.post(f"/c/{token}/not-me", UNDO)
    assert (answer.status_code, "<h1>Tautan ini dimatikan</h1>" in answer.text) == (410, False)
    assert told(answer) == told(visitor.get(f"/c/{token}"))


def test_another_site_cannot_pause_a_number(desk: Desk, visitor: Visitor, token: str) -> None:
    for path in (f"/c/{token}", f"/c/{token}/not-me"):
        assert visitor.post(path, YES, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert count(desk.services) == 0


def test_a_link_that_no_sms_bore_says_whom_to_ask(services: Services, visitor: Visitor) -> None:
    made = a_certificate(services)
    for form in (ASK, YES, UNDO):
        assert visitor.post(f"/c/{made.token}/not-me", form).status_code == 404


def test_without_a_birth_date_to_ask_for_the_button_does_not_open(
    build_services: Build, new_visitor: NewVisitor
) -> None:
    lax = Desk(build_services(link_check=LinkCheck.NONE))
    token, visitor = first_token(lax), new_visitor(lax.services)
    assert visitor.post(f"/c/{token}", ASK).status_code == 307
    visitor.post(f"/c/{token}/not-me", YES)
    assert visitor.post(f"/c/{token}").status_code == 423


def test_english_says_the_same(visitor: Visitor, token: str) -> None:
    assert "This is not for me" in visitor.get(f"/c/{token}?lang=en").text
    texts = [visitor.post(f"/c/{token}/not-me", form).text for form in (ASK, YES, UNDO)]
    heads = ["Is this SMS not for you?", "Thank you, we have paused it", "You have taken that back"]
    assert [f"<h1>{head}</h1>" in text for head, text in zip(heads, texts, strict=True)] == [True] * 3
