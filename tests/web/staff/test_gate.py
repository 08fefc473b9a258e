"""The gate. Every role at every route: test_access_matrix.py."""

from __future__ import annotations

import pytest

from linkserver import create_staff_app
from notifier.access.roles import Role
from notifier.services import Services
from tests.conftest import Build
from tests.web.staff.conftest import FACILITY, Desk, NewDesk


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
