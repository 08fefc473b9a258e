"""What facilities and operators do about a reported dose. `only_facility` None means every facility; another facility's
case is not there. Of two who decide at once the second finds the case changed or closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, NotFound, Refused, SealBroken
from notifier.core.identity import clean_name
from notifier.core.ids import read_reference
from notifier.core.states import CaseKind, CaseOutcome, CaseParty, CaseStatus, CloseReason, StepKind
from notifier.messages.gather import open_each
from notifier.services import Services
from notifier.store import audit, case_reports, case_steps, cases, desk, missing, persons, staff
from notifier.support.missing import telling
from notifier.support.missing.arrivals import facts_of
from notifier.support.missing.causes import Finding, causes_of
from notifier.support.missing.facts import MAX_WORDS, Facts
from notifier.support.missing.reports import ANSWER_WITHIN
from notifier.support.resend import read_reason

#: how the reasons for closing count
_OUTCOMES = {CloseReason.NO_RECORD: CaseOutcome.NOT_FOUND, CloseReason.NOT_GIVEN: CaseOutcome.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class Line:
    """One step as staff see it. `by`: a colleague's name; `words`: what was said; `to`: the facility it went to."""

    at: datetime
    kind: StepKind
    by: str | None = None
    words: str = ""
    to: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a case is about. `facts` None: cannot be opened; `findings`: what we hold of whoever the report may mean, by
    NIK, or by number and birth date."""

    facts: Facts | None
    has_picture: bool
    steps: list[Line]
    findings: list[Finding]
    is_on_file: bool  #: the reporter's number is on file for one of them


def look(services: Services, reference: str, *, only_facility: str | None, with_persons: bool) -> Report:
    """What staff see of a report. `findings` are of the reader's own facility alone. Raises NotFound."""
    with services.db.read() as conn:
        row = _find(conn, reference, only_facility)
        facts = facts_of(services, row)
        ids = _meant(conn, services, row, facts) if with_persons else []
        found = causes_of(conn, services, ids)
        return Report(
            facts=facts if with_persons else None,
            has_picture=case_steps.has_picture(conn, row.id),
            steps=_lines(conn, services, row, with_words=with_persons),
            findings=[one for one in found if only_facility in {None, one.facility_id}],
            is_on_file=bool(set(ids) & set(_on_number(conn, row))),
        )


def _on_number(conn: Connection, row: case_reports.Row) -> list[str]:
    return persons.ids_with_phone(conn, row.phone_index) if row.phone_index is not None else []


def _meant(conn: Connection, services: Services, row: case_reports.Row, facts: Facts | None) -> list[str]:
    ids = set(missing.ids_with_nik(conn, row.nik_index)) if row.nik_index is not None else set()
    on_number = open_each(conn, services, set(_on_number(conn, row))) if facts else {}
    ids |= {one.id for one in on_number.values() if one and facts and one.birth_date == facts.birth_date}
    return sorted(ids)


def _lines(conn: Connection, services: Services, row: case_reports.Row, *, with_words: bool) -> list[Line]:
    steps = case_steps.of_case(conn, row.id)
    ids = [step.actor.removeprefix("staff:") for step in steps if step.actor.startswith("staff:")]
    names = staff.names(conn, ids) if ids else {}
    return [
        Line(
            at=step.at,
            kind=StepKind(step.kind),
            by=names.get(step.actor.removeprefix("staff:"), "?") if step.actor.startswith("staff:") else None,
            words=_words(services, step) if with_words else "",
            to=desk.facility_name(conn, step.facility_id) or step.facility_id if step.facility_id else None,
            detail=step.detail,
        )
        for step in steps
    ]


def _words(services: Services, step: case_steps.Row) -> str:
    try:
        return case_steps.words(services.sealer, step)
    except SealBroken:
        return ""


def reveal(services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str) -> Facts | None:
    """The reported facts whole, once the audit says who looked and why. Raises NotFound, BadInput."""
    cleaned = read_reason(reason)
    with services.db.write() as conn:
        row = _find(conn, reference, only_facility)
        _audit(conn, services.clock.now(), actor, "case.revealed", row.id, reason=cleaned)
        return facts_of(services, row)


def picture(services: Services, reference: str, *, only_facility: str | None, actor: str) -> bytes:
    """The photo of the card; each look is in the audit. Raises NotFound, also where there is none (any more)."""
    with services.db.write() as conn:
        row = _find(conn, reference, only_facility)
        found = case_steps.picture(conn, services.sealer, row.id)
        if found is None:
            raise NotFound("this case has no picture")
        _audit(conn, services.clock.now(), actor, "case.picture-seen", row.id)
        return found


def entered(services: Services, reference: str, *, only_facility: str | None, words: str, actor: str) -> None:
    """The facility has entered the dose: operators see to it that it arrives, which closes the case by itself. Raises
    NotFound, or Refused (`already-closed`)."""
    with _acting(services, reference, only_facility, actor, "case.entered") as act:
        act.step(StepKind.ENTERED, words=_said(words))
        act.hand(CaseParty.OPERATORS)
        act.tell()


def not_ours(
    services: Services, reference: str, *, only_facility: str | None, facility_id: str, words: str, actor: str
) -> None:
    """The dose was given elsewhere: at the facility that is named, which has the case then, or at one that operators
    must find. Raises NotFound, BadInput (`facility`), or Refused (`already-closed`)."""
    with _acting(services, reference, only_facility, actor, "case.not-ours") as act:
        target = _facility(act.conn, facility_id) if facility_id.strip() else None
        act.step(StepKind.NOT_OURS, words=_said(words), facility_id=target)
        act.move(target)


def not_found(services: Services, reference: str, *, only_facility: str | None, words: str, actor: str) -> None:
    """The facility finds no record of the dose; operators decide. Raises NotFound, BadInput (`reason`), or Refused
    (`already-closed`)."""
    said = read_reason(words)
    with _acting(services, reference, only_facility, actor, "case.not-found") as act:
        act.step(StepKind.NOT_FOUND, words=said)
        act.hand(CaseParty.OPERATORS)


def assign(services: Services, reference: str, *, facility_id: str, actor: str) -> None:
    """Gives a case to a facility. Raises NotFound, BadInput (`facility`), or Refused (`already-closed`)."""
    with _acting(services, reference, None, actor, "case.assigned") as act:
        act.move(_facility(act.conn, facility_id))


def close(
    services: Services, reference: str, *, only_facility: str | None, why: CloseReason, reason: str, actor: str
) -> None:
    """Ends a case without a dose; the reporter is told why, in our words. Raises NotFound, BadInput (`reason`), or
    Refused (`already-closed`)."""
    said = read_reason(reason)
    with _acting(services, reference, only_facility, actor, "case.closed", reason=why.value) as act:
        outcome = _OUTCOMES.get(why, CaseOutcome.CLOSED)
        cases.close(act.conn, act.row.id, outcome=outcome, by=actor, at=act.at)
        case_steps.drop_picture(act.conn, act.row.id)
        act.step(StepKind.CLOSED, words=said, detail=why.value)
        act.tell()


@dataclass(frozen=True, slots=True)
class _Act:
    """One decision about a case that is held."""

    services: Services
    conn: Connection
    row: case_reports.Row
    at: datetime
    actor: str

    def step(
        self, kind: StepKind, *, words: str | None = None, facility_id: str | None = None, detail: str | None = None
    ) -> None:
        case_steps.add(
            self.conn,
            self.services.sealer,
            self.row.id,
            kind,
            actor=self.actor,
            at=self.at,
            words=words,
            facility_id=facility_id,
            detail=detail,
        )

    def hand(self, party: CaseParty, facility_id: str | None = None) -> None:
        """To whoever acts next, with the time that they have."""
        where = {"facility_id": facility_id} if facility_id is not None else {}
        case_reports.change(
            self.conn, self.row.id, waits_for=party.value, due_at=self.at + ANSWER_WITHIN, reminders=0, **where
        )

    def move(self, facility_id: str | None) -> None:
        """To a facility, or to the operators, who find one; until then it stays in sight of the last."""
        if facility_id is None:
            self.hand(CaseParty.OPERATORS)
            self.step(StepKind.TO_OPERATORS)
        else:
            self.hand(CaseParty.FACILITY, facility_id)
            self.step(StepKind.TO_FACILITY, facility_id=facility_id)

    def tell(self) -> None:
        telling.tell(self.conn, self.services, self.row, at=self.at)


@contextmanager
def _acting(
    services: Services, reference: str, only_facility: str | None, actor: str, action: str, **detail: str
) -> Iterator[_Act]:
    at = services.clock.now()
    with services.db.write() as conn:
        row = _find(conn, reference, only_facility, lock=True)
        if row.status != CaseStatus.OPEN:
            raise Refused("already-closed")
        yield _Act(services, conn, row, at, actor)
        _audit(conn, at, actor, action, row.id, **detail)


def _find(conn: Connection, reference: str, only_facility: str | None, *, lock: bool = False) -> case_reports.Row:
    row = cases.find_visible(conn, read_reference(reference), only_facility, lock=lock)
    if row is None or row.kind != CaseKind.MISSING:
        raise NotFound("there is no such case")
    return row


def _facility(conn: Connection, facility_id: str) -> str:
    typed = clean_name(facility_id)
    found = typed if case_reports.is_facility(conn, typed) else case_reports.facility_called(conn, typed)
    if found is None:
        raise BadInput.of("facility", "facility-unknown", "write the id or the whole name of a facility that we know")
    return found


def _said(words: str) -> str | None:
    said = clean_name(words)
    if len(said) > MAX_WORDS:
        raise BadInput.of("words", "too-long", f"write at most {MAX_WORDS} characters")
    return said or None


def _audit(conn: Connection, at: datetime, actor: str, action: str, case_id: str, **detail: str) -> None:
    audit.write(conn, at=at, actor=actor, action=action, subject="case", subject_id=case_id, **detail)
