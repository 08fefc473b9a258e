"""Cases that wait: the facility is reminded, then operators have it; a promise that is broken alarms, once."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.states import CaseKind, CaseParty, CaseStatus, StepKind
from notifier.services import Services
from notifier.store import audit, case_reports, case_steps
from notifier.support.missing import telling
from notifier.support.missing.arrivals import case_reported
from notifier.support.missing.reports import ANSWER_WITHIN

#: reminders to a facility before operators take over
REMINDERS = 2
BROKEN = "case.promise-broken"
_BATCH = 100

_log = logging.getLogger(__name__)


def run(services: Services) -> int:
    """Does what is due; how many cases were taken up. Safe to run anywhere, any number at once."""
    now = services.clock.now()
    with services.db.write() as conn:
        due = case_reports.due(conn, CaseKind.MISSING, CaseParty.FACILITY, now, _BATCH)
        for row in due:
            _remind(conn, services, row, now)
    with services.db.write() as conn:
        broken = case_reports.broken_promises(conn, now, _BATCH)
        for row in broken:
            _alarm(conn, services, row, now)
    if broken:
        _log.error("promises to those who reported a missing certificate are broken", extra={"cases": len(broken)})
    return len(due) + len(broken)


def _remind(conn: Connection, services: Services, row: case_reports.Row, now: datetime) -> None:
    """Twice, then it is not the facility's alone any more. A dose that came another way than we look is found here."""
    case_reported(conn, services, row.id, since=now)
    fresh = case_reports.get(conn, row.id)
    if fresh is None or fresh.status != CaseStatus.OPEN:
        return
    values = {"due_at": now + ANSWER_WITHIN, "reminders": row.reminders + 1}
    kind = StepKind.REMINDED
    if row.reminders >= REMINDERS:
        kind = StepKind.TO_OPERATORS
        values |= {"waits_for": CaseParty.OPERATORS.value}
    case_reports.change(conn, row.id, **values)
    case_steps.add(conn, services.sealer, row.id, kind, actor=audit.SYSTEM, at=now, facility_id=row.facility_id)


def _alarm(conn: Connection, services: Services, row: case_reports.Row, now: datetime) -> None:
    case_reports.change(conn, row.id, alarmed_at=now, waits_for=CaseParty.OPERATORS.value)
    case_steps.add(conn, services.sealer, row.id, StepKind.OVERDUE, actor=audit.SYSTEM, at=now)
    audit.write(conn, at=now, actor=audit.SYSTEM, action=BROKEN, subject="case", subject_id=row.id)
    telling.tell(conn, services, row, at=now)
