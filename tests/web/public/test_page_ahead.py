"""The certificate's page that is answered before the framework wakes is the one that the framework writes, and shows
only what the framework would show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from werkzeug.test import TestResponse

from notifier.certificates import issue
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store import certificates, persons
from notifier.store.openings import OpeningKind
from notifier.store.tables import link, opening, person
from tests.builders import SITI, MadeCertificate, a_certificate
from tests.fakes import FakeClock
from tests.web.public.conftest import Visitor, told
from tests.web.public.test_ahead import Face, Wavering
from tests.web.public.test_face import HTTPS, AwayDatabase, BrokenDatabase

MARKUP = '<b>Siti</b> & "Co" o\'Neil'


@dataclass
class Browser:
    """A browser with an open page at a face that has written one before."""

    face: Face
    visitor: Visitor
    view: str

    def goes_long(self, path: str | None = None, **how: Any) -> TestResponse:
        """The answer, which the framework gave."""
        return self._answer(1, path, how)

    def goes_ahead(self, path: str | None = None, **how: Any) -> TestResponse:
        """The answer, which the framework never saw asked for."""
        return self._answer(0, path, how)

    def sending(self, cookies: str) -> Browser:
        """Another one, that sends these cookies as they stand; `%s` is the one that opens the page."""
        kept = self.visitor.client.get_cookie("certificate")
        assert kept is not None
        client = self.face.app.test_client(use_cookies=False)
        client.environ_base["HTTP_COOKIE"] = cookies.replace("%s", f"certificate={kept.value}")
        return Browser(self.face, Visitor(client), self.view)

    def _answer(self, woken: int, path: str | None, how: dict[str, Any]) -> TestResponse:
        before = self.face.woken
        answer = self.visitor.client.open(path or self.view, **how)
        assert self.face.woken - before == woken
        return answer


def opened(services: Services, made: MadeCertificate) -> Browser:
    face = Face(services)
    visitor = face.visitor
    browser = Browser(face, visitor, visitor.opened(made))
    browser.goes_long()
    return browser


@pytest.fixture
def browser(services: Services, made: MadeCertificate) -> Browser:
    return opened(services, made)


def several_doses(services: Services, count: int, **more: Any) -> MadeCertificate:
    first = a_certificate(services, number=1, series_total=count, **more)
    for number in range(2, count + 1):
        last = a_certificate(services, person_id=first.person_id, number=number, series_total=count, **more)
    return last


CERTIFICATES: dict[str, Callable[[Services], MadeCertificate]] = {
    "one dose": a_certificate,
    "two doses": lambda services: several_doses(services, 2),
    "many doses": lambda services: several_doses(services, 6, facility="Puskesmas Penjaringan " * 4),
    "a long name": lambda services: a_certificate(services, person=replace(SITI, name="Raden Mas Surya " * 6)),
    "another script": lambda services: a_certificate(services, person=replace(SITI, name="ꦱꦶꦠꦶ سيتي")),
    "markup": lambda services: a_certificate(
        services, person=replace(SITI, name=MARKUP), facility=MARKUP, lot=MARKUP, product=MARKUP
    ),
    "without a NIK": lambda services: a_certificate(services, person=replace(SITI, nik=None)),
    "nothing but a date": lambda services: a_certificate(
        services, number=None, series_total=None, lot=None, facility=None, facility_id=None, vaccine_code=None
    ),
    "a booster": lambda services: a_certificate(services, number=3, series_total=2),
}


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("kind", CERTIFICATES)
def test_an_open_page_is_what_the_framework_wrote_and_does_not_wake_it(
    services: Services, kind: str, language: str
) -> None:
    other = opened(services, a_certificate(services, person=replace(SITI, name="Budi Santoso")))
    other.goes_long(f"{other.view}?lang={language}")
    other.visitor.get(other.view)
    view = other.visitor.opened(CERTIFICATES[kind](services))
    ahead = other.goes_ahead(view)
    other.face.app.extensions["said"].ahead.clear()
    long = other.goes_long(view)
    assert told(ahead) == told(long)
    assert ahead.status == long.status == "200 OK"
    assert ahead.headers["X-Request-Id"] != long.headers["X-Request-Id"]
    assert f'<html lang="{language}">' in ahead.text
    assert "Budi" not in ahead.text


def test_an_open_page_under_https_is_what_the_framework_wrote(build_services: Any) -> None:
    services = build_services(public_url=HTTPS, proxy_hops=1)
    face = Face(services)
    visitor = Visitor(face.app.test_client())
    visitor.client.environ_base |= {"wsgi.url_scheme": "https", "HTTP_HOST": HTTPS.removeprefix("https://")}
    visitor.client.application.config.update(SERVER_NAME=HTTPS.removeprefix("https://"), PREFERRED_URL_SCHEME="https")
    view = visitor.opened(a_certificate(services))
    long = visitor.get(view)
    before = face.woken
    assert told(visitor.get(view)) == told(long)
    assert face.woken == before


@pytest.mark.parametrize(
    "how",
    [
        {"query_string": "lang=en"},
        {"query_string": "x"},
        {"method": "HEAD"},
        {"method": "POST"},
        {"base_url": "http://elsewhere.example"},
    ],
)
def test_whatever_else_is_asked_goes_the_long_way(browser: Browser, how: dict[str, Any]) -> None:
    browser.goes_long(**how)


@pytest.mark.parametrize(
    ("cookies", "status"),
    [
        ("", 404),
        ("lang=id", 404),
        ("certificate=x; %s", 404),
        ("%s;lang=id", 200),
        ("%s; lang", 200),
        ('%s; other="1"', 200),
        ("%s; other=a=b", 200),
        ("%s; a b=c", 200),
    ],
)
def test_cookies_as_we_write_none_go_the_long_way(browser: Browser, cookies: str, status: int) -> None:
    assert browser.sending(cookies).goes_long().status_code == status


@pytest.mark.parametrize(
    "path", ["/certificate/" + "x" * 22, "/certificate/x", "{view}/", "{view}.pdf", "{view}/codes"]
)
def test_what_is_no_open_view_goes_the_long_way(browser: Browser, path: str) -> None:
    browser.goes_long(path.format(view=browser.view))


def test_of_two_cookies_of_a_name_the_first_counts_as_in_the_framework(browser: Browser) -> None:
    assert browser.sending("other=1; %s; certificate=x; lang=id").goes_ahead().status_code == 200


def test_an_unknown_language_in_a_cookie_is_indonesian_as_in_the_framework(browser: Browser) -> None:
    browser.visitor.client.set_cookie("lang", "xx")
    assert '<html lang="id">' in browser.goes_ahead().text


def test_a_first_page_in_a_language_goes_the_long_way(browser: Browser) -> None:
    browser.visitor.client.set_cookie("lang", "en")
    assert '<html lang="en">' in browser.goes_long().text
    assert '<html lang="en">' in browser.goes_ahead().text


def test_a_view_opens_ahead_in_no_other_browser(browser: Browser, services: Services) -> None:
    other = Browser(browser.face, browser.face.visitor, browser.view)
    assert other.goes_long().status_code == 404
    other.visitor.opened(a_certificate(services, person=replace(SITI, name="Budi Santoso")))
    assert other.goes_long().status_code == 404


def _locked(conn: Connection, made: MadeCertificate, services: Services) -> None:
    for _ in range(persons.MAX_WRONG_TRIES):
        persons.count_wrong_try(conn, made.person_id, services.clock.now())


ENDS: dict[str, tuple[int, Callable[[Connection, MadeCertificate, Services], object]]] = {
    "withdrawn": (
        410,
        lambda conn, made, services: issue.revoke(conn, made.dose_id, reason=Reason.WITHDRAWN, at=services.clock.now()),
    ),
    "replaced": (
        410,
        lambda conn, made, services: issue.replace(
            conn,
            person_id=made.person_id,
            dose_id=made.dose_id,
            reason=Reason.CORRECTED,
            at=services.clock.now(),
        ),
    ),
    "link revoked": (
        410,
        lambda conn, made, services: certificates.revoke_links(
            conn, made.dose_id, reason=Reason.NUMBER_CHANGED, at=services.clock.now()
        ),
    ),
    "expired": (
        410,
        lambda conn, made, services: certificates.renew_expiry(conn, [made.link_id], services.clock.now()),
    ),
    "paused": (423, lambda conn, _made, services: conn.execute(link.update().values(paused_at=services.clock.now()))),
    "locked": (423, _locked),
    "another birth date": (404, lambda conn, _made, _services: conn.execute(person.update().values(wrong_tries=0))),
}


@pytest.mark.parametrize("how", ENDS)
def test_what_ended_a_moment_ago_is_never_shown_ahead(
    browser: Browser, services: Services, made: MadeCertificate, how: str
) -> None:
    assert browser.goes_ahead().status_code == 200
    status, end = ENDS[how]
    with services.db.write() as conn:
        end(conn, made, services)
        if how == "another birth date":
            known = persons.get(conn, services.sealer, made.person_id)
            corrected = replace(known, birth_date=SITI.birth_date + timedelta(days=1))  # type: ignore[operator]  # it has one
            persons.update(conn, services.sealer, corrected, at=services.clock.now())
    answer = browser.goes_long()
    assert answer.status_code == status
    assert "Siti" not in answer.text


def test_a_corrected_name_is_shown_ahead_at_once(browser: Browser, services: Services, made: MadeCertificate) -> None:
    with services.db.write() as conn:
        known = persons.get(conn, services.sealer, made.person_id)
        persons.update(conn, services.sealer, replace(known, name="Siti Rahma"), at=services.clock.now())
    text = browser.goes_ahead().text
    assert "Siti Rahma" in text
    assert "Siti Aminah" not in text


def views_noted(services: Services) -> int:
    with services.db.read() as conn:
        counted = conn.scalar(sa.select(sa.func.count()).where(opening.c.kind == OpeningKind.PAGE.value))
    return int(counted or 0)


def test_a_look_that_is_to_be_noted_goes_the_long_way_and_is_noted_once(
    browser: Browser, services: Services, clock: FakeClock
) -> None:
    clock.tick(minutes=9, seconds=59)
    browser.goes_ahead()
    assert views_noted(services) == 0
    clock.tick(seconds=1)
    browser.goes_long()
    browser.goes_long()
    assert views_noted(services) == 1


@pytest.mark.parametrize(("database", "status"), [(AwayDatabase, 503), (BrokenDatabase, 500)])
def test_what_breaks_is_met_by_the_long_way_which_shows_nothing(
    services: Services, made: MadeCertificate, database: type[Any], status: int
) -> None:
    wavering = Wavering(services)
    browser = opened(replace(services, db=wavering), made)  # type: ignore[arg-type]  # a fake
    browser.face.app.config["PROPAGATE_EXCEPTIONS"] = False
    browser.goes_ahead()
    wavering.now = database()
    answer = browser.goes_long()
    assert answer.status_code == status
    assert "Siti" not in answer.text


def test_a_person_whose_birth_date_nobody_knows_any_more_sees_nothing_ahead(
    browser: Browser, services: Services
) -> None:
    with services.db.write() as conn:
        conn.execute(person.update().values(birth_date_sealed=None))
    answer = browser.goes_long()
    assert answer.status_code == 404
    assert "Siti" not in answer.text
