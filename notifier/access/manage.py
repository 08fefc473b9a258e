"""What an administrator does to the accounts of others.

Each deed has a reason, an audit row, and the revision of the account that the administrator saw: of two at once one
wins, the other is told. Nobody does any of it to the own account, and the last active administrator stays one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.access import accounts, second_factor, sessions
from notifier.access.passwords import Passwords
from notifier.access.roles import FACILITY_ROLES, Role
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.identity import clean_name
from notifier.core.ids import random_letters
from notifier.core.reasons import read_reason
from notifier.services import Services
from notifier.store import audit, desk, doses, staff

PAGE = 50
FIRST_PASSWORD_LIFE = timedelta(days=7)
_LETTERS, _GROUP = 15, 5  # 75 random bits, read out over a telephone
_LONGEST = 200

OWN_ACCOUNT = "own-account"
LAST_ADMINISTRATOR = "last-administrator"
CHANGED_MEANWHILE = "account-changed"
NOTHING_TO_DO = "account-as-it-is"


@dataclass(frozen=True, slots=True)
class Account:
    """One account as its administrator sees it. `recovery_codes`: how many are left; None without a second factor."""

    row: staff.Row
    facility: str | None
    sessions: int
    recovery_codes: int | None


@dataclass(frozen=True, slots=True)
class Deed:
    """Whose account is touched, as the administrator saw it, why, and by whom."""

    staff_id: str
    revision: int
    reason: str
    actor: str


def listed(
    services: Services, *, role: Role | None, facility_id: str | None, active: bool | None, after: str | None
) -> tuple[list[staff.Row], bool]:
    """A page of accounts by username, and whether there are more; `after`: those behind the account with this id."""
    with services.db.read() as conn:
        rows = staff.listed(
            conn,
            role=role.value if role else None,
            facility_id=facility_id,
            active=active,
            after=after,
            limit=PAGE + 1,
        )
    return rows[:PAGE], len(rows) > PAGE


def find(services: Services, username: str) -> str:
    """The id of the account with a username. Raises NotFound."""
    with services.db.read() as conn:
        row = staff.find(conn, accounts.read_username(username)[:_LONGEST])
    if row is None:
        raise NotFound("there is no such account")
    return str(row.id)


def show(services: Services, staff_id: str) -> Account:
    """One account. Raises NotFound."""
    live = len(sessions.live(services, staff_id))
    with services.db.read() as conn:
        row = staff.get(conn, staff_id)
        if row is None:
            raise NotFound("there is no such account")
        name = desk.facility_name(conn, row.facility_id) if row.facility_id else None
        left = staff.count_recovery_codes(conn, staff_id) if row.totp_sealed is not None else None
    return Account(row, name or row.facility_id, live, left)


def add(
    services: Services,
    passwords: Passwords,
    *,
    username: str,
    display_name: str,
    role: str,
    facility_id: str = "",
    facility_name: str = "",
    actor: str,
) -> tuple[str, str]:
    """A new account; its id, and the first password, which is seen this once. Raises BadInput."""
    password = _first_password()
    chosen, facility = _read_role(services, role, facility_id, facility_name)
    staff_id = accounts.add(
        services,
        passwords,
        username=username,
        display_name=display_name,
        password=password,
        role=chosen,
        facility_id=facility,
        facility_name=clean_name(facility_name) or None,
        actor=actor,
        first_password_until=services.clock.now() + FIRST_PASSWORD_LIFE,
    )
    return staff_id, password


def change_role(services: Services, deed: Deed, *, role: str, facility_id: str = "", facility_name: str = "") -> None:
    """Another role, another facility; the account's sessions end. Raises NotFound, BadInput, Refused."""
    chosen, facility = _read_role(services, role, facility_id, facility_name)
    if chosen in FACILITY_ROLES and facility is None:
        raise BadInput.of("facility_id", "required", "this role belongs to a facility; name it")
    with _begun(services, deed) as (conn, row, at, reason):
        if (row.role, row.facility_id) == (chosen.value, facility):
            raise Refused(NOTHING_TO_DO)
        if chosen is not Role.ADMINISTRATOR:
            _keep_an_administrator(conn, row)
        if facility is not None:
            doses.remember_facility(conn, facility, clean_name(facility_name) or None)
        _change(conn, deed, role=chosen.value, facility_id=facility)
        staff.end_sessions(conn, at=at, staff_id=row.id)
        _audit(conn, at, deed, "staff.role-changed", reason, was=row.role, role=chosen.value)


def deactivate(services: Services, deed: Deed) -> None:
    """Ends an account and its sessions at once; its name stays in the audit. Raises NotFound, BadInput, Refused."""
    with _begun(services, deed) as (conn, row, at, reason):
        if not row.active:
            raise Refused(NOTHING_TO_DO)
        _keep_an_administrator(conn, row)
        _change(conn, deed, active=False)
        staff.end_sessions(conn, at=at, staff_id=row.id)
        _audit(conn, at, deed, "staff.deactivated", reason)


def reactivate(services: Services, deed: Deed) -> None:
    """Opens an ended account again, with the password that it had. Raises NotFound, BadInput, Refused."""
    with _begun(services, deed) as (conn, row, at, reason):
        if row.active:
            raise Refused(NOTHING_TO_DO)
        _change(conn, deed, active=True)
        _audit(conn, at, deed, "staff.reactivated", reason)


def reset_password(services: Services, passwords: Passwords, deed: Deed) -> str:
    """A first password again, seen this once; the account's sessions end. Raises NotFound, BadInput, Refused."""
    read_reason(deed.reason)
    password = _first_password()
    kept = passwords.hash(password)  # slow on purpose, so outside the transaction
    with _begun(services, deed) as (conn, row, at, reason):
        _change(conn, deed, password_hash=kept, first_password_until=at + FIRST_PASSWORD_LIFE)
        staff.end_sessions(conn, at=at, staff_id=row.id)
        _audit(conn, at, deed, "staff.password-reset", reason)
    return password


def reset_second_factor(services: Services, deed: Deed) -> None:
    """Takes a lost phone's second factor and the recovery codes away; the account's sessions end, and where a second
    factor is required the owner sets up another after the next password. Raises NotFound, BadInput, Refused."""
    with _begun(services, deed) as (conn, row, at, reason):
        if row.totp_sealed is None:
            raise Refused(NOTHING_TO_DO)
        _change(conn, deed)
        second_factor.clear(conn, row.id)
        staff.end_sessions(conn, at=at, staff_id=row.id)
        _audit(conn, at, deed, "staff.second-factor-reset", reason)


def end_sessions(services: Services, deed: Deed) -> int:
    """Signs somebody out everywhere; how many sessions there were. Raises NotFound, BadInput, Refused."""
    with _begun(services, deed) as (conn, row, at, reason):
        ended = staff.end_sessions(conn, at=at, staff_id=row.id)
        _audit(conn, at, deed, "staff.sessions-ended", reason, count=ended)
    return ended


@contextmanager
def _begun(services: Services, deed: Deed) -> Iterator[tuple[Connection, staff.Row, datetime, str]]:
    """One transaction around a deed: the account as it is, the moment, the reason as it is kept."""
    reason, at = read_reason(deed.reason), services.clock.now()
    if deed.actor == f"staff:{deed.staff_id}":
        raise Refused(OWN_ACCOUNT)
    with services.db.write() as conn:
        row = staff.get(conn, deed.staff_id)
        if row is None:
            raise NotFound("there is no such account")
        if row.revision != deed.revision:
            raise Refused(CHANGED_MEANWHILE)
        yield conn, row, at, reason


def _change(conn: Connection, deed: Deed, **values: Any) -> None:
    if not staff.update_unchanged(conn, deed.staff_id, deed.revision, **values):
        raise Refused(CHANGED_MEANWHILE)


def _keep_an_administrator(conn: Connection, row: staff.Row) -> None:
    """Two administrators who end each other at once stand in line here, and the second is refused."""
    if row.role == Role.ADMINISTRATOR and row.active:
        others = set(staff.active_with_role(conn, Role.ADMINISTRATOR.value)) - {row.id}
        if not others:
            raise Refused(LAST_ADMINISTRATOR)


def _read_role(services: Services, role: str, facility_id: str, facility_name: str) -> tuple[Role, str | None]:
    """What was chosen and typed. Raises BadInput: a facility that nobody has named before needs its name, so that a
    slip of the finger makes no new one."""
    if role not in set(Role):
        raise BadInput.of("role", "choice", f"choose one of {', '.join(Role)}")
    facility = clean_name(facility_id) or None
    if facility is None:
        return Role(role), None
    if len(facility) > _LONGEST or len(clean_name(facility_name)) > _LONGEST:
        raise BadInput.of("facility_id", "too-long", f"write at most {_LONGEST} characters")
    with services.db.read() as conn:
        known = facility in doses.find_facilities(conn, [facility])
    if not known and not clean_name(facility_name):
        raise BadInput.of("facility_name", "facility-unknown", "nobody has named this facility yet; write its name")
    return Role(role), facility


def _first_password() -> str:
    letters = random_letters(_LETTERS)
    return "-".join(letters[at : at + _GROUP] for at in range(0, _LETTERS, _GROUP))


def _audit(conn: Connection, at: datetime, deed: Deed, action: str, reason: str, **detail: str | int) -> None:
    audit.write(
        conn,
        at=at,
        actor=deed.actor,
        action=action,
        subject="staff",
        subject_id=deed.staff_id,
        reason=reason,
        **detail,
    )
