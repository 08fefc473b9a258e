"""Signing in and out through the browser."""

from __future__ import annotations

import pytest

from linkserver import create_staff_app
from linkserver.staff.gate import safe_next
from notifier.access import sign_in as rules
from notifier.access.roles import Role
from notifier.services import Services
from tests.conftest import Build
from tests.fakes import FakeClock
from tests.web.staff.conftest import Desk, NewDesk, add_staff


def test_a_page_asks_for_a_sign_in_and_is_come_back_to(new_desk: NewDesk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = new_desk()
    response = desk.get("/doses/new")
    assert (response.status_code, response.location) == (303, "/sign-in?next=/doses/new")
    assert 'value="/doses/new"' in desk.get(response.location).text
    assert desk.sign_in("sari", next_path="/doses/new").location == "/doses/new"
    assert desk.get("/doses/new").status_code == 200


def test_a_wrong_password_says_so_keeps_the_name_and_signs_nobody_in(new_desk: NewDesk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = new_desk()
    response = desk.sign_in("sari", "salah sama sekali")
    assert response.status_code == 422
    assert "Nama pengguna atau kata sandi tidak cocok" in response.text
    assert 'value="sari"' in response.text
    assert "salah sama sekali" not in response.text
    assert desk.get("/").status_code == 303


def test_an_unknown_name_gets_the_very_same_page(new_desk: NewDesk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = new_desk()
    known = desk.sign_in("sari", "salah sama sekali").text.replace("sari", "").replace(desk.token, "")
    unknown = desk.sign_in("nobody", "salah sama sekali").text.replace("nobody", "").replace(desk.token, "")
    assert known == unknown


def test_too_many_tries_are_answered_429_with_a_time_to_wait(new_desk: NewDesk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = new_desk()
    for _ in range(rules.TRIES_AN_ACCOUNT):
        assert desk.sign_in("sari", "salah sama sekali").status_code == 422
    response = desk.sign_in("sari")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "900")
    assert "Tunggu 15 menit" in response.text


def test_signing_out_ends_the_session_on_the_server(worker: Desk) -> None:
    cookie = worker.client.get_cookie("sertilink-staff")
    assert cookie is not None
    assert worker.post("/sign-out").status_code == 303
    worker.client.set_cookie("sertilink-staff", cookie.value)
    assert worker.get("/").location.startswith("/sign-in")


def test_signing_out_everywhere_ends_the_other_browser_too(worker: Desk, new_desk: NewDesk) -> None:
    other = new_desk()
    other.sign_in("sari")
    worker.get("/account")
    assert worker.post("/account/sign-out-everywhere").status_code == 303
    assert other.get("/").location.startswith("/sign-in")


def test_an_idle_browser_is_signed_out(worker: Desk, clock: FakeClock) -> None:
    clock.tick(minutes=31)
    assert worker.get("/").location == "/sign-in"


def test_a_cookie_from_before_the_sign_in_is_worth_nothing_after_it(new_desk: NewDesk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk, attacker = new_desk(), new_desk()
    attacker.get("/sign-in")
    planted = attacker.client.get_cookie("sertilink-staff")
    assert planted is not None
    desk.client.set_cookie("sertilink-staff", planted.value)
    desk.sign_in("sari")
    after = desk.client.get_cookie("sertilink-staff")
    assert after is not None
    assert after.value != planted.value
    assert attacker.get("/").location == "/sign-in"
    # nor does the attacker's CSRF token open the victim's forms
    assert desk.post("/sign-out", {"csrf_token": attacker.token}).status_code == 400


def test_signing_in_again_ends_the_session_before(worker: Desk) -> None:
    first = worker.client.get_cookie("sertilink-staff")
    assert first is not None
    worker.post("/sign-in", {"username": "sari", "password": "tiga kucing oren"})
    worker.client.set_cookie("sertilink-staff", first.value)
    assert worker.get("/").location == "/sign-in"


@pytest.mark.parametrize(
    "path", ["/sign-out", "/doses/new", "/messages", "/messages/ABC/cancel", "/messages/ABC/resend", "/language"]
)
def test_a_form_without_its_csrf_token_is_refused(worker: Desk, path: str) -> None:
    response = worker.client.post(path, data={"step": "record"})
    assert response.status_code == 400
    assert "Tidak ada yang dicatat" in response.text


def test_signing_in_without_a_csrf_token_is_refused(new_desk: NewDesk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = new_desk()
    response = desk.client.post("/sign-in", data={"username": "sari", "password": "tiga kucing oren"})
    assert response.status_code == 400
    assert desk.get("/").status_code == 303


@pytest.mark.parametrize(
    ("wanted", "target"),
    [
        ("/doses/new", "/doses/new"),
        ("/messages/ABC", "/messages/ABC"),
        ("", "/"),
        (None, "/"),
        ("https://evil.example/x", "/"),
        ("//evil.example/x", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("doses", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("/" + "x" * 600, "/"),
    ],
)
def test_the_way_back_stays_with_us(wanted: str | None, target: str) -> None:
    assert safe_next(wanted) == target


def test_the_sign_in_form_sends_nobody_elsewhere(new_desk: NewDesk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    assert new_desk().sign_in("sari", next_path="https://evil.example/").location == "/"


def test_under_https_the_cookie_is_host_bound_secure_and_out_of_reach_of_scripts(build_services: Build) -> None:
    services = build_services(staff_url="https://petugas.example.id")
    client = create_staff_app(services).test_client()
    response = client.get("/sign-in", base_url="https://petugas.example.id")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-sertilink-staff=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert response.headers["Strict-Transport-Security"]


def test_no_page_allows_inline_style_or_script_or_a_frame(worker: Desk) -> None:
    for path in ("/", "/doses", "/doses/new", "/messages", "/catcher", "/account"):
        response = worker.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in response.text
        assert " style=" not in response.text
        assert response.headers["Cache-Control"] == "no-store"


def test_the_language_is_chosen_before_and_after_signing_in(new_desk: NewDesk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    desk = new_desk()
    desk.get("/sign-in")
    desk.post("/language", {"language": "en", "next": "/sign-in"})
    assert "Staff sign-in" in desk.get("/sign-in").text
    desk.sign_in("sari")
    assert "Catat dosis" in desk.get("/doses/new").text  # the account's own language
    desk.post("/language", {"language": "en", "next": "/doses/new"})
    page = desk.get("/doses/new").text
    assert 'lang="en"' in page
    assert "Record a dose" in page
