"""What cases are about, by facility: whose lists do not reach us, whose numbers fail."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from notifier.core.causes import Cause
from notifier.services import Services
from notifier.store import agents

#: what is not known yet, or was closed without one
NO_CAUSE = "-"
PERIODS = (7, 30, 90)  # days


@dataclass(frozen=True, slots=True)
class FacilityCauses:
    """One facility's cases; `facility_id` None: not known which. `numbers`: by cause."""

    facility_id: str | None
    name: str | None
    numbers: dict[str, int]
    open: int

    @property
    def total(self) -> int:
        return sum(self.numbers.values())


@dataclass(frozen=True, slots=True)
class Causes:
    """The facilities with most cases first. `causes`: those that there are, the most frequent first."""

    since: datetime
    facilities: list[FacilityCauses]
    causes: list[str]
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.totals.values())


def count(services: Services, days: int) -> Causes:
    """The cases opened in the last `days` days, today with them."""
    today = services.clock.now().astimezone(services.zone).date()
    since = datetime.combine(today - timedelta(days=days - 1), time(), tzinfo=services.zone)
    with services.db.read() as conn:
        rows = agents.causes(conn, since=since, until=services.clock.now() + timedelta(seconds=1))
    numbers: dict[str | None, Counter[str]] = {}
    names: dict[str | None, str | None] = {}
    still_open: Counter[str | None] = Counter()
    totals: Counter[str] = Counter()
    for row in rows:
        cause = row.cause if row.cause in set(Cause) else NO_CAUSE
        numbers.setdefault(row.facility_id, Counter())[cause] += row.number
        names[row.facility_id] = row.name
        still_open[row.facility_id] += row.open
        totals[cause] += row.number
    found = [FacilityCauses(one, names[one], dict(counted), still_open[one]) for one, counted in numbers.items()]
    found.sort(key=lambda one: (-one.total, one.facility_id or ""))
    return Causes(since, found, [cause for cause, _ in totals.most_common()], dict(totals))
