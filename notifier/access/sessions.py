"""Server-side sessions: 256 random bits in the cookie, their SHA-256 in the row, so that a leaked table opens nothing.

ASVS 5.0 section 7: idle time-out, absolute life, ended from our side at any time.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.access.roles import FACILITY_ROLES, Permission, Role, may
from notifier.services import Services
from notifier.store import audit, doses, staff

IDLE = timedelta(minutes=30)
LIFE = timedelta(hours=12)
_TOUCH_EVERY = timedelta(minutes=1)  # a page is no reason for a write each
_TOKEN_BYTES = 32


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


def start(conn: Connection, staff_id: str, at: datetime) -> str:
    """A new session; the token that only its cookie will know. Part of the caller's transaction."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    staff.add_session(conn, token_hash=_hashed(token), staff_id=staff_id, at=at, expires_at=at + LIFE)
    return token


def find(services: Services, token: str) -> SignedIn | None:
    """Who holds a live session; None for an unknown, ended, idle or expired one. Counts as use."""
    at, hashed = services.clock.now(), _hashed(token)
    with services.db.read() as conn:
        row = staff.live_session(conn, hashed, at=at, seen_since=at - IDLE)
        if row is None:
            return None
        zone = row.time_zone or (doses.facility_zone(conn, row.facility_id) if row.facility_id else None)
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


def end(services: Services, token: str, *, actor: str) -> None:
    """Ends one session."""
    at = services.clock.now()
    with services.db.write() as conn:
        if staff.end_sessions(conn, at=at, token_hash=_hashed(token)):
            staff_id = actor.removeprefix("staff:")
            audit.write(conn, at=at, actor=actor, action="staff.signed-out", subject="staff", subject_id=staff_id)


def end_all(services: Services, staff_id: str, *, actor: str) -> int:
    """Ends every session of an account; how many there were."""
    at = services.clock.now()
    with services.db.write() as conn:
        ended = staff.end_sessions(conn, at=at, staff_id=staff_id)
        audit.write(
            conn,
            at=at,
            actor=actor,
            action="staff.signed-out-everywhere",
            subject="staff",
            subject_id=staff_id,
            count=ended,
        )
    return ended


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
