"""Server-side sessions: 256 random bits in the cookie, their SHA-256 in the row, so that a leaked table opens nothing.

ASVS 5.0 section 7: idle time-out, absolute life, ended from our side at any time. Somebody who has shown a password
but not yet all that is asked of them holds a session too, which opens the one page of its stage. Each step ends the
session before and begins a new one: a token that was seen or planted earlier is worth nothing later.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.access.roles import FACILITY_ROLES, Permission, Role, may
from notifier.core.errors import Refused
from notifier.services import Services
from notifier.store import audit, doses, staff

IDLE = timedelta(minutes=30)
LIFE = timedelta(hours=12)
ENDED = "session-ended"
_TOUCH_EVERY = timedelta(minutes=1)  # a page is no reason for a write each
_TOKEN_BYTES = 32


class Stage(StrEnum):
    """What the holder of a session still has to do before anything opens."""

    FULL = "full"  #: nothing: they are in
    CODE = "code"  #: show the second factor
    PASSWORD = "password"  # noqa: S105  #: choose an own password instead of the first one
    ENROL = "enrol"  #: set up a second factor


#: choosing a password and setting up an app take longer than reading a code
LIVES = {
    Stage.FULL: LIFE,
    Stage.CODE: timedelta(minutes=5),
    Stage.PASSWORD: timedelta(minutes=15),
    Stage.ENROL: timedelta(minutes=15),
}


@dataclass(frozen=True, slots=True)
class Entered:
    """A step was taken. `token`: of the session that begins with it, for its cookie alone; `stage`: what comes next."""

    token: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class HalfIn:
    """Who has shown a password and has not done yet all that is asked of them."""

    staff_id: str
    username: str
    display_name: str
    language: str
    stage: Stage

    @property
    def actor(self) -> str:
        """As the audit names them."""
        return f"staff:{self.staff_id}"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is at the other end. `facility_id`: the own facility; None for those who have none."""

    staff_id: str
    username: str
    display_name: str
    role: Role
    facility_id: str | None
    language: str
    zone: ZoneInfo

    @property
    def actor(self) -> str:
        """As the audit names them."""
        return f"staff:{self.staff_id}"

    @property
    def only_facility(self) -> str | None:
        """The one facility whose rows they may see; None: all."""
        return self.facility_id or "" if self.role in FACILITY_ROLES else None

    def may(self, permission: Permission) -> bool:
        return may(self.role, permission)


def start(
    conn: Connection,
    staff_id: str,
    at: datetime,
    *,
    stage: Stage = Stage.FULL,
    device: str | None = None,
) -> Entered:
    """A new session on a kind of device. Part of the caller's transaction."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    hashed = hash_of(token)
    staff.add_session(
        conn,
        token_hash=hashed,
        staff_id=staff_id,
        at=at,
        expires_at=at + LIVES[stage],
        stage=stage.value,
        device=device,
    )
    return Entered(token, stage)


def go_on(conn: Connection, token: str, staff_id: str, at: datetime, *, stage: Stage) -> Entered:
    """The session of the next step instead of the one that `token` opens. Part of the caller's transaction. Raises
    Refused (ENDED) where that one is not live, or another step was taken with it at the same time."""
    row = staff.live_session(conn, hash_of(token), at=at, seen_since=at - IDLE)
    if row is None or row.id != staff_id or not staff.end_sessions(conn, at=at, token_hash=hash_of(token)):
        raise Refused(ENDED)
    return start(conn, staff_id, at, stage=stage, device=row.device)


def who(services: Services, token: str) -> SignedIn | HalfIn | None:
    """Who holds a live session; None for an unknown, ended, idle or expired one. Counts as use."""
    at, hashed = services.clock.now(), hash_of(token)
    with services.db.read() as conn:
        row = staff.live_session(conn, hashed, at=at, seen_since=at - IDLE)
        if row is None:
            return None
        zone = row.time_zone or (doses.facility_zone(conn, row.facility_id) if row.facility_id else None)
    stage = Stage(row.stage)
    if stage is not Stage.FULL:
        return HalfIn(row.id, row.username, row.display_name, row.language, stage)
    if row.totp_sealed is None and services.settings.second_factor_required:
        return None  # from before it was required
    if at - row.last_seen_at >= _TOUCH_EVERY:
        with services.db.write() as conn:
            staff.touch_session(conn, hashed, at)
    return SignedIn(
        staff_id=row.id,
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        facility_id=row.facility_id,
        language=row.language,
        zone=ZoneInfo(zone or services.settings.timezone),
    )


def find(services: Services, token: str) -> SignedIn | None:
    """Who is in with a live session. Counts as use."""
    person = who(services, token)
    return person if isinstance(person, SignedIn) else None


def live(services: Services, staff_id: str) -> list[staff.Row]:
    """An account's live sessions, last used first."""
    at = services.clock.now()
    with services.db.read() as conn:
        return staff.live_sessions(conn, staff_id, stage=Stage.FULL.value, at=at, seen_since=at - IDLE)


def end_one(services: Services, staff_id: str, token_hash: bytes, *, actor: str) -> bool:
    """Ends one of an account's sessions; False where it has none such, or it has ended already."""
    at = services.clock.now()
    with services.db.write() as conn:
        ended = staff.end_sessions(conn, at=at, staff_id=staff_id, token_hash=token_hash) == 1
        if ended:
            _audit(conn, at, actor, "staff.session-ended", staff_id)
    return ended


def end_others(services: Services, staff_id: str, token: str, *, actor: str) -> int:
    """Ends every session of an account but the one that `token` opens; how many there were."""
    at = services.clock.now()
    with services.db.write() as conn:
        ended = staff.end_sessions(conn, at=at, staff_id=staff_id, but=hash_of(token))
        _audit(conn, at, actor, "staff.signed-out-elsewhere", staff_id, count=ended)
    return ended


def end(services: Services, token: str, *, actor: str) -> None:
    """Ends one session."""
    at = services.clock.now()
    with services.db.write() as conn:
        if staff.end_sessions(conn, at=at, token_hash=hash_of(token)):
            _audit(conn, at, actor, "staff.signed-out", actor.removeprefix("staff:"))


def end_all(services: Services, staff_id: str, *, actor: str) -> int:
    """Ends every session of an account; how many there were."""
    at = services.clock.now()
    with services.db.write() as conn:
        ended = staff.end_sessions(conn, at=at, staff_id=staff_id)
        _audit(conn, at, actor, "staff.signed-out-everywhere", staff_id, count=ended)
    return ended


def _audit(conn: Connection, at: datetime, actor: str, action: str, staff_id: str, **detail: int) -> None:
    audit.write(conn, at=at, actor=actor, action=action, subject="staff", subject_id=staff_id, **detail)


def hash_of(token: str) -> bytes:
    """What the row of a token's session is found by."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
