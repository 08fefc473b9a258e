"""A report becomes a case, or joins the open one that says the same. Whoever reports is answered the same whatever we
hold: whether the dose is here after all is looked up afterwards, by a worker (arrivals.py)."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, address_index, first_wait, seconds_to_wait
from notifier.core.causes import Cause
from notifier.core.errors import Refused
from notifier.core.ids import new_id
from notifier.core.link_tokens import new_public_id
from notifier.core.schedule import PROMISE
from notifier.core.states import CaseKind, CaseParty, CaseSource, FollowUp, StepKind
from notifier.services import Services
from notifier.store import audit, case_reports, case_steps, cases, contacts, counters, follow_ups, locks
from notifier.support.missing import telling
from notifier.support.missing.facts import Facts, Indexes, indexes_of
from notifier.support.missing.judge import cause_of_missing

DOOR = "door:cases"
#: joined to a case with words: a form that is sent again and again fills no case
JOINS = Limit("report-words:case", 5, timedelta(days=1))
#: whoever has the case answers within so long, or is reminded
ANSWER_WITHIN = timedelta(days=2)
#: what the person is told: an answer by then, or an alarm
PROMISED = timedelta(days=7)
FLOOD = "cases.flood"

_log = logging.getLogger(__name__)


_NUMBER = Limit("report:number", 3, timedelta(days=1))
_ADDRESS = Limit("report:address", 20, timedelta(minutes=10))
_OVERALL = Limit("report:all", 2_000, timedelta(days=1))


@dataclass(frozen=True, slots=True)
class ReportLimits:
    """New cases; a report that joins an open one is free of these. The address's is soft: a village may share one."""

    number: Limit = _NUMBER
    address: Limit = _ADDRESS
    overall: Limit = _OVERALL


LIMITS = ReportLimits()


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of a report. `token`: of its tracker; `is_joined`: the same was open already. `retry_after_s`: too
    many came from this number or place; then nothing was kept and the rest is empty."""

    case_id: str = ""
    reference: str = ""
    token: str = field(default="", repr=False)
    is_joined: bool = False
    retry_after_s: int = 0


def report(
    services: Services,
    facts: Facts,
    *,
    source: CaseSource,
    language: str,
    address: str,
    is_proven: bool,
    form: str | None = None,
    person_id: str | None = None,
    picture: bytes | None = None,
    actor: str = DOOR,
    limits: ReportLimits = LIMITS,
) -> Reported:
    """Opens a case, or adds to the open one that says the same. `is_proven`: a code proved the number; else `form`
    names the form at hand, which may come twice. `picture`: a JPEG drawn by us (support.uploaded_pictures).

    Raises Refused (`too-young`, with `not_before`) for a dose younger than the promise.
    """
    at = services.clock.now()
    today = at.astimezone(services.zone).date()
    cause = cause_of_missing(facts.given_on, today)
    if cause is Cause.TOO_YOUNG:
        raise Refused("too-young", not_before=_not_before(services, facts))
    indexes = indexes_of(services, facts, None if is_proven else form or new_id())
    services.reader.read()  # a process' first look at the programme takes a connection, so not inside a transaction
    with services.db.write() as conn:
        locks.hold(conn, indexes.same)  # fifty at once are one
        # kept open: what is said may not be added to a case that ends at this moment
        known = case_reports.open_same(conn, CaseKind.MISSING, indexes.same, lock=True)
        if known is not None:
            return _join(conn, services, known, facts, picture, actor=actor, at=at)
        wait = _wait(conn, services, limits, indexes, address, at)
        if wait:
            return Reported(retry_after_s=wait)
        new = _Case(services, facts, indexes, source, language, is_proven, person_id, cause, actor, at)
        row = new.insert(conn)
        if picture is not None:
            case_steps.keep_picture(conn, services.sealer, row.id, picture, at=at)
        telling.tell(conn, services, row, at=at)
        follow_ups.add(conn, FollowUp.CASE_REPORTED, row.id, at=at)
        return Reported(row.id, row.reference, services.trackers.sign(row.public_id))


def _not_before(services: Services, facts: Facts) -> datetime:
    day = datetime.combine(facts.given_on, time(), tzinfo=services.zone)
    return (day + PROMISE).astimezone(UTC)


def _wait(
    conn: Connection, services: Services, limits: ReportLimits, indexes: Indexes, address: str, at: datetime
) -> int:
    wait = first_wait(
        conn,
        (limits.number, indexes.phone.hex()),
        (limits.address, address_index(services.sealer, address)),
        (limits.overall, ""),
        at=at,
    )
    name = limits.overall.name
    if wait and counters.count_of(conn, name, window=limits.overall.window, at=at) == limits.overall.most + 1:
        # the first one too many: operators are told once a window
        audit.write(conn, at=at, actor=audit.SYSTEM, action=FLOOD, subject="case-cap", subject_id=name)
        _log.error("no more reports are taken for now: somebody may be flooding us", extra={"limit": name})
    return wait


def _join(
    conn: Connection,
    services: Services,
    known: case_reports.Row,
    facts: Facts,
    picture: bytes | None,
    *,
    actor: str,
    at: datetime,
) -> Reported:
    """What is new in it is added, so many times a day; the same thing said once more within the day adds no step."""
    sealer = services.sealer
    wait = seconds_to_wait(conn, JOINS, known.id, at) if facts.words else 0
    if wait:
        return Reported(retry_after_s=wait)
    if facts.words or not case_steps.count(conn, known.id, StepKind.JOINED, since=at - timedelta(days=1)):
        case_steps.add(conn, sealer, known.id, StepKind.JOINED, actor=actor, at=at, words=facts.words)
    if picture is not None and not case_steps.has_picture(conn, known.id):
        case_steps.keep_picture(conn, sealer, known.id, picture, at=at)
    return Reported(known.id, known.reference, services.trackers.sign(known.public_id), is_joined=True)


@dataclass(frozen=True, slots=True)
class _Case:
    """A case to be opened."""

    services: Services
    facts: Facts
    indexes: Indexes
    source: CaseSource
    language: str
    is_proven: bool
    person_id: str | None
    cause: Cause
    actor: str
    at: datetime

    def insert(self, conn: Connection) -> case_reports.Row:
        services, at = self.services, self.at
        sealer = services.sealer
        facility_id = case_reports.facility_called(conn, self.facts.place)
        party = CaseParty.FACILITY if facility_id else CaseParty.OPERATORS
        contact = contacts.find_or_add(conn, sealer, phone=self.facts.phone, language=self.language, at=at)
        row_id = new_id()
        row = cases.insert_new(
            conn,
            kind=CaseKind.MISSING,
            opened_at=at,
            due_at=at + ANSWER_WITHIN,
            row_id=row_id,
            person_id=self.person_id,
            facility_id=facility_id,
            phone_index=self.indexes.phone,
            source=self.source.value,
            contact_id=contact.id,
            confirmed_at=at if self.is_proven else None,
            public_id=new_public_id(),
            language=self.language,
            facts_sealed=case_reports.seal_facts(sealer, row_id, self.facts.as_json()),
            same_index=self.indexes.same,
            nik_index=self.indexes.nik,
            born_index=self.indexes.born,
            cause=self.cause.value,
            waits_for=party.value,
            promised_at=at + PROMISED,
        )
        if row is None:
            raise RuntimeError("the same case was opened past its lock")
        case_steps.add(conn, sealer, row_id, StepKind.REPORTED, actor=self.actor, at=at, words=self.facts.words)
        kind = StepKind.TO_FACILITY if facility_id else StepKind.TO_OPERATORS
        case_steps.add(conn, sealer, row_id, kind, actor=audit.SYSTEM, at=at, facility_id=facility_id)
        audit.write(
            conn,
            at=at,
            actor=self.actor,
            action="case.reported",
            subject="case",
            subject_id=row_id,
            source=self.source.value,
        )
        return row
