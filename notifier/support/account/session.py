"""Sessions of own accounts: 256 random bits in the cookie, their SHA-256 in the row; a leaked table opens nothing.

Short, since phones are lent and sold: 15 minutes without a page, an hour in all, and nothing after signing out.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from notifier.core.errors import SealBroken
from notifier.services import Services
from notifier.store import accounts, audit
from notifier.store.persons import phone_index

DOOR = "door:me"
IDLE = timedelta(minutes=15)
LIFE = timedelta(hours=1)
_TOUCH_EVERY = timedelta(minutes=1)  # a page is no reason for a write each
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """Whoever is at the other end has proved this number."""

    id: str
    phone: str = field(repr=False)  #: E.164
    number: bytes = field(repr=False)  #: its blind index


def begin(services: Services, phone: str) -> str:
    """A session for a number that was just proved by a code; the token for its cookie alone."""
    token, now = secrets.token_hex(_TOKEN_BYTES), services.clock.now()
    with services.db.write() as conn:
        row_id = accounts.begin(conn, services.sealer, phone=phone, token_hash=_hash(token), at=now, until=now + LIFE)
        audit.write(conn, at=now, actor=DOOR, action="account.signed-in", subject="account", subject_id=row_id)
    return token


def find(services: Services, token: str) -> Session | None:
    """The session of a token; None where it is over, or never was."""
    now = services.clock.now()
    with services.db.read() as conn:
        row = accounts.find(conn, _hash(token))
    if row is None or row.ended_at is not None or row.expires_at <= now or row.last_seen_at + IDLE <= now:
        return None
    try:
        phone = accounts.phone_of(services.sealer, row)
    except SealBroken:
        return None
    if row.last_seen_at + _TOUCH_EVERY <= now:
        with services.db.write() as conn:
            accounts.seen(conn, row.id, now)
    return Session(row.id, phone, phone_index(services.sealer, phone))


def end(services: Services, session: Session) -> None:
    """Signs out: the token is worth nothing now, and the certificates that were opened here are closed in every
    browser."""
    now = services.clock.now()
    with services.db.write() as conn:
        if accounts.end(conn, session.id, now):
            accounts.end_links(conn, accounts.opened(conn, session.id), session.number, now)
            audit.write(conn, at=now, actor=DOOR, action="account.signed-out", subject="account", subject_id=session.id)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
