"""What an administrator does to the accounts of others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from notifier.access import accounts, manage, sessions
from notifier.access import sign_in as rules
from notifier.access.manage import Deed
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.access.sessions import Stage
from notifier.core.errors import BadInput, NotFound, Refused, SertilinkError
from notifier.core.ids import new_id
from notifier.services import Services
from notifier.store import audit, doses, staff
from tests.fakes import FakeClock

PASSWORD = "tiga kucing oren"
OWN = "empat ikan biru"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(memory_kib=64, passes=1)


def account(services: Services, passwords: Passwords, name: str, role: Role = Role.OPERATOR, **more: Any) -> str:
    values = {"username": name, "display_name": name, "password": PASSWORD, "role": role, "actor": "test"}
    return accounts.add(services, passwords, **(values | more))


@pytest.fixture
def boss(each_services: Services, passwords: Passwords) -> str:
    return account(each_services, passwords, "boss", Role.ADMINISTRATOR)


@pytest.fixture
def sari(each_services: Services, passwords: Passwords) -> str:
    return account(each_services, passwords, "sari")


def row_of(services: Services, staff_id: str) -> Any:
    with services.db.read() as conn:
        return staff.get(conn, staff_id)


def deed(services: Services, staff_id: str, by: str = "command:root", reason: str = "asked for it") -> Deed:
    return Deed(staff_id, row_of(services, staff_id).revision, reason, by)


def refusal(act: Any) -> str:
    with pytest.raises(SertilinkError) as error:
        act()
    if isinstance(error.value, BadInput):
        return " ".join(f"{problem.field} {problem.rule}" for problem in error.value.problems)
    assert isinstance(error.value, Refused)
    return error.value.reason


def enter(services: Services, passwords: Passwords, name: str, password: str) -> sessions.Entered:
    return rules.sign_in(services, passwords, username=name, password=password, address="10.0.0.1")


def add_worker(services: Services, passwords: Passwords, **more: str) -> tuple[str, str]:
    values = {"username": "wati", "display_name": "Wati", "role": "health_worker", "actor": "staff:boss"}
    place = {"facility_id": "pkm-9", "facility_name": "Puskesmas Sembilan"}
    return manage.add(services, passwords, **(values | place | more))


def test_a_first_password_opens_nothing_but_the_choice_of_an_own_one(
    each_services: Services, passwords: Passwords
) -> None:
    staff_id, first = add_worker(each_services, passwords)
    half = enter(each_services, passwords, "wati", first)
    assert half.stage is Stage.PASSWORD
    assert sessions.find(each_services, half.token) is None

    def choose(password: str) -> sessions.Entered:
        return rules.choose_password(each_services, passwords, half.token, staff_id, password=password)

    assert refusal(lambda: choose("pendek")) == "password password-short"
    assert refusal(lambda: choose(first)) == "password password-same"
    entered = choose(OWN)
    assert sessions.find(each_services, entered.token)
    assert refusal(lambda: enter(each_services, passwords, "wati", first)) == rules.WRONG
    assert enter(each_services, passwords, "wati", OWN).stage is Stage.FULL
    assert refusal(lambda: choose("lima sapi hitam")) == sessions.ENDED


def test_a_first_password_is_good_for_seven_days(
    each_services: Services, passwords: Passwords, clock: FakeClock
) -> None:
    _, first = add_worker(each_services, passwords)
    clock.tick(days=6, hours=23)
    assert enter(each_services, passwords, "wati", first)
    clock.tick(hours=1)
    assert refusal(lambda: enter(each_services, passwords, "wati", first)) == rules.TOO_OLD
    assert refusal(lambda: enter(each_services, passwords, "wati", "salah sama sekali")) == rules.WRONG


def test_of_two_that_choose_a_password_at_once_one_wins(each_services: Services, passwords: Passwords) -> None:
    staff_id, first = add_worker(each_services, passwords)
    halves = [enter(each_services, passwords, "wati", first) for _ in range(3)]
    chosen = ["empat ikan biru", "lima sapi hitam", "enam ayam jago"]

    def choose(at: int) -> str | None:
        try:
            rules.choose_password(each_services, passwords, halves[at].token, staff_id, password=chosen[at])
        except SertilinkError:
            return None
        return chosen[at]

    with ThreadPoolExecutor(3) as pool:
        [won] = [password for password in pool.map(choose, range(3)) if password]
    assert enter(each_services, passwords, "wati", won).stage is Stage.FULL


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"username": "w"}, "username username"),
        ({"username": "boss"}, "username username-taken"),
        ({"display_name": " "}, "display_name required"),
        ({"role": "king"}, "role choice"),
        ({"role": ""}, "role choice"),
        ({"facility_id": ""}, "facility_id required"),
        ({"facility_name": ""}, "facility_name facility-unknown"),
        ({"facility_id": "x" * 201}, "facility_id too-long"),
    ],
)
def test_a_bad_account_is_refused_by_field_and_nothing_is_written(
    each_services: Services, passwords: Passwords, boss: str, changes: dict[str, str], problem: str
) -> None:
    assert refusal(lambda: add_worker(each_services, passwords, **changes)) == problem
    with each_services.db.read() as conn:
        assert [row.id for row in staff.everyone(conn)] == [boss]
        assert doses.find_facilities(conn, ["pkm-9"]) == {}


def test_a_facility_that_is_known_needs_no_name(each_services: Services, passwords: Passwords) -> None:
    add_worker(each_services, passwords)
    assert add_worker(each_services, passwords, username="budi", facility_name="")


def test_another_role_ends_the_sessions_and_the_audit_says_from_what(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    token = enter(each_services, passwords, "sari", PASSWORD).token
    manage.change_role(each_services, deed(each_services, sari, reason="new task"), role="auditor")
    assert sessions.find(each_services, token) is None
    found = sessions.find(each_services, enter(each_services, passwords, "sari", PASSWORD).token)
    assert found is not None
    assert found.role is Role.AUDITOR
    with each_services.db.read() as conn:
        [row] = [row for row in audit.of_subjects(conn, [sari]) if row.action == "staff.role-changed"]
    assert row.detail == {"was": "operator", "role": "auditor", "reason": "new task"}
    assert row.actor == "command:root"


def test_a_facility_role_needs_a_facility_and_the_same_role_again_is_no_change(
    each_services: Services, sari: str
) -> None:
    change = manage.change_role
    assert (
        refusal(lambda: change(each_services, deed(each_services, sari), role="health_worker"))
        == "facility_id required"
    )
    assert refusal(lambda: change(each_services, deed(each_services, sari), role="operator")) == manage.NOTHING_TO_DO
    place = {"facility_id": "pkm-9", "facility_name": "Puskesmas Sembilan"}
    change(each_services, deed(each_services, sari), role="health_worker", **place)
    change(each_services, deed(each_services, sari), role="health_worker", facility_id="pkm-10", facility_name="X")
    assert row_of(each_services, sari).facility_id == "pkm-10"


def test_an_ended_account_is_opened_again_with_its_password(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    manage.deactivate(each_services, deed(each_services, sari))
    assert refusal(lambda: enter(each_services, passwords, "sari", PASSWORD)) == rules.WRONG
    assert refusal(lambda: manage.deactivate(each_services, deed(each_services, sari))) == manage.NOTHING_TO_DO
    manage.reactivate(each_services, deed(each_services, sari))
    assert enter(each_services, passwords, "sari", PASSWORD)
    assert refusal(lambda: manage.reactivate(each_services, deed(each_services, sari))) == manage.NOTHING_TO_DO


def test_a_reset_password_is_a_first_one_and_ends_the_sessions(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    token = enter(each_services, passwords, "sari", PASSWORD).token
    first = manage.reset_password(each_services, passwords, deed(each_services, sari))
    assert sessions.find(each_services, token) is None
    assert refusal(lambda: enter(each_services, passwords, "sari", PASSWORD)) == rules.WRONG
    assert enter(each_services, passwords, "sari", first).stage is Stage.PASSWORD


def test_sessions_are_ended_by_others_with_a_reason(each_services: Services, passwords: Passwords, sari: str) -> None:
    tokens = [enter(each_services, passwords, "sari", PASSWORD).token for _ in range(2)]
    assert manage.end_sessions(each_services, deed(each_services, sari)) == 2
    assert [sessions.find(each_services, token) for token in tokens] == [None, None]


DEEDS: dict[str, Any] = {
    "role": lambda services, passwords, it: manage.change_role(services, it, role="auditor"),
    "deactivate": lambda services, passwords, it: manage.deactivate(services, it),
    "reactivate": lambda services, passwords, it: manage.reactivate(services, it),
    "password": lambda services, passwords, it: manage.reset_password(services, passwords, it),
    "second factor": lambda services, passwords, it: manage.reset_second_factor(services, it),
    "sessions": lambda services, passwords, it: manage.end_sessions(services, it),
}


@pytest.mark.parametrize("name", DEEDS)
def test_each_deed_needs_a_reason_another_account_and_the_account_as_it_is(
    services: Services, passwords: Passwords, name: str
) -> None:
    do, sari = DEEDS[name], account(services, passwords, "sari", Role.ADMINISTRATOR)
    account(services, passwords, "boss", Role.ADMINISTRATOR)
    before = row_of(services, sari)
    token = enter(services, passwords, "sari", PASSWORD).token
    before = row_of(services, sari)
    assert refusal(lambda: do(services, passwords, Deed(sari, 0, "  ", "staff:boss"))) == "reason required"
    assert refusal(lambda: do(services, passwords, Deed(sari, 0, "x" * 301, "staff:boss"))) == "reason too-long"
    assert refusal(lambda: do(services, passwords, Deed(sari, 0, "why", f"staff:{sari}"))) == manage.OWN_ACCOUNT
    assert refusal(lambda: do(services, passwords, Deed(sari, 7, "why", "staff:boss"))) == manage.CHANGED_MEANWHILE
    with pytest.raises(NotFound):
        do(services, passwords, Deed(new_id(), 0, "why", "staff:boss"))
    assert row_of(services, sari) == before
    assert sessions.find(services, token)


def test_the_last_active_administrator_stays_one(each_services: Services, passwords: Passwords, boss: str) -> None:
    """Whoever asks: a command of the console too."""
    ended = account(each_services, passwords, "old-boss", Role.ADMINISTRATOR)
    manage.deactivate(each_services, deed(each_services, ended))
    last = manage.LAST_ADMINISTRATOR
    assert refusal(lambda: manage.deactivate(each_services, deed(each_services, boss))) == last
    assert refusal(lambda: manage.change_role(each_services, deed(each_services, boss), role="auditor")) == last
    manage.reactivate(each_services, deed(each_services, ended))
    manage.deactivate(each_services, deed(each_services, boss))


def test_administrators_who_end_each_other_at_once_leave_one(each_services: Services, passwords: Passwords) -> None:
    everybody = [account(each_services, passwords, f"boss-{n}", Role.ADMINISTRATOR) for n in range(4)]

    def end_the_next(at: int) -> None:
        other = everybody[(at + 1) % len(everybody)]
        act = manage.deactivate if at % 2 else lambda s, d: manage.change_role(s, d, role="auditor")
        try:
            act(each_services, Deed(other, 0, "why", f"staff:{everybody[at]}"))
        except Refused as refused:
            assert refused.reason == manage.LAST_ADMINISTRATOR  # noqa: PT017  # which refusal, where there is one

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(end_the_next, range(4)))
    left = [row for row in map(lambda one: row_of(each_services, one), everybody) if row.active]
    assert [row.role for row in left].count("administrator") == 1


def test_of_two_administrators_who_change_one_account_at_once_one_wins_and_one_is_told(
    each_services: Services, sari: str
) -> None:
    def change(role: str) -> str:
        try:
            manage.change_role(each_services, Deed(sari, 0, "why", "staff:boss"), role=role)
        except Refused as refused:
            return refused.reason
        return "done"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(change, ["auditor", "supervisor"]))
    assert said == [manage.CHANGED_MEANWHILE, "done"]


def test_the_list_is_by_name_in_pages_and_narrowed_by_role_facility_and_whether_they_are_active(
    each_services: Services, passwords: Passwords, boss: str
) -> None:
    kept = passwords.hash(PASSWORD)
    with each_services.db.write() as conn:
        for n in range(manage.PAGE + 5):
            values = {"id": new_id(), "username": f"worker-{n:03}", "display_name": "W", "password_hash": kept}
            more = {"role": "health_worker", "facility_id": f"pkm-{n % 2}", "active": n % 10 != 0, "language": "id"}
            staff.insert(conn, **values, **more, created_at=each_services.clock.now())

    def names(**wanted: Any) -> tuple[list[str], bool]:
        asked = {"role": None, "facility_id": None, "active": None, "after": None} | wanted
        rows, more = manage.listed(each_services, **asked)
        return [row.username for row in rows], more

    first, more = names()
    assert (first[0], len(first), more) == ("boss", manage.PAGE, True)
    last = manage.find(each_services, first[-1])
    rest, more = names(after=last)
    assert (rest[0], len(rest), more) == (f"worker-{manage.PAGE - 1:03}", 6, False)
    assert names(role=Role.ADMINISTRATOR) == (["boss"], False)
    assert len(names(facility_id="pkm-1")[0]) == (manage.PAGE + 5) // 2
    assert names(active=False)[0] == [f"worker-{n:03}" for n in range(0, manage.PAGE + 5, 10)]
    assert names(after=new_id()) == ([], False)
    assert names(facility_id="' OR 1=1 --") == ([], False)


def test_an_account_is_found_by_its_name_in_any_case(each_services: Services, sari: str) -> None:
    assert manage.find(each_services, " SARI ") == sari
    for name in ("nobody", "", "\0", "x" * 5000):
        with pytest.raises(NotFound):
            manage.find(each_services, name)
