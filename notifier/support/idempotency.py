"""The Idempotency-Key of a request (draft-ietf-httpapi-idempotency-key-header-07): sent twice, it is done once, and
answered twice alike for a day.

A request whose process died is done again by the next one with its key, which is safe: below this the event id, and for
a resend the message that waits, keep anything from happening twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from notifier.access.api_keys import ApiKey
from notifier.core.errors import BadInput, SealBroken
from notifier.core.ids import new_id
from notifier.services import Services
from notifier.store import idempotency

KEPT = timedelta(hours=24)
LONGEST_WORK = timedelta(seconds=60)  # as gunicorn's own limit for a request, and a little
_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was given before."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Begun:
    """The work is the caller's: `finish` or `give_up` with this."""

    worker: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else is at it; ask again after so many seconds."""

    retry_in_s: int


@dataclass(frozen=True, slots=True)
class Differs:
    """The key came before with another request."""


def read_key(header: str) -> str:
    """The key in a header, a string of structured fields or bare. Raises BadInput."""
    text = header.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not 1 <= len(text) <= _LONGEST_KEY or not text.isascii() or not text.isprintable() or '"' in text:
        raise BadInput.of(
            "Idempotency-Key", "idempotency-key", f"write 1 to {_LONGEST_KEY} letters and digits, such as a UUID"
        )
    return text


def begin(services: Services, key: ApiKey, text: str, request: bytes) -> Begun | Kept | Busy | Differs:
    """What is to be done about a request with the key `text`; `request`: everything that makes it what it is."""
    sealer, at, worker = services.sealer, services.clock.now(), new_id()
    index = sealer.index("idempotency.key", f"{key.id} {text}")
    fingerprint = sealer.index("idempotency.request", request)
    terms: dict[str, Any] = {"worker": worker, "busy_until": at + LONGEST_WORK, "expires_at": at + KEPT}
    with services.db.write() as conn:
        if idempotency.begin(conn, index, fingerprint, **terms):
            return Begun(worker)
        row = idempotency.find(conn, index)
        if row is None:
            return Busy(1)  # upkeep has just dropped it
        over = row.expires_at <= at
        if not over and row.fingerprint != fingerprint:
            return Differs()
        if not over and row.answer_sealed is not None:
            return _kept(services, row)
        if not over and row.busy_until > at:
            return Busy(max(1, int((row.busy_until - at).total_seconds())))
        return Begun(worker) if idempotency.take_over(conn, row, fingerprint, **terms) else Busy(1)


def _kept(services: Services, row: idempotency.Row) -> Kept | Busy:
    try:
        head, _, body = idempotency.opened(services.sealer, row).partition(b"\n")
    except SealBroken:
        return Busy(60)  # a key of ours is missing: better no answer than a second deed
    told = json.loads(head)
    return Kept(told["status"], told["headers"], body)


def finish(services: Services, begun: Begun, kept: Kept) -> None:
    """Keeps the answer to the request that the caller has done."""
    head = json.dumps({"status": kept.status, "headers": dict(kept.headers)}).encode()
    with services.db.write() as conn:
        idempotency.answer(conn, services.sealer, begun.worker, head + b"\n" + kept.body)


def give_up(services: Services, begun: Begun) -> None:
    """The request came to nothing on our side: the next one with its key does the work."""
    with services.db.write() as conn:
        idempotency.give_up(conn, begun.worker)
