"""A facility's list: what it recorded in a day and where each message stands, and what needs somebody's help, over the
last two weeks. `facility_id` has been checked by whoever asks: a facility's own staff name no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound
from notifier.core.states import CaseKind, CaseStatus, DoseStatus, Reason, State
from notifier.services import Services
from notifier.store import facility_day
from notifier.store.desk import Row
from notifier.support import cases
from notifier.support.cases import Line as CaseLine
from notifier.support.desk import Line, open_persons

PAGE = 50
HELP_FOR = timedelta(days=14)
_MOST_FACILITIES = 30
_SHOWN_REPORTS = 10


class Stage(StrEnum):
    """How a list is narrowed."""

    ALL = "all"
    WAITING = "waiting"  #: not left yet, or on its way
    ARRIVED = "arrived"
    HELP = "help"  #: somebody must look


STAGES: dict[Stage, frozenset[State]] = {
    Stage.WAITING: frozenset({State.SCHEDULED, State.CLAIMED, State.SENDING, State.ACCEPTED, State.SENT}),
    Stage.ARRIVED: frozenset({State.DELIVERED}),
}
#: with these another number is what helps
NUMBER_HELPS = frozenset({Reason.NO_PHONE, Reason.BAD_PHONE, Reason.WRONG_NUMBER, Reason.OPTED_OUT, Reason.NOT_ME})
_ASK = frozenset({State.FAILED, State.UNDELIVERED, State.HELD})
_DECIDED = frozenset({Reason.SENT_AGAIN, Reason.LEFT_ALONE})


@dataclass(frozen=True, slots=True)
class Facility:
    """A facility that is looked at."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Page:
    """Up to PAGE lines; `more`: the id of the last dose, where older ones follow."""

    lines: list[Line]
    more: str | None


def needs_help(status: str, reason: str | None) -> bool:
    """Whether a message asks for somebody; as the query of the list has it."""
    state = State(status)
    if state is State.UNKNOWN:
        return reason not in _DECIDED
    return state in _ASK or (state is State.SUPPRESSED and reason in NUMBER_HELPS)


def number_helps(line: Line) -> bool:
    """Whether another number is what the line asks for."""
    row = line.notification
    if row is None or line.dose is None or line.dose.status == DoseStatus.WITHDRAWN:
        return False
    state = State(row.status)
    return state in {State.FAILED, State.UNDELIVERED} or (state is State.SUPPRESSED and row.reason in NUMBER_HELPS)


def find(services: Services, facility_id: str) -> Facility:
    """A facility by its id. Raises NotFound."""
    with services.db.read() as conn:
        row = facility_day.get_facility(conn, facility_id)
    if row is None:
        raise NotFound("there is no facility with this id")
    return Facility(row.id, row.name or row.id)


def search(services: Services, words: str) -> list[Facility]:
    """Facilities whose name or id holds `words`; none for no words."""
    if not words.strip():
        return []
    with services.db.read() as conn:
        rows = facility_day.find_facilities(conn, words.strip(), _MOST_FACILITIES)
    return [Facility(row.id, row.name or row.id) for row in rows]


def counts(services: Services, facility_id: str, since: datetime, until: datetime) -> dict[Stage, int]:
    """How many doses of a span of time stand in each stage."""
    with services.db.read() as conn:
        found = facility_day.counts(conn, facility_id, since, until)
    totals = dict.fromkeys(Stage, 0)
    for (status, reason), count in found.items():
        totals[Stage.ALL] += count
        for stage in _stages_of(status, reason):
            totals[stage] += count
    return totals


def _stages_of(status: str, reason: str) -> Iterable[Stage]:
    if not status:
        return
    yield from (stage for stage, states in STAGES.items() if status in states)
    if needs_help(status, reason or None):
        yield Stage.HELP


def day(
    services: Services,
    facility_id: str,
    since: datetime,
    until: datetime,
    *,
    stage: Stage = Stage.ALL,
    before: str | None = None,
    with_persons: bool,
) -> Page:
    """What a facility recorded in a span of time, newest first, each dose with its newest message."""
    with services.db.read() as conn:
        found = facility_day.day(
            conn,
            facility_id,
            since,
            until,
            limit=PAGE + 1,
            states=STAGES.get(stage, ()),
            help_only=stage is Stage.HELP,
            before=before,
        )
        return _page(conn, services, found, with_persons)


def asking_for_help(services: Services, facility_id: str, *, before: str | None = None, with_persons: bool) -> Page:
    """What needs somebody's help, of the doses of the last HELP_FOR, newest first."""
    now = services.clock.now()
    with services.db.read() as conn:
        found = facility_day.asking_for_help(
            conn, facility_id, now - HELP_FOR, now + timedelta(seconds=1), limit=PAGE + 1, before=before
        )
        return _page(conn, services, found, with_persons)


def not_me_reports(services: Services, facility_id: str, *, with_persons: bool) -> tuple[list[CaseLine], bool]:
    """The newest open reports "this is not for me" of a facility, and whether there are more."""
    lines, more = cases.listed(
        services,
        kind=CaseKind.NOT_ME,
        status=CaseStatus.OPEN,
        only_facility=facility_id,
        with_persons=with_persons,
        limit=_SHOWN_REPORTS,
    )
    return lines, more


def _page(conn: Connection, services: Services, found: Sequence[tuple[Row, Row | None]], with_persons: bool) -> Page:
    shown = found[:PAGE]
    wanted = [shot.person_id for shot, _ in shown if shot.person_id] if with_persons else []
    known = open_persons(conn, services, wanted)
    lines = [Line(message, shot, known.get(shot.person_id)) for shot, message in shown]
    return Page(lines, shown[-1][0].id if len(found) > PAGE else None)
