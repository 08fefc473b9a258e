"""The page of a case, for whoever holds its link: where it stands, by when there is an answer, what they may do.

A token proves that the link came from us and opens this one case. What is shown names nobody. Until the number has
been proven by a code it says no more than that the report is here: its address may have been made by anybody who typed
somebody's number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, seconds_to_wait
from notifier.core.errors import BadToken, NotFound, Refused, SealBroken
from notifier.core.identity import clean_name
from notifier.core.phones import masked_phone
from notifier.core.states import (
    CaseKind,
    CaseOutcome,
    CaseParty,
    CaseStatus,
    FollowUp,
    OtpAnswer,
    OtpPurpose,
    StepKind,
)
from notifier.services import Services
from notifier.store import audit, case_reports, case_steps, cases, contacts, follow_ups, locks
from notifier.support import otp
from notifier.support.missing import telling
from notifier.support.missing.arrivals import facts_of
from notifier.support.missing.facts import MAX_WORDS, indexes_of
from notifier.support.missing.reports import DOOR

#: a tracker says how its case ended for so long
KEPT = timedelta(days=90)
#: words added, codes asked for and tried at one case
WORDS = Limit("tracker-word:case", 5, timedelta(days=1))
CODES = Limit("tracker-code:case", 20, timedelta(days=1))
_LOOKED_AT = 100
_MOST_MERGES = 5

#: what is told of a case whose number was proven, and of any other
_TOLD = frozenset(
    {
        StepKind.REPORTED,
        StepKind.CONFIRMED,
        StepKind.TO_FACILITY,
        StepKind.TO_OPERATORS,
        StepKind.REMINDED,
        StepKind.OVERDUE,
        StepKind.ENTERED,
        StepKind.ARRIVED,
        StepKind.WORD,
        StepKind.REPLY,
        StepKind.WITHDRAWN,
        StepKind.CLOSED,
    }
)
_TOLD_TO_ANYBODY = frozenset({StepKind.REPORTED, StepKind.WORD, StepKind.WITHDRAWN})


class TrackerState(StrEnum):
    """What a tracker's address stands for."""

    OPEN = "open"
    CLOSED = "closed"
    EXPIRED = "expired"  #: closed so long ago that nothing is told of it any more
    UNKNOWN = "unknown"  #: no address of ours


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it is told. `detail`: why it was closed; `words`: what staff answered."""

    at: datetime
    kind: StepKind
    detail: str | None = None
    words: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tracker:
    """A case as it is told. `is_confirmed`: its number was proven; `number`: masked, to which a code would go;
    `outcome` and `waits_for` only where it was proven."""

    state: TrackerState
    reference: str = ""
    is_confirmed: bool = False
    opened_at: datetime | None = None
    promised_at: datetime | None = None
    is_late: bool = False
    waits_for: CaseParty | None = None
    outcome: CaseOutcome | None = None
    steps: tuple[Step, ...] = ()
    number: str | None = None


def look(services: Services, token: str) -> Tracker:
    """What the page shows. Reads only; a forged token reads nothing."""
    public_id = _read(services, token)
    if public_id is None:
        return Tracker(TrackerState.UNKNOWN)
    with services.db.read() as conn:
        row = _led_on(conn, case_reports.by_public_id(conn, public_id))
        if row is None:
            return Tracker(TrackerState.UNKNOWN)
        now = services.clock.now()
        ended = row.closed_at if row.confirmed_at is not None or _is_over(conn, row) else row.opened_at
        if ended is not None and ended <= now - KEPT:
            return Tracker(TrackerState.EXPIRED)
        return _told(conn, services, row, now)


def add_word(services: Services, token: str, words: str) -> Tracker:
    """Adds what the reporter has to say. Raises NotFound, and Refused (`words-missing`, `words-long`, `case-closed`,
    `too-many`)."""
    said = clean_name(words)
    if not said:
        raise Refused("words-missing")
    if len(said) > MAX_WORDS:
        raise Refused("words-long")
    with _acting(services, token) as (conn, row, at):
        if seconds_to_wait(conn, WORDS, row.id, at):
            raise Refused("too-many")
        case_steps.add(conn, services.sealer, row.id, StepKind.WORD, actor=DOOR, at=at, words=said)
    return look(services, token)


def withdraw(services: Services, token: str) -> Tracker:
    """The reporter needs nothing any more. Raises NotFound, and Refused (`case-closed`)."""
    with _acting(services, token) as (conn, row, at):
        cases.close(conn, row.id, outcome=CaseOutcome.WITHDRAWN, by=DOOR, at=at)
        case_steps.drop_picture(conn, row.id)
        case_steps.add(conn, services.sealer, row.id, StepKind.WITHDRAWN, actor=DOOR, at=at)
        audit.write(conn, at=at, actor=DOOR, action="case.withdrawn", subject="case", subject_id=row.id)
    return look(services, token)


def send_code(services: Services, token: str, *, language: str, address: str) -> otp.Asked:
    """Sends a code to the number that was typed into the report. Raises NotFound, and Refused (`case-closed`,
    `case-confirmed`)."""
    with _acting(services, token) as (conn, row, _at):
        phone = _phone(conn, services, row)
        if row.confirmed_at is not None or phone is None:
            raise Refused("case-confirmed")
    return otp.request(services, phone, purpose=OtpPurpose.CASE, language=language, address=address)


def confirm(services: Services, token: str, challenge: str, typed: str) -> OtpAnswer:
    """Proves the number of a case by the code that went to it: SMS tell of its steps from now on, and where the same
    was reported by that number before, the two become one. Raises NotFound, and Refused (`case-closed`, `too-many`)."""
    with _acting(services, token) as (conn, row, at):
        if seconds_to_wait(conn, CODES, row.id, at):
            raise Refused("too-many")
    checked = otp.check(services, challenge, typed, purpose=OtpPurpose.CASE)
    if checked.answer is not OtpAnswer.RIGHT:
        return checked.answer
    with _acting(services, token, with_same=True) as (conn, row, at):
        if checked.phone != _phone(conn, services, row):
            return OtpAnswer.WRONG
        if row.confirmed_at is None and row.status == CaseStatus.OPEN:
            _confirm(conn, services, row, at)
        elif row.confirmed_at is None:  # it ended before: now its page may say how
            case_reports.note_confirmed(conn, row.id, at)
            case_steps.add(conn, services.sealer, row.id, StepKind.CONFIRMED, actor=DOOR, at=at)
    return OtpAnswer.RIGHT


def _confirm(conn: Connection, services: Services, row: case_reports.Row, at: datetime) -> None:
    same = _same(services, row)
    if same is None:
        return
    other = case_reports.open_same(conn, CaseKind.MISSING, same, lock=True)
    if other is not None:
        case_reports.change(conn, row.id, confirmed_at=at)
        merge(conn, services, row, other, actor=DOOR, at=at)
        return
    case_reports.change(conn, row.id, confirmed_at=at, same_index=same)
    case_steps.add(conn, services.sealer, row.id, StepKind.CONFIRMED, actor=DOOR, at=at)
    follow_ups.add(conn, FollowUp.CASE_REPORTED, row.id, at=at)
    fresh = case_reports.get(conn, row.id)
    if fresh is not None:
        telling.tell(conn, services, fresh, at=at)


def merge(
    conn: Connection,
    services: Services,
    row: case_reports.Row,
    into: case_reports.Row,
    *,
    actor: str,
    at: datetime,
) -> None:
    """Ends a case in favour of another, which keeps what was said. Raises Refused (`case-closed`) where either has
    ended by now: nothing goes on in a case that nobody looks at any more."""
    held = case_reports.hold(conn, [row.id, into.id])
    if len(held) != 2 or any(one.status != CaseStatus.OPEN for one in held.values()):
        raise Refused("case-closed")
    cases.close(conn, row.id, outcome=CaseOutcome.MERGED, by=actor, at=at)
    cases.note_merge(conn, row.id, into.id)
    sealer = services.sealer
    case_steps.drop_picture(conn, row.id)
    case_steps.add(conn, sealer, row.id, StepKind.MERGED, actor=actor, at=at, detail=into.reference)
    case_steps.add(conn, sealer, into.id, StepKind.JOINED, actor=actor, at=at, detail=row.reference)
    audit.write(conn, at=at, actor=actor, action="case.merged", subject="case", subject_id=row.id, into=into.reference)


def _read(services: Services, token: str) -> str | None:
    try:
        return services.trackers.read(token)
    except BadToken:
        return None


def _led_on(conn: Connection, row: case_reports.Row | None) -> case_reports.Row | None:
    """The case that goes on in a case's place, where the number of the first was proven and both are of that number:
    nobody is led to another's by having typed their number."""
    return _way_on(conn, row)[-1] if row is not None else None


def _way_on(conn: Connection, row: case_reports.Row) -> list[case_reports.Row]:
    """A case and those that it leads on to, the one that goes on last."""
    way = [row]
    for _ in range(_MOST_MERGES):
        row = way[-1]
        if row.merged_into is None or row.confirmed_at is None:
            break
        into = case_reports.get(conn, row.merged_into)
        if into is None or into.phone_index is None or into.phone_index != row.phone_index:
            break
        way.append(into)
    return way


def _same(services: Services, row: case_reports.Row) -> bytes | None:
    """What a report has in common with every other of the same, once a code has proven its number."""
    facts = facts_of(services, row)
    return indexes_of(services, facts, None).same if facts is not None else None


def _held(conn: Connection, services: Services, row: case_reports.Row, *, with_same: bool) -> case_reports.Row:
    """The case that goes on in a case's place, kept from changing with all on the way there; `with_same`: also the one
    that the same report made before. Whoever changed the way before we had it is followed."""
    held: set[str] = set()
    for _ in range(_MOST_MERGES):
        way = _way_on(conn, case_reports.get(conn, row.id) or row)
        ids = {one.id for one in way}
        if with_same and (same := _same(services, way[-1])) is not None:
            locks.hold(conn, same)  # before any case, as whoever reports does
            other = case_reports.open_same(conn, CaseKind.MISSING, same)
            ids |= {other.id} if other is not None else set()
        if ids <= held:
            return way[-1]
        case_reports.hold(conn, ids)
        held |= ids
    raise Refused("case-closed")


def _is_over(conn: Connection, row: case_reports.Row) -> bool:
    """Whether the page of a case says that it has ended. Until its number is proven only the reporter's own withdrawal
    ends it there: it closes itself when the dose is here, so that whoever types somebody's number and guesses at a
    birth date would see by its end that the guess is right."""
    if row.status == CaseStatus.OPEN:
        return False
    return row.confirmed_at is not None or case_steps.count(conn, row.id, StepKind.WITHDRAWN) > 0


def _told(conn: Connection, services: Services, row: case_reports.Row, now: datetime) -> Tracker:
    is_confirmed = row.confirmed_at is not None
    told = _TOLD if is_confirmed else _TOLD_TO_ANYBODY
    steps = [
        Step(
            step.at,
            StepKind(step.kind),
            step.detail if step.kind == StepKind.CLOSED else None,
            _answer(services, step) if step.kind == StepKind.REPLY else "",
        )
        for step in case_steps.of_case(conn, row.id, _LOOKED_AT)
        if step.kind in told
    ]
    is_open = not _is_over(conn, row)
    seen = Tracker(
        state=TrackerState.OPEN if is_open else TrackerState.CLOSED,
        reference=row.reference,
        is_confirmed=is_confirmed,
        opened_at=row.opened_at,
        promised_at=row.promised_at,
        is_late=row.promised_at is not None and row.promised_at <= now,
        steps=tuple(steps),
    )
    if not is_confirmed:
        phone = _phone(conn, services, row) if is_open else None
        return replace(seen, number=masked_phone(phone) if phone else None)
    return replace(
        seen,
        waits_for=CaseParty(row.waits_for) if is_open and row.waits_for else None,
        outcome=CaseOutcome(row.outcome) if row.outcome else None,
    )


def _answer(services: Services, step: case_steps.Row) -> str:
    """What staff wrote for whoever reported; REPLY is told of cases alone whose number was proven."""
    try:
        return case_steps.words(services.sealer, step)
    except SealBroken:
        return ""


def _phone(conn: Connection, services: Services, row: case_reports.Row) -> str | None:
    found = contacts.load(conn, services.sealer, [row.contact_id]) if row.contact_id else {}
    return found[row.contact_id].phone if row.contact_id in found else None


@contextmanager
def _acting(
    services: Services, token: str, *, with_same: bool = False
) -> Iterator[tuple[Connection, case_reports.Row, datetime]]:
    """One deed at a case that goes on as far as its page says, in one transaction, with the case held."""
    public_id = _read(services, token)
    if public_id is None:
        raise NotFound("there is no case with this address")
    with services.db.write() as conn:
        row = case_reports.by_public_id(conn, public_id)
        if row is None:
            raise NotFound("there is no case with this address")
        row = _held(conn, services, row, with_same=with_same)
        if _is_over(conn, row):
            raise Refused("case-closed")
        yield conn, row, services.clock.now()
