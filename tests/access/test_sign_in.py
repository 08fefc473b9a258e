"""Signing in, and the sessions that it begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.access import accounts, manage, sessions
from notifier.access import sign_in as rules
from notifier.access.manage import Deed
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.core.errors import Refused
from notifier.services import Services
from notifier.store import audit, staff, tables
from tests.fakes import FakeClock

PASSWORD = "tiga kucing oren"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(memory_kib=64, passes=1)  # what is tested here is counting, not hashing


@pytest.fixture
def sari(each_services: Services, passwords: Passwords) -> str:
    return accounts.add(
        each_services,
        passwords,
        username="sari",
        display_name="Sari",
        password=PASSWORD,
        role=Role.HEALTH_WORKER,
        facility_id="pkm-1",
        actor="test",
    )


def enter(
    services: Services, passwords: Passwords, password: str = PASSWORD, name: str = "sari", address: str = "10.0.0.1"
) -> str:
    return rules.sign_in(services, passwords, username=name, password=password, address=address).token


def refusal(services: Services, passwords: Passwords, **more: str) -> str:
    with pytest.raises(Refused) as refused:
        enter(services, passwords, **more)
    return refused.value.reason


def test_the_right_password_begins_a_session(each_services: Services, passwords: Passwords, sari: str) -> None:
    found = sessions.find(each_services, enter(each_services, passwords, name=" Sari "))
    assert found is not None
    assert (found.staff_id, found.role, found.only_facility) == (sari, Role.HEALTH_WORKER, "pkm-1")


def test_unknown_name_wrong_password_and_ended_account_look_alike(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    assert refusal(each_services, passwords, name="nobody") == rules.WRONG
    assert refusal(each_services, passwords, password="salah sama sekali") == rules.WRONG
    manage.deactivate(each_services, Deed(sari, 0, "moved away", "test"))
    assert refusal(each_services, passwords) == rules.WRONG


def test_the_token_is_not_in_the_database(each_services: Services, passwords: Passwords, sari: str) -> None:
    token = enter(each_services, passwords)
    with each_services.db.read() as conn:
        row = conn.execute(sa.select(tables.session)).one()
    assert token.encode() not in bytes(row.token_hash)
    assert len(row.token_hash) == 32


def test_the_eleventh_try_at_an_account_is_refused_even_with_the_right_password(
    each_services: Services, passwords: Passwords, clock: FakeClock, sari: str
) -> None:
    for _ in range(rules.TRIES_AN_ACCOUNT):
        assert refusal(each_services, passwords, password="salah sama sekali") == rules.WRONG
    assert refusal(each_services, passwords, address="10.9.9.9") == rules.TOO_MANY
    clock.tick(minutes=15)
    assert enter(each_services, passwords)


def test_many_names_from_one_address_are_refused(each_services: Services, passwords: Passwords, sari: str) -> None:
    for number in range(rules.TRIES_AN_ADDRESS):
        assert refusal(each_services, passwords, name=f"name{number}") == rules.WRONG
    assert refusal(each_services, passwords) == rules.TOO_MANY
    assert enter(each_services, passwords, address="10.0.0.2")


def test_a_right_password_gives_its_try_back(each_services: Services, passwords: Passwords, sari: str) -> None:
    for _ in range(rules.TRIES_AN_ACCOUNT * 2):
        enter(each_services, passwords)
    assert enter(each_services, passwords)


def test_the_counters_name_neither_account_nor_address(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    refusal(each_services, passwords, password="salah sama sekali", address="203.0.113.77")
    with each_services.db.read() as conn:
        names = " ".join(conn.scalars(sa.select(tables.counter.c.name)))
    assert "sari" not in names
    assert "203.0.113.77" not in names


class _NoWrites:
    """A database that reads but cannot write, as when its disk is full."""

    def __init__(self, real: Any) -> None:
        self._real = real

    @contextmanager
    def read(self) -> Iterator[Any]:
        with self._real.read() as conn:
            yield conn

    @contextmanager
    def write(self) -> Iterator[Any]:
        raise sa.exc.OperationalError("write", None, Exception("disk full"))
        yield


def test_nobody_signs_in_where_tries_cannot_be_counted(services: Services, passwords: Passwords) -> None:
    accounts.add(
        services,
        passwords,
        username="tuti",
        display_name="Tuti",
        password=PASSWORD,
        role=Role.OPERATOR,
        actor="test",
    )
    deaf: Any = _NoWrites(services.db)
    with pytest.raises(sa.exc.OperationalError):
        enter(replace(services, db=deaf), passwords, name="tuti")


def test_a_session_ends_after_thirty_idle_minutes(
    each_services: Services, passwords: Passwords, clock: FakeClock, sari: str
) -> None:
    token = enter(each_services, passwords)
    clock.tick(minutes=29)
    assert sessions.find(each_services, token)  # and counts as use
    clock.tick(minutes=29)
    assert sessions.find(each_services, token)
    clock.tick(minutes=31)
    assert sessions.find(each_services, token) is None


def test_a_session_in_use_ends_after_twelve_hours(
    each_services: Services, passwords: Passwords, clock: FakeClock, sari: str
) -> None:
    token = enter(each_services, passwords)
    for _ in range(12 * 3 - 1):
        clock.tick(minutes=20)
        assert sessions.find(each_services, token)
    clock.tick(minutes=20)
    assert sessions.find(each_services, token) is None


def test_one_session_can_be_ended_and_all_can(each_services: Services, passwords: Passwords, sari: str) -> None:
    first, second, third = (enter(each_services, passwords) for _ in range(3))
    sessions.end(each_services, first, actor=f"staff:{sari}")
    assert sessions.find(each_services, first) is None
    assert sessions.find(each_services, second)
    assert sessions.end_all(each_services, sari, actor=f"staff:{sari}") == 2
    assert sessions.find(each_services, second) is None
    assert sessions.find(each_services, third) is None


def test_an_ended_account_and_a_new_password_end_every_session(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    token = enter(each_services, passwords)
    manage.reset_password(each_services, passwords, Deed(sari, 0, "forgot it", "test"))
    assert sessions.find(each_services, token) is None
    with each_services.db.write() as conn:
        token = sessions.start(conn, sari, each_services.clock.now()).token
    assert sessions.find(each_services, token)
    manage.deactivate(each_services, Deed(sari, 1, "moved away", "test"))
    assert sessions.find(each_services, token) is None


def test_a_made_up_token_opens_nothing(each_services: Services, sari: str) -> None:
    for token in ("", "x", "A" * 43, "\ud800"):
        assert sessions.find(each_services, token) is None


def test_sessions_that_are_past_are_forgotten(
    each_services: Services, passwords: Passwords, clock: FakeClock, sari: str
) -> None:
    enter(each_services, passwords)
    clock.tick(hours=13)
    with each_services.db.write() as conn:
        assert staff.forget_sessions(conn, clock.now()) == 1


def test_signing_in_and_failing_to_are_audited(each_services: Services, passwords: Passwords, sari: str) -> None:
    refusal(each_services, passwords, password="salah sama sekali")
    enter(each_services, passwords)
    with each_services.db.read() as conn:
        actions = [row.action for row in audit.of_subjects(conn, [sari])]
    assert actions == ["staff.added", "staff.sign-in-failed", "staff.signed-in"]
