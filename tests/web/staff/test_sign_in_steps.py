"""The steps behind the password, in the browser: a code, an own password, setting up a phone."""

from __future__ import annotations

import base64
import re

import pytest
import zxingcpp
from flask import Flask

from linkserver import create_staff_app
from notifier.access import manage, second_factor, totp
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.services import Services
from tests.conftest import Build
from tests.fakes import FakeClock
from tests.web.staff.conftest import PASSWORD, Desk, add_staff

OWN = "empat ikan biru di kolam"
COOKIE = "sertilink-staff"


@pytest.fixture
def services(build_services: Build) -> Services:
    """Where a second factor is required."""
    return build_services(second_factor="required")


@pytest.fixture
def desk(app: Flask) -> Desk:
    return Desk(app.test_client())


def begin(desk: Desk, username: str = "sari", password: str = PASSWORD, **form: str) -> str:
    """Name and password; where that leads."""
    desk.get("/sign-in")
    response = desk.post("/sign-in", {"username": username, "password": password} | form)
    assert response.status_code == 303, response.text
    return response.location


def secret_on(page: str) -> bytes:
    """As somebody types it into an app."""
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    assert found
    return base64.b32decode(found[1].replace(" ", ""))


def code_of(services: Services, secret: bytes, steps: int = 0) -> str:
    return totp.code_of(secret, totp.step_of(services.clock.now()) + steps)


def enrol(desk: Desk, services: Services) -> tuple[bytes, list[str]]:
    """From the page that shows the secret to the recovery codes."""
    secret = secret_on(desk.get("/sign-in/second-factor").text)
    page = desk.post("/sign-in/second-factor", {"code": code_of(services, secret)})
    assert page.status_code == 200, page.text
    return secret, re.findall(r"<li><code>([0-9A-Z-]{14})</code></li>", page.text)


def test_the_first_sign_in_leads_to_the_phone_and_reaches_nothing_before(desk: Desk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    assert begin(desk, next="/doses/new") == "/sign-in/second-factor"
    assert desk.get("/doses/new").location == "/sign-in/second-factor"
    assert desk.get("/doses/done/ABC").location == "/sign-in/second-factor"
    assert 'aria-label="Bagian"' not in desk.get("/sign-in/second-factor").text  # no navigation yet
    _, codes = enrol(desk, services)
    assert len(codes) == 10
    assert desk.get("/doses/new").status_code == 200


def test_the_page_after_the_last_step_is_the_one_that_was_wanted(desk: Desk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk, next="/doses/new")
    secret = secret_on(desk.get("/sign-in/second-factor").text)
    assert 'href="/doses/new"' in desk.post("/sign-in/second-factor", {"code": code_of(services, secret)}).text


def test_the_qr_code_holds_the_very_secret_that_is_written_below(desk: Desk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk)
    page = desk.get("/sign-in/second-factor").text
    path = re.search(r'<path stroke="#000" d="([^"]+)"', page)
    side = re.search(r'<svg class="qr" viewBox="0 0 (\d+) ', page)
    assert path
    assert side
    read = _read(path[1], int(side[1]))
    assert read == totp.as_address(secret_on(page), issuer="Sertilink 127.0.0.1", username="sari")


def _read(path: str, side: int) -> str:
    """What somebody else's reader finds in the drawn code."""
    scale = 4
    paper = [bytearray(b"\xff" * side * scale) for _ in range(side)]
    for left, top, strokes in re.findall(r"M(\d+) (\d+)\.5((?:[hm][\d ]+)*)", path):
        at = int(left)
        for kind, steps in re.findall(r"([hm])(\d+)", strokes):
            if kind == "h":
                paper[int(top)][at * scale : (at + int(steps)) * scale] = b"\0" * int(steps) * scale
            at += int(steps)
    pixels = b"".join(bytes(row) * scale for row in paper)
    view = memoryview(pixels).cast("B", (side * scale, side * scale))
    [found] = zxingcpp.read_barcodes(view)
    return str(found.text)


def test_a_wrong_first_code_keeps_the_secret_and_says_so_beside_the_field(desk: Desk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk)
    before = secret_on(desk.get("/sign-in/second-factor").text)
    response = desk.post("/sign-in/second-factor", {"code": "000000"})
    assert response.status_code == 422
    assert "Kode ini tidak cocok" in response.text
    assert 'id="code-problem"' in response.text
    assert secret_on(response.text) == before
    assert desk.get("/").status_code == 303


def test_the_next_sign_in_asks_for_a_code_and_takes_it_once(desk: Desk, services: Services, clock: FakeClock) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk)
    secret, codes = enrol(desk, services)
    desk.get("/account")
    desk.post("/sign-out")
    clock.tick(minutes=1)
    assert begin(desk, next="/messages") == "/sign-in/code"
    assert desk.get("/messages").location == "/sign-in/code"
    desk.get("/sign-in/code")
    wrong = desk.post("/sign-in/code", {"code": "000000"})
    assert (wrong.status_code, "Kode ini tidak cocok" in wrong.text) == (422, True)
    code = code_of(services, secret)
    assert desk.post("/sign-in/code", {"code": f"{code[:3]} {code[3:]}"}).location == "/messages"
    assert desk.get("/messages").status_code == 200
    other = Desk(desk.client.application.test_client())
    begin(other)
    other.get("/sign-in/code")
    assert other.post("/sign-in/code", {"code": code}).status_code == 422
    refused = other.post("/sign-in/code", {"recovery_code": "0000-0000-0000"})
    assert (refused.status_code, "Kode pemulihan ini tidak cocok" in refused.text) == (422, True)
    assert other.post("/sign-in/code", {"recovery_code": codes[3].lower()}).location == "/"


def test_too_many_codes_are_answered_429_with_a_time_to_wait(desk: Desk, services: Services, clock: FakeClock) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk)
    secret, _ = enrol(desk, services)
    clock.tick(minutes=1)
    begin(desk)
    desk.get("/sign-in/code")
    for _ in range(second_factor.TRIES):
        assert desk.post("/sign-in/code", {"code": "000000"}).status_code == 422
    response = desk.post("/sign-in/code", {"code": code_of(services, secret)})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "900")
    assert "Tunggu 15 menit" in response.text
    assert desk.get("/").location == "/sign-in/code"


def test_each_step_gives_the_browser_another_session_and_another_csrf_secret(
    desk: Desk, services: Services, clock: FakeClock
) -> None:
    """Whatever was planted in or copied out of the browser at one step is worth nothing at the next."""
    staff_id, first = manage.add(
        services,
        Passwords(memory_kib=64, passes=1),
        username="wati",
        display_name="Wati",
        role="operator",
        actor="test",
    )
    desk.get("/sign-in")
    seen = [(_cookie(desk), desk.token)]
    begin(desk, "wati", first)
    desk.get("/sign-in/password")
    seen.append((_cookie(desk), desk.token))
    assert desk.post("/sign-in/password", {"password": OWN, "again": OWN}).location == "/sign-in/second-factor"
    desk.get("/sign-in/second-factor")
    seen.append((_cookie(desk), desk.token))
    secret, _ = enrol(desk, services)
    desk.get("/account")
    assert desk.get("/").status_code == 200
    for cookie, token in seen:
        thief = Desk(desk.client.application.test_client())
        thief.client.set_cookie(COOKIE, cookie)
        assert thief.get("/").location == "/sign-in"
        assert desk.client.post("/sign-out", data={"csrf_token": token}).status_code == 400
    # and the same with the code of a later sign-in
    clock.tick(minutes=1)
    begin(desk, "wati", OWN)
    desk.get("/sign-in/code")
    half, token = _cookie(desk), desk.token
    desk.post("/sign-in/code", {"code": code_of(services, secret)})
    thief = Desk(desk.client.application.test_client())
    thief.client.set_cookie(COOKIE, half)
    assert thief.get("/").location == "/sign-in"
    assert thief.get("/sign-in/code").location.startswith("/sign-in?")
    assert desk.client.post("/sign-out", data={"csrf_token": token}).status_code == 400
    assert desk.get("/").status_code == 200
    assert staff_id


def _cookie(desk: Desk) -> str:
    found = desk.client.get_cookie(COOKIE)
    assert found is not None
    return found.value


def test_a_first_password_leads_to_the_choice_of_an_own_one(build_services: Build, clock: FakeClock) -> None:
    services = build_services(second_factor="optional")
    desk = Desk(create_staff_app(services).test_client())
    _, first = manage.add(
        services, Passwords(memory_kib=64, passes=1), username="wati", display_name="Wati", role="auditor", actor="test"
    )
    assert begin(desk, "wati", first, next="/cases") == "/sign-in/password"
    assert desk.get("/cases").location == "/sign-in/password"
    page = desk.get("/sign-in/password")
    assert "Kata sandi pertama dibuat administrator" in page.text
    for typed, words in (
        ({"password": "pendek", "again": "pendek"}, "paling sedikit 12 huruf"),
        ({"password": OWN, "again": "lain sama sekali"}, "Kedua kata sandi berbeda"),
        ({"password": first, "again": first}, "Pilih kata sandi yang lain"),
        ({}, "paling sedikit 12 huruf"),
    ):
        response = desk.post("/sign-in/password", typed)
        assert (response.status_code, words in response.text) == (422, True), words
        assert OWN not in response.text
    assert desk.post("/sign-in/password", {"password": OWN, "again": OWN}).location == "/cases"
    assert desk.get("/cases").status_code == 200


def test_a_first_password_after_its_time_says_whom_to_ask(desk: Desk, services: Services, clock: FakeClock) -> None:
    _, first = manage.add(
        services, Passwords(memory_kib=64, passes=1), username="wati", display_name="Wati", role="auditor", actor="test"
    )
    clock.tick(days=7)
    desk.get("/sign-in")
    response = desk.post("/sign-in", {"username": "wati", "password": first})
    assert response.status_code == 422
    assert "Minta administrator membuat kata sandi pertama yang baru" in response.text


def test_the_language_can_be_chosen_half_way(desk: Desk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk)
    desk.get("/sign-in/second-factor")
    assert desk.post("/language", {"language": "en", "next": "/sign-in/second-factor"}).location == (
        "/sign-in/second-factor"
    )
    assert "Set up the second step on your phone" in desk.get("/sign-in/second-factor").text


def test_a_half_session_that_ran_out_leads_to_the_sign_in(desk: Desk, services: Services, clock: FakeClock) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk)
    desk.get("/sign-in/second-factor")
    clock.tick(minutes=16)
    response = desk.post("/sign-in/second-factor", {"code": "000000"})
    assert (response.status_code, response.location) == (303, "/sign-in")


def test_signing_in_as_somebody_else_half_way_ends_the_half_session(desk: Desk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    add_staff(services, "budi", Role.HEALTH_WORKER)
    begin(desk)
    half = _cookie(desk)
    begin(desk, "budi")
    desk.client.set_cookie(COOKIE, half)
    assert desk.get("/sign-in/second-factor").location.startswith("/sign-in?")


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_no_step_leads_to_another_site(desk: Desk, services: Services, evil: str, clock: FakeClock) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk, next=evil)
    assert desk.post("/language", {"csrf_token": _token(desk), "language": "en", "next": evil}).location == "/"
    secret = secret_on(desk.get("/sign-in/second-factor").text)
    assert "evil" not in desk.post("/sign-in/second-factor", {"code": code_of(services, secret)}).text
    clock.tick(minutes=1)
    desk.post("/sign-out", {"csrf_token": _token(desk, "/account")})
    begin(desk, next=evil)
    desk.get("/sign-in/code")
    assert desk.post("/sign-in/code", {"code": code_of(services, secret)}).location == "/"


def _token(desk: Desk, path: str = "/sign-in/second-factor") -> str:
    desk.get(path)
    return desk.token


def test_under_https_the_cookie_of_every_step_is_host_bound_secure_and_out_of_reach_of_scripts(
    build_services: Build, clock: FakeClock
) -> None:
    url = "https://petugas.example.id"
    services = build_services(staff_url=url, environment="production")
    desk = Desk(create_staff_app(services).test_client(), headers={"Referer": f"{url}/sign-in"})
    _, first = manage.add(
        services, Passwords(memory_kib=64, passes=1), username="wati", display_name="Wati", role="auditor", actor="test"
    )
    steps = [desk.get("/sign-in", base_url=url)]
    steps.append(desk.post("/sign-in", {"username": "wati", "password": first}, base_url=url))
    steps.append(desk.get("/sign-in/password", base_url=url))
    steps.append(desk.post("/sign-in/password", {"password": OWN, "again": OWN}, base_url=url))
    assert steps[-1].location == "/sign-in/second-factor"  # production asks for it without being told
    page = desk.get("/sign-in/second-factor", base_url=url)
    steps.append(page)
    code = code_of(services, secret_on(page.text))
    steps.append(desk.post("/sign-in/second-factor", {"code": code}, base_url=url))
    assert steps[-1].status_code == 200
    for step in steps:
        cookie = step.headers["Set-Cookie"]
        assert cookie.startswith("__Host-sertilink-staff=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
        assert "Expires" not in cookie
    # a form that another site's page sends is refused by its referrer
    desk.headers["Referer"] = "https://evil.example/"
    assert desk.post("/sign-out", base_url=url).status_code == 400


def test_where_it_is_required_there_is_no_way_to_turn_it_off(desk: Desk, services: Services) -> None:
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk)
    enrol(desk, services)
    assert "Matikan langkah kedua" not in desk.get("/account").text
    response = desk.post("/account/second-factor/remove", {"password": PASSWORD})
    assert response.status_code == 409
    assert "Di sini setiap petugas memakai langkah kedua" in response.text


def test_what_cannot_be_counted_is_not_let_in(desk: Desk, services: Services, clock: FakeClock) -> None:
    """The database lost its table of counters: the right code does not help, and the page says to wait."""
    add_staff(services, "sari", Role.HEALTH_WORKER)
    begin(desk)
    secret, _ = enrol(desk, services)
    clock.tick(minutes=1)
    begin(desk)
    desk.get("/sign-in/code")
    with services.db.write() as conn:
        conn.exec_driver_sql("ALTER TABLE counter RENAME TO counter_away")
    response = desk.post("/sign-in/code", {"code": code_of(services, secret)})
    assert response.status_code == 503
    assert desk.get("/").location == "/sign-in/code"
