"""API keys of other systems: `sl_<prefix>_<secret>`, the secret of 256 bits shown once and kept as its SHA-256.

A fast hash is enough for 256 random bits (ASVS 5.0 11.4); the `sl_` in front lets secret scanners find a leaked one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from notifier.core.errors import BadInput, NotFound
from notifier.core.identity import clean_name
from notifier.core.ids import new_id, new_secret_id
from notifier.services import Services
from notifier.store import audit, staff

_SHAPE = re.compile(r"sl_([0-9A-Za-z]{8})_([0-9A-Za-z]{40,60})", re.ASCII)
_PREFIX_BITS = 47  # 8 characters
_SECRET_BITS = 256
_LONGEST_NAME = 200
_TOUCH_EVERY = timedelta(minutes=1)
_NO_HASH = b"\0" * 32


class Scope(StrEnum):
    """What a key may be used for."""

    VACCINATIONS_WRITE = "vaccinations:write"
    NOTIFICATIONS_READ = "notifications:read"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that has been checked; `scopes` as far as we know them."""

    id: str
    prefix: str
    name: str
    scopes: frozenset[Scope]

    @property
    def actor(self) -> str:
        """As the audit names it."""
        return f"key:{self.prefix}"


def add(services: Services, *, name: str, scopes: Collection[Scope], actor: str) -> str:
    """A new key, whole: the only time that its secret can be seen. Raises BadInput."""
    name = clean_name(name)
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise BadInput.of("name", "required", f"say whose key it is, in at most {_LONGEST_NAME} characters")
    if not scopes:
        raise BadInput.of("scopes", "required", f"name at least one of {', '.join(Scope)}")
    prefix, secret, at = new_secret_id(_PREFIX_BITS), new_secret_id(_SECRET_BITS), services.clock.now()
    key_id = new_id()
    with services.db.write() as conn:
        staff.insert_key(
            conn,
            id=key_id,
            prefix=prefix,
            secret_hash=_hashed(secret),
            name=name,
            scopes=" ".join(sorted(scope.value for scope in scopes)),
            created_at=at,
        )
        audit.write(conn, at=at, actor=actor, action="api-key.added", subject="api-key", subject_id=key_id)
    return f"sl_{prefix}_{secret}"


def check(services: Services, text: str) -> ApiKey | None:
    """The key behind what a caller showed; None for anything that is not a live key. Counts as use."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    at = services.clock.now()
    with services.db.read() as conn:
        row = staff.find_key(conn, shape[1])
    same = hmac.compare_digest(_hashed(shape[2]), row.secret_hash if row else _NO_HASH)
    if row is None or not same or row.revoked_at is not None:
        return None
    if row.last_used_at is None or at - row.last_used_at >= _TOUCH_EVERY:
        with services.db.write() as conn:
            staff.touch_key(conn, row.id, at)
    known = {scope.value for scope in Scope}
    scopes = frozenset(Scope(word) for word in row.scopes.split() if word in known)
    return ApiKey(row.id, row.prefix, row.name, scopes)


def revoke(services: Services, prefix: str, *, actor: str) -> None:
    """Ends a key at once. Raises NotFound."""
    at = services.clock.now()
    with services.db.write() as conn:
        row = staff.find_key(conn, prefix)
        if row is None or not staff.revoke_key(conn, prefix, at):
            raise NotFound("there is no live key with this prefix")
        audit.write(conn, at=at, actor=actor, action="api-key.revoked", subject="api-key", subject_id=row.id)


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
