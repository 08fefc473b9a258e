"""Attacks on /me: guessing over many connections, finding out who is known, reaching somebody else's account."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from statistics import median
from time import thread_time

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from linkserver import create_public_app
from notifier.certificates import issue
from notifier.core.ids import new_id
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store import certificates, persons
from notifier.store.tables import account_session, otp_challenge
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.conftest import Build
from tests.fakes import FakeClock
from tests.support.account.phones import KNOWN, NOBODYS, paused, sms_of
from tests.web.public.conftest import WRONG, NewVisitor, Visitor
from tests.web.public.me.conftest import NAME, Owner

BUDI = replace(SITI, name="Budi Santoso", nik=None, birth_date=date(1960, 3, 4), phone="+6281298765432")
PAUSED, UNREACHABLE, LOCKED = "+6281200000011", "+6281200000012", "+6281200000013"
_TYPED = re.compile(r"\d{4}••••\d\d")
_RANDOM = re.compile(r"(?<=me-code=)[^;]+|Expires=[^;]+")


@pytest.fixture
def budi(services: Services) -> MadeCertificate:
    """Another family's."""
    return a_certificate(services, person=BUDI)


def signed_in(services: Services, new_visitor: NewVisitor, phone: str = KNOWN, name: str = NAME) -> Owner:
    return Owner(new_visitor(), services, phone, address=f"203.0.113.{phone[-1]}").sign_in(name)


def told(response: TestResponse) -> tuple[int, str, list[tuple[str, str]]]:
    """All that an answer tells, without what is random or was typed; how long each is stays."""
    headers = [
        (name, _RANDOM.sub(lambda found: f"[{len(found.group())}]", value))
        for name, value in response.headers.items()
        if name not in {"X-Request-Id", "Date"}
    ]
    return response.status_code, _TYPED.sub("", response.text), headers


def test_guesses_over_fifty_connections_are_five(
    services: Services, siti: MadeCertificate, new_visitor: NewVisitor
) -> None:
    owner = Owner(new_visitor(), services)
    owner.ask()
    code = owner.code()
    [cookie] = [cookie for cookie in owner.visitor.client._cookies.values() if cookie.key == "me-code"]
    app = owner.visitor.client.application

    def guess(number: int) -> int:
        browser = app.test_client()
        browser.set_cookie("me-code", cookie.value)
        typed = f"{(int(code) + number) % 1_000_000:06}"
        return browser.post("/me/code", data={"code": typed}).status_code

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(guess, range(1, 51))) == {422}
    assert owner.press("/me/code", code=code).status_code == 422
    with services.db.read() as conn:
        assert conn.scalar(sa.select(otp_challenge.c.tries)) == 5
        assert conn.scalar(sa.select(sa.func.count()).select_from(account_session)) == 0


def test_birth_dates_over_link_and_account_stop_at_five(
    services: Services, siti: MadeCertificate, new_visitor: NewVisitor
) -> None:
    owners = [signed_in(services, new_visitor)]
    key = re.search(r'name="key" value="([0-9a-f]+)"', owners[0].get().text)
    assert key is not None
    kept = [(cookie.key, cookie.value) for cookie in owners[0].visitor.client._cookies.values()]
    app = owners[0].visitor.client.application

    def guess(number: int) -> int:
        browser = app.test_client()
        for name, value in kept:
            browser.set_cookie(name, value)
        if number % 2:
            return browser.post(f"/c/{siti.token}", data=WRONG).status_code
        return browser.post(f"/me/{siti.person_id}", data=WRONG | {"key": key.group(1)}).status_code

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(guess, range(20)))
    assert answers.count(422) == 4
    assert set(answers) <= {422, 423, 429}  # one link is also asked more softly
    with services.db.read() as conn:
        assert persons.get(conn, services.sealer, siti.person_id).wrong_tries == 5
    assert owners[0].open(siti.person_id).status_code == 423


def everybody(services: Services) -> dict[str, str]:
    """A number of each sort."""
    a_certificate(services)
    paused(services, a_certificate(services, person=replace(BUDI, phone=PAUSED)).person_id)
    a_certificate(services, person=replace(BUDI, phone=UNREACHABLE, phone_problem="phone-not-mobile"))
    locked = a_certificate(services, person=replace(BUDI, phone=LOCKED))
    with services.db.write() as conn:
        for _ in range(5):
            persons.count_wrong_try(conn, locked.person_id, services.clock.now())
    return {"known": KNOWN, "nobody's": NOBODYS, "paused": PAUSED, "unreachable": UNREACHABLE, "locked": LOCKED}


def story(services: Services, new_visitor: NewVisitor, phone: str, address: str) -> list[object]:
    """All that somebody without the phone sees of a number."""
    owner = Owner(new_visitor(), services, phone, address)
    seen = [told(owner.ask()), told(owner.get("/me/code")), told(owner.get("/me"))]
    seen += [told(owner.press("/me/code", code=code)) for code in ("12345", *["000000"] * 6)]
    seen += [told(owner.press("/me/code/again")), told(owner.ask()), told(owner.get("/me/name"))]
    return seen


def test_nothing_tells_whether_a_number_is_known(services: Services, new_visitor: NewVisitor) -> None:
    stories = {
        what: story(services, new_visitor, phone, f"203.0.113.{place}")
        for place, (what, phone) in enumerate(everybody(services).items())
    }
    for what, seen in stories.items():
        assert seen == stories["known"], what
    assert sorted(sms.to for sms in sms_of(services)) == [LOCKED, KNOWN]


def test_asking_takes_as_long_for_every_number(
    build_services: Build, new_visitor: NewVisitor, clock: FakeClock
) -> None:
    """The same statements are proved in tests/support/account/test_otp.py; here a family of twenty makes no difference
    that could be measured over a network."""
    services = build_services(codes_a_day=1_000_000)
    for number in range(20):
        a_certificate(services, person=replace(SITI, nik=None, name=f"Anak {number}"))
    client = create_public_app(services).test_client()
    times: dict[str, list[float]] = {KNOWN: [], NOBODYS: []}
    for number in range(16):
        clock.tick(hours=3)
        for phone in (KNOWN, NOBODYS) if number % 2 else (NOBODYS, KNOWN):
            began = thread_time()  # not what others take of the machine
            assert client.post("/me", data={"phone": phone}).status_code == 303
            times[phone].append(thread_time() - began)
    known, unknown = (median(times[phone]) for phone in (KNOWN, NOBODYS))
    assert abs(known - unknown) < 0.05


def test_another_account_is_never_reached(
    services: Services, siti: MadeCertificate, budi: MadeCertificate, new_visitor: NewVisitor
) -> None:
    """Siti in her account, with every id of Budi's in her hands; nobody's ids are answered the same way."""
    owner = signed_in(services, new_visitor)
    owner.open(siti.person_id)
    strange = a_certificate(services, person=replace(BUDI, phone="+6281300000099"))
    nobody = replace(strange, person_id=new_id(), certificate_id=new_id())
    for path in ("", "/data", "/not-mine"):
        answers = {told(owner.get(f"/me/{made.person_id}{path}"))[:2] for made in (budi, nobody)}
        assert [status for status, _ in answers] == [404]
    for path, form in (
        ("", {"day": "4", "month": "3", "year": "1960"}),
        ("", {"nik": "3174031002890009"}),
        ("/certificate", {"certificate": budi.certificate_id}),
        ("/language", {"language": "en"}),
        ("/data", {}),
        ("/not-mine", {"not-mine": "yes"}),
        ("/not-mine", {"not-mine": "undo"}),
    ):
        answers = {told(owner.post(f"/me/{made.person_id}{path}", **form))[:2] for made in (budi, nobody)}
        assert [status for status, _ in answers] == [404], path
    assert owner.post(f"/me/{siti.person_id}/certificate", certificate=budi.certificate_id).status_code == 404
    assert owner.post(f"/me/{siti.person_id}/certificate", certificate="x").status_code == 404
    with services.db.read() as conn:
        known = persons.get(conn, services.sealer, budi.person_id)
    assert (known.wrong_tries, known.language, known.phone) == (0, "id", BUDI.phone)


def test_a_closed_person_of_ones_own_number_tells_an_initial_alone(
    services: Services, siti: MadeCertificate, new_visitor: NewVisitor
) -> None:
    made = a_certificate(services, person=replace(BUDI, phone=KNOWN))
    owner = signed_in(services, new_visitor)
    owner.open(siti.person_id)
    for path in ("", "/data", "/not-mine"):
        assert "Budi" not in owner.get(f"/me/{made.person_id}{path}").text
    assert owner.get(f"/me/{made.person_id}/data").status_code == 404
    assert owner.certificate(made).status_code == 404
    assert owner.post(f"/me/{made.person_id}/data").status_code == 404
    assert owner.post(f"/me/{made.person_id}/language", language="en").status_code == 404


def test_before_the_name_is_told_nothing_is_reached(
    services: Services, siti: MadeCertificate, new_visitor: NewVisitor
) -> None:
    owner = Owner(new_visitor(), services)
    owner.enter()
    assert owner.get().location == "/me/name"
    assert owner.get(f"/me/{siti.person_id}").status_code == 404
    assert owner.open(siti.person_id).status_code == 404
    assert owner.post(f"/me/{siti.person_id}/not-mine", **{"not-mine": "yes"}).status_code == 404


def test_two_families_in_one_browser_never_mix(
    services: Services, siti: MadeCertificate, budi: MadeCertificate, new_visitor: NewVisitor
) -> None:
    visitor = new_visitor()
    first = Owner(visitor, services).sign_in()
    first.open(siti.person_id)
    view = first.certificate(siti).location
    assert NAME in first.get(view).text
    second = Owner(visitor, services, BUDI.phone or "").sign_in("Budi Santoso")
    assert NAME not in second.get().text
    assert second.get(f"/me/{siti.person_id}").status_code == 404
    assert NAME not in second.get(view).text  # the first one's session is over, and what it had open
    second.open(budi.person_id, "4", "3", "1960")
    assert "Budi Santoso" in second.get(second.certificate(budi).location).text


def moved(services: Services, made: MadeCertificate, phone: str) -> None:
    """The registry says that the number is another one now."""
    with services.db.write() as conn:
        known, at = persons.get(conn, services.sealer, made.person_id), services.clock.now()
        persons.update(conn, services.sealer, replace(known, phone=phone), at=at)
        certificates.revoke_sent_links(conn, made.person_id, reason=Reason.NUMBER_CHANGED, at=at)


def test_a_number_that_moved_away_closes_at_once(
    services: Services, siti: MadeCertificate, new_visitor: NewVisitor
) -> None:
    owner = signed_in(services, new_visitor)
    owner.open(siti.person_id)
    view = owner.certificate(siti).location
    moved(services, siti, "+6281300000055")
    assert NAME not in owner.get().text
    assert owner.get(f"/me/{siti.person_id}").status_code == 404
    assert owner.post(f"/me/{siti.person_id}/data").status_code == 404
    assert NAME not in owner.get(view).text


def test_a_number_that_somebody_else_has_now_asks_for_the_name_again(
    services: Services, siti: MadeCertificate, budi: MadeCertificate, new_visitor: NewVisitor
) -> None:
    owner = signed_in(services, new_visitor)
    moved(services, siti, "+6281300000055")
    moved(services, budi, KNOWN)
    assert owner.get().location == "/me/name"
    assert owner.get(f"/me/{budi.person_id}").status_code == 404
    assert owner.post("/me/name", name=NAME).status_code == 422


@pytest.mark.parametrize("how", ["paused", "locked", "birth date", "revoked"])
def test_what_is_open_closes_at_once(
    services: Services, siti: MadeCertificate, new_visitor: NewVisitor, how: str
) -> None:
    owner = signed_in(services, new_visitor)
    owner.open(siti.person_id)
    view = owner.certificate(siti).location
    with services.db.write() as conn:
        known, at = persons.get(conn, services.sealer, siti.person_id), services.clock.now()
        if how == "locked":
            for _ in range(5):
                persons.count_wrong_try(conn, siti.person_id, at)
        elif how == "birth date":
            persons.update(conn, services.sealer, replace(known, birth_date=date(1989, 10, 2)), at=at)
        elif how == "revoked":
            issue.revoke(conn, siti.dose_id, reason=Reason.WITHDRAWN, at=at)
    if how == "paused":
        paused(services, siti.person_id)
    assert NAME not in owner.get(view).text
    if how != "revoked":
        assert NAME not in owner.get(f"/me/{siti.person_id}").text
    assert owner.certificate(siti).status_code == 404


@pytest.mark.parametrize("site", [{"Sec-Fetch-Site": "cross-site"}, {}])
def test_no_other_site_presses_our_buttons(
    services: Services, siti: MadeCertificate, new_visitor: NewVisitor, site: dict[str, str]
) -> None:
    owner = signed_in(services, new_visitor)
    owner.open(siti.person_id)
    other = signed_in_key(services, new_visitor)
    for path in ("/me/sms", "/me/sign-out", "/me/name", f"/me/{siti.person_id}/not-mine", f"/me/{siti.person_id}/data"):
        for key in ("", "0" * 32, other):
            answer = owner.visitor.post(path, {"key": key, "sms": "stop", "not-mine": "yes"}, headers=site)
            assert answer.status_code == 403
    if site:
        for path in ("/me", "/me/code", "/me/code/again"):
            assert owner.visitor.post(path, {"phone": KNOWN, "code": "000000"}, headers=site).status_code == 403
    assert owner.get(f"/me/{siti.person_id}").status_code == 200


def signed_in_key(services: Services, new_visitor: NewVisitor) -> str:
    """The key of another session's forms."""
    a_certificate(services, person=BUDI)
    page = signed_in(services, new_visitor, BUDI.phone or "", "Budi Santoso").get().text
    found = re.search(r'name="key" value="([0-9a-f]+)"', page)
    assert found is not None
    return found.group(1)


def test_forged_cookies_reach_no_database(services: Services, siti: MadeCertificate, new_visitor: NewVisitor) -> None:
    owner = signed_in(services, new_visitor)
    [genuine] = [cookie.value for cookie in owner.visitor.client._cookies.values() if cookie.key == "me"]
    said: list[str] = []
    sa.event.listen(services.db.engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    for forged in ("", "x", genuine[:-1] + ("A" if genuine[-1] != "A" else "Q"), genuine + genuine, "ImEi.x", '"a"'):
        visitor = new_visitor()
        visitor.client.set_cookie("me", forged)
        visitor.client.set_cookie("me-code", forged)
        assert "Kirim kode" in visitor.get("/me").text
        assert visitor.get("/me/code").location == "/me"
        assert visitor.post("/me/code", {"code": "000000"}).location == "/me"
    assert said == []


def test_a_cookie_of_one_purpose_is_no_other(
    services: Services, siti: MadeCertificate, new_visitor: NewVisitor
) -> None:
    owner = Owner(new_visitor(), services)
    owner.ask()
    [asked] = [cookie.value for cookie in owner.visitor.client._cookies.values()]
    visitor: Visitor = new_visitor()
    visitor.client.set_cookie("me", asked)
    assert "Kirim kode" in visitor.get("/me").text


def test_cookies_are_shut_in(build_services: Build, new_visitor: NewVisitor) -> None:
    services = build_services(public_url="https://sertifikat.example.id")
    answer = new_visitor(services).post("/me", {"phone": KNOWN}, base_url="https://sertifikat.example.id")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-me-code=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=900"):
        assert part in cookie
    assert "Domain" not in cookie


def test_pumping_tells_everybody_the_same(build_services: Build, new_visitor: NewVisitor) -> None:
    services = build_services(codes_a_day=4)  # one an hour
    for number in range(3):
        a_certificate(services, person=replace(SITI, nik=None, phone=f"+6281230000{number:03}"))
    Owner(new_visitor(services), services, "+6281230000000").ask()
    assert len(sms_of(services)) == 1
    answers = {told(Owner(new_visitor(services), services, phone).ask())[:2] for phone in ("+6281230000001", NOBODYS)}
    [(status, page)] = answers
    assert status == 429
    assert "Terlalu banyak kode diminta" in page
