"""The accounts of others, in an administrator's browser."""

from __future__ import annotations

import re

import pytest

from notifier.access import manage
from notifier.access.roles import Role
from notifier.core.ids import new_id
from notifier.services import Services
from notifier.store import audit, staff
from tests.web.staff.conftest import FACILITY, PASSWORD, Desk, NewDesk, add_staff
from tests.web.staff.test_account import set_up

NEW = {
    "username": "wati",
    "display_name": "Wati Lestari",
    "role": "health_worker",
    "facility_id": "pkm-9",
    "facility_name": "Puskesmas Sembilan",
}
OWN = "empat ikan biru di kolam"


@pytest.fixture
def boss(new_desk: NewDesk) -> Desk:
    return new_desk("boss", Role.ADMINISTRATOR)


@pytest.fixture
def sari(services: Services) -> str:
    return add_staff(services, "sari", Role.HEALTH_WORKER)


def deed(boss: Desk, staff_id: str, name: str, **form: str) -> tuple[int, str]:
    """Opens the account and does something with the form that it shows; status, and location or page."""
    page = boss.get(f"/accounts/{staff_id}").text
    revision = re.search(r'name="revision" value="(\d+)"', page)
    data = {"reason": "diminta lewat telepon", "revision": revision[1] if revision else ""} | form
    response = boss.post(f"/accounts/{staff_id}/{name}", data)
    return response.status_code, response.location or response.text


def first_password(page: str) -> str:
    found = re.search(r'<code class="secret">([0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{5})</code>', page)
    assert found
    return found[1]


def test_a_new_account_gets_a_first_password_that_is_shown_once(boss: Desk, new_desk: NewDesk) -> None:
    boss.get("/accounts/new")
    page = boss.post("/accounts/new", NEW)
    assert page.status_code == 200
    first = first_password(page.text)
    assert page.headers["Cache-Control"] == "no-store"
    # sending the form again, as a reload does, makes nothing new
    again = boss.post("/accounts/new", NEW)
    assert (again.status_code, "sudah dipakai" in again.text, "-" * 3 in again.text) == (422, True, False)
    shown = boss.get("/accounts").text
    assert "Wati Lestari" in shown
    assert first not in shown
    wati = new_desk()
    assert wati.sign_in("wati", first).location == "/sign-in/password"
    wati.get("/sign-in/password")
    assert wati.post("/sign-in/password", {"password": OWN, "again": OWN}).location == "/"
    assert wati.get("/doses/new").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"username": "wati lestari"}, "username", "huruf kecil, angka"),
        ({"username": "BOSS"}, "username", "sudah dipakai"),
        ({"display_name": ""}, "display_name", "Bagian ini harus diisi"),
        ({"role": "raja"}, "role", "Pilih salah satu"),
        ({"facility_id": ""}, "facility_id", "terikat pada fasilitas"),
        ({"facility_name": ""}, "facility_name", "belum dikenal"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_is_kept(
    boss: Desk, services: Services, changes: dict[str, str], field: str, words: str
) -> None:
    boss.get("/accounts/new")
    response = boss.post("/accounts/new", NEW | changes)
    assert response.status_code == 422
    assert f'id="{field}-problem"' in response.text
    assert words in response.text
    for name in {"username", "display_name", "facility_id"} - {field}:
        assert f'value="{NEW[name]}"' in response.text
    assert 'value="health_worker" required checked' in response.text.replace(' id="role"', "") or field == "role"
    with services.db.read() as conn:
        assert [row.username for row in staff.everyone(conn)] == ["boss"]


def test_a_form_without_any_field_is_refused_and_not_a_fault(boss: Desk) -> None:
    boss.get("/accounts/new")
    assert boss.post("/accounts/new").status_code == 422


def test_each_deed_is_done_told_and_audited_with_its_reason(
    boss: Desk, sari: str, services: Services, new_desk: NewDesk
) -> None:
    worker = new_desk()
    worker.sign_in("sari")
    set_up(worker, services)
    done = f"/accounts/{sari}?done="
    assert deed(boss, sari, "second-factor") == (303, f"{done}second-factor")
    assert worker.get("/").location == "/sign-in"
    worker.sign_in("sari")
    assert deed(boss, sari, "sessions") == (303, f"{done}sessions")
    assert worker.get("/").location == "/sign-in"
    worker.sign_in("sari")
    assert deed(boss, sari, "role", role="auditor") == (303, f"{done}role")
    assert worker.get("/").location == "/sign-in"
    worker.sign_in("sari")
    assert worker.get("/doses/new").status_code == 403
    status, page = deed(boss, sari, "password")
    first = first_password(page)
    assert (status, worker.get("/").location) == (200, "/sign-in")
    assert worker.sign_in("sari", first).location == "/sign-in/password"
    assert deed(boss, sari, "deactivate") == (303, f"{done}deactivate")
    assert worker.get("/sign-in/password").location.startswith("/sign-in?")
    assert worker.sign_in("sari", first).status_code == 422
    assert deed(boss, sari, "reactivate") == (303, f"{done}reactivate")
    assert worker.sign_in("sari", first).status_code == 303
    for name in ("second-factor", "sessions", "role", "deactivate", "reactivate"):
        assert 'class="band good"' in boss.get(f"{done}{name}").text
    with services.db.read() as conn:
        told = {row.action: row.detail.get("reason") for row in audit.of_subjects(conn, [sari])}
    deeds = ("second-factor-reset", "sessions-ended", "role-changed", "password-reset", "deactivated", "reactivated")
    assert {told[f"staff.{name}"] for name in deeds} == {"diminta lewat telepon"}


@pytest.mark.parametrize("name", ["role", "deactivate", "password", "sessions"])
def test_a_deed_without_a_reason_is_asked_for_one_beside_its_field(boss: Desk, sari: str, name: str) -> None:
    status, page = deed(boss, sari, name, reason=" ", role="auditor")
    assert status == 422
    assert f'id="{name}-reason-problem"' in page
    assert f'href="#{name}-reason"' in page


def test_another_role_without_its_facility_is_asked_for_it_and_the_reason_is_kept(boss: Desk, sari: str) -> None:
    status, page = deed(boss, sari, "role", role="facility_lead", facility_id="")
    assert status == 422
    assert 'id="facility_id-problem"' in page
    assert 'value="diminta lewat telepon"' in page


def test_of_two_administrators_at_one_account_the_second_is_told(boss: Desk, sari: str, new_desk: NewDesk) -> None:
    other = new_desk("boss2", Role.ADMINISTRATOR)
    revision = re.search(r'name="revision" value="(\d+)"', other.get(f"/accounts/{sari}").text)
    assert revision
    assert deed(boss, sari, "deactivate")[0] == 303
    late = {"reason": "pindah", "revision": revision[1], "role": "auditor"}
    response = other.post(f"/accounts/{sari}/role", late)
    assert response.status_code == 409
    assert "Administrator lain baru saja mengubah akun ini" in response.text


@pytest.mark.parametrize("revision", ["", "x", "-1", "1e3", "٣", "9" * 400, "0; DROP TABLE staff"])
def test_a_made_up_revision_is_told_the_same(boss: Desk, sari: str, revision: str) -> None:
    assert deed(boss, sari, "deactivate", revision=revision)[0] == 409


def test_the_own_account_shows_no_buttons_and_refuses_what_is_sent_all_the_same(boss: Desk, services: Services) -> None:
    own = manage.find(services, "boss")
    page = boss.get(f"/accounts/{own}").text
    assert "Ini akun Anda sendiri" in page
    assert 'name="reason"' not in page
    for name in ("role", "deactivate", "password", "second-factor", "sessions"):
        status, page = deed(boss, own, name, revision="0", role="auditor")
        assert (status, "Ini akun Anda sendiri. Minta administrator lain" in page) == (409, True)
    assert boss.get("/").status_code == 200


def test_a_deed_that_changes_nothing_says_so(boss: Desk, sari: str) -> None:
    same = {"role": "health_worker", "facility_id": FACILITY}
    assert [deed(boss, sari, "reactivate")[0], deed(boss, sari, "role", **same)[0]] == [409, 409]


def test_the_list_is_filtered_and_paged_without_a_name_in_the_address(boss: Desk, services: Services) -> None:
    with services.db.write() as conn:
        for n in range(manage.PAGE + 3):
            values = {"id": new_id(), "username": f"w{n:03}", "display_name": f"W {n:03}", "password_hash": "x"}
            more = {"role": "health_worker", "facility_id": "pkm-5", "active": n != 0, "language": "id"}
            staff.insert(conn, **values, **more, created_at=services.clock.now())
    first = boss.get("/accounts?facility=pkm-5&active=yes").text
    assert "W 050" in first
    assert "W 000" not in first
    assert "Boss" not in first.partition("<tbody>")[2]
    onward = re.search(r'href="(/accounts\?after=[^"]+)"', first)
    assert onward
    assert "w050" not in onward[1]
    assert re.findall(r"W \d{3}", boss.get(onward[1].replace("&amp;", "&")).text) == ["W 051", "W 052"]
    assert "W 000" in boss.get("/accounts?active=no").text
    assert "Tidak ada akun di sini" in boss.get("/accounts?role=auditor").text


@pytest.mark.parametrize(
    "asked",
    ["role=king", "active=perhaps", "after=x", "after=%00", "facility=%00", "facility=" + "x" * 900, "role=%F0"],
)
def test_rubbish_in_the_address_is_no_fault(boss: Desk, asked: str) -> None:
    assert boss.get(f"/accounts?{asked}").status_code == 200


def test_an_account_is_found_by_its_username_which_never_stands_in_an_address(boss: Desk, sari: str) -> None:
    boss.get("/accounts")
    assert boss.post("/accounts", {"username": " Sari "}).location == f"/accounts/{sari}"
    for wanted in ("nobody", "", "\0", "<script>"):
        missing = boss.post("/accounts", {"username": wanted})
        assert missing.status_code == 404
        assert "Tidak ada akun dengan nama itu" in missing.text
        assert "<script>" not in missing.text


@pytest.mark.parametrize("path", ["/accounts/sari", "/accounts/1", f"/accounts/{'0' * 32}", "/accounts/x/deactivate"])
def test_an_account_that_is_not_there_is_not_found(boss: Desk, path: str) -> None:
    assert boss.get(path).status_code in {404, 405}
    assert boss.get(f"/accounts/{new_id()}").status_code == 404


def test_no_page_shows_a_hash_or_a_secret(boss: Desk, sari: str, services: Services) -> None:
    for path in ("/accounts", "/accounts/new", f"/accounts/{sari}", "/account"):
        page = boss.get(path).text
        assert "argon2" not in page
        assert PASSWORD not in page
