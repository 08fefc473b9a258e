"""Every route, method and state carries the protection: the table is the app's own url_map, so none is forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from linkserver import create_public_app
from notifier.certificates.codes.keys import keyring
from notifier.services import Services
from tests.builders import MadeCertificate, a_certificate
from tests.web.public.conftest import RIGHT, WRONG, NewVisitor, Visitor
from tests.web.public.test_face import HEADERS, HTTPS, AwayDatabase, BrokenDatabase
from tests.web.public.test_link import ended

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "TRACE", "WEIRD")
HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
#: what a rule may say otherwise, by its endpoint; everything else says HEADERS
FOR_EVERYBODY = {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
INSTALLED = {"Content-Security-Policy": HEADERS["Content-Security-Policy"] + "; manifest-src 'self'"}
OTHERWISE: dict[str, dict[str, str]] = {
    "asset": {"Cache-Control": "public, max-age=31536000, immutable"},
    "certificate_of_key": FOR_EVERYBODY,
    "jwks": FOR_EVERYBODY,
    "revoked": FOR_EVERYBODY,
    "card_list": FOR_EVERYBODY,
    "offline": {
        "Content-Security-Policy": HEADERS["Content-Security-Policy"]
        + "; script-src 'self'; worker-src 'self'; manifest-src 'self'; connect-src 'self'",
        "Permissions-Policy": HEADERS["Permissions-Policy"].replace("camera=()", "camera=(self)"),
    },
    "me": INSTALLED,
    "me-ask": INSTALLED,  # the same address
    "worker": {
        "Content-Security-Policy": HEADERS["Content-Security-Policy"] + "; connect-src 'self'",
        "Cache-Control": "no-cache",
    },
}


def rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def paths(rule: Rule, made: MadeCertificate, view: str, asset: str, kid: str) -> Iterator[str]:
    """Addresses that a rule answers: found and not found. A new argument needs its line here."""
    values = {
        "token": (made.token, "x"),
        "view": (view.rpartition("/")[2], "x" * 22),
        "reference": ("x" * 22,),
        "person": (made.person_id, "x"),
        "name": (asset.removeprefix("/static/"), "nothing.css"),
        "kid": (kid, "x" * 43),
        "field": ("name", "x"),
        "deed": ("withdraw", "x"),
    }
    assert rule.arguments <= values.keys(), f"{rule.rule}: say in this test what its arguments may be"
    for place in range(2):
        path = rule.rule
        for argument in rule.arguments:
            chosen = values[argument][min(place, len(values[argument]) - 1)]
            path = re.sub(rf"<(?:[^<>]*:)?{argument}>", chosen, path)
        yield path


def differing(response: TestResponse, expected: dict[str, str]) -> dict[str, str | None]:
    """The headers that are not as they should be."""
    return {name: response.headers.get(name) for name in expected if response.headers.get(name) != expected[name]}


def check(response: TestResponse, expected: dict[str, str]) -> None:
    assert differing(response, expected) == {}
    assert re.fullmatch("[0-9a-f]{16}", response.headers["X-Request-Id"])
    for cookie in response.headers.getlist("Set-Cookie"):
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
        assert "SameSite=Lax" in cookie
        assert "Domain" not in cookie
    if response.mimetype == "text/html":
        assert "Cookie" in response.headers["Vary"]
    assert "Server" not in response.headers


@pytest.fixture
def safe(build_services: Any) -> Services:
    return build_services(public_url=HTTPS)


@pytest.fixture
def secure(safe: Services, new_visitor: NewVisitor) -> Visitor:
    """A browser at a face with https."""
    visitor = new_visitor(safe)
    visitor.client.application.config.update(  # where the test client goes by itself
        SERVER_NAME=HTTPS.removeprefix("https://"), PREFERRED_URL_SCHEME="https"
    )
    return visitor


def test_every_route_and_method_carries_the_protection(safe: Services, secure: Visitor) -> None:
    app = secure.client.application
    made = a_certificate(safe)
    view = secure.post(f"/c/{made.token}?lang=en", RIGHT).location
    asset = str(app.jinja_env.globals["asset"]("public.css"))  # type: ignore[operator]
    kid = keyring(safe).public.all[0].kid
    statuses = set()
    for rule in rules(app):
        for path in paths(rule, made, view, asset, kid):
            for method in METHODS:
                response = secure.client.open(path, method=method)
                is_read = response.status_code == 200 and method in {"GET", "HEAD"}
                expected = HEADERS | HSTS | (OTHERWISE.get(rule.endpoint, {}) if is_read else {})
                assert response.status_code < 500, (method, path)
                check(response, expected)
                statuses.add(response.status_code)
    assert {200, 301, 302, 403, 404, 405, 422} <= statuses


State = Callable[[Services, NewVisitor], TestResponse]


def _at(services: Services, new_visitor: NewVisitor, path: str, **options: Any) -> TestResponse:
    visitor = new_visitor(services)
    visitor.client.application.config["PROPAGATE_EXCEPTIONS"] = False
    return visitor.client.open(path, base_url=HTTPS, **{"method": "GET", **options})


def _post(services: Services, new_visitor: NewVisitor, token: str, form: dict[str, str]) -> TestResponse:
    return _at(services, new_visitor, f"/c/{token}", method="POST", data=form)


def _locked(services: Services, new_visitor: NewVisitor) -> TestResponse:
    made = a_certificate(services)
    return [_post(services, new_visitor, made.token, WRONG) for _ in range(5)][-1]


def _limited(services: Services, new_visitor: NewVisitor) -> TestResponse:
    made = a_certificate(services)
    return [_post(services, new_visitor, made.token, RIGHT) for _ in range(13)][-1]


def _with(database: Any) -> State:
    def state(services: Services, new_visitor: NewVisitor) -> TestResponse:
        made = a_certificate(services)
        return _at(replace(services, db=database), new_visitor, f"/c/{made.token}")

    return state


STATES: dict[int, State] = {
    302: lambda at, new: _at(at, new, f"/c/{a_certificate(at).token}."),
    303: lambda at, new: _post(at, new, a_certificate(at).token, RIGHT),
    307: lambda at, new: _post(at, new, a_certificate(at).token, {"stop": "ask"}),
    403: lambda at, new: _at(at, new, "/asli", method="POST", headers={"Sec-Fetch-Site": "cross-site"}),
    404: lambda at, new: _at(at, new, "/nowhere"),
    405: lambda at, new: _at(at, new, "/asli", method="DELETE"),
    410: lambda at, new: _at(at, new, f"/c/{ended(at, 'withdrawn').token}"),
    413: lambda at, new: _at(at, new, "/asli", method="POST", data={"text": "x" * 20_000}),
    421: lambda at, new: _at(at, new, "/asli", headers={"Host": "evil.example"}),
    422: lambda at, new: _post(at, new, a_certificate(at).token, WRONG),
    423: _locked,
    429: _limited,
    500: _with(BrokenDatabase()),
    503: _with(AwayDatabase()),
}


@pytest.mark.parametrize("status", STATES)
def test_every_state_and_error_carries_the_protection(safe: Services, new_visitor: NewVisitor, status: int) -> None:
    response = STATES[status](safe, new_visitor)
    assert response.status_code == status
    check(response, HEADERS | HSTS)


def test_nothing_of_a_page_is_inline_or_elsewhere(safe: Services, secure: Visitor) -> None:
    made = a_certificate(safe)
    view = secure.post(f"/c/{made.token}", RIGHT).location
    for path in (f"/c/{made.token}", view, view + "/history", "/asli", "/verify", "/nowhere"):
        page = secure.get(path).text
        assert "<html" in page
        assert not [bad for bad in ("<script", "style=", "<style", " onclick", "javascript:", "//") if bad in page]


def test_security_txt_is_where_rfc_9116_and_people_look(secure: Visitor) -> None:
    assert secure.get("/security.txt").location == "/.well-known/security.txt"
    answer = secure.get("/.well-known/security.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields["Canonical"] == f"{HTTPS}/.well-known/security.txt"
    assert {"Contact", "Expires", "Preferred-Languages"} <= fields.keys()


def test_robots_txt_names_no_link(secure: Visitor) -> None:
    assert secure.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"


def test_without_https_there_is_no_hsts_and_no_host_cookie(services: Services, visitor: Visitor) -> None:
    answer = visitor.get("/verify?lang=en")
    assert "Strict-Transport-Security" not in answer.headers
    assert answer.headers["Set-Cookie"].startswith("lang=en;")


def test_all_rules_are_of_the_app_that_is_served(services: Services) -> None:
    endpoints = {rule.endpoint for rule in rules(create_public_app(services))}
    assert {"asset", "landing", "certificate", "asli", "who_looked", "twilio_status"} <= endpoints
