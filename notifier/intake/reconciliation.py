"""Does every accepted event have one notification, or a recorded reason? Nightly, and whenever somebody asks."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from notifier.services import Services
from notifier.store import audit
from notifier.store import reconciliation as store

EVENTS = "events"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unaccounted:
    """What should be 0; see store.reconciliation."""

    pending: int
    without_message: int
    doses_untold: int
    messages_waiting_twice: int
    accepted_twice: int

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class ReconciliationReport:
    """What was counted among `looked_at` events, and when (UTC)."""

    at: datetime
    looked_at: int
    unaccounted: Unaccounted


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest count, for a status page: `unaccounted` of `looked_at` events, at a moment in UTC."""

    at: datetime
    looked_at: int
    unaccounted: int


def reconcile_events(services: Services, *, actor: str = audit.SYSTEM) -> ReconciliationReport:
    """Counts, keeps the number with an audit row, and logs an error where it is not 0. Reads alone until the end: it
    stands in nobody's way."""
    with services.db.read() as conn:
        looked_at = store.all_events(conn)
        found = Unaccounted(
            pending=store.pending(conn),
            without_message=store.without_message(conn),
            doses_untold=store.doses_untold(conn),
            messages_waiting_twice=store.messages_waiting_twice(conn),
            accepted_twice=store.accepted_twice(conn),
        )
    report = ReconciliationReport(services.clock.now(), looked_at, found)
    _keep(services, report, actor)
    if found.total:
        _log.error("events unaccounted", extra={"looked_at": looked_at, **asdict(found)})
    return report


def newest(services: Services) -> Newest | None:
    """The newest count; None before the first."""
    with services.db.read() as conn:
        row = store.newest(conn, EVENTS)
    return Newest(row["at"], row["looked_at"], row["unaccounted"]) if row else None


def _keep(services: Services, report: ReconciliationReport, actor: str) -> None:
    total = report.unaccounted.total
    with services.db.write() as conn:
        store.keep(conn, EVENTS, at=report.at, looked_at=report.looked_at, unaccounted=total)
        audit.write(
            conn,
            at=report.at,
            actor=actor,
            action="events.reconciled",
            subject="reconciliation",
            subject_id=EVENTS,
            looked_at=report.looked_at,
            unaccounted=total,
            **asdict(report.unaccounted),
        )
