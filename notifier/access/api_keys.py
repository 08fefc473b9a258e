"""API keys of other systems: `sl_<kind>_<prefix>_<secret>`, the secret of 256 bits shown once and kept as its SHA-256.

A fast hash is enough for 256 random bits (ASVS 5.0 11.4); the `sl_` in front lets secret scanners find a leaked one.
Keys made before there were kinds lack that word, and are live ones.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, NotFound, Problem, Refused
from notifier.core.identity import clean_name
from notifier.core.ids import new_id, new_secret_id
from notifier.core.reasons import read_reason
from notifier.services import Services
from notifier.store import api_keys, audit

_SHAPE = re.compile(r"sl_(?:(live|test)_)?([0-9A-Za-z]{8})_([0-9A-Za-z]{40,60})", re.ASCII)
_PREFIX_BITS = 47  # 8 characters
_SECRET_BITS = 256
_LONGEST_NAME, _LONGEST_ID = 200, 200
_TOUCH_EVERY = timedelta(minutes=1)
_NO_HASH = b"\0" * 32
LONGEST_OVERLAP = timedelta(days=90)
LONGEST_LIFE = timedelta(days=3660)


class Scope(StrEnum):
    """What a key may be used for."""

    VACCINATIONS_WRITE = "vaccinations:write"
    NOTIFICATIONS_READ = "notifications:read"
    NOTIFICATIONS_ACT = "notifications:act"  #: resend, cancel
    CORRECTIONS_READ = "corrections:read"  #: the registry's: what was corrected here, with a person's data


class KeyKind(StrEnum):
    LIVE = "live"
    TEST = "test"  #: everything is checked and answered, nothing is recorded or sent


class KeyState(StrEnum):
    """Where a key stands."""

    LIVE = "live"
    ENDING = "ending"  #: live until its successor has taken over
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that has been checked; `scopes` as far as we know them. `facility_id`: the one whose rows it reaches."""

    id: str
    prefix: str
    name: str
    scopes: frozenset[Scope]
    kind: KeyKind = KeyKind.LIVE
    facility_id: str | None = None

    @property
    def actor(self) -> str:
        """As the audit names it."""
        return f"key:{self.prefix}"

    @property
    def is_test(self) -> bool:
        return self.kind is KeyKind.TEST


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. `text` is the whole of it: the only time that its secret can be seen."""

    id: str
    prefix: str
    text: str = field(repr=False)


def add(
    services: Services,
    *,
    name: str,
    scopes: Collection[Scope],
    actor: str,
    kind: KeyKind = KeyKind.LIVE,
    facility_id: str | None = None,
    expires_at: datetime | None = None,
    key_id: str | None = None,
) -> NewKey:
    """A new key. `key_id`: the id of its row, where the caller wants the same form sent twice to make one key.

    Raises BadInput, and Refused (`made-before`) where the row is there already.
    """
    at, name, facility_id = services.clock.now(), clean_name(name), (facility_id or "").strip() or None
    problems = _problems(name, scopes, facility_id, expires_at, at)
    if problems:
        raise BadInput(problems)
    values = {
        "name": name,
        "scopes": " ".join(sorted(scope.value for scope in scopes)),
        "kind": kind.value,
        "facility_id": facility_id,
        "expires_at": expires_at,
    }
    with services.db.write() as conn:
        return _insert(conn, key_id or new_id(), values, actor, at)


def _insert(conn: Connection, key_id: str, values: dict[str, Any], actor: str, at: datetime) -> NewKey:
    prefix, secret = new_secret_id(_PREFIX_BITS), new_secret_id(_SECRET_BITS)
    row = {"id": key_id, "prefix": prefix, "secret_hash": _hashed(secret), "created_at": at, "created_by": actor}
    if not api_keys.insert(conn, **row, **values):
        raise Refused("made-before")
    audit.write(
        conn,
        at=at,
        actor=actor,
        action="api-key.added",
        subject="api-key",
        subject_id=key_id,
        key=prefix,
        kind=values["kind"],
    )
    return NewKey(key_id, prefix, f"sl_{values['kind']}_{prefix}_{secret}")


def _problems(
    name: str, scopes: Collection[Scope], facility_id: str | None, expires_at: datetime | None, at: datetime
) -> list[Problem]:
    checks = (
        (
            not 1 <= len(name) <= _LONGEST_NAME,
            Problem("name", "required", f"say whose key it is, in at most {_LONGEST_NAME} characters"),
        ),
        (not scopes, Problem("scopes", "required", f"name at least one of {', '.join(Scope)}")),
        (
            facility_id is not None and (len(facility_id) > _LONGEST_ID or not facility_id.isprintable()),
            Problem("facility_id", "too-long", f"write at most {_LONGEST_ID} characters"),
        ),
        (
            expires_at is not None and not at < expires_at <= at + LONGEST_LIFE,
            Problem("expires_at", "expiry", "choose a day that is to come, within ten years"),
        ),
    )
    return [problem for broken, problem in checks if broken]


def check(services: Services, text: str) -> ApiKey | None:
    """The key behind what a caller showed; None for anything that is not a live key. Counts as use."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    at = services.clock.now()
    with services.db.read() as conn:
        row = api_keys.find(conn, shape[2])
    same = hmac.compare_digest(_hashed(shape[3]), row.secret_hash if row else _NO_HASH)
    if row is None or not same or state_of(row, at) not in {KeyState.LIVE, KeyState.ENDING}:
        return None
    if row.kind != (shape[1] or KeyKind.LIVE):
        return None
    if row.last_used_at is None or at - row.last_used_at >= _TOUCH_EVERY:
        with services.db.write() as conn:
            api_keys.touch(conn, row.id, at)
    known = {scope.value for scope in Scope}
    scopes = frozenset(Scope(word) for word in row.scopes.split() if word in known)
    return ApiKey(row.id, row.prefix, row.name, scopes, KeyKind(row.kind), row.facility_id)


def state_of(row: api_keys.Row, at: datetime) -> KeyState:
    """Where the key of a row stands."""
    if row.revoked_at is not None:
        return KeyState.REVOKED
    if row.expires_at is not None and row.expires_at <= at:
        return KeyState.EXPIRED
    return KeyState.ENDING if row.successor_id is not None else KeyState.LIVE


def listed(services: Services) -> Sequence[tuple[api_keys.Row, KeyState]]:
    """All keys, newest first, each with where it stands."""
    at = services.clock.now()
    with services.db.read() as conn:
        return [(row, state_of(row, at)) for row in api_keys.everyone(conn)]


def rotate(
    services: Services, prefix: str, *, overlap: timedelta, actor: str, successor_id: str | None = None
) -> NewKey:
    """A successor with the same rights; the old key goes on for `overlap` and then ends by itself. A key with an end of
    its own gives its successor a life as long.

    Raises BadInput, NotFound, or Refused (`not-live`, `rotated-before`; `made-before` as `add` does).
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise BadInput.of("overlap", "overlap", f"choose 0 to {LONGEST_OVERLAP.days} days")
    at = services.clock.now()
    with services.db.write() as conn:
        row = _find(conn, prefix)
        if state_of(row, at) in {KeyState.REVOKED, KeyState.EXPIRED}:
            raise Refused("not-live")
        values = {name: getattr(row, name) for name in ("name", "scopes", "kind", "facility_id")}
        lifetime = row.expires_at - row.created_at if row.expires_at and row.successor_id is None else None
        values["expires_at"] = at + lifetime if lifetime else None
        made = _insert(conn, successor_id or new_id(), values, actor, at)
        ends_at = min(at + overlap, row.expires_at) if row.expires_at else at + overlap
        if not api_keys.hand_over(conn, row.id, successor_id=made.id, ends_at=ends_at, at=at):
            raise Refused("rotated-before")
        audit.write(
            conn,
            at=at,
            actor=actor,
            action="api-key.rotated",
            subject="api-key",
            subject_id=row.id,
            key=row.prefix,
            successor=made.prefix,
            ends_at=ends_at.isoformat(timespec="seconds"),
        )
        return made


def revoke(services: Services, prefix: str, *, reason: str, actor: str) -> None:
    """Ends a key at once. Raises BadInput without a reason, NotFound, or Refused (`not-live`)."""
    at, reason = services.clock.now(), read_reason(reason)
    with services.db.write() as conn:
        row = _find(conn, prefix)
        if not api_keys.revoke(conn, row.id, by=actor, reason=reason, at=at):
            raise Refused("not-live")
        audit.write(
            conn,
            at=at,
            actor=actor,
            action="api-key.revoked",
            subject="api-key",
            subject_id=row.id,
            key=row.prefix,
            reason=reason,
        )


def _find(conn: Connection, prefix: str) -> api_keys.Row:
    row = api_keys.find(conn, prefix.strip())
    if row is None:
        raise NotFound("there is no key with this prefix")
    return row


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
