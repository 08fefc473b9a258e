"""The tick: what one elected worker does each second. All of it is idempotent."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from notifier.messages import receipts
from notifier.services import Services
from notifier.store import audit, counters, notifications, staff

DISPATCH_TICK = "dispatch"
_DISPATCH_PERIOD = timedelta(milliseconds=900)
_SEAL_PERIOD = timedelta(seconds=4)
_FORGET_PERIOD = timedelta(hours=1)
BATCH = 500
_MOST_WAKE_UPS = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick found. `wake_ups`: how many send batches are worth starting."""

    elected: bool
    wake_ups: int = 0
    freed: int = 0
    doubtful: int = 0
    receipts: int = 0


def tick(services: Services) -> Ticked:
    """Frees leases that ran out, counts what is due, fetches receipts, seals the audit chain. Loses nothing when it
    is not called: the next one finds the same rows."""
    now = services.clock.now()
    with services.db.write() as conn:
        if not counters.win_tick(conn, DISPATCH_TICK, period=_DISPATCH_PERIOD, at=now):
            return Ticked(elected=False)
        lease_now = services.db.lease(timedelta(0)).now
        freed, doubtful = notifications.free_expired_leases(conn, now=lease_now, at=now)
        held = counters.is_on(conn, counters.HOLD)
        due = 0 if held else notifications.count_due(conn, lease_now, BATCH * _MOST_WAKE_UPS)
    return Ticked(True, -(-due // BATCH), freed, doubtful, receipts=_chores(services))


def _chores(services: Services) -> int:
    """What can wait; how many receipts were fetched. A fault here never keeps due messages waiting."""
    try:
        fetched = receipts.collect(services)
        _slow_chores(services)
    except Exception as error:
        _log.error("a chore failed", extra={"error": type(error).__name__})
        return 0
    return fetched


def _slow_chores(services: Services) -> None:
    now = services.clock.now()
    with services.db.write() as conn:
        if counters.win_tick(conn, "audit-seal", period=_SEAL_PERIOD, at=now):
            audit.seal(conn)
        if counters.win_tick(conn, "forget", period=_FORGET_PERIOD, at=now):
            counters.forget_old(conn, now)
            staff.forget_sessions(conn, now)
