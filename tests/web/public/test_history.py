"""Who looked, and a new link instead of the old ones."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.certificates import issue
from notifier.core.states import Kind, Reason, State
from notifier.messages.claim import claim
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.store import openings, persons
from notifier.store.openings import OpeningKind
from notifier.store.tables import audit, link, opening
from notifier.support.new_link import add_renewal
from notifier.support.replace_link import replace_link
from notifier.support.timeline import timeline
from tests.builders import MadeCertificate
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.web.public.conftest import RIGHT, WRONG, NewVisitor, Visitor, told

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 13; SM-A045F) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"}
COMPUTER = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"}
ROBOT = {"User-Agent": "WhatsApp/2.24.1 A"}
ASK, YES = {"replace": "ask"}, {"replace": "yes"}
DONE = "<h1>Tautan lama sudah dimatikan</h1>"


def noted(services: Services) -> list[tuple[str, str]]:
    with services.db.read() as conn:
        return [(row.kind, row.device) for row in conn.execute(sa.select(opening).order_by(opening.c.at))]


def counts(page: str) -> dict[str, int]:
    """The figures on the page, by their words."""
    return {words: int(number) for words, number in re.findall(r"<dt>([^<]+)</dt><dd>([\d.]+)</dd>", page)}


def test_the_page_shows_what_was_done_when_and_with_what(
    services: Services, visitor: Visitor, new_visitor: NewVisitor, made: MadeCertificate, clock: FakeClock
) -> None:
    visitor.post(f"/c/{made.token}", WRONG, headers=PHONE)
    clock.tick(minutes=1)
    view = visitor.post(f"/c/{made.token}", RIGHT, headers=PHONE).location
    visitor.get(view + ".pdf", headers=PHONE)
    clock.tick(minutes=1)
    new_visitor().get(f"/verify?n={made.number}", headers=COMPUTER)
    new_visitor().get(f"/verify?n={made.number}", headers=ROBOT)
    page = visitor.get(view + "/history").text
    assert counts(page) == {"Dibuka": 1, "Diunduh": 1, "Diperiksa": 1, "Oleh robot": 1}
    lines = re.findall(r"<b>([^<]+)</b> <span>([^<]+)</span> <time [^>]+>([^<]+)</time>", page)
    assert len(lines) == 5
    assert lines[-1] == ("Tanggal lahir salah", "Ponsel", "23 November 2026 10.00 WIB")
    assert set(lines[:2]) == {
        ("Sertifikat diperiksa", device, "23 November 2026 10.02 WIB") for device in ("Komputer", "Robot")
    }
    assert {line[:2] for line in lines[2:4]} == {("Sertifikat dibuka", "Ponsel"), ("PDF diunduh", "Ponsel")}
    assert not [word for word in (made.token, made.public_id, "127.0.0.1", "Android") if word in page]


def test_times_stand_in_the_persons_zone_and_language(desk: Desk, visitor: Visitor) -> None:
    desk.record(person={"time_zone": "Asia/Jayapura"})
    desk.send()
    token = desk.services.links.sign(desk.services.links.find_in(desk.gateway.sent[0].text) or "")
    view = visitor.post(f"/c/{token}", RIGHT).location
    assert "23 November 2026 12.00 WIT" in visitor.get(view + "/history").text
    assert "23 November 2026 12:00 WIT" in visitor.get(view + "/history?lang=en").text


def test_a_refresh_is_no_event_but_a_look_much_later_is(
    services: Services, visitor: Visitor, made: MadeCertificate, clock: FakeClock
) -> None:
    view = visitor.post(f"/c/{made.token}", RIGHT, headers=PHONE).location
    for _ in range(3):
        visitor.get(view, headers=PHONE)
    clock.tick(minutes=9)
    visitor.get(view, headers=PHONE)
    assert noted(services) == [("opened", "phone")]
    clock.tick(minutes=2)
    visitor.client.head(view, headers=PHONE)
    assert noted(services) == [("opened", "phone")]
    for _ in range(3):
        visitor.get(view, headers=PHONE)
    assert noted(services) == [("opened", "phone"), ("page", "phone")]


def test_a_flood_of_checks_keeps_few_events_and_robots_hide_no_person(
    services: Services, new_visitor: NewVisitor, made: MadeCertificate, clock: FakeClock
) -> None:
    checker = new_visitor()
    for headers in (ROBOT, PHONE):
        for _ in range(30):
            assert checker.get(f"/verify?n={made.number}", headers=headers).status_code == 200
        clock.tick(minutes=1)
    assert noted(services) == [("verified", "robot")] * 20 + [("verified", "phone")] * 20
    page = new_visitor()
    shown = page.get(page.opened(made) + "/history").text
    assert (shown.count("Robot</span>"), shown.count("Ponsel</span>")) == (5, 10)
    clock.tick(days=1)
    checker.get(f"/verify?n={made.number}", headers=PHONE)
    assert len(noted(services)) == 42


def test_whoever_has_the_number_hides_no_opening_by_checking_it_for_days(
    visitor: Visitor, new_visitor: NewVisitor, made: MadeCertificate, clock: FakeClock
) -> None:
    visitor.post(f"/c/{made.token}", WRONG, headers=COMPUTER)
    for _ in range(3):
        for _ in range(20):
            new_visitor().get(f"/verify?n={made.number}", headers=PHONE)
        clock.tick(days=1)
    page = visitor.get(visitor.opened(made) + "/history").text
    assert "Tanggal lahir salah" in page
    assert counts(page)["Diperiksa"] == 60


def test_a_number_that_is_not_there_leaves_no_trace(services: Services, visitor: Visitor) -> None:
    assert visitor.get("/verify?n=0000-0000-0000").status_code == 404
    assert noted(services) == []


def test_only_the_browser_that_opened_sees_who_looked(
    visitor: Visitor, new_visitor: NewVisitor, made: MadeCertificate, clock: FakeClock
) -> None:
    view = visitor.opened(made)
    stranger = new_visitor()
    for path in ("/history", "/replace"):
        assert stranger.get(view + path).status_code in {302, 404}
    assert told(stranger.get(view + "/history")) == told(stranger.get(view))
    assert told(stranger.post(view + "/replace", YES)) == told(stranger.get(view))
    clock.tick(minutes=16)
    assert visitor.get(view + "/history").status_code == 404


@pytest.fixture
def sent(each_desk: Desk) -> tuple[Desk, str]:
    """An installation and the token in Siti's SMS."""
    each_desk.record()
    each_desk.send()
    services = each_desk.services
    return each_desk, services.links.sign(services.links.find_in(each_desk.gateway.sent[0].text) or "")


def newest(desk: Desk) -> Any:
    return desk.rows()[0]


def test_replacing_shuts_every_browser_at_once_and_sends_a_new_link_to_the_number_on_file(
    sent: tuple[Desk, str], new_visitor: NewVisitor, clock: FakeClock
) -> None:
    desk, token = sent
    clock.tick(hours=14)  # the night: asked for is asked for
    mine, other = new_visitor(desk.services), new_visitor(desk.services)
    view, others = (browser.post(f"/c/{token}", RIGHT).location for browser in (mine, other))
    assert mine.post(view + "/replace", ASK).status_code == 200
    assert other.get(others).status_code == 200  # the question alone changes nothing
    clock.tick(minutes=11)
    assert other.get(others, headers=PHONE).status_code == 200
    assert counts(mine.get(view + "/history").text)["Dibuka"] == 3  # twice opened, once looked at again

    answer = mine.post(view + "/replace", YES)
    assert (answer.status_code, DONE in answer.text) == (200, True)
    assert [page.status_code for page in (mine.get(view), other.get(others), other.get(others + ".pdf"))] == [410] * 3
    assert other.post(f"/c/{token}", RIGHT).status_code == 410
    assert mine.post(view + "/replace", YES).status_code == 410  # pressed twice: nothing more

    row = newest(desk)
    assert (row.kind, row.status, row.due_at) == (Kind.RENEWAL, State.SCHEDULED, clock.now())
    desk.send()
    message = desk.gateway.sent[-1]
    assert message.to == "+6281234567890"
    fresh = desk.services.links.sign(desk.services.links.find_in(message.text) or "")
    assert fresh != token
    assert mine.post(f"/c/{fresh}", RIGHT).status_code == 303
    with desk.services.db.read() as conn:
        deed = conn.execute(sa.select(audit).where(audit.c.action == "link.replaced")).one()
    assert (deed.actor, deed.subject, deed.subject_id) == ("door:link", "person", row.person_id)


def test_pressed_in_many_browsers_at_once_it_sends_one_link(sent: tuple[Desk, str]) -> None:
    desk, _token = sent
    certificate_id = newest(desk).certificate_id
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: replace_link(desk.services, certificate_id), range(8)))
    assert sorted(waits)[:3] == [0, 0, 0]
    assert all(wait > 0 for wait in sorted(waits)[3:])
    assert [row.kind for row in desk.rows()].count(Kind.RENEWAL) == 1


def test_other_certificates_and_other_people_keep_their_links(desk: Desk, visitor: Visitor) -> None:
    desk.record()
    desk.record(event_id="e2", dose={"id": "dose-2", "number": 2})
    desk.record(event_id="e3", person={"id": "p2", "nik": None, "name": "Budi"}, dose={"id": "dose-3"})
    desk.send()
    find, sign = desk.services.links.find_in, desk.services.links.sign
    first, second, third = (sign(find(message.text) or "") for message in desk.gateway.sent)
    view = visitor.post(f"/c/{first}", RIGHT).location
    visitor.post(view + "/replace", YES)
    assert [visitor.get(f"/c/{token}").status_code for token in (first, second, third)] == [410, 200, 200]


def test_a_message_that_still_waits_keeps_its_link(desk: Desk, visitor: Visitor, clock: FakeClock) -> None:
    desk.record()
    desk.send()
    token = desk.services.links.sign(desk.services.links.find_in(desk.gateway.sent[0].text) or "")
    view = visitor.post(f"/c/{token}", RIGHT).location
    visitor.post(view + "/replace", YES)
    desk.send()
    assert [row.status for row in desk.rows()] == [State.ACCEPTED, State.ACCEPTED]


def test_a_message_that_a_worker_holds_already_is_not_sent_with_a_dead_link(each_desk: Desk) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    certificate_id = each_desk.row(reference).certificate_id
    with each_desk.services.db.write() as conn:
        asked = add_renewal(conn, each_desk.services, certificate_id, at=each_desk.services.clock.now())
    batch = claim(each_desk.services, 10)
    assert replace_link(each_desk.services, certificate_id) == 0
    assert Sender(each_desk.services).send_claimed(batch) == 0
    each_desk.send()
    assert each_desk.state(asked.reference) == State.ACCEPTED
    assert each_desk.link(asked.reference).revoked_at is None
    assert each_desk.link(reference).revoked_at is not None
    assert len(each_desk.gateway.sent) == 2


@pytest.mark.parametrize("why", ["opted out", "no phone"])
def test_the_answer_is_the_same_where_no_sms_can_go(
    desk: Desk, visitor: Visitor, new_visitor: NewVisitor, why: str
) -> None:
    desk.record()
    desk.send()
    token = desk.services.links.sign(desk.services.links.find_in(desk.gateway.sent[0].text) or "")
    services = desk.services
    if why == "opted out":
        visitor.post(f"/c/{token}/stop", {"stop": "yes"})
    else:
        with services.db.write() as conn:
            person = persons.get(conn, services.sealer, newest(desk).person_id)
            persons.update(conn, services.sealer, replace(person, phone=None), at=services.clock.now())
    view = visitor.post(f"/c/{token}", RIGHT).location
    answer = visitor.post(view + "/replace", YES)
    assert (answer.status_code, DONE in answer.text) == (200, True)
    desk.send()
    row = newest(desk)
    assert (row.kind, row.status) == (Kind.RENEWAL, State.SUPPRESSED)
    assert row.reason == (Reason.OPTED_OUT if why == "opted out" else Reason.NO_PHONE)
    assert visitor.get(f"/c/{token}").status_code == 410


def test_the_fourth_new_link_of_a_day_is_refused_and_the_link_stays(
    desk: Desk, visitor: Visitor, clock: FakeClock
) -> None:
    desk.record()
    statuses = []
    for _ in range(4):
        desk.send()
        token = desk.services.links.sign(desk.services.links.find_in(desk.gateway.sent[-1].text) or "")
        view = visitor.post(f"/c/{token}", RIGHT).location
        statuses.append(visitor.post(view + "/replace", YES).status_code)
    assert statuses == [200, 200, 200, 429]
    assert visitor.get(view).status_code == 200
    clock.tick(days=1)
    view = visitor.post(f"/c/{token}", RIGHT).location
    assert visitor.post(view + "/replace", YES).status_code == 200


def test_another_site_cannot_replace_a_link(visitor: Visitor, made: MadeCertificate) -> None:
    view = visitor.opened(made)
    assert visitor.post(view + "/replace", YES, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert visitor.get(view).status_code == 200
    seen = visitor.get(view + "/replace?replace=yes")
    assert (seen.status_code, seen.location) == (302, view + "/history")
    assert visitor.get(view).status_code == 200


def test_a_correction_or_a_revocation_closes_the_history_too(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    view = visitor.opened(made)
    with services.db.write() as conn:
        issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=services.clock.now())
    assert visitor.get(view + "/history").status_code == 410
    assert visitor.post(view + "/replace", YES).status_code == 410


def test_first_opening_and_first_download_of_links_are_peoples_alone(
    services: Services, visitor: Visitor, made: MadeCertificate, clock: FakeClock
) -> None:
    def used() -> tuple[Any, Any]:
        with services.db.read() as conn:
            return openings.first_use(conn, [made.link_id, "none"])[made.link_id]

    view = visitor.post(f"/c/{made.token}", RIGHT, headers=ROBOT).location
    assert used() == (None, None)
    at = clock.now()
    visitor.post(f"/c/{made.token}", RIGHT, headers=PHONE)
    clock.tick(minutes=5)
    visitor.get(view + ".pdf", headers=PHONE)
    clock.tick(minutes=5)
    visitor.get(view + ".png", headers=PHONE)
    assert used() == (at, at + timedelta(minutes=5))


def test_the_timeline_of_staff_shows_checks_and_later_looks(services: Services, visitor: Visitor, desk: Desk) -> None:
    reference = desk.record().reference
    desk.send()
    number = desk.certificate(reference).number
    token = services.links.sign(services.links.find_in(desk.gateway.sent[0].text) or "")
    visitor.post(f"/c/{token}", RIGHT, headers=PHONE)
    visitor.get(f"/verify?n={number}", headers=COMPUTER)
    shown = [(entry.what, entry.detail) for entry in timeline(services, reference or "").entries]
    assert ("opened", {"device": "phone"}) in shown
    assert (OpeningKind.VERIFIED, {"device": "computer"}) in shown


def test_a_check_has_no_link_and_no_address(services: Services, visitor: Visitor, made: MadeCertificate) -> None:
    visitor.get(f"/verify?n={made.number}", headers=COMPUTER)
    with services.db.read() as conn:
        row = conn.execute(sa.select(opening)).one()
        assert conn.scalar(sa.select(link.c.opened_at)) is None
    assert (row.link_id, row.certificate_id, row.person_id) == (None, made.certificate_id, made.person_id)
