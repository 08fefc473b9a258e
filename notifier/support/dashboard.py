"""What the start page says: how things stand now, and what became of the messages of the last days.

What stands now is asked of small partial indexes; the days come from the counts that messages.tallies keeps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core.schedule import QuietHours
from notifier.core.states import State
from notifier.messages.claim import effective_rate
from notifier.messages.tallies import days_shown
from notifier.services import Services
from notifier.store import circuits, counters, tallies
from notifier.store.circuits import CircuitMode, CircuitState
from notifier.store.tallies import ALL, DOWNLOADED, MADE, OPENED, Row, Standing

FACILITIES = 12
MOST_DUE = 10_000  #: counted live; beyond it the number of the newest count is shown
_MOST_WINDOWS = 400  # days of sending hours that a forecast looks ahead

#: what a message came to, for a reader who looks at a thousand of them: the states behind each
GROUPS: dict[str, tuple[State, ...]] = {
    "waiting": (State.SCHEDULED, State.CLAIMED, State.SENDING, State.HELD, State.UNKNOWN),
    "moving": (State.ACCEPTED, State.SENT),
    "delivered": (State.DELIVERED,),
    "missed": (State.UNDELIVERED, State.FAILED),
    "stopped": (State.SUPPRESSED, State.CANCELLED, State.EXPIRED),
}
#: the states of what the provider took
SENT = (State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED)
#: whose reasons are shown, most urgent first
_EXPLAINED = (State.FAILED, State.UNDELIVERED, State.UNKNOWN, State.HELD, State.SUPPRESSED, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class Line:
    """What some messages came to, by GROUPS, and `made`, `sent`, `opened`, `downloaded`."""

    key: str  #: a facility's id, or a day as YYYY-MM-DD
    name: str
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Why:
    """How many messages stand in a state for a reason."""

    state: State
    reason: str
    number: int


@dataclass(frozen=True, slots=True)
class Now:
    """How things stand at this moment. `due_is_older`: how many are due comes from the newest count."""

    standing: Standing
    due_is_older: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast messages leave. `done_at`: when what is due is through, None where that cannot be said; `limit`:
    segments a second that the sender may send, 0 without a limit."""

    last_5_minutes: int
    last_hour: int
    limit: float
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Provider:
    """Whether the provider is spoken to: `flows`, `stopped` (by the automation), `probing`, `pinned-open`,
    `pinned-closed`."""

    word: str
    since: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the page. `counted_at` None: nothing was counted yet."""

    is_empty: bool
    counted_at: datetime | None
    now: Now
    pace: Pace | None  #: None for the staff of one facility: the sender is everybody's
    provider: Provider
    totals: Line
    days: tuple[Line, ...]
    facilities: tuple[Line, ...]
    reasons: tuple[Why, ...]
    switch: Row | None


def look(services: Services, *, only_facility: str | None, most_due: int = MOST_DUE) -> Dashboard:
    """The numbers of everybody, or of one facility."""
    at = services.clock.now()
    shown = days_shown(services, at)
    since = shown[0].day
    with services.db.read() as conn:
        run = tallies.newest_run(conn)
        now = _now(conn, services, only_facility, run, most_due)
        cells = tallies.of_facility(conn, ALL if only_facility is None else only_facility, since)
        days = tuple(_day(one.day, cells) for one in shown)
        return Dashboard(
            is_empty=not cells and not tallies.has_any(conn, only_facility),
            counted_at=run.counted_at if run else None,
            now=now,
            pace=_pace(conn, services, run, now.standing.due, at) if only_facility is None else None,
            provider=_provider(conn, services),
            totals=_line("", "", [(row.what, row.number) for row in cells]),
            days=days,
            facilities=_facilities(conn, since) if only_facility is None else (),
            reasons=_reasons(cells),
            switch=counters.get_switch(conn, counters.HOLD),
        )


def _now(conn: Connection, services: Services, facility: str | None, run: Row | None, most_due: int) -> Now:
    moment = services.db.lease(timedelta(0)).now
    if facility is not None:
        return Now(tallies.standing_of(conn, facility, moment))
    found = tallies.standing(conn, moment, most_due)
    if found.due == most_due and run is not None and run.due >= most_due:
        return Now(replace(found, due=run.due), due_is_older=True)
    return Now(found)


def _pace(conn: Connection, services: Services, run: Row | None, due: int, at: datetime) -> Pace:
    left_5, left_60 = (run.left_5_minutes, run.left_hour) if run else (0, 0)
    limit = effective_rate(conn, services, at)
    rate = limit or left_5 / 300
    done_at = through_at(at, due / rate, services.quiet, services.zone) if rate and due else None
    return Pace(left_5, left_60, limit, done_at)


def through_at(now: datetime, seconds: float, quiet: QuietHours | None, zone: ZoneInfo) -> datetime | None:
    """When so many seconds of sending are over, where nothing is sent in quiet hours; None where that is too far."""
    moment, left = now, timedelta(seconds=min(seconds, 10.0**9))
    for _ in range(_MOST_WINDOWS):
        if quiet is None:
            return moment + left
        moment = quiet.next_allowed(moment, zone)
        window = quiet.next_quiet(moment, zone) - moment
        if left <= window:
            return moment + left
        moment, left = moment + window, left - window
    return None


def _provider(conn: Connection, services: Services) -> Provider:
    row = circuits.get(conn, services.gateway.name)
    if row is None:
        return Provider("flows", None, "")
    if row.mode != CircuitMode.AUTO:
        word = "pinned-open" if row.mode == CircuitMode.OPEN else "pinned-closed"
    else:
        word = {CircuitState.CLOSED: "flows", CircuitState.PROBING: "probing"}.get(row.state, "stopped")
    return Provider(word, row.changed_at, row.reason)


def _day(day: date, cells: Sequence[Row]) -> Line:
    return _line(day.isoformat(), "", [(row.what, row.number) for row in cells if row.day == day])


def _facilities(conn: Connection, since: date) -> tuple[Line, ...]:
    ids = tallies.busiest(conn, since, FACILITIES)
    found, names = tallies.of_facilities(conn, ids, since), tallies.facility_names(conn, ids)
    return tuple(_line(one, names.get(one, one), list(found[one].items())) for one in ids)


def _line(key: str, name: str, cells: Sequence[tuple[str, int]]) -> Line:
    def total(*whats: str) -> int:
        return sum(number for what, number in cells if what in whats)

    numbers = {group: total(*states) for group, states in GROUPS.items()}
    after = {what: total(what) for what in (MADE, OPENED, DOWNLOADED)}
    return Line(key, name, numbers | after | {"sent": total(*SENT)})


def _reasons(cells: Sequence[Row]) -> tuple[Why, ...]:
    numbers: dict[tuple[State, str], int] = {}
    for row in cells:
        if row.what in _EXPLAINED:
            key = (State(row.what), row.reason)
            numbers[key] = numbers.get(key, 0) + row.number
    ordered = sorted(numbers.items(), key=lambda item: (_EXPLAINED.index(item[0][0]), -item[1], item[0][1]))
    return tuple(Why(state, reason, number) for (state, reason), number in ordered)
