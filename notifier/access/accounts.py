"""Staff accounts: adding, and the language of their screens."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import available_timezones

from notifier.access.passwords import Passwords, refuse_weak
from notifier.access.roles import FACILITY_ROLES, Role
from notifier.core.errors import BadInput, Problem
from notifier.core.identity import clean_name
from notifier.core.ids import new_id
from notifier.core.words import known_language
from notifier.services import Services
from notifier.store import audit, doses, staff

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{1,98}[a-z0-9])", re.ASCII)
_LONGEST_NAME, _LONGEST_ID = 200, 200


def read_username(text: str) -> str:
    """A username as it is kept: without blanks around it, in lower case."""
    return text.replace("\0", "").strip().casefold()  # PostgreSQL takes no NUL


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
    first_password_until: datetime | None = None,
) -> str:
    """Adds an account; its id. `time_zone`: what its screens show times in; None for the facility's or the programme's.
    `first_password_until`: the password is not the owner's own, and good for choosing one until then.

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
            first_password_until=first_password_until,
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


def choose_language(services: Services, staff_id: str, language: str) -> None:
    """The language of somebody's screens."""
    with services.db.write() as conn:
        staff.update(conn, staff_id, language=known_language(language))
