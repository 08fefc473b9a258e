"""What a worker does with lists: takes one under a lease, works at it for some seconds, puts it back.

The lists take turns, so that a small one is not kept waiting by a large one. A worker that dies lets its lease run out;
the next one goes on at the first piece that is not done.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from notifier.core.ids import new_secret_id
from notifier.intake.uploads.check import Checker
from notifier.intake.uploads.pieces import lease_length
from notifier.intake.uploads.recording import Recorder
from notifier.services import Services
from notifier.store import audit, uploads
from notifier.store.uploads import Row, UploadStatus

_SLICE = timedelta(seconds=5)
_MOST_PIECES = 60
#: of a list whose pieces fail again and again, until somebody looks at it
MOST_ATTEMPTS = 5
_FORGOTTEN_AT_ONCE = 20

_log = logging.getLogger(__name__)


def run(services: Services) -> bool:
    """Works at one list, or takes old ones away; whether there was anything to do. Safe to run anywhere, any number at
    once."""
    token = new_secret_id()
    row = _claimed(services, token)
    if row is None:
        return forget_old(services) > 0
    if row.attempts > MOST_ATTEMPTS:
        _set_aside(services, row, token)
        return True
    _work(services, row, token)
    with services.db.write() as conn:
        uploads.let_go(conn, row.id, token, services.clock.now())
    return True


def _claimed(services: Services, token: str) -> Row | None:
    with services.db.write() as conn:
        return uploads.claim(conn, token, services.db.lease(lease_length(services)))


def _work(services: Services, row: Row, token: str) -> None:
    worker = (Recorder if row.status == UploadStatus.RECORDING else Checker)(services, row)
    until = services.clock.now() + _SLICE
    for number in range(row.next_chunk, min(row.chunks, row.next_chunk + _MOST_PIECES)):
        if worker.step(number, token) is None or services.clock.now() >= until:
            return


def _set_aside(services: Services, row: Row, token: str) -> None:
    """One piece kills every worker: no more, until somebody says so."""
    _log.error("a list is set aside", extra={"reference": row.reference, "piece": row.next_chunk})
    at = services.clock.now()
    with services.db.write() as conn:
        if uploads.hold(conn, row.id, token) is not None:
            uploads.update(conn, row.id, paused_at=at, is_stuck=True, lease_token=None, lease_until=None)
            audit.write(conn, at=at, actor=audit.SYSTEM, action="upload.stuck", subject="upload", subject_id=row.id)


def forget_old(services: Services) -> int:
    """Takes away what persons wrote in lists older than `uploads.KEPT`; of how many. The counts stay."""
    at = services.clock.now()
    with services.db.write() as conn:
        rows = uploads.old(conn, at, _FORGOTTEN_AT_ONCE)
        for row in rows:
            uploads.empty(conn, row, at)
            audit.write(conn, at=at, actor=audit.SYSTEM, action="upload.emptied", subject="upload", subject_id=row.id)
    return len(rows)
