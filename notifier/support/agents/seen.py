"""One case as an agent sees it: everything that came and went, in one order, with what was merged into it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.states import LetterKind, LetterState, StepKind
from notifier.services import Services
from notifier.store import agents, audit, case_steps, desk, mail, search, staff
from notifier.store.cases import Row
from notifier.support.agents import merging
from notifier.support.agents.queue import find, is_claimed
from notifier.support.agents.replies import is_reachable
from notifier.support.mail.published import LetterFacts, facts_of_text
from notifier.support.mail.take import DOOR
from notifier.support.resend import read_reason

#: as long as a NIK or a telephone number; a date is not
_LONG_NUMBER = re.compile(r"\+?\d(?:[ .-]?\d){8,}")


@dataclass(frozen=True, slots=True)
class LetterIn:
    """A letter that came. `number`: by which it is called on the page; `sender`: masked."""

    id: str
    number: int
    at: datetime
    sender: str | None
    subject: str
    text: str
    facts: LetterFacts
    photos: int
    files: int
    is_cut: bool
    is_unreadable: bool


@dataclass(frozen=True, slots=True)
class LetterOut:
    """A letter of ours."""

    id: str
    at: datetime
    state: LetterState
    is_automatic: bool
    is_returned: bool
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: a step, or a letter. `reference`: of the merged case that it belongs to."""

    at: datetime
    step: StepKind | None = None
    letter: LetterIn | None = None
    sent: LetterOut | None = None
    by: str | None = None
    words: str = ""
    detail: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """`claimed_by`: a colleague's name; `message`: leads to the person, once a caller was checked; `merged`: cases that
    go on in this one; `into`: the one that this goes on in; `alike`: may be about the same; `sms`: messages about
    it; `can_sms`: somebody proved a number that they could go to."""

    case: Row
    claimed_by: str | None
    is_mine: bool
    facility: str | None
    message: str | None
    entries: list[Entry]
    letters: list[LetterIn]
    merged: list[Row]
    into: Row | None
    alike: list[Row]
    is_checked: bool
    sms: list[Row]
    can_sms: bool


def look(services: Services, reference: str, *, staff_id: str) -> Seen:
    """One case. Raises NotFound."""
    now = services.clock.now()
    with services.db.read() as conn:
        case = find(conn, reference)
        merged = agents.merged_into(conn, [case.id])
        family = {row.id: row.reference for row in (case, *merged)}
        letters = _letters(conn, services, list(family))
        entries = sorted(_entries(conn, services, case, family, letters), key=attrgetter("at"))
        names = staff.names(conn, [case.claimed_by]) if is_claimed(case, now) else {}
        newest = search.newest_messages(conn, [case.person_id], None) if case.person_id else {}
        into = agents.get(conn, case.merged_into) if case.merged_into else None
        return Seen(
            case=case,
            claimed_by=names.get(case.claimed_by),
            is_mine=is_claimed(case, now) and case.claimed_by == staff_id,
            facility=desk.facility_name(conn, case.facility_id) if case.facility_id else None,
            message=newest[case.person_id].reference if case.person_id in newest else None,
            entries=entries,
            letters=[one for one, _ in letters],
            merged=merged,
            into=into,
            alike=merging.alike(conn, case) if case.status == "open" else [],
            is_checked=any(
                check.is_right and check.person_id == case.person_id for check in agents.checks_of(conn, list(family))
            ),
            sms=agents.sms_about(conn, list(family), contact_id=case.contact_id),
            can_sms=any(is_reachable(row) for row in (case, *merged)),
        )


def without_case(services: Services, limit: int = 50) -> list[tuple[LetterIn, LetterKind]]:
    """The newest letters that made no case: of programs and lists, and those of ours that came back."""
    with services.db.read() as conn:
        rows = mail.without_case(conn, limit)
    return [(_letter(services, row, number), LetterKind(row.kind)) for number, row in enumerate(rows, start=1)]


def reveal(services: Services, reference: str, *, reason: str, actor: str) -> None:
    """The audit says who reads the numbers in a case's letters, and why. Raises NotFound, BadInput (`reason`)."""
    said = read_reason(reason)
    with services.db.write() as conn:
        case = find(conn, reference)
        at = services.clock.now()
        audit.write(conn, at=at, actor=actor, action="letter.revealed", subject="case", subject_id=case.id, reason=said)


def without_numbers(text: str) -> str:
    """A text whose long numbers are masked: 3174••••09 for a NIK or a telephone number."""
    return _LONG_NUMBER.sub(lambda match: _masked(match[0]), text)


def _masked(number: str) -> str:
    digits = "".join(ch for ch in number if ch.isdigit())
    return f"{digits[:4]}••••{digits[-2:]}"


def masked_address(address: str) -> str:
    """wa•••@surat.example: enough to tell two senders apart."""
    local, _, host = address.partition("@")
    return f"{local[:2]}•••@{host}"


def _letters(conn: Connection, services: Services, case_ids: Sequence[str]) -> list[tuple[LetterIn, Row]]:
    rows = mail.of_cases(conn, case_ids)
    return [(_letter(services, row, number), row) for number, row in enumerate(rows, start=1)]


def _letter(services: Services, row: Row, number: int) -> LetterIn:
    sender = _opened(services, row, "sender")
    return LetterIn(
        id=row.id,
        number=number,
        at=row.received_at,
        sender=masked_address(sender) if sender else None,
        subject=_opened(services, row, "subject"),
        text=_opened(services, row, "text"),
        facts=facts_of_text(_opened(services, row, "facts")),
        photos=row.photos,
        files=row.files,
        is_cut=row.is_cut,
        is_unreadable=row.is_unreadable,
    )


def _opened(services: Services, row: Row, name: str) -> str:
    try:
        return mail.read(services.sealer, row, name)
    except SealBroken:
        return ""


def _entries(
    conn: Connection, services: Services, case: Row, family: dict[str, str], letters: list[tuple[LetterIn, Row]]
) -> Iterator[Entry]:
    def of(case_id: str) -> str | None:
        return None if case_id == case.id else family[case_id]

    steps = [step for case_id in family for step in case_steps.of_case(conn, case_id)]
    ids = {step.actor.removeprefix("staff:") for step in steps if step.actor.startswith("staff:")}
    names = staff.names(conn, ids) if ids else {}
    for letter, row in letters:
        yield Entry(letter.at, letter=letter, reference=of(row.case_id))
    for row in mail.sent_about(conn, list(family)):
        text = _opened(services, row, "body") if row.written_by != "system" else ""
        sent = LetterOut(
            row.id,
            row.created_at,
            LetterState(row.status),
            row.written_by == "system",
            row.returned_at is not None,
            text,
        )
        yield Entry(sent.at, sent=sent, by=names.get(row.written_by.removeprefix("staff:")), reference=of(row.case_id))
    for step in steps:
        is_letter = step.actor == DOOR and step.kind in {StepKind.REPORTED, StepKind.JOINED, StepKind.RETURNED}
        if is_letter or (step.kind == StepKind.REPLY and step.detail == "email"):
            continue  # the letter itself stands there
        yield Entry(
            at=step.at,
            step=StepKind(step.kind),
            by=names.get(step.actor.removeprefix("staff:"), "?") if step.actor.startswith("staff:") else None,
            words=_words(services, step),
            detail=step.detail,
            reference=of(step.case_id),
        )


def _words(services: Services, step: case_steps.Row) -> str:
    try:
        return case_steps.words(services.sealer, step)
    except SealBroken:
        return ""
