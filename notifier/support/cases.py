"""Cases: what staff see of them and do about them. `only_facility` None means every facility; another facility's case
is not there.

Whatever is done holds the person still first and then the case, in the order of the public buttons and of follow-ups,
so that of two who decide at once the second finds the case closed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound, Refused, SealBroken
from notifier.core.ids import read_reference
from notifier.core.states import CaseKind, CaseOutcome, CaseStatus, Reason
from notifier.services import Services
from notifier.store import audit, cases, desk, persons, staff
from notifier.store.persons import Person
from notifier.support import lockouts
from notifier.support.missing.arrivals import facts_of
from notifier.support.resend import read_reason

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list. `person` is None where the reader may not see persons, or the row cannot be opened; `name`:
    theirs, or that of whoever somebody reported about."""

    case: cases.Row
    person: Person | None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a case, or to a request. `by`: a colleague's name; None for the page, an event, the
    person or ourselves."""

    at: datetime
    what: str
    by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One case with what it is about."""

    case: cases.Row
    person: Person | None
    facility: str | None
    message: str | None  #: the reference of the SMS that the case came from
    entries: list[Entry]
    is_paused: bool  #: SMS about the person to the number in question are held back
    is_on_file: bool  #: the number in question still is the person's
    links: int  #: links to the number that are not revoked


def listed(
    services: Services,
    *,
    kind: CaseKind | None = None,
    status: CaseStatus | None = CaseStatus.OPEN,
    only_facility: str | None,
    with_persons: bool,
    before: str | None = None,
    limit: int = PAGE,
) -> tuple[list[Line], bool]:
    """Up to `limit` lines, newest first, and whether older ones follow."""
    with services.db.read() as conn:
        rows = cases.listed(conn, kind=kind, status=status, facility_id=only_facility, limit=limit + 1, before=before)
        known = {row.person_id for row in rows[:limit]} if with_persons else set()
        people = {person_id: _person(conn, services, person_id) for person_id in known if person_id}
    lines = [_line(services, row, people.get(row.person_id), with_persons) for row in rows[:limit]]
    return lines, len(rows) > limit


def _line(services: Services, row: cases.Row, person: Person | None, with_persons: bool) -> Line:
    facts = facts_of(services, row) if with_persons and row.facts_sealed is not None else None
    return Line(row, person, facts.name if facts else person.name if person else None)


def show(services: Services, reference: str, *, only_facility: str | None) -> Seen:
    """One case. Raises NotFound, also for another facility's."""
    with services.db.read() as conn:
        case = _find(conn, reference, only_facility)
        person = _person(conn, services, case.person_id)
        about = {"person_id": case.person_id, "phone_index": case.phone_index or b""}
        return Seen(
            case=case,
            person=person,
            facility=desk.facility_name(conn, case.facility_id) if case.facility_id else None,
            message=cases.message_with(conn, person_id=case.person_id, link_id=case.link_id) if case.link_id else None,
            entries=entries_of(conn, case.id),
            is_paused=cases.pause_in_force(conn, **about) is not None,
            is_on_file=case.phone_index is not None and _number(services, person) == case.phone_index,
            links=cases.count_sent_links(conn, **about),
        )


def undo(services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str) -> None:
    """The number is the person's after all: links and SMS to it work again, also after it was confirmed or corrected;
    what was revoked stays so. Raises NotFound, BadInput, or Refused (`no-pause`)."""
    with _acting(services, reference, only_facility, reason, actor) as (conn, case, act):
        if case.kind != CaseKind.NOT_ME or not cases.lift_pause(
            conn, person_id=case.person_id, phone_index=case.phone_index, at=act.at
        ):
            raise Refused("no-pause")
        person = persons.get(conn, services.sealer, case.person_id)
        if person.phone_problem == Reason.WRONG_NUMBER and _number(services, person) == case.phone_index:
            persons.update(conn, services.sealer, replace(person, phone_problem=None), at=act.at)
        cases.close(conn, case.id, outcome=CaseOutcome.UNDONE, by=actor, at=act.at, again=True)
        act.note("case.undone")


def confirm(services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str) -> int:
    """The number is a stranger's: its links end (how many), and the person needs another number. Raises NotFound,
    BadInput, or Refused (`already-closed`, `not-about-number`)."""
    with _acting(services, reference, only_facility, reason, actor) as (conn, case, act):
        _must_be(case, CaseKind.NOT_ME)
        ended = cases.confirm_pause(conn, person_id=case.person_id, phone_index=case.phone_index, at=act.at)
        cases.close(conn, case.id, outcome=CaseOutcome.CONFIRMED, by=actor, at=act.at)
        act.note("case.confirmed", links=ended)
        return ended


def unlock(services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str) -> None:
    """Five tries again for the person, whom somebody has made sure of; the case is closed. Raises NotFound, BadInput,
    or Refused (`already-closed`, `not-locked`, `not-about-birth-date`)."""
    with _acting(services, reference, only_facility, reason, actor) as (conn, case, act):
        _must_be(case, CaseKind.BIRTH_DATE_REJECTED)
        lockouts.unlock(conn, services, case.person_id, at=act.at, actor=actor, reason=act.reason, case=case.reference)
        cases.close(conn, case.id, outcome=CaseOutcome.CLOSED, by=actor, at=act.at)
        act.note("case.unlocked")


def close(services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str) -> None:
    """Nothing more is to be done about a birth date. Raises NotFound, BadInput, or Refused (`already-closed`,
    `not-about-birth-date`: a number is either undone or confirmed)."""
    with _acting(services, reference, only_facility, reason, actor) as (conn, case, act):
        _must_be(case, CaseKind.BIRTH_DATE_REJECTED)
        cases.close(conn, case.id, outcome=CaseOutcome.CLOSED, by=actor, at=act.at)
        act.note("case.closed")


def reveal_birth_date(
    services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str
) -> date | None:
    """The recorded birth date, to be compared with a card, once the audit says who looked and why. Raises NotFound,
    BadInput, or Refused (`not-about-birth-date`, `unreadable`)."""
    with _acting(services, reference, only_facility, reason, actor) as (conn, case, act):
        if case.kind != CaseKind.BIRTH_DATE_REJECTED:
            raise Refused("not-about-birth-date")
        person = _person(conn, services, case.person_id)
        if person is None:
            raise Refused(Reason.UNREADABLE)
        act.note("birth-date.revealed")
        return person.birth_date


@dataclass(frozen=True, slots=True)
class _Act:
    conn: Connection
    case: cases.Row
    at: datetime
    actor: str
    reason: str

    def note(self, action: str, **detail: int) -> None:
        audit.write(
            self.conn,
            at=self.at,
            actor=self.actor,
            action=action,
            subject="case",
            subject_id=self.case.id,
            reason=self.reason,
            **detail,
        )


@contextmanager
def _acting(
    services: Services, reference: str, only_facility: str | None, reason: str, actor: str
) -> Iterator[tuple[Connection, cases.Row, _Act]]:
    reason = read_reason(reason)
    with services.db.write() as conn:
        persons.hold(conn, _find(conn, reference, only_facility).person_id)
        case = _find(conn, reference, only_facility, lock=True)
        yield conn, case, _Act(conn, case, services.clock.now(), actor, reason)


def _find(conn: Connection, reference: str, only_facility: str | None, *, lock: bool = False) -> cases.Row:
    case = cases.find_visible(conn, read_reference(reference), only_facility, lock=lock)
    if case is None:
        raise NotFound("there is no case with this reference")
    return case


def _must_be(case: cases.Row, kind: CaseKind) -> None:
    if case.kind != kind:
        raise Refused("not-about-number" if kind is CaseKind.NOT_ME else "not-about-birth-date")
    if case.status != CaseStatus.OPEN:
        raise Refused("already-closed")


def _number(services: Services, person: Person | None) -> bytes | None:
    """The index of the number on file, also where it was found to be a stranger's."""
    is_number = person is not None and (person.mobile or person.phone_problem == Reason.WRONG_NUMBER)
    return persons.phone_index(services.sealer, person.phone or "") if person is not None and is_number else None


def _person(conn: Connection, services: Services, person_id: str | None) -> Person | None:
    try:
        return None if person_id is None else persons.get(conn, services.sealer, person_id)
    except SealBroken:
        return None


def entries_of(conn: Connection, row_id: str) -> list[Entry]:
    """What the audit says about a case, or about a request to correct data, oldest first."""
    rows = audit.of_subjects(conn, [row_id])
    ids = [row.actor.removeprefix("staff:") for row in rows if row.actor.startswith("staff:")]
    names = staff.names(conn, ids) if ids else {}
    return [
        Entry(
            at=row.at,
            what=row.action.replace(".", "-"),
            by=names.get(row.actor.removeprefix("staff:"), "?") if row.actor.startswith("staff:") else None,
            reason=row.detail.get("reason"),
        )
        for row in rows
    ]
