"""Claiming: a batch of due notifications under one lease, lane by lane."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from notifier.core.ids import new_id
from notifier.core.states import LANES
from notifier.services import Services
from notifier.store import counters, notifications


@dataclass(frozen=True, slots=True)
class Batch:
    """What one worker holds. Every later write names `token`; where no row answers, somebody else owns it now."""

    token: str
    rows: tuple[notifications.Row, ...]


def claim(services: Services, limit: int) -> Batch:
    """Up to `limit` due rows; none while the kill switch is on."""
    token = new_id()
    rows: list[notifications.Row] = []
    with services.db.write() as conn:
        if counters.is_on(conn, counters.HOLD):
            return Batch(token, ())
        lease = services.db.lease(timedelta(seconds=services.settings.lease_seconds))
        for lane in LANES:
            if len(rows) < limit:
                rows += notifications.claim(conn, lane=lane, token=token, lease=lease, limit=limit - len(rows))
    return Batch(token, tuple(rows))
