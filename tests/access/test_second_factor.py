"""The second step of signing in, and what leads past it: nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.access import accounts, manage, own_account, second_factor, sessions, totp
from notifier.access import sign_in as rules
from notifier.access.manage import Deed
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.access.sessions import Entered, Stage
from notifier.core.errors import BadInput, Refused, SertilinkError
from notifier.services import Services
from notifier.store import audit, staff, tables
from tests.conftest import Build
from tests.fakes import FakeClock

PASSWORD = "tiga kucing oren"
ADDRESS = "10.0.0.1"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(memory_kib=64, passes=1)


def add(services: Services, passwords: Passwords, **more: Any) -> str:
    values = {"username": "sari", "display_name": "Sari", "password": PASSWORD, "role": Role.OPERATOR, "actor": "test"}
    return accounts.add(services, passwords, **(values | more))


@pytest.fixture
def sari(each_services: Services, passwords: Passwords) -> str:
    return add(each_services, passwords)


def enter(services: Services, passwords: Passwords, password: str = PASSWORD) -> Entered:
    return rules.sign_in(services, passwords, username="sari", password=password, address=ADDRESS)


def now_code(services: Services, secret: bytes, steps: int = 0) -> str:
    return totp.code_of(secret, totp.step_of(services.clock.now()) + steps)


def set_up(services: Services, passwords: Passwords, staff_id: str) -> tuple[bytes, list[str]]:
    """A second factor of somebody who is in; its secret and the recovery codes. Its first code is used up."""
    token = enter(services, passwords).token
    own_account.begin_second_factor(services, passwords, token, staff_id, password=PASSWORD)
    secret = second_factor.being_set_up(services, token)
    assert secret is not None
    _, codes = own_account.confirm_second_factor(services, token, staff_id, code=now_code(services, secret))
    return secret, codes


def show(services: Services, entered: Entered, staff_id: str, **code: str) -> Entered:
    return rules.show_code(services, entered.token, staff_id, address=ADDRESS, **code)


def refusal(act: Any) -> str:
    with pytest.raises(SertilinkError) as error:
        act()
    if isinstance(error.value, BadInput):
        [problem] = error.value.problems
        return f"{problem.field} {problem.rule}"
    assert isinstance(error.value, Refused)
    return error.value.reason


def test_a_password_alone_opens_nothing_once_there_is_a_second_factor(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    secret, _ = set_up(each_services, passwords, sari)
    clock.tick(minutes=1)
    half = enter(each_services, passwords)
    assert half.stage is Stage.CODE
    assert sessions.find(each_services, half.token) is None
    entered = show(each_services, half, sari, code=now_code(each_services, secret))
    assert entered.stage is Stage.FULL
    assert entered.token != half.token
    assert sessions.find(each_services, entered.token)
    assert sessions.who(each_services, half.token) is None  # its session ended with the step


def test_a_code_is_taken_once_and_no_older_one_after_it(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    secret, _ = set_up(each_services, passwords, sari)
    clock.tick(minutes=1)
    code, before = now_code(each_services, secret), now_code(each_services, secret, -1)
    show(each_services, enter(each_services, passwords), sari, code=code)
    for used in (code, before):
        half = enter(each_services, passwords)
        assert refusal(lambda half=half, used=used: show(each_services, half, sari, code=used)) == "code code-wrong"
    assert show(each_services, enter(each_services, passwords), sari, code=now_code(each_services, secret, 1))


def test_of_many_that_show_one_code_at_once_one_gets_in(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    secret, _ = set_up(each_services, passwords, sari)
    clock.tick(minutes=1)
    code = now_code(each_services, secret)
    halves = [enter(each_services, passwords) for _ in range(4)]

    def try_it(half: Entered) -> bool:
        try:
            return bool(show(each_services, half, sari, code=code))
        except SertilinkError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(try_it, halves)) == 1


def test_one_half_session_leads_in_once_even_with_two_good_codes(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    _, codes = set_up(each_services, passwords, sari)
    clock.tick(minutes=1)
    half = enter(each_services, passwords)
    assert show(each_services, half, sari, recovery_code=codes[0])
    assert refusal(lambda: show(each_services, half, sari, recovery_code=codes[1])) == sessions.ENDED
    # and the second code was not used up for nothing
    assert show(each_services, enter(each_services, passwords), sari, recovery_code=codes[1])


def test_each_recovery_code_opens_once_however_it_is_typed(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    _, codes = set_up(each_services, passwords, sari)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    for code, typed in zip(codes[:2], (codes[0].lower().replace("-", " "), f" {codes[1]} "), strict=True):
        assert show(each_services, enter(each_services, passwords), sari, recovery_code=typed)
        half = enter(each_services, passwords)
        assert (
            refusal(lambda h=half, c=code: show(each_services, h, sari, recovery_code=c)) == "recovery_code code-wrong"
        )
    assert own_account.recovery_codes_left(each_services, sari) == 8


def test_somebody_elses_recovery_code_opens_nothing(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    _, codes = set_up(each_services, passwords, sari)
    other = add(each_services, passwords, username="budi")
    with each_services.db.write() as conn:
        second_factor.new_recovery_codes(conn, each_services, other, clock.now())
        assert not second_factor.take_recovery_code(conn, each_services, other, codes[0], clock.now())


def test_neither_secret_nor_recovery_code_stands_in_the_database(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    secret, codes = set_up(each_services, passwords, sari)
    with each_services.db.read() as conn:
        kept = "".join(
            repr(row)
            for table in (tables.staff, tables.session, tables.recovery_code, tables.audit, tables.counter)
            for row in conn.execute(table.select())
        )
    for text in (secret.hex(), repr(secret)[2:-1], totp.as_text(secret), *codes, *(c.replace("-", "") for c in codes)):
        assert text not in kept


def test_the_secret_of_one_account_does_not_open_in_the_row_of_another(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    secret, _ = set_up(each_services, passwords, sari)
    other = add(each_services, passwords, username="budi")
    stolen = sa.select(tables.staff.c.totp_sealed).where(tables.staff.c.id == sari).scalar_subquery()
    with each_services.db.write() as conn:
        conn.execute(tables.staff.update().where(tables.staff.c.id == other).values(totp_sealed=stolen))
    clock.tick(minutes=1)
    with each_services.db.write() as conn, pytest.raises(SertilinkError):
        second_factor.take_code(conn, each_services, other, now_code(each_services, secret), clock.now())


def test_the_sixth_code_of_a_quarter_of_an_hour_is_refused_even_where_it_is_right(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    secret, _ = set_up(each_services, passwords, sari)
    clock.tick(minutes=16)
    half = enter(each_services, passwords)
    for _ in range(second_factor.TRIES):
        assert refusal(lambda: show(each_services, half, sari, code="000000")) == "code code-wrong"
    good = now_code(each_services, secret)
    assert refusal(lambda: show(each_services, half, sari, code=good)) == rules.TOO_MANY
    clock.tick(minutes=15)
    assert show(each_services, enter(each_services, passwords), sari, code=now_code(each_services, secret))


def test_no_more_than_twenty_wrong_codes_a_day_are_looked_at(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    secret, _ = set_up(each_services, passwords, sari)
    clock.tick(hours=1)
    looked_at = 0
    for _ in range(8):
        half = enter(each_services, passwords)
        for _ in range(second_factor.TRIES):
            looked_at += refusal(lambda h=half: show(each_services, h, sari, code="000000")) != rules.TOO_MANY
        clock.tick(minutes=16)
    assert looked_at == second_factor.TRIES_A_DAY
    assert (
        refusal(
            lambda: show(each_services, enter(each_services, passwords), sari, code=now_code(each_services, secret))
        )
        == rules.TOO_MANY
    )


def test_wrong_codes_are_audited_and_the_half_session_runs_out_in_five_minutes(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    secret, _ = set_up(each_services, passwords, sari)
    clock.tick(minutes=1)
    half = enter(each_services, passwords)
    refusal(lambda: show(each_services, half, sari, code="000000"))
    clock.tick(minutes=4, seconds=59)
    assert sessions.who(each_services, half.token)
    clock.tick(seconds=1)
    assert sessions.who(each_services, half.token) is None
    assert refusal(lambda: show(each_services, half, sari, code=now_code(each_services, secret))) == sessions.ENDED
    with each_services.db.read() as conn:
        assert "staff.code-failed" in [row.action for row in audit.of_subjects(conn, [sari])]


def test_where_it_is_required_nobody_gets_in_before_setting_one_up(
    build_services: Build, each_database_url: str, passwords: Passwords
) -> None:
    services = build_services(database_url=each_database_url, second_factor="required")
    sari = add(services, passwords)
    half = enter(services, passwords)
    assert half.stage is Stage.ENROL
    assert sessions.find(services, half.token) is None
    secret = second_factor.being_set_up(services, half.token)
    assert secret is not None
    assert refusal(lambda: rules.enrol(services, half.token, sari, code="000000")) == "code code-wrong"
    entered, codes = rules.enrol(services, half.token, sari, code=now_code(services, secret))
    assert sessions.find(services, entered.token)
    assert len(codes) == 10
    assert refusal(lambda: own_account.remove_second_factor(services, passwords, sari, password=PASSWORD)) == (
        own_account.REQUIRED
    )


def test_a_session_from_before_it_was_required_opens_nothing(build_services: Build, passwords: Passwords) -> None:
    before = build_services()
    sari = add(before, passwords)
    token = enter(before, passwords).token
    assert sessions.find(before, token)
    services = build_services(second_factor="required")
    assert sessions.find(services, token) is None
    half = enter(services, passwords)
    secret = second_factor.being_set_up(services, half.token)
    assert secret is not None
    entered, _ = rules.enrol(services, half.token, sari, code=now_code(services, secret))
    assert sessions.find(services, entered.token)
    assert sessions.find(services, token) is None  # nor does it come to life again


def test_of_two_that_enrol_in_one_session_at_once_one_wins(
    build_services: Build, each_database_url: str, passwords: Passwords
) -> None:
    services = build_services(database_url=each_database_url, second_factor="required")
    sari = add(services, passwords)
    half = enter(services, passwords)
    secret = second_factor.being_set_up(services, half.token)
    assert secret is not None
    code = now_code(services, secret)

    def try_it(_: int) -> list[str]:
        try:
            return rules.enrol(services, half.token, sari, code=code)[1]
        except SertilinkError:
            return []

    with ThreadPoolExecutor(3) as pool:
        [codes] = [found for found in pool.map(try_it, range(3)) if found]
    with services.db.write() as conn:  # the codes that were shown are the ones that are kept
        assert second_factor.take_recovery_code(conn, services, sari, codes[9], services.clock.now())


def test_setting_up_another_phone_needs_the_password_and_ends_the_old_one(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    old, old_codes = set_up(each_services, passwords, sari)
    clock.tick(minutes=1)
    token = show(each_services, enter(each_services, passwords), sari, code=now_code(each_services, old)).token
    wrong = refusal(
        lambda: own_account.begin_second_factor(each_services, passwords, token, sari, password="salah sama sekali")
    )
    assert wrong == "password password-wrong"
    assert second_factor.being_set_up(each_services, token) is None
    own_account.begin_second_factor(each_services, passwords, token, sari, password=PASSWORD)
    new = second_factor.being_set_up(each_services, token)
    assert new is not None
    clock.tick(minutes=1)
    # the old phone holds until the new one has shown a code
    other = show(each_services, enter(each_services, passwords), sari, code=now_code(each_services, old))
    entered, _ = own_account.confirm_second_factor(each_services, token, sari, code=now_code(each_services, new))
    assert sessions.find(each_services, entered.token)
    assert sessions.find(each_services, other.token) is None
    clock.tick(minutes=1)
    half = enter(each_services, passwords)
    assert refusal(lambda: show(each_services, half, sari, code=now_code(each_services, old))) == "code code-wrong"
    assert refusal(lambda: show(each_services, half, sari, recovery_code=old_codes[0])) == "recovery_code code-wrong"
    assert show(each_services, half, sari, code=now_code(each_services, new))


def test_new_recovery_codes_need_a_code_of_the_phone_and_end_the_old_ones(
    each_services: Services, passwords: Passwords, sari: str, clock: FakeClock
) -> None:
    secret, old = set_up(each_services, passwords, sari)
    clock.tick(minutes=1)
    renew = own_account.renew_recovery_codes
    assert refusal(lambda: renew(each_services, sari, code="000000", address=ADDRESS)) == "code code-wrong"
    new = renew(each_services, sari, code=now_code(each_services, secret), address=ADDRESS)
    assert not set(old) & set(new)
    half = enter(each_services, passwords)
    assert refusal(lambda: show(each_services, half, sari, recovery_code=old[0])) == "recovery_code code-wrong"
    assert show(each_services, half, sari, recovery_code=new[0])


def test_turning_it_off_needs_the_password(each_services: Services, passwords: Passwords, sari: str) -> None:
    set_up(each_services, passwords, sari)
    off = own_account.remove_second_factor
    assert (
        refusal(lambda: off(each_services, passwords, sari, password="salah sama sekali")) == "password password-wrong"
    )
    off(each_services, passwords, sari, password=PASSWORD)
    assert enter(each_services, passwords).stage is Stage.FULL


def test_an_administrator_resets_it_with_a_reason_and_every_session_ends(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    _, codes = set_up(each_services, passwords, sari)
    entered = show(each_services, enter(each_services, passwords), sari, recovery_code=codes[0])
    assert refusal(lambda: manage.reset_second_factor(each_services, Deed(sari, 0, " ", "test"))) == "reason required"
    manage.reset_second_factor(each_services, Deed(sari, 0, "lost the phone", "test"))
    assert sessions.find(each_services, entered.token) is None
    assert enter(each_services, passwords).stage is Stage.FULL
    with each_services.db.read() as conn:
        assert staff.count_recovery_codes(conn, sari) == 0
        [row] = [row for row in audit.of_subjects(conn, [sari]) if row.action == "staff.second-factor-reset"]
    assert row.detail == {"reason": "lost the phone"}
    again = refusal(lambda: manage.reset_second_factor(each_services, Deed(sari, 1, "lost the phone", "test")))
    assert again == manage.NOTHING_TO_DO


def test_an_open_session_cannot_guess_the_owners_password_for_long_nor_keep_the_owner_out(
    each_services: Services, passwords: Passwords, sari: str
) -> None:
    token = enter(each_services, passwords).token

    def guess() -> Any:
        return own_account.change_password(
            each_services, passwords, token, sari, old="salah sama sekali", new="empat ikan biru"
        )

    for _ in range(own_account.TRIES):
        assert refusal(guess) == "old password-wrong"
    assert refusal(guess) == rules.TOO_MANY
    assert enter(each_services, passwords)
