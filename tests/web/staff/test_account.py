"""The own account in the browser: sessions, password, second factor."""

from __future__ import annotations

import re

import pytest

from notifier.access import own_account
from notifier.access.roles import Role
from notifier.services import Services
from notifier.store import audit, staff
from tests.fakes import FakeClock
from tests.web.staff.conftest import PASSWORD, Desk, NewDesk
from tests.web.staff.test_sign_in_steps import code_of, secret_on

OWN = "empat ikan biru di kolam"
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36"}


def sessions_on(page: str) -> list[str]:
    return re.findall(r'name="session" value="([0-9a-f]{64})"', page)


def own_id(services: Services, username: str = "sari") -> str:
    with services.db.read() as conn:
        row = staff.find(conn, username)
    assert row is not None
    return str(row.id)


def set_up(desk: Desk, services: Services) -> bytes:
    """A second factor from the account page; its secret."""
    desk.get("/account")
    assert desk.post("/account/second-factor", {"password": PASSWORD}).location == "/account/second-factor"
    secret = secret_on(desk.get("/account/second-factor").text)
    assert desk.post("/account/second-factor/confirm", {"code": code_of(services, secret)}).status_code == 200
    desk.get("/account")
    return secret


def test_each_live_session_is_listed_with_its_device_and_times_and_this_one_is_marked(
    worker: Desk, new_desk: NewDesk, clock: FakeClock
) -> None:
    clock.tick(minutes=5)
    other = new_desk()
    other.headers.update(PHONE)
    other.sign_in("sari")
    page = other.get("/account").text
    assert len(sessions_on(page)) == 2
    rows = page.partition("<tbody>")[2].partition("</tbody>")[0].split("</tr>")
    assert "Ponsel" in rows[0]
    assert "yang ini" in rows[0]
    assert "10.05" in rows[0]
    assert "yang ini" not in rows[1]
    assert "10.00" in rows[1]


def test_a_session_that_was_idle_or_ended_is_not_listed(worker: Desk, new_desk: NewDesk, clock: FakeClock) -> None:
    other = new_desk()
    other.sign_in("sari")
    clock.tick(minutes=20)
    worker.get("/")
    clock.tick(minutes=11)
    assert len(sessions_on(worker.get("/account").text)) == 1
    assert other.get("/").location == "/sign-in"


def test_one_other_session_is_ended_and_no_more(worker: Desk, new_desk: NewDesk) -> None:
    others = [new_desk() for _ in range(2)]
    for one in others:
        one.sign_in("sari")
    page = worker.get("/account").text
    rows = page.partition("<tbody>")[2].split("</tr>")
    target = next(sessions_on(row)[0] for row in rows if sessions_on(row) and "yang ini" not in row)
    for _ in range(2):  # the second time nothing is left to end, and nothing else does
        assert worker.post("/account/end-session", {"session": target}).location == "/account?done=ended"
    assert worker.get("/").status_code == 200
    assert sorted(one.get("/").status_code for one in others) == [200, 303]


def test_ending_this_session_signs_out(worker: Desk) -> None:
    [mine] = sessions_on(worker.get("/account").text)
    assert worker.post("/account/end-session", {"session": mine}).location == "/sign-in"
    assert worker.get("/").location == "/sign-in"


def test_all_other_sessions_are_ended_at_once(worker: Desk, new_desk: NewDesk) -> None:
    others = [new_desk() for _ in range(2)]
    for one in others:
        one.sign_in("sari")
    worker.get("/account")
    assert worker.post("/account/end-other-sessions").location == "/account?done=others-ended"
    assert "Semua perangkat lain sudah keluar" in worker.get("/account?done=others-ended").text
    assert [one.get("/").location for one in others] == ["/sign-in"] * 2


def test_somebody_elses_session_cannot_be_ended(worker: Desk, new_desk: NewDesk) -> None:
    other = new_desk("wati", Role.HEALTH_WORKER)
    [theirs] = sessions_on(other.get("/account").text)
    worker.get("/account")
    for mark in (theirs, "", "zz", "ab", "\0", "é"):
        assert worker.post("/account/end-session", {"session": mark}).status_code == 303
    assert other.get("/").status_code == 200
    assert worker.get("/").status_code == 200


def test_a_session_half_way_in_is_not_listed_but_ends_with_the_others(
    worker: Desk, new_desk: NewDesk, services: Services, clock: FakeClock
) -> None:
    set_up(worker, services)
    clock.tick(minutes=1)
    half = new_desk()
    half.get("/sign-in")
    half.post("/sign-in", {"username": "sari", "password": PASSWORD})
    assert len(sessions_on(worker.get("/account").text)) == 1
    worker.post("/account/end-other-sessions")
    assert half.get("/sign-in/code").location.startswith("/sign-in?")


def test_the_password_is_changed_with_the_old_one_and_other_sessions_end(
    worker: Desk, new_desk: NewDesk, services: Services
) -> None:
    other = new_desk()
    other.sign_in("sari")
    before = worker.client.get_cookie("sertilink-staff")
    assert before is not None
    worker.get("/account")
    response = worker.post("/account/password", {"old": PASSWORD, "password": OWN, "again": OWN})
    assert (response.status_code, response.location) == (303, "/account?done=password")
    assert worker.get("/account?done=password").status_code == 200
    assert other.get("/").location == "/sign-in"
    thief = new_desk()
    thief.client.set_cookie("sertilink-staff", before.value)
    assert thief.get("/").location == "/sign-in"
    assert new_desk().sign_in("sari").status_code == 422
    assert new_desk().sign_in("sari", OWN).status_code == 303
    with services.db.read() as conn:
        assert "staff.password-changed" in [row.action for row in audit.of_subjects(conn, [own_id(services)])]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"old": "salah sama sekali", "password": OWN, "again": OWN}, "Ini bukan kata sandi"),
        ({"old": PASSWORD, "password": OWN, "again": OWN + "x"}, "Kedua kata sandi berbeda"),
        ({"old": PASSWORD, "password": "pendek", "again": "pendek"}, "paling sedikit 12 huruf"),
        ({"old": PASSWORD, "password": "x" * 300, "again": "x" * 300}, "paling banyak 200 huruf"),
        ({"old": PASSWORD, "password": PASSWORD, "again": PASSWORD}, "Pilih kata sandi yang lain"),
        ({"old": PASSWORD, "password": "password12345", "again": "password12345"}, "Banyak orang memakai"),
        ({"old": PASSWORD, "password": "sari12345678x", "again": "sari12345678x"}, "Jangan pakai nama pengguna"),
        ({}, "Ini bukan kata sandi"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why_beside_its_field_and_shows_none(
    worker: Desk, typed: dict[str, str], words: str
) -> None:
    worker.get("/account")
    response = worker.post("/account/password", typed)
    assert response.status_code == 422
    assert words in response.text
    assert 'aria-invalid="true"' in response.text
    assert not [text for text in typed.values() if len(text) > 8 and text in response.text]


def test_guessing_the_own_password_is_answered_429(worker: Desk) -> None:
    worker.get("/account")
    for _ in range(own_account.TRIES):
        assert worker.post("/account/second-factor", {"password": "salah sama sekali"}).status_code == 422
    response = worker.post("/account/second-factor", {"password": PASSWORD})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "900")
    assert "Tunggu 15 menit" in response.text


def test_a_second_factor_is_set_up_changed_and_turned_off_here(
    worker: Desk, services: Services, clock: FakeClock
) -> None:
    assert "Belum dipasang" in worker.get("/account").text
    secret = set_up(worker, services)
    page = worker.get("/account").text
    assert "Kode pemulihan yang tersisa: 10 dari 10." in page
    clock.tick(minutes=1)
    renewed = worker.post("/account/second-factor/recovery-codes", {"code": code_of(services, secret)})
    assert len(re.findall(r"<li><code>", renewed.text)) == 10
    wrong = worker.post("/account/second-factor/recovery-codes", {"code": code_of(services, secret)})
    assert (wrong.status_code, "Kode ini tidak cocok" in wrong.text) == (422, True)
    wrong = worker.post("/account/second-factor/remove", {"password": "salah sama sekali"})
    assert (wrong.status_code, 'id="remove-password-problem"' in wrong.text) == (422, True)
    assert worker.post("/account/second-factor/remove", {"password": PASSWORD}).location == (
        "/account?done=factor-removed"
    )
    assert "Belum dipasang" in worker.get("/account").text


def test_the_secret_is_not_shown_without_the_password_nor_after_it_was_confirmed(
    worker: Desk, services: Services
) -> None:
    assert worker.get("/account/second-factor").location == "/account"
    worker.get("/account")
    assert worker.post("/account/second-factor/confirm", {"code": "000000"}).location == "/account"
    set_up(worker, services)
    assert worker.get("/account/second-factor").location == "/account"


def test_a_colleague_cannot_confirm_what_another_session_began(
    worker: Desk, new_desk: NewDesk, services: Services
) -> None:
    worker.get("/account")
    worker.post("/account/second-factor", {"password": PASSWORD})
    secret = secret_on(worker.get("/account/second-factor").text)
    other = new_desk("wati", Role.HEALTH_WORKER)
    assert other.post("/account/second-factor/confirm", {"code": code_of(services, secret)}).location == "/account"
    assert "Belum dipasang" in other.get("/account").text
