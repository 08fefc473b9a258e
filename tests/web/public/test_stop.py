"""/c/<token>/stop: asked first, done by a POST alone, undone at the same place."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from typing import Any

import pytest

from notifier.core.link_tokens import new_public_id
from notifier.core.states import Channel, Reason, State
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store import certificates, persons, suppressions
from notifier.store.suppressions import Source
from tests.builders import SITI, a_certificate
from tests.canaries import stands_in
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.web.public.conftest import RIGHT, NewVisitor, Visitor, told
from tests.web.public.test_link import PERSONAL, PREVIEWS, NoDatabase, ended, everything

ASK, YES, UNDO = {"stop": "ask"}, {"stop": "yes"}, {"stop": "undo"}
DONE = "<h1>SMS ke nomor ini dihentikan</h1>"
QUESTION = "<h1>Hentikan SMS ke nomor ini?</h1>"
AGAIN = "<h1>Nomor ini menerima SMS lagi</h1>"


@pytest.fixture
def token(desk: Desk) -> str:
    """The token in Siti's SMS."""
    return first_token(desk)


def first_token(desk: Desk) -> str:
    desk.record()
    desk.send()
    public_id = desk.services.links.find_in(desk.gateway.sent[0].text)
    assert public_id is not None
    return desk.services.links.sign(public_id)


def stopped(services: Services, channel: Channel = Channel.SMS) -> bool:
    index = persons.phone_index(services.sealer, SITI.phone or "")
    with services.db.read() as conn:
        return bool(suppressions.suppressed(conn, [index], channel=channel))


def buttons(page: str) -> list[str]:
    return re.findall(r'<button name="stop" value="(\w+)"', page)


def test_the_way_from_the_landing_to_a_stop_and_back(desk: Desk, visitor: Visitor, token: str) -> None:
    assert 'name="stop" value="ask">Jangan kirim SMS lagi ke nomor ini</button>' in visitor.get(f"/c/{token}").text
    led = visitor.post(f"/c/{token}", ASK)
    assert (led.status_code, led.location, led.data) == (307, f"/c/{token}/stop", b"")

    asked = visitor.post(led.location, ASK)
    assert (asked.status_code, QUESTION in asked.text, buttons(asked.text)) == (200, True, ["yes"])
    assert not stopped(desk.services)

    done = visitor.post(led.location, YES)
    assert (done.status_code, DONE in done.text, buttons(done.text)) == (200, True, ["undo"])
    assert stopped(desk.services)
    assert visitor.post(f"/c/{token}", RIGHT).status_code == 303  # the link and the certificate stay

    later = visitor.post(led.location, ASK)
    assert (DONE in later.text, buttons(later.text)) == (True, ["undo"])
    again = visitor.post(led.location, UNDO)
    assert AGAIN in again.text
    assert not stopped(desk.services)


def test_an_sms_that_is_due_after_the_stop_is_suppressed(each_desk: Desk, new_visitor: NewVisitor) -> None:
    token = first_token(each_desk)
    new_visitor(each_desk.services).post(f"/c/{token}/stop", YES)
    second = each_desk.record(event_id="e2", dose={"id": "dose-2", "number": 2})
    each_desk.send()
    row = each_desk.row(second.reference)
    assert (row.status, row.reason) == (State.SUPPRESSED, Reason.OPTED_OUT)


@pytest.mark.parametrize("agent", PREVIEWS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_no_preview_stops_or_learns_anything(
    services: Services, visitor: Visitor, token: str, agent: str, method: str
) -> None:
    landing = told(visitor.client.open(f"/c/{token}", method=method))
    for is_stopped in (False, True):
        if is_stopped:
            visitor.post(f"/c/{token}/stop", YES)
        before = everything(services)
        for path in (f"/c/{token}/stop", f"/c/{token}/stop?stop=yes", f"/c/{token}?stop=yes", f"/c/{token}/stop?x=1"):
            seen = visitor.client.open(path, method=method, headers={"User-Agent": agent})
            assert seen.status_code in {200, 302}
            assert seen.headers.get("Location") in {None, f"/c/{token}"}
        assert told(visitor.client.open(f"/c/{token}", method=method)) == landing
        assert everything(services) == before
    assert stopped(services)


def test_the_question_says_what_it_means_and_how_to_undo_it(visitor: Visitor, token: str) -> None:
    page = visitor.post(f"/c/{token}/stop").text
    for words in (
        "untuk siapa pun yang memakai nomor itu",
        "Sertifikat dan tautan Anda tetap berlaku.",
        "Untuk menerima SMS lagi, buka tautan ini",
        '<a href=".">Tidak, tetap kirim SMS</a>',
    ):
        assert words in page
    assert visitor.get(f"/c/{token}/").location == f"/c/{token}"  # where "." leads


def test_no_page_names_anybody_or_repeats_the_token(visitor: Visitor, token: str) -> None:
    for form in (ASK, YES, ASK, UNDO):
        page = visitor.post(f"/c/{token}/stop", form).text
        assert not [word for word in (*PERSONAL, token, token[:11]) if stands_in(word, page)]


def test_the_pages_of_two_links_are_the_same(desk: Desk, visitor: Visitor, token: str) -> None:
    desk.record(
        event_id="e2",
        person={"id": "person-2", "name": "Budi", "nik": None, "phone": "0813-0000-0000"},
        dose={"id": "dose-2"},
    )
    desk.send()
    other = desk.services.links.sign(desk.services.links.find_in(desk.gateway.sent[1].text) or "")
    for form in (ASK, YES, UNDO):
        assert told(visitor.post(f"/c/{token}/stop", form)) == told(visitor.post(f"/c/{other}/stop", form))
    assert told(visitor.get(f"/c/{token}")) == told(visitor.get(f"/c/{other}"))


@pytest.mark.parametrize("how", ["expired", "replaced", "withdrawn", "turned off"])
def test_a_link_that_ended_shows_its_own_page(services: Services, visitor: Visitor, how: str) -> None:
    made = ended(services, how)
    page = told(visitor.get(f"/c/{made.token}"))
    assert page[0] == 410
    for form in (ASK, YES, UNDO):
        assert told(visitor.post(f"/c/{made.token}/stop", form)) == page
        assert told(visitor.post(f"/c/{made.token}", form)) == page
    assert told(visitor.get(f"/c/{made.token}/stop")) == page


def test_an_expired_link_stops_nothing(desk: Desk, visitor: Visitor, token: str, clock: FakeClock) -> None:
    clock.tick(days=91)
    assert visitor.post(f"/c/{token}/stop", YES).status_code == 410
    assert not stopped(desk.services)


def test_a_forged_link_is_unknown_and_reaches_no_database(
    services: Services, visitor: Visitor, new_visitor: NewVisitor, token: str
) -> None:
    unknown = told(visitor.get("/c/x"))
    blind = new_visitor(replace(services, db=NoDatabase()))  # type: ignore[arg-type]  # a fake that only raises
    flipped = token[:-1] + ("0" if token[-1] != "0" else "1")
    for path in (f"/c/{flipped}/stop", "/c/x/stop", "/c/a/b/stop", "/c/%ff/stop", f"/c/{token}x/stop"):
        for form in (ASK, YES, UNDO):
            assert told(blind.post(path, form)) == unknown
        assert told(blind.get(path)) == unknown
    assert told(visitor.post(f"/c/{services.links.sign(new_public_id())}/stop", YES)) == unknown
    assert told(blind.post(f"/c/{flipped}", ASK)) == unknown


def test_another_site_cannot_stop_a_number(desk: Desk, visitor: Visitor, token: str) -> None:
    for path in (f"/c/{token}", f"/c/{token}/stop"):
        assert visitor.post(path, YES, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert not stopped(desk.services)
    assert visitor.post(f"/c/{token}/stop", YES, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert stopped(desk.services)


def test_what_was_stopped_elsewhere_is_not_undone_by_a_link(
    desk: Desk, visitor: Visitor, token: str, clock: FakeClock
) -> None:
    with desk.services.db.write() as conn:
        index = persons.phone_index(desk.services.sealer, SITI.phone or "")
        suppressions.add(conn, index, reason=Reason.OPTED_OUT, source=Source.INBOUND, at=clock.now())
    for form in (ASK, UNDO, YES):
        page = visitor.post(f"/c/{token}/stop", form).text
        assert DONE in page
        assert "balas MULAI atau START" in page
        assert buttons(page) == []
    assert stopped(desk.services)


def test_a_link_that_no_sms_bore_says_whom_to_ask(services: Services, visitor: Visitor) -> None:
    made = a_certificate(services)
    for form in (ASK, YES, UNDO):
        answer = visitor.post(f"/c/{made.token}/stop", form)
        assert answer.status_code == 404
        assert "Nomor untuk tautan ini tidak kami ketahui" in answer.text


def test_too_many_presses_say_when_to_come_back(visitor: Visitor, token: str) -> None:
    answers = [visitor.post(f"/c/{token}/stop", form) for form in [YES, UNDO] * 7]
    assert [answer.status_code for answer in answers] == [200] * 12 + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 600
    assert visitor.post(f"/c/{token}/stop", ASK).status_code == 200


def test_without_a_birth_date_to_ask_for_the_button_does_not_open(build_services: Any, new_visitor: NewVisitor) -> None:
    lax = Desk(build_services(link_check=LinkCheck.NONE))
    token, visitor = first_token(lax), new_visitor(lax.services)
    assert visitor.post(f"/c/{token}", ASK).status_code == 307
    assert visitor.post(f"/c/{token}").status_code == 303


def test_a_number_that_changed_is_not_the_one_that_is_stopped(desk: Desk, visitor: Visitor, token: str) -> None:
    services = desk.services
    with services.db.write() as conn:
        person = persons.get(conn, services.sealer, desk.rows()[0].person_id)
        persons.update(conn, services.sealer, replace(person, phone="+6281300000000"), at=services.clock.now())
    visitor.post(f"/c/{token}/stop", YES)
    assert stopped(services)
    with services.db.read() as conn:
        new = persons.phone_index(services.sealer, "+6281300000000")
        assert suppressions.suppressed(conn, [new]) == set()


def test_a_link_that_was_renewed_since_still_names_its_own_number(
    desk: Desk, visitor: Visitor, token: str, clock: FakeClock
) -> None:
    row = desk.rows()[0]
    with desk.services.db.write() as conn:
        certificates.add_link(
            conn, certificate_id=row.certificate_id, person_id=row.person_id, at=clock.now(), expires_at=clock.now()
        )
    visitor.post(f"/c/{token}/stop", YES)
    assert stopped(desk.services)


@pytest.mark.parametrize("language", ["id", "en"])
def test_each_page_is_light_and_needs_no_script(visitor: Visitor, token: str, language: str) -> None:
    visitor.get(f"/c/{token}?lang={language}")
    for page in [visitor.get(f"/c/{token}"), *(visitor.post(f"/c/{token}/stop", form) for form in (ASK, YES, UNDO))]:
        assert f'<html lang="{language}">' in page.text
        needed = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
        parts = [visitor.get(path, headers={"Accept-Encoding": "gzip"}).data for path in needed]
        assert len(gzip.compress(page.data)) + sum(map(len, parts)) <= 14 * 1024
        assert not [bad for bad in ("<script", "https://", "style=", "onclick") if bad in page.text]


def test_english_says_the_same(visitor: Visitor, token: str) -> None:
    assert "Stop SMS to this number" in visitor.get(f"/c/{token}?lang=en").text
    texts = [visitor.post(f"/c/{token}/stop", form).text for form in (ASK, YES, UNDO)]
    heads = ["Stop SMS to this number?", "SMS to this number have been stopped", "This number receives SMS again"]
    assert [f"<h1>{head}</h1>" in text for head, text in zip(heads, texts, strict=True)] == [True] * 3
