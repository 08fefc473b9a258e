"""After an older copy of the database was put back: what was due may have left since the copy was made. So it is
doubted and looked up at the provider, never sent again blindly.

Noticed by the mark that every tick moves on and every worker remembers outside the database (store.memory), or said by
an operator (`sertilink db restored`), for a machine that remembers nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.services import Services
from notifier.store import audit, epochs, unknowns

#: beyond whatever any worker may remember
_LEAP = 1_000_000
#: the provider's list is read slowly, so the first look-ups may start at once
_FIRST_LOOK_UP = timedelta(seconds=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was doubted. `copied_at` (UTC): the last tick that the copy knows of."""

    doubted: int
    copied_at: datetime


def advance(conn: Connection, services: Services, at: datetime) -> epochs.Row:
    """Moves the mark on, once a tick; where it stands behind what this worker remembers, does what must be done after a
    restore. The row after it, to be remembered once it is committed."""
    row = epochs.get(conn)
    if row is not None and services.memory.is_behind(row):
        row = epochs.locked(conn, at)  # another worker may have moved it on since the first look
        if services.memory.is_behind(row):
            _doubt(conn, services, row, at, actor=audit.SYSTEM, reason="the mark went back")
    return epochs.advance(conn, at)


def restored(services: Services, *, reason: str, actor: str) -> Restored:
    """An operator says that an older copy was put back."""
    at = services.clock.now()
    with services.db.write() as conn:
        return _doubt(conn, services, epochs.locked(conn, at), at, actor=actor, reason=reason)


def _doubt(conn: Connection, services: Services, row: epochs.Row, at: datetime, *, actor: str, reason: str) -> Restored:
    lease = services.db.lease(timedelta(0))
    doubted = unknowns.doubt_all_due(conn, now=lease.now, at=at, look_up_at=at + _FIRST_LOOK_UP)
    epochs.restored(conn, mark=max(row.mark, services.memory.mark) + _LEAP, at=at, copied_at=row.marked_at)
    audit.write(
        conn,
        at=at,
        actor=actor,
        action="database.restored",
        subject="database",
        subject_id=row.installation,
        reason=reason,
        copied_at=row.marked_at.isoformat(),
        doubted=doubted,
    )
    _log.error("an older copy of the database was restored", extra={"doubted": doubted})
    return Restored(doubted, row.marked_at)
