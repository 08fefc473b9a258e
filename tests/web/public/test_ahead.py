"""The landing that is answered before the framework wakes is the one that the framework writes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, request_started

from linkserver import create_public_app
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store import certificates
from tests.builders import MadeCertificate, a_certificate
from tests.web.public.conftest import RIGHT, Visitor
from tests.web.public.test_face import AwayDatabase


class Face:
    """A public face of which it is known how often its framework was woken."""

    def __init__(self, services: Services) -> None:
        self.app: Flask = create_public_app(services)
        self.woken = 0
        request_started.connect(self._count, self.app)

    def _count(self, _app: Flask, **_more: object) -> None:
        self.woken += 1

    @property
    def visitor(self) -> Visitor:
        """A browser that has never been here."""
        return Visitor(self.app.test_client())


@pytest.fixture
def face(services: Services, made: MadeCertificate) -> Face:
    """Whose landing somebody has seen."""
    face = Face(services)
    assert face.visitor.get(f"/c/{made.token}").status_code == 200
    assert face.woken == 1
    return face


def test_the_first_landing_of_all_takes_nothing_from_a_crafted_request_into_everybodys(services: Services) -> None:
    face = Face(services)
    made, other = a_certificate(services), a_certificate(services, person_id=None, source_id="d2")
    crafted = face.visitor.client.get(f"/c/{made.token}", data={"day": "66EVIL", "month": "7", "year": "1900"})
    assert crafted.status_code == 200
    assert b"66EVIL" not in crafted.data
    assert face.visitor.get(f"/c/{other.token}").data == crafted.data


def test_a_first_tap_gets_what_the_framework_wrote_and_does_not_wake_it(services: Services) -> None:
    face = Face(services)
    one, other = a_certificate(services), a_certificate(services, person_id=None, source_id="d2")
    long, ahead = (face.visitor.get(f"/c/{made.token}") for made in (one, other))
    assert face.woken == 1
    assert (ahead.status, ahead.data) == (long.status, long.data)
    ids = [answer.headers.pop("X-Request-Id") for answer in (long, ahead)]
    assert len(set(ids)) == 2
    assert list(ahead.headers.items()) == list(long.headers.items())


@pytest.mark.parametrize(
    "how",
    [
        {"query_string": "lang=en"},
        {"cookie": ("lang", "en")},
        {"cookie": ("certificate", "x")},
        {"method": "HEAD"},
        {"method": "POST", "data": RIGHT},
        {"base_url": "http://elsewhere.example"},
    ],
)
def test_whatever_else_is_asked_goes_the_long_way(face: Face, made: MadeCertificate, how: dict[str, Any]) -> None:
    browser, cookie = face.visitor.client, how.pop("cookie", None)
    if cookie:
        browser.set_cookie(*cookie)
    browser.open(f"/c/{made.token}", **how)
    assert face.woken == 2


def test_another_host_gets_nothing_ahead(face: Face, made: MadeCertificate) -> None:
    assert face.visitor.get(f"/c/{made.token}", base_url="http://elsewhere.example").status_code == 421


def test_a_link_that_ended_a_moment_ago_is_not_answered_ahead(
    face: Face, services: Services, made: MadeCertificate
) -> None:
    with services.db.write() as conn:
        at = services.clock.now()
        certificates.revoke_links(conn, made.dose_id, reason=Reason.NUMBER_CHANGED, at=at)
    assert face.visitor.get(f"/c/{made.token}").status_code == 410


@pytest.mark.parametrize("path", ["/c/" + "0" * 33, "/c/short", "/c/", "/c/{token}.", "/c/{token}/", "/robots.txt"])
def test_what_is_no_live_token_goes_the_long_way(face: Face, made: MadeCertificate, path: str) -> None:
    face.visitor.get(path.format(token=made.token))
    assert face.woken == 2


class Wavering:
    """A database that answers until it is away."""

    def __init__(self, services: Services) -> None:
        self.now = services.db

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)


def test_a_database_that_is_away_is_met_by_the_long_way(services: Services, made: MadeCertificate) -> None:
    database = Wavering(services)
    face = Face(replace(services, db=database))  # type: ignore[arg-type]  # a fake
    face.visitor.get(f"/c/{made.token}")
    database.now = AwayDatabase()  # type: ignore[assignment]  # as above
    assert face.visitor.get(f"/c/{made.token}").status_code == 503


def test_nothing_is_written_by_a_tap(face: Face, services: Services, made: MadeCertificate) -> None:
    with services.db.read() as conn:
        before = conn.scalar(sa.text("SELECT count(*) FROM opening"))
    face.visitor.get(f"/c/{made.token}")
    with services.db.read() as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM opening")) == before
    assert face.woken == 1
