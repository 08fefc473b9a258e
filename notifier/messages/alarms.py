"""Telling somebody before a promise is broken: a first message that still waits four hours before its 48 are over."""

from __future__ import annotations

import logging
from datetime import timedelta

from notifier.core.schedule import PROMISE
from notifier.services import Services
from notifier.store import audit, notifications

#: how long before the promise breaks somebody is told: time to release a hold or to raise the rate
AHEAD = timedelta(hours=4)
_BATCH = 500

_log = logging.getLogger(__name__)


def warn_of_broken_promises(services: Services) -> int:
    """Writes an audit row for each message at risk, once; how many are new."""
    now = services.clock.now()
    with services.db.write() as conn:
        rows = notifications.at_risk(conn, accepted_before=now - PROMISE + AHEAD, due_before=now, limit=_BATCH)
        for row in rows:
            audit.write(
                conn,
                at=now,
                actor=audit.SYSTEM,
                action="promise.at-risk",
                subject="notification",
                subject_id=row.id,
                state=row.status,
                reason=row.reason,
            )
        notifications.alarmed(conn, [row.id for row in rows], now)
    if rows:
        _log.error("promises are about to break", extra={"messages": len(rows)})
    return len(rows)
