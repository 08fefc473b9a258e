"""Claiming: a batch of due notifications under one lease, lane by lane, inside the sender's rate.

Whatever may stop the queue is looked at in the transaction that claims: kill switch, circuit, rate, and whether this
database is an older copy.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import Lane
from notifier.faults import FaultPoint
from notifier.messages import circuit
from notifier.messages.circuit import Gate
from notifier.services import Services
from notifier.store import buckets, circuits, counters, epochs, notifications
from notifier.store.engine import Lease

#: later than this past its due time, a message belongs to a backlog, and CATCH_UP_RATE holds
LATE = timedelta(minutes=15)
#: the part of each claim that is kept for the bulk lane, so that it ends some day; a fresh dose goes before both
BULK_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Batch:
    """What one worker holds. Every later write names `token`; where no row answers, somebody else owns it now.
    `is_probe`: the one message that finds out whether the circuit may close."""

    token: str
    rows: tuple[notifications.Row, ...]
    is_probe: bool = False


def claim(services: Services, limit: int) -> Batch:
    """Up to `limit` due rows; none while the kill switch is on, the circuit is open or the rate is used up."""
    token = new_id()
    with services.db.write() as conn:
        batch = _claim(conn, services, token, limit)
        services.faults.reached(FaultPoint.CLAIM_BEFORE_COMMIT)
    services.faults.reached(FaultPoint.CLAIM_AFTER_COMMIT)
    return batch


def put_probe_back(services: Services) -> None:
    """The message that was to probe must not be sent: the next one may do it at once."""
    with services.db.write() as conn:
        circuits.put_probe_back(conn, services.gateway.name, at=services.db.now(conn))


def _claim(conn: Connection, services: Services, token: str, limit: int) -> Batch:
    mark = epochs.get(conn)
    if counters.is_on(conn, counters.HOLD) or services.memory.is_behind(mark):
        return Batch(token, ())
    if mark is not None:
        services.memory.note(mark)
    lease = services.db.lease(timedelta(seconds=services.settings.lease_seconds))
    at = services.db.now(conn)
    passage = circuit.gate(conn, services, at)
    if passage is Gate.NONE:
        return Batch(token, ())
    if passage is Gate.ONE:
        rows = _by_lane(conn, token, lease, asked=1, room=1)
        if not rows:
            circuits.put_probe_back(conn, services.gateway.name, at=at)
        return Batch(token, tuple(rows), is_probe=True)
    rate = effective_rate(conn, services, at)
    room = min(limit, buckets.room(conn, services.gateway.name, rate=rate, at=at))
    rows = _by_lane(conn, token, lease, asked=limit, room=room)
    buckets.charge(conn, services.gateway.name, sum(row.segments for row in rows), rate=rate, at=at)
    return Batch(token, tuple(rows))


def effective_rate(conn: Connection, services: Services, at: datetime) -> float:
    """Segments per second: SENDER_RATE, or the slower CATCH_UP_RATE while messages are long overdue."""
    rate, catch_up = services.settings.sender_rate, services.settings.catch_up_rate
    if not catch_up or (rate and catch_up >= rate):
        return rate
    return catch_up if notifications.is_any_due(conn, at - LATE) else rate


def _by_lane(conn: Connection, token: str, lease: Lease, *, asked: int, room: int) -> list[notifications.Row]:
    """What a person waits for before anything else, even where no room is left; then fresh doses, then the rest, with
    a share of the room for the bulk lane."""
    rows = notifications.claim(conn, lane=Lane.ASKED, token=token, lease=lease, limit=asked)

    def take(lane: Lane, keep: int = 0) -> None:
        limit = min(room, asked) - len(rows) - keep
        if limit > 0:
            rows.extend(notifications.claim(conn, lane=lane, token=token, lease=lease, limit=limit))

    take(Lane.FRESH)
    kept = _kept_for_bulk(min(room, asked) - len(rows))
    take(Lane.NORMAL, keep=kept)
    take(Lane.BULK)
    if kept:
        take(Lane.NORMAL)  # what the bulk lane did not want
    return rows


def _kept_for_bulk(room: int) -> int:
    """A tenth on average, also where the rate leaves room for one message at a time."""
    whole, part = divmod(max(0, room) * BULK_SHARE, 1)
    return int(whole) + (random.random() < part)  # noqa: S311  # fairness, not a secret
