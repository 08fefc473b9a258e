"""The queue: what is due, and who has what. A claim runs out by itself: nobody's break keeps a case from others.

Every deed at a case is done by whoever has it: one that nobody has is taken with the deed, one that a colleague has is
refused (`claimed`). Of two who take the same at once one has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.access.roles import Permission, Role, may
from notifier.core.causes import Cause
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.identity import clean_name
from notifier.core.ids import read_reference
from notifier.core.states import CaseKind, CaseOutcome, CaseSource, CaseStatus, StepKind
from notifier.services import Services
from notifier.store import agents, audit, case_reports, case_steps, cases, staff
from notifier.store.cases import Row
from notifier.support.resend import read_reason

PAGE = 50
#: how long a case is somebody's after they last did something about it, and after it was handed to them
LEASE, SHIFT = timedelta(minutes=30), timedelta(hours=8)
MAX_NOTE = 1_000


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of the queue. `names`: of colleagues, by id; `counts`: all, free, late, mine."""

    cases: list[Row]
    more: bool
    names: dict[str, str]
    counts: dict[str, int]


def look(
    services: Services,
    *,
    staff_id: str,
    which: str = "all",
    source: CaseSource | None = None,
    after: str | None = None,
) -> Queue:
    """What waits, due first. `which`: all, free, late or mine."""
    at = services.clock.now()
    with services.db.read() as conn:
        rows = agents.listed(
            conn,
            at=at,
            source=source,
            claimed_by=staff_id if which == "mine" else None,
            only_free=which == "free",
            only_late=which == "late",
            limit=PAGE + 1,
            after=read_reference(after) if after else None,
        )
        counted = agents.counts(conn, at=at, staff_id=staff_id)._mapping
        names = staff.names(conn, {row.claimed_by for row in rows if row.claimed_by})
    return Queue(rows[:PAGE], len(rows) > PAGE, names, dict(counted))


def is_claimed(case: Row, at: datetime) -> bool:
    """Whether somebody has it now."""
    return case.claimed_by is not None and case.claimed_until > at


def take_next(services: Services, *, staff_id: str) -> str | None:
    """Takes the case that is due first of those that nobody has: its reference. None where there is none."""
    at = services.clock.now()
    with services.db.write() as conn:
        row = agents.claim_next(conn, staff_id, at=at, until=at + LEASE)
        if row is None:
            return None
        _note_claim(conn, services, row, staff_id, at)
        return str(row.reference)


def take(services: Services, reference: str, *, staff_id: str) -> None:
    """Takes a case. Raises NotFound, or Refused (`claimed`, `already-closed`)."""
    with services.db.write() as conn:
        case = find(conn, reference, lock=True)
        is_mine = case.claimed_by == staff_id and is_claimed(case, services.clock.now())
        hold(conn, services, case, staff_id)
        if not is_mine:
            _note_claim(conn, services, case, staff_id, services.clock.now())


def _note_claim(conn: Connection, services: Services, case: Row, staff_id: str, at: datetime) -> None:
    actor = f"staff:{staff_id}"
    case_steps.add(conn, services.sealer, case.id, StepKind.CLAIMED, actor=actor, at=at)
    audit.write(conn, at=at, actor=actor, action="case.claimed", subject="case", subject_id=case.id)


def hand_over(services: Services, reference: str, *, to: str, note: str, staff_id: str) -> None:
    """Gives a case to a colleague by their user name, or back to the queue where `to` is empty. Raises NotFound,
    BadInput (`to`, `note`), or Refused (`claimed`, `already-closed`)."""
    said = read_note(note)
    with acting(services, reference, staff_id) as act:
        target = _colleague(act.conn, to, staff_id) if to.strip() else None
        if target is None:
            agents.release(act.conn, act.case.id)
        else:
            case_reports.change(act.conn, act.case.id, claimed_by=target, claimed_until=act.at + SHIFT)
        act.step(StepKind.HANDED_OVER, words=said, detail="to-colleague" if target else "to-queue")
        act.audit("case.handed-over", to=f"staff:{target}" if target else "queue")


def _colleague(conn: Connection, username: str, staff_id: str) -> str:
    row = staff.find(conn, " ".join(username.split()).casefold())
    if row is None or not row.active or not may(Role(row.role), Permission.DESK):
        raise BadInput.of("to", "unknown-colleague", "nobody who works at the desk has this user name")
    if row.id == staff_id:
        raise BadInput.of("to", "own-name", "this is yourself; leave it empty to give the case back")
    return str(row.id)


def note(services: Services, reference: str, *, words: str, staff_id: str) -> None:
    """Keeps what a colleague wrote for colleagues. Raises NotFound, BadInput (`note`), or Refused."""
    said = read_note(words)
    if not said:
        raise BadInput.of("note", "required", "write something")
    with acting(services, reference, staff_id) as act:
        act.step(StepKind.NOTE, words=said)
        act.audit("case.noted")


def close(services: Services, reference: str, *, cause: str, reason: str, staff_id: str, facility: str = "") -> None:
    """Ends a case that somebody wrote or called about; `cause`, `facility`: for the statistics, or empty. A
    report of a missing dose is answered in its own way (support.missing.answers). Raises NotFound, BadInput (`reason`,
    `cause`), or Refused (`claimed`, `already-closed`, `not-asked`)."""
    said, about = read_reason(reason), read_cause(cause)
    with acting(services, reference, staff_id) as act:
        if act.case.kind != CaseKind.ASKED:
            raise Refused("not-asked")
        if about is not None:
            case_reports.change(act.conn, act.case.id, cause=about.value)
        if facility.strip():
            case_reports.change(act.conn, act.case.id, facility_id=_facility(act.conn, facility))
        cases.close(act.conn, act.case.id, outcome=CaseOutcome.CLOSED, by=act.actor, at=act.at)
        agents.release(act.conn, act.case.id)
        act.step(StepKind.CLOSED, words=said)
        act.audit("case.closed", reason=said)


def _facility(conn: Connection, typed: str) -> str:
    named = clean_name(typed[:300])
    found = named if case_reports.is_facility(conn, named) else case_reports.facility_called(conn, named)
    if found is None:
        raise BadInput.of("facility", "facility-unknown", "write the id or the whole name of a facility that we know")
    return found


def read_cause(typed: str) -> Cause | None:
    """A cause; None of nothing. Raises BadInput."""
    if not typed:
        return None
    try:
        return Cause(typed)
    except ValueError:
        raise BadInput.of("cause", "choice", "choose one") from None


def read_note(typed: str) -> str | None:
    """Several lines, tidied; None of nothing. Raises BadInput (`note`)."""
    lines = [" ".join(line.replace("\0", " ").split()) for line in typed.splitlines()]
    text = "\n".join("".join(ch for ch in line if ch.isprintable()) for line in lines).strip()
    if len(text) > MAX_NOTE:
        raise BadInput.of("note", "too-long", f"write at most {MAX_NOTE} characters")
    return text or None


# for the other modules of this room


@dataclass(frozen=True, slots=True)
class Act:
    """One deed at an open case that is held by the transaction, and by whoever does it."""

    services: Services
    conn: Connection
    case: Row
    at: datetime
    staff_id: str

    @property
    def actor(self) -> str:
        return f"staff:{self.staff_id}"

    def step(self, kind: StepKind, *, words: str | None = None, detail: str | None = None) -> None:
        case_steps.add(
            self.conn,
            self.services.sealer,
            self.case.id,
            kind,
            actor=self.actor,
            at=self.at,
            words=words,
            detail=detail,
        )

    def audit(self, action: str, **detail: str | int | None) -> None:
        audit.write(
            self.conn, at=self.at, actor=self.actor, action=action, subject="case", subject_id=self.case.id, **detail
        )


@contextmanager
def acting(services: Services, reference: str, staff_id: str) -> Iterator[Act]:
    """Raises NotFound, or Refused (`claimed`, `already-closed`)."""
    with services.db.write() as conn:
        case = find(conn, reference, lock=True)
        hold(conn, services, case, staff_id)
        yield Act(services, conn, case, services.clock.now(), staff_id)


def find(conn: Connection, reference: str, *, lock: bool = False) -> Row:
    """A case that agents work on. Raises NotFound."""
    case = agents.find(conn, read_reference(reference), lock=lock)
    if case is None:
        raise NotFound("there is no case with this reference")
    return case


def hold(conn: Connection, services: Services, case: Row, staff_id: str) -> None:
    """Makes a case somebody's from now on. Raises Refused (`claimed`, `already-closed`)."""
    if case.status != CaseStatus.OPEN:
        raise Refused("already-closed")
    at = services.clock.now()
    kept = case.claimed_until if case.claimed_by == staff_id and is_claimed(case, at) else at
    if not agents.claim(conn, case.id, staff_id, at=at, until=max(kept, at + LEASE)):
        raise Refused("claimed")
