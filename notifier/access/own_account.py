"""What somebody changes about the own account: password, second factor. Whoever sits at an open session alone cannot:
each asks for the password, or a code, again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.access import second_factor, sessions, tries
from notifier.access.passwords import Passwords, refuse_weak
from notifier.access.sessions import Entered, Stage
from notifier.access.tries import Limit
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.services import Services
from notifier.store import audit, staff

TRIES = 10
REQUIRED = "second-factor-required"


def change_password(
    services: Services, passwords: Passwords, token: str, staff_id: str, *, old: str, new: str
) -> Entered:
    """Another password; every other session ends, and this one goes on under a new token.

    Raises BadInput for a wrong old one or a weak new one, Refused (tries.TOO_MANY, sessions.ENDED).
    """
    row = _with_password(services, passwords, staff_id, old, field="old")
    refuse_weak(new, username=row.username)
    if passwords.check(row.password_hash, new).right:
        raise BadInput.of("password", "password-same", "choose another one than before")
    kept, at = passwords.hash(new), services.clock.now()
    with services.db.write() as conn:
        if not staff.update_with_password(conn, staff_id, row.password_hash, password_hash=kept):
            raise Refused(sessions.ENDED)
        entered = sessions.go_on(conn, token, staff_id, at, stage=Stage.FULL)
        staff.end_sessions(conn, at=at, staff_id=staff_id, but=sessions.hash_of(entered.token))
        _audit(conn, at, "staff.password-changed", staff_id)
    return entered


def begin_second_factor(services: Services, passwords: Passwords, token: str, staff_id: str, *, password: str) -> None:
    """A new secret for this session to set up; an older second factor holds until it is confirmed.

    Raises BadInput for a wrong password, Refused (tries.TOO_MANY, sessions.ENDED).
    """
    _with_password(services, passwords, staff_id, password)
    with services.db.write() as conn:
        second_factor.begin(conn, services, token)


def confirm_second_factor(services: Services, token: str, staff_id: str, *, code: str) -> tuple[Entered, list[str]]:
    """The first code of what was begun; with the recovery codes, seen this once. Every other session ends, this one
    goes on under a new token.

    Raises BadInput for a wrong code, Refused (sessions.ENDED).
    """
    at = services.clock.now()
    with services.db.write() as conn:
        codes = second_factor.confirm(conn, services, token, staff_id, code, at)
        entered = sessions.go_on(conn, token, staff_id, at, stage=Stage.FULL)
        staff.end_sessions(conn, at=at, staff_id=staff_id, but=sessions.hash_of(entered.token))
    return entered, codes


def renew_recovery_codes(services: Services, staff_id: str, *, code: str, address: str) -> list[str]:
    """Ten new recovery codes, seen this once; the old ones end. Raises BadInput for a wrong code of the phone, Refused
    (tries.TOO_MANY)."""
    counted = second_factor.limits(services, staff_id, address)
    tries.count(services, counted)
    at = services.clock.now()
    with services.db.write() as conn:
        if not second_factor.take_code(conn, services, staff_id, code, at):
            raise BadInput.of("code", "code-wrong", "type the code that the app shows now; each is good once")
        tries.give_back(conn, counted, at)
        codes = second_factor.new_recovery_codes(conn, services, staff_id, at)
        _audit(conn, at, "staff.recovery-codes-renewed", staff_id)
    return codes


def remove_second_factor(services: Services, passwords: Passwords, staff_id: str, *, password: str) -> None:
    """From now on the password alone is asked. Raises BadInput for a wrong password, Refused (REQUIRED,
    tries.TOO_MANY)."""
    if services.settings.second_factor_required:
        raise Refused(REQUIRED)
    _with_password(services, passwords, staff_id, password)
    at = services.clock.now()
    with services.db.write() as conn:
        second_factor.clear(conn, staff_id)
        _audit(conn, at, "staff.second-factor-removed", staff_id)


def recovery_codes_left(services: Services, staff_id: str) -> int | None:
    """How many recovery codes somebody has left; None for who has no second factor. Raises NotFound."""
    with services.db.read() as conn:
        row = staff.get(conn, staff_id)
        if row is None:
            raise NotFound("there is no such account")
        return staff.count_recovery_codes(conn, staff_id) if row.totp_sealed is not None else None


def _with_password(
    services: Services, passwords: Passwords, staff_id: str, password: str, *, field: str = "password"
) -> staff.Row:
    """The account, once its password was typed. Counted apart from the sign-in: a session that somebody else sits at
    shall not keep its owner out."""
    counted = [Limit(tries.named(services, "own-password", staff_id), TRIES)]
    tries.count(services, counted)
    with services.db.read() as conn:
        row = staff.get(conn, staff_id)
    if row is None or not passwords.check(row.password_hash, password).right:
        raise BadInput.of(field, "password-wrong", "this is not the password that you sign in with")
    with services.db.write() as conn:
        tries.give_back(conn, counted, services.clock.now())
    return row


def _audit(conn: Connection, at: datetime, action: str, staff_id: str) -> None:
    audit.write(conn, at=at, actor=f"staff:{staff_id}", action=action, subject="staff", subject_id=staff_id)
