"""Who may call what: every route declares it, and every role is tried at every route."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from linkserver import create_staff_app
from linkserver.staff.gate import ANYONE, access_of
from notifier.access.api_keys import Scope
from notifier.access.roles import PERMISSIONS, Permission, Role
from notifier.services import Services
from tests.conftest import Build
from tests.web.staff.conftest import FACILITY, Desk, NewDesk

_NO_SUCH = {"reference": "0000000000", "name": "none.css"}


def _calls(app: Flask) -> list[tuple[str, str, str]]:
    """(method, path, endpoint) of everything that can be called."""

    def path_of(rule: Rule) -> str:
        path = rule.rule
        for name in rule.arguments:
            for part in (f"<{name}>", f"<path:{name}>", f"<string:{name}>"):
                path = path.replace(part, _NO_SUCH.get(name, "0000000000"))
        return path

    return [
        (method, path_of(rule), rule.endpoint)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_every_route_declares_who_may_call_it(app: Flask) -> None:
    undeclared = {end for _, _, end in _calls(app) if access_of(app.view_functions[end]) is None}
    assert undeclared == set()


def test_a_route_that_declares_nothing_is_closed_to_everybody(services: Services, new_desk: NewDesk) -> None:
    app = create_staff_app(services)
    app.add_url_rule("/forgotten", view_func=lambda: "secrets", endpoint="forgotten")
    boss = new_desk("boss", Role.ADMINISTRATOR)
    cookie = boss.client.get_cookie("sertilink-staff")
    assert cookie is not None
    client = app.test_client()
    client.set_cookie("sertilink-staff", cookie.value)
    assert client.get("/").status_code == 200
    response = client.get("/forgotten")
    assert response.status_code == 403
    assert "secrets" not in response.text


@pytest.mark.parametrize("role", Role)
def test_each_role_may_call_exactly_what_its_permissions_say(app: Flask, new_desk: NewDesk, role: Role) -> None:
    desk = new_desk("someone", role, FACILITY)
    for method, path, endpoint in _calls(app):
        access = access_of(app.view_functions[endpoint])
        if not isinstance(access, Permission) or endpoint.startswith("sign_in.leave"):
            continue  # signing out is every role's, and would end this walk
        if method == "GET":
            status = desk.get(path).status_code
        else:
            desk.get("/account")
            status = desk.post(path).status_code
        refused = status == 403
        assert refused == (access not in PERMISSIONS[role]), f"{role} {method} {path}: {status}"
        assert status < 500


def test_nobody_gets_past_the_sign_in_without_one(app: Flask, new_desk: NewDesk) -> None:
    desk = new_desk()
    for method, path, endpoint in _calls(app):
        access = access_of(app.view_functions[endpoint])
        if access is ANYONE:
            continue
        desk.get("/sign-in")
        response = desk.get(path) if method == "GET" else desk.post(path)
        if isinstance(access, Scope):
            assert response.status_code == 401
        else:
            assert response.status_code == 303
            assert response.location.startswith("/sign-in")


def test_what_is_open_to_anyone_is_this_list_and_no_more(app: Flask) -> None:
    open_to_all = {path for _, path, end in _calls(app) if access_of(app.view_functions[end]) is ANYONE}
    machine = {path for path in open_to_all if path.startswith(("/api/", "/fhir/"))}
    known = {"/healthz", "/readyz", "/robots.txt", "/sign-in", "/language", "/static/none.css"}
    assert open_to_all - machine == known
    assert machine <= {"/api/docs", "/api/openapi.json", "/api/v1/openapi.json", "/fhir/R4/metadata"}


def test_the_rail_shows_only_what_opens(new_desk: NewDesk) -> None:
    for role in Role:
        desk = new_desk(f"x-{role.value.replace('_', '-')}", role, FACILITY)
        rail = desk.get("/").text.partition("<nav")[2].partition("</nav>")[0]
        links = [part.partition('"')[0] for part in rail.split('href="')[1:]]
        assert links
        assert [desk.get(link).status_code for link in links] == [200] * len(links)


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": "production"},
        {
            "gateway": "twilio",
            "twilio_account_sid": "AC" + "0" * 32,
            "twilio_auth_token": "not-a-real-token",
            "twilio_from": "+15005550006",
        },
    ],
)
def test_the_catcher_does_not_exist_in_production_or_with_a_real_gateway(
    build_services: Build, changes: dict[str, str]
) -> None:
    app = create_staff_app(build_services(**changes))
    assert "catcher.page" not in app.view_functions
    assert not [rule for rule in app.url_map.iter_rules() if "catcher" in rule.rule]


def test_health_and_readiness_need_no_sign_in(new_desk: NewDesk, services: Services) -> None:
    desk = new_desk()
    assert desk.get("/healthz").status_code == 200
    assert desk.get("/readyz").status_code == 200
    services.db.engine.dispose()


def test_a_page_that_is_not_there_says_so_to_those_inside(worker: Desk) -> None:
    response = worker.get("/nowhere")
    assert response.status_code == 404
    assert "Tidak ada di sini" in response.text
