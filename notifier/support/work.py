"""The work lists: what waits for somebody, what can be done about it, one row or several at once.

Each row is decided on its own, by compare-and-set on what the list showed: of two who decide about the same rows each
row has one decision, and the other is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.ids import read_reference, read_row_id
from notifier.core.schedule import PROMISE
from notifier.core.states import CaseKind, State
from notifier.messages.alarms import AHEAD
from notifier.services import Services
from notifier.store import case_reports, cases, dead_letters, desk, registry_outbox, work
from notifier.store.desk import Row
from notifier.store.persons import Person
from notifier.store.work import Pile, Waiting
from notifier.support import opt_out, resend, unknown
from notifier.support.desk import Line, lines_of, open_persons
from notifier.support.own_corrections import review
from notifier.support.unknown import Decided

PAGE = 50
_FACILITIES = 12


class Deed(StrEnum):
    """What can be done with rows of a list."""

    AGAIN = "again"  #: send again although it may have been accepted
    LEAVE = "leave"  #: send nothing
    RELEASE = "release"  #: let it go
    CANCEL = "cancel"
    LIFT = "lift"  #: send SMS to the number again


#: by pile; the others are for looking, and lead to where something can be done
DEEDS: dict[Pile, tuple[Deed, ...]] = {
    Pile.UNKNOWN: (Deed.AGAIN, Deed.LEAVE),
    Pile.HELD: (Deed.RELEASE, Deed.CANCEL),
}


@dataclass(frozen=True, slots=True)
class Overview:
    """How much of everything waits. None where the reader has no part in it."""

    piles: dict[Pile, Waiting]
    broken: int  #: of LATE, those whose 48 hours are over
    stopped: Waiting
    not_me: Waiting | None
    corrections: Waiting | None  #: that people asked for, and that wait for a decision
    dead_letters: Waiting | None
    registry: Waiting | None = None  #: what the registry could not be told
    missing: Waiting | None = None  #: reports of a missing certificate
    missing_late: int = 0  #: of these, those that nobody has answered in time


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a pile. `facility`: the one it is narrowed to; `facilities`: those with most of it."""

    lines: list[Line]
    more: bool
    facility: Row | None
    facilities: list[Row]


@dataclass(frozen=True, slots=True)
class StoppedLine:
    """A number that gets no SMS, and whose it is as far as the reader may see."""

    row: Row
    people: list[Person]


def overview(services: Services, *, only_facility: str | None, with_cases: bool, with_letters: bool) -> Overview:
    """Counts and ages of all lists."""
    soon, past = _promised_before(services, AHEAD), _promised_before(services, timedelta(0))
    with services.db.read() as conn:
        piles = {
            pile: work.waiting(conn, pile, facility_id=only_facility, promised_before=soon)
            for pile in set(Pile) - {Pile.LATE}
        }
        late, broken = work.waiting_late(conn, facility_id=only_facility, promised_before=soon, broken_before=past)
        stopped = work.waiting_stopped(conn, facility_id=only_facility)
        not_me = cases.waiting(conn, CaseKind.NOT_ME, only_facility) if with_cases else None
        wishes = review.waiting(conn, only_facility) if with_cases else None
        missing = cases.waiting(conn, CaseKind.MISSING, only_facility) if with_cases else None
        _, missing_late = case_reports.count_waiting(conn, CaseKind.MISSING, only_facility, services.clock.now())
        letters = dead_letters.waiting(conn, work.MOST_COUNTED) if with_letters else None
        untold = registry_outbox.count_trouble(conn, work.MOST_COUNTED) if with_letters else None
    return Overview(
        piles | {Pile.LATE: late},
        broken,
        stopped,
        not_me=Waiting(*not_me) if not_me else None,
        corrections=Waiting(*wishes) if wishes else None,
        dead_letters=Waiting(*letters) if letters else None,
        registry=Waiting(*untold) if untold else None,
        missing=Waiting(*missing) if missing else None,
        missing_late=missing_late,
    )


def page(
    services: Services,
    pile: Pile,
    *,
    only_facility: str | None,
    facility: str | None = None,
    with_persons: bool,
    after: str | None = None,
) -> Page:
    """Up to PAGE rows, those that wait longest first. `facility`: an id to narrow to. Raises NotFound for one that is
    not known."""
    before = _promised_before(services, AHEAD)
    wanted = facility if only_facility is None else None
    with services.db.read() as conn:
        narrowed = _facility(conn, wanted) if wanted else None
        rows = work.listed(
            conn,
            pile,
            facility_id=only_facility if only_facility is not None else wanted,
            limit=PAGE + 1,
            promised_before=before,
            after=read_reference(after) if after else None,
        )
        places = (
            work.by_facility(conn, pile, promised_before=before, limit=_FACILITIES)
            if only_facility is None and narrowed is None and rows
            else []
        )
        return Page(
            lines_of(conn, services, rows[:PAGE], with_persons=with_persons), len(rows) > PAGE, narrowed, places
        )


def stopped(
    services: Services, *, only_facility: str | None, with_persons: bool, after: str | None = None
) -> tuple[list[StoppedLine], bool]:
    """Up to PAGE numbers that get no SMS, those stopped longest ago first, and whether more follow."""
    with services.db.read() as conn:
        follows = read_row_id(after) if after else None
        rows = work.stopped(conn, facility_id=only_facility, limit=PAGE + 1, after=follows)
        shown = rows[:PAGE]
        whose = work.persons_with(conn, [row.phone_index for row in shown], only_facility) if with_persons else []
        people = open_persons(conn, services, [row.person_id for row in whose])
    return [StoppedLine(row, _with_number(row, whose, people)) for row in shown], len(rows) > PAGE


def decide(
    services: Services, deed: Deed, ids: Iterable[str], *, reason: str, actor: str, only_facility: str | None
) -> Decided:
    """The same deed for several rows, each in a transaction of its own: how many were done, and the reference and rule
    of each that was not. `ids`: references of notifications, or for LIFT row ids. Raises BadInput where none is chosen
    or there is no reason."""
    reason = resend.read_reason(reason)
    chosen = list(dict.fromkeys(ids))[:PAGE]
    if not chosen:
        raise BadInput.of("row", "none-chosen", "choose at least one row")
    done, refused = 0, []
    for one in chosen:
        try:
            _DO[deed](services, one, reason, actor, only_facility)
        except Refused as error:
            refused.append((one, error.reason))
        except NotFound:
            refused.append((one, "not-there"))
        else:
            done += 1
    return Decided(done, tuple(refused))


def deadline(row: Row) -> datetime:
    """When the promise of a message is broken."""
    moment: datetime = row.accepted_at + PROMISE
    return moment


def _visible(services: Services, reference: str, only_facility: str | None) -> str:
    with services.db.read() as conn:
        row = desk.find_visible(conn, read_reference(reference), only_facility)
    if row is None:
        raise NotFound("there is no notification with this reference")
    return str(row.reference)


def _again(services: Services, reference: str, reason: str, actor: str, only_facility: str | None) -> None:
    unknown.send_again(services, _visible(services, reference, only_facility), reason=reason, actor=actor)


def _leave(services: Services, reference: str, reason: str, actor: str, only_facility: str | None) -> None:
    unknown.leave(services, _visible(services, reference, only_facility), reason=reason, actor=actor)


def _release(services: Services, reference: str, reason: str, actor: str, only_facility: str | None) -> None:
    known = _visible(services, reference, only_facility)
    resend.resend(services, known, reason=reason, actor=actor, still=lambda row: State(row.status) is State.HELD)


def _cancel(services: Services, reference: str, reason: str, actor: str, only_facility: str | None) -> None:
    known = _visible(services, reference, only_facility)
    resend.cancel(services, known, reason=reason, actor=actor, old=(State.HELD,))


def _lift(services: Services, row_id: str, reason: str, actor: str, only_facility: str | None) -> None:
    known = read_row_id(row_id)
    with services.db.read() as conn:
        row = work.find_stopped(conn, known, facility_id=only_facility) if known else None
    if row is None or not opt_out.lift(services, row.id, reason=reason, actor=actor):
        raise Refused("changed-meanwhile")


_DO: dict[Deed, Callable[[Services, str, str, str, str | None], None]] = {
    Deed.AGAIN: _again,
    Deed.LEAVE: _leave,
    Deed.RELEASE: _release,
    Deed.CANCEL: _cancel,
    Deed.LIFT: _lift,
}


def _promised_before(services: Services, ahead: timedelta) -> datetime:
    """Messages accepted before this are `ahead` of the end of their promise, or past it."""
    return services.clock.now() - PROMISE + ahead


def _facility(conn: Connection, facility_id: str) -> Row:
    row = work.facility_named(conn, facility_id)
    if row is None:
        raise NotFound("there is no such facility")
    return row


def _with_number(row: Row, whose: list[Row], people: dict[str, Person]) -> list[Person]:
    ids = [one.person_id for one in whose if one.phone_index == row.phone_index]
    return [people[one] for one in ids if one in people]
