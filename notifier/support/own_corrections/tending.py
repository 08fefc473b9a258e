"""What has waited long enough: whom we wait for is waited for no longer; who should have decided is reminded."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.own_corrections import OPEN, WAITS, RequestState
from notifier.services import Services
from notifier.store import audit, own_corrections, persons
from notifier.support.own_corrections import news
from notifier.support.own_corrections.asking import watch
from notifier.support.own_corrections.carry_out import note

REMIND_EVERY = timedelta(days=1)

_log = logging.getLogger(__name__)


def tend(conn: Connection, services: Services, row_id: str, *, since: datetime) -> None:
    """Looks at a request that was due at `since`: whatever has moved on since is left alone."""
    seen = own_corrections.get(conn, row_id)
    if seen is not None and seen.person_id is not None:
        persons.hold(conn, seen.person_id)  # before the request, as everybody does
    row, now = own_corrections.get(conn, row_id, lock=True), services.clock.now()
    if row is None or row.state not in OPEN or row.due_at > now:
        return
    if row.state in WAITS:
        ended = own_corrections.ended(now, audit.SYSTEM)
        own_corrections.move(conn, row.id, RequestState.EXPIRED, old=[RequestState(row.state)], **ended)
        note(conn, services, row, "correction.expired", audit.SYSTEM, state=row.state)
        if row.person_id is not None:
            news.tell(conn, services, row, person_id=row.person_id)
        return
    own_corrections.note(conn, row.id, reminded_at=now)
    note(conn, services, row, "correction.overdue", audit.SYSTEM)
    _log.error("a correction that somebody asked for waits too long", extra={"reference": row.reference})
    watch(conn, row.id, now + REMIND_EVERY)
