"""Accounts and passwords."""

from __future__ import annotations

import pytest

from notifier.access import accounts, sign_in
from notifier.access.passwords import Passwords, refuse_weak
from notifier.access.roles import FACILITY_ROLES, PERMISSIONS, Permission, Role
from notifier.core.errors import BadInput
from notifier.services import Services
from notifier.store import staff

PASSWORD = "tiga kucing oren"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


def add(services: Services, passwords: Passwords, **changes: object) -> str:
    values = {
        "username": "sari",
        "display_name": "Sari Wulandari",
        "password": PASSWORD,
        "role": Role.HEALTH_WORKER,
        "facility_id": "pkm-1",
        "actor": "test",
    } | changes
    return accounts.add(services, passwords, **values)  # type: ignore[arg-type]


def rules_of(error: pytest.ExceptionInfo[BadInput]) -> set[str]:
    return {f"{problem.field} {problem.rule}" for problem in error.value.problems}


def test_a_password_is_kept_as_argon2id_with_the_parameters_of_owasp(services: Services, passwords: Passwords) -> None:
    add(services, passwords)
    with services.db.read() as conn:
        row = staff.find(conn, "sari")
    assert row is not None
    assert row.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in row.password_hash


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("elevenchars", "password-short"),
        ("x" * 201, "password-long"),
        ("Password12345", "password-common"),
        ("puskesmas!!2026", "password-common"),
        ("aaaaaaaaaaaaaa", "password-common"),
        ("abcdefghijklmn", "password-common"),
        ("sari12345678x", "password-username"),
    ],
)
def test_a_weak_password_is_refused_with_its_rule(password: str, rule: str) -> None:
    with pytest.raises(BadInput) as error:
        refuse_weak(password, username="sari")
    assert rules_of(error) == {f"password {rule}"}


def test_a_sentence_is_a_good_password() -> None:
    refuse_weak("tiga kucing oren tidur siang", username="sari")


def test_a_hash_with_older_parameters_is_made_anew_at_sign_in(services: Services, passwords: Passwords) -> None:
    add(services, Passwords(memory_kib=8192, passes=1))
    sign_in.sign_in(services, passwords, username="sari", password=PASSWORD, address="10.0.0.1")
    with services.db.read() as conn:
        row = staff.find(conn, "sari")
    assert row is not None
    assert "m=19456,t=2,p=1" in row.password_hash
    assert passwords.check(row.password_hash, PASSWORD).right


def test_a_check_for_nobody_is_never_right(passwords: Passwords) -> None:
    assert not passwords.check(None, PASSWORD).right


def test_a_damaged_hash_opens_nothing(passwords: Passwords) -> None:
    assert not passwords.check("$argon2id$broken", PASSWORD).right


def test_a_username_is_given_once_whatever_its_case(services: Services, passwords: Passwords) -> None:
    add(services, passwords)
    with pytest.raises(BadInput) as error:
        add(services, passwords, username=" SARI ")
    assert rules_of(error) == {"username username-taken"}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"username": "s"}, "username username"),
        ({"username": "sari wulandari"}, "username username"),
        ({"display_name": "  "}, "display_name required"),
        ({"facility_id": None}, "facility_id required"),
        ({"time_zone": "Asia/Bandung"}, "time_zone time-zone"),
        ({"password": "pendek"}, "password password-short"),
    ],
)
def test_a_bad_account_is_refused_and_nothing_is_written(
    services: Services, passwords: Passwords, changes: dict[str, object], problem: str
) -> None:
    with pytest.raises(BadInput) as error:
        add(services, passwords, **changes)
    assert rules_of(error) == {problem}
    with services.db.read() as conn:
        assert staff.everyone(conn) == []


def test_an_operator_needs_no_facility(services: Services, passwords: Passwords) -> None:
    assert add(services, passwords, role=Role.OPERATOR, facility_id=None)


def test_every_role_has_permissions_and_only_facility_roles_and_the_administrator_enter_doses() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert all(Permission.HOME in permissions for permissions in PERMISSIONS.values())
    writers = {role for role in Role if Permission.DOSES_WRITE in PERMISSIONS[role]}
    assert writers == FACILITY_ROLES | {Role.ADMINISTRATOR}


def test_an_auditor_sees_no_person() -> None:
    seen = PERMISSIONS[Role.AUDITOR]
    assert not seen & {Permission.PERSONS_READ, Permission.PERSONS_REVEAL, Permission.CATCHER_READ}
