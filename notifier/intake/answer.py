"""What a machine is told about its event: the same words at every door, and no personal data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from notifier.core.errors import Problem
from notifier.intake.record import Recorded, RecordOutcome

#: outcomes of an event that changed nothing
NOTHING_NEW = frozenset({RecordOutcome.REPEATED, RecordOutcome.UNCHANGED, RecordOutcome.STALE})


def report(recorded: Recorded) -> dict[str, Any]:
    """The outcome of one event. `due_at` is in UTC."""
    return {
        "outcome": recorded.outcome.value,
        "event_id": recorded.event_id,
        "reference": recorded.reference,
        "state": recorded.state.value if recorded.state else None,
        "reason": recorded.reason.value if recorded.reason else None,
        "due_at": moment(recorded.due_at),
        "warnings": problems(recorded.warnings),
    }


def problems(found: Iterable[Problem]) -> list[dict[str, str]]:
    """Problems as every JSON answer spells them."""
    return [{"field": problem.field, "rule": problem.rule, "detail": problem.detail} for problem in found]


def moment(at: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
