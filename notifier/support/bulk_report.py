"""What staff read about a bulk: the rows behind each number, the report, the deeds. Never who somebody is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from notifier.core.bulks import BulkState, ItemState
from notifier.core.states import State
from notifier.services import Services
from notifier.store import audit, bulks, staff
from notifier.support.bulk_resend import PARTS

PAGE = 50
_REPORT_PAGE = 2000
UNDECIDED, EXCLUDED, UNPLANNED = "undecided", "excluded", "unplanned"
#: what `rows` can be asked for
NAMES = (*PARTS, UNDECIDED, EXCLUDED, UNPLANNED)


@dataclass(frozen=True, slots=True)
class Line:
    """One row behind a number. `key`: where the next page goes on."""

    key: str
    reference: str | None  #: of the new message, or of the one that would have been answered
    state: str | None  #: of the new message; None where there is none
    reason: str | None


def listed(
    services: Services, *, before: str | None = None, schedule_id: str | None = None
) -> tuple[list[bulks.Row], bool]:
    """Up to PAGE bulks, newest first, and whether older ones follow."""
    with services.db.read() as conn:
        rows = bulks.listed(conn, limit=PAGE + 1, before=before, schedule_id=schedule_id)
    return rows[:PAGE], len(rows) > PAGE


def rows(
    services: Services, row: bulks.Row, name: str, *, reason: str | None = None, after: str | None = None
) -> tuple[list[Line], bool]:
    """Up to PAGE rows behind one of a bulk's numbers, and whether more follow."""
    with services.db.read() as conn:
        if name in PARTS:
            found = bulks.messages(conn, row.id, PARTS[name], limit=PAGE + 1, after=after)
            lines = [Line(one.reference, one.reference, one.status, one.reason) for one in found]
        else:
            state = ItemState.EXCLUDED if name == EXCLUDED else ItemState.WAITING
            items = bulks.items(conn, row.id, state=state, reason=reason, limit=PAGE + 1, after=after)
            lines = [Line(one.dose_id, one.reference, None, one.reason) for one in items]
    return lines[:PAGE], len(lines) > PAGE


def report(services: Services, row: bulks.Row) -> Iterator[tuple[str, str, str, str]]:
    """Every dose of a bulk: the reference that was answered, the new one, its state, and the reason; read in pages, so
    that a large bulk is never held whole."""
    after: str | None = None
    while True:
        with services.db.read() as conn:
            found = bulks.items(conn, row.id, limit=_REPORT_PAGE, after=after)
        for one in found:
            state, reason = _as_reported(row, one)
            yield one.reference or "", one.new_reference or "", state, reason or ""
        if len(found) < _REPORT_PAGE:
            return
        after = found[-1].dose_id


def _as_reported(row: bulks.Row, item: bulks.Row) -> tuple[str, str | None]:
    if item.state == ItemState.PLANNED and item.new_status:
        return item.new_status, item.new_reason
    if item.state == ItemState.WAITING and row.state == BulkState.CANCELLED:
        return State.CANCELLED.value, "operator"
    return item.state, item.reason


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did with a bulk or a schedule."""

    at: datetime
    action: str
    who: str  #: a colleague's name, or an actor of the audit
    reason: str | None
    count: int | None


def deeds(services: Services, subject_id: str) -> list[Deed]:
    """What was done with a bulk or a schedule, oldest first."""
    with services.db.read() as conn:
        found = audit.of_subjects(conn, [subject_id])
        known = staff.names(conn, {one.actor.removeprefix("staff:") for one in found if one.actor.startswith("staff:")})
    return [
        Deed(
            one.at,
            one.action,
            known.get(one.actor.removeprefix("staff:"), one.actor),
            one.detail.get("reason"),
            one.detail.get("count"),
        )
        for one in found
    ]
