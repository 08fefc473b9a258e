"""Staff accounts: adding, changing the password, language, ending."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from notifier.access.passwords import Passwords, refuse_weak
from notifier.access.roles import FACILITY_ROLES, Role
from notifier.core.errors import BadInput, NotFound, Problem
from notifier.core.identity import clean_name
from notifier.core.ids import new_id
from notifier.core.words import known_language
from notifier.services import Services
from notifier.store import audit, doses, staff

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{1,98}[a-z0-9])", re.ASCII)
_LONGEST_NAME, _LONGEST_ID = 200, 200


def read_username(text: str) -> str:
    """A username as it is kept: without blanks around it, in lower case."""
    return text.strip().casefold()


def add(
    services: Services,
    passwords: Passwords,
    *,
    username: str,
    display_name: str,
    password: str,
    role: Role,
    actor: str,
    facility_id: str | None = None,
    facility_name: str | None = None,
    language: str = "id",
    time_zone: str | None = None,
) -> str:
    """Adds an account; its id. `time_zone`: what its screens show times in; None for the facility's or the programme's.

    Raises BadInput for each rule that is broken, a taken username among them.
    """
    username, display_name = read_username(username), clean_name(display_name)
    problems = list(_problems(username, display_name, role, facility_id, time_zone))
    if problems:
        raise BadInput(problems)
    refuse_weak(password, username=username)
    staff_id, at = new_id(), services.clock.now()
    kept = passwords.hash(password)  # slow on purpose, so outside the transaction
    with services.db.write() as conn:
        if facility_id:
            doses.remember_facility(conn, facility_id, facility_name)
        added = staff.insert(
            conn,
            id=staff_id,
            username=username,
            display_name=display_name,
            role=role.value,
            facility_id=facility_id,
            password_hash=kept,
            active=True,
            language=known_language(language),
            time_zone=time_zone,
            created_at=at,
        )
        if not added:
            raise BadInput.of("username", "username-taken", "somebody has this username; choose another")
        audit.write(
            conn, at=at, actor=actor, action="staff.added", subject="staff", subject_id=staff_id, role=role.value
        )
    return staff_id


def _problems(
    username: str, display_name: str, role: Role, facility_id: str | None, time_zone: str | None
) -> list[Problem]:
    checks = (
        (
            _USERNAME.fullmatch(username) is None,
            Problem("username", "username", "use 3 to 100 letters, digits, dots, hyphens or an e-mail address"),
        ),
        (
            not 1 <= len(display_name) <= _LONGEST_NAME,
            Problem("display_name", "required", f"write a name of at most {_LONGEST_NAME} characters"),
        ),
        (
            role in FACILITY_ROLES and not facility_id,
            Problem("facility_id", "required", "this role belongs to a facility; name it"),
        ),
        (
            len(facility_id or "") > _LONGEST_ID,
            Problem("facility_id", "too-long", f"write at most {_LONGEST_ID} characters"),
        ),
        (
            time_zone is not None and time_zone not in available_timezones(),
            Problem("time_zone", "time-zone", "write a zone of the IANA list, for example Asia/Makassar"),
        ),
    )
    return [problem for broken, problem in checks if broken]


def set_password(services: Services, passwords: Passwords, *, username: str, password: str, actor: str) -> None:
    """Another password; every session of the account ends. Raises NotFound, or BadInput for a weak one."""
    username = read_username(username)
    refuse_weak(password, username=username)
    kept, at = passwords.hash(password), services.clock.now()
    with services.db.write() as conn:
        row = staff.find(conn, username)
        if row is None:
            raise NotFound("there is no such account")
        staff.update(conn, row.id, password_hash=kept)
        staff.end_sessions(conn, at=at, staff_id=row.id)
        audit.write(conn, at=at, actor=actor, action="staff.password-set", subject="staff", subject_id=row.id)


def deactivate(services: Services, *, username: str, actor: str) -> None:
    """Ends an account and its sessions at once; its name stays in the audit. Raises NotFound."""
    at = services.clock.now()
    with services.db.write() as conn:
        row = staff.find(conn, read_username(username))
        if row is None:
            raise NotFound("there is no such account")
        staff.update(conn, row.id, active=False)
        staff.end_sessions(conn, at=at, staff_id=row.id)
        audit.write(conn, at=at, actor=actor, action="staff.deactivated", subject="staff", subject_id=row.id)


def choose_language(services: Services, staff_id: str, language: str) -> None:
    """The language of somebody's screens."""
    with services.db.write() as conn:
        staff.update(conn, staff_id, language=known_language(language))
