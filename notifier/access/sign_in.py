"""Signing in, step by step: name and password; the second factor; an own password; setting up a second factor.

Which steps there are depends on the account and on the settings; each ends the session before and begins the next.
Tries are throttled by counters in the database, per account and per address, before any password or code is looked at
(tries.py), so that parallel guesses cannot slip through; a right one gives them back, so that a hospital behind one
address is not kept out by its own morning shift. Where the database cannot count, nobody signs in.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.access import second_factor, sessions, tries
from notifier.access.accounts import read_username
from notifier.access.passwords import Passwords, refuse_weak
from notifier.access.sessions import Entered, Stage
from notifier.access.tries import TOO_MANY as TOO_MANY
from notifier.access.tries import WINDOW as WINDOW
from notifier.access.tries import Limit
from notifier.core.errors import BadInput, Refused
from notifier.services import Services
from notifier.store import audit, staff

TRIES_AN_ACCOUNT = 10
TRIES_AN_ADDRESS = 50

WRONG = "wrong-name-or-password"  #: said for an unknown name, a wrong password and an ended account alike
TOO_OLD = "first-password-too-old"  #: said to who knows the first password, after its time


def sign_in(
    services: Services,
    passwords: Passwords,
    *,
    username: str,
    password: str,
    address: str,
    device: str | None = None,
) -> Entered:
    """The first step. `address`: the client's, only ever used as a keyed index; `device`: its kind.

    Raises Refused with WRONG, TOO_MANY or TOO_OLD.
    """
    name = read_username(username)[:200]
    counted = [
        Limit(tries.named(services, "sign-in.account", name), TRIES_AN_ACCOUNT),
        Limit(tries.named(services, "sign-in.address", address), TRIES_AN_ADDRESS),
    ]
    tries.count(services, counted)
    with services.db.read() as conn:
        row = staff.find(conn, name)
    checked = passwords.check(row.password_hash if row else None, password)
    if row is None or not checked.right or not row.active:
        _remember_failure(services, "staff.sign-in-failed", row.id if row else "-")  # the same work for an unknown name
        raise Refused(WRONG)
    at = services.clock.now()
    if row.first_password_until is not None and row.first_password_until <= at:
        raise Refused(TOO_OLD)
    with services.db.write() as conn:
        tries.give_back(conn, counted, at)
        kept = checked.new_hash or row.password_hash
        if not staff.update_with_password(conn, row.id, row.password_hash, password_hash=kept):
            raise Refused(WRONG)  # replaced, or the account ended, while it was checked
        stage = Stage.CODE if row.totp_sealed is not None else _after_code(services, row)
        entered = sessions.start(conn, row.id, at, stage=stage, device=device)
        _entering(conn, services, row.id, entered, at)
        return entered


def show_code(
    services: Services, token: str, staff_id: str, *, address: str, code: str = "", recovery_code: str = ""
) -> Entered:
    """The step of somebody who has a second factor: a code of the phone, or where one is given, a recovery code.

    Raises BadInput for a wrong one, Refused (TOO_MANY, or sessions.ENDED).
    """
    counted = second_factor.limits(services, staff_id, address)
    tries.count(services, counted)
    at = services.clock.now()
    with services.db.write() as conn:
        if recovery_code:
            right = second_factor.take_recovery_code(conn, services, staff_id, recovery_code, at)
        else:
            right = second_factor.take_code(conn, services, staff_id, code, at)
        row = staff.get(conn, staff_id)
        if right and row is not None:
            tries.give_back(conn, counted, at)
            entered = sessions.go_on(conn, token, staff_id, at, stage=_after_code(services, row))
            _entering(conn, services, staff_id, entered, at)
            return entered
    _remember_failure(services, "staff.code-failed", staff_id)
    field = "recovery_code" if recovery_code else "code"
    raise BadInput.of(field, "code-wrong", "type the code that the app shows now; each is good once")


def choose_password(services: Services, passwords: Passwords, token: str, staff_id: str, *, password: str) -> Entered:
    """The step of somebody who came with a first password. Raises BadInput for a weak one, the first one among them, or
    Refused (sessions.ENDED)."""
    with services.db.read() as conn:
        row = staff.get(conn, staff_id)
    if row is None or row.first_password_until is None:
        raise Refused(sessions.ENDED)
    refuse_weak(password, username=row.username)
    if passwords.check(row.password_hash, password).right:
        raise BadInput.of("password", "password-same", "choose another one than the first")
    kept, at = passwords.hash(password), services.clock.now()
    with services.db.write() as conn:
        changed = {"password_hash": kept, "first_password_until": None}
        if not staff.update_with_password(conn, staff_id, row.password_hash, **changed):
            raise Refused(sessions.ENDED)
        _audit(conn, at, f"staff:{staff_id}", "staff.password-chosen", staff_id)
        stage = _after_password(services, row)
        entered = sessions.go_on(conn, token, staff_id, at, stage=stage)
        staff.end_sessions(conn, at=at, staff_id=staff_id, but=sessions.hash_of(entered.token))
        _entering(conn, services, staff_id, entered, at)
        return entered


def enrol(services: Services, token: str, staff_id: str, *, code: str) -> tuple[Entered, list[str]]:
    """The step of somebody who must have a second factor: its first code; with the recovery codes, seen this once.

    Raises BadInput for a wrong code, Refused (sessions.ENDED).
    """
    at = services.clock.now()
    with services.db.write() as conn:
        codes = second_factor.confirm(conn, services, token, staff_id, code, at)
        entered = sessions.go_on(conn, token, staff_id, at, stage=Stage.FULL)
        # those from before it was required open nothing by now, and shall not come to life again
        staff.end_sessions(conn, at=at, staff_id=staff_id, but=sessions.hash_of(entered.token))
        _entering(conn, services, staff_id, entered, at)
    return entered, codes


def _after_code(services: Services, row: staff.Row) -> Stage:
    return Stage.PASSWORD if row.first_password_until is not None else _after_password(services, row)


def _after_password(services: Services, row: staff.Row) -> Stage:
    lacks = row.totp_sealed is None and services.settings.second_factor_required
    return Stage.ENROL if lacks else Stage.FULL


def _entering(conn: Connection, services: Services, staff_id: str, entered: Entered, at: datetime) -> None:
    """What belongs to the stage that has begun."""
    if entered.stage is Stage.ENROL:
        second_factor.begin(conn, services, entered.token)
    if entered.stage is Stage.CODE:  # whoever it is knows the password
        _audit(conn, at, f"staff:{staff_id}", "staff.code-asked", staff_id)
    if entered.stage is Stage.FULL:
        staff.update(conn, staff_id, last_sign_in_at=at)
        _audit(conn, at, f"staff:{staff_id}", "staff.signed-in", staff_id)


def _remember_failure(services: Services, action: str, staff_id: str) -> None:
    with services.db.write() as conn:
        _audit(conn, services.clock.now(), audit.SYSTEM, action, staff_id)


def _audit(conn: Connection, at: datetime, actor: str, action: str, staff_id: str) -> None:
    audit.write(conn, at=at, actor=actor, action=action, subject="staff", subject_id=staff_id)
