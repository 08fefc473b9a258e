"""Two cases about one complaint become one: the other is closed and points at it, and everything of both is shown
there. Nothing is moved, so that taking it back is the same row again."""

from __future__ import annotations

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.ids import read_reference
from notifier.core.states import CaseKind, CaseOutcome, CaseStatus, StepKind
from notifier.services import Services
from notifier.store import agents, audit, case_reports, case_steps, cases, mail
from notifier.store.cases import Row
from notifier.support.agents.queue import find, hold

_MOST = 10


def alike(conn: Connection, case: Row) -> list[Row]:
    """Open cases that may be about the same, newest first. Another sender's letter counts where it names the same NIK:
    staff decide, never we."""
    letters = mail.of_cases(conn, [case.id])
    niks = {row.nik_index for row in letters} - {None}
    others = {row.id for nik in niks for row in mail.open_cases_about(conn, nik)}
    for sender in {row.sender_index for row in letters} - {None}:
        others |= {row.id for row in mail.open_cases_of(conn, sender)}
    return agents.alike(conn, case, niks, others, _MOST)


def merge(services: Services, reference: str, *, other: str, staff_id: str) -> str:
    """The case `other` goes on in this one; the reference of the one that goes on. A report of a missing dose always is
    that one, since it closes itself when the dose arrives. Raises NotFound, BadInput (`other`), or Refused (`claimed`,
    `already-closed`, `other-closed`, `other-claimed`)."""
    if read_reference(other) == read_reference(reference):
        raise BadInput.of("other", "same-case", "this is the case itself")
    at, actor = services.clock.now(), f"staff:{staff_id}"
    with services.db.write() as conn:
        case, double = _both(conn, reference, other)
        if case.status == CaseStatus.OPEN and (case.kind, double.kind) == (CaseKind.ASKED, CaseKind.MISSING):
            case, double = double, case
        hold(conn, services, case, staff_id)
        if double.status != CaseStatus.OPEN:
            raise Refused("other-closed")
        if double.claimed_by not in {None, staff_id} and double.claimed_until > at:
            raise Refused("other-claimed")
        cases.close(conn, double.id, outcome=CaseOutcome.MERGED, by=actor, at=at)
        cases.note_merge(conn, double.id, case.id)
        agents.release(conn, double.id)
        due = min(case.due_at, double.due_at)  # whoever waits longer goes on waiting as long
        case_reports.change(conn, case.id, due_at=due)
        sealer = services.sealer
        case_steps.add(conn, sealer, double.id, StepKind.MERGED, actor=actor, at=at, detail=case.reference)
        case_steps.add(conn, sealer, case.id, StepKind.JOINED, actor=actor, at=at, detail=double.reference)
        _audit(conn, at, actor, "case.merged", double, into=case.reference)
        return str(case.reference)


def undo(services: Services, reference: str, *, other: str, staff_id: str) -> None:
    """The case `other` stands for itself again. Raises NotFound, or Refused (`claimed`, `already-closed`,
    `not-merged`, `made-anew`: the same was reported again meanwhile)."""
    at, actor = services.clock.now(), f"staff:{staff_id}"
    try:
        with services.db.write() as conn:
            case, double = _both(conn, reference, other)
            hold(conn, services, case, staff_id)
            if double.merged_into != case.id or not agents.reopen(conn, double.id):
                raise Refused("not-merged")
            sealer = services.sealer
            case_steps.add(conn, sealer, double.id, StepKind.UNMERGED, actor=actor, at=at, detail=case.reference)
            case_steps.add(conn, sealer, case.id, StepKind.UNMERGED, actor=actor, at=at, detail=double.reference)
            _audit(conn, at, actor, "case.unmerged", double, out_of=case.reference)
    except IntegrityError:
        raise Refused("made-anew") from None


def _both(conn: Connection, reference: str, other: str) -> tuple[Row, Row]:
    """Both cases, held; in the order of their ids, so that two who merge crosswise do not wait for each other."""
    case = find(conn, reference)
    try:
        double = find(conn, other)
    except NotFound:
        raise BadInput.of("other", "unknown-case", "there is no case with this reference") from None
    held = case_reports.hold(conn, [case.id, double.id])
    if len(held) != 2:
        raise NotFound("one of the cases is gone")
    return held[case.id], held[double.id]


def _audit(conn: Connection, at: object, actor: str, action: str, double: Row, **detail: str) -> None:
    audit.write(conn, at=at, actor=actor, action=action, subject="case", subject_id=double.id, **detail)
