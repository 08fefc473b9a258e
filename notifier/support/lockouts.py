"""Locks after five wrong birth dates: the owner is told, staff unlock, somebody says that the recorded date is wrong, a
correction of it gives a new start."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, TryLimits
from notifier.certificates.opening import DOOR, LinkState
from notifier.core.errors import Refused
from notifier.core.states import NOT_LEFT, CaseKind, CaseOutcome, CertificateStatus, Kind, Reason, State
from notifier.messages import plan
from notifier.messages.plan import PlanOptions, Subject
from notifier.services import Services
from notifier.store import audit, cases, certificates, doses, notifications, persons
from notifier.store.persons import Person
from notifier.support.link_buttons import Pressed, open_case, press

#: for the button "my birth date is rejected"
REJECTIONS = TryLimits(
    overall=Limit("rejected:all", 600, timedelta(minutes=1)),
    address=Limit("rejected:address", 60, timedelta(minutes=10)),
    link=Limit("rejected:link", 6, timedelta(hours=1)),
)


def report_birth_date(services: Services, token: str, *, address: str, limits: TryLimits = REJECTIONS) -> Pressed[bool]:
    """Puts "the recorded birth date is said to be wrong" on the facility's list. `result`: whether that is new, which
    nobody outside may learn; None where the link is neither live nor locked, or too many pressed."""

    def deed(conn: Connection, row: sa.Row[Any], at: datetime) -> bool:
        case = open_case(conn, row, CaseKind.BIRTH_DATE_REJECTED, at=at)
        if case is not None:
            _audit(conn, at, DOOR, "birth-date.rejected", "case", case.id, link=row.link_id)
        return case is not None

    return press(services, token, deed, states={LinkState.LIVE, LinkState.LOCKED}, address=address, limits=limits)


def unlock(conn: Connection, services: Services, person_id: str, *, at: datetime, actor: str, **detail: str) -> None:
    """Forgets the wrong birth dates that were tried for a person; `detail` goes into the audit. Raises Refused
    (`not-locked`)."""
    persons.hold(conn, person_id)
    if persons.get(conn, services.sealer, person_id).locked_at is None:
        raise Refused("not-locked")
    persons.unlock(conn, person_id)
    _audit(conn, at, actor, "person.unlock", "person", person_id, **detail)


def tell_owner(conn: Connection, services: Services, person_id: str, *, since: datetime) -> None:
    """An SMS without a link says that the lock has fallen; not where it is gone already, or one is on its way."""
    persons.hold(conn, person_id)
    person = persons.get(conn, services.sealer, person_id)
    told = notifications.of_person(conn, person_id, kind=Kind.LOCK)
    if person.locked_at is None or any(State(row.status) in {*NOT_LEFT, State.SENDING} for row in told):
        return
    subject = _newest_subject(conn, person)
    if subject is not None:
        _plan(conn, services, subject, Kind.LOCK)


def start_anew(conn: Connection, services: Services, person_id: str, *, since: datetime) -> None:
    """The birth date is another one now: tries at the old one say nothing, whoever complained was right, and whoever
    could not open gets a link, unless the correction itself has sent one."""
    persons.hold(conn, person_id)
    person, at = persons.get(conn, services.sealer, person_id), services.clock.now()
    complained = cases.open_of_person(conn, person_id, CaseKind.BIRTH_DATE_REJECTED)
    for case in complained:
        close_corrected(conn, case, at)
    if person.wrong_tries:
        persons.unlock(conn, person_id)
        _audit(conn, at, audit.SYSTEM, "person.unlock", "person", person_id, reason=Reason.CORRECTED.value)
    subject = _newest_subject(conn, person)
    if (person.locked_at is None and not complained) or subject is None or _has_link(conn, person_id, since):
        return
    _plan(conn, services, subject, Kind.CORRECTION)


def close_corrected(conn: Connection, case: cases.Row, at: datetime) -> None:
    """An event brought other data: nobody has to look any more."""
    if cases.close(conn, case.id, outcome=CaseOutcome.CORRECTED, by=audit.SYSTEM, at=at):
        _audit(conn, at, audit.SYSTEM, "case.corrected", "case", case.id)


def _has_link(conn: Connection, person_id: str, since: datetime) -> bool:
    """Whether a message with a link waits, or was added since a moment, whatever became of it."""
    rows = [row for row in notifications.of_person(conn, person_id) if row.link_id is not None]
    return any(State(row.status) in NOT_LEFT or row.created_at >= since for row in rows)


def _newest_subject(conn: Connection, person: Person) -> Subject | None:
    """The person's newest valid certificate; None where there is none to speak of."""
    for row in certificates.of_person(conn, person.id):
        if row.status == CertificateStatus.VALID:
            shot = doses.get(conn, row.dose_id)
            zone = doses.facility_zone(conn, shot.facility_id) if shot.facility_id else None
            return Subject(person, row.dose_id, row.id, zone)
    return None


def _plan(conn: Connection, services: Services, subject: Subject, kind: Kind) -> None:
    now = services.clock.now()
    plan.add(conn, services, subject, kind, accepted_at=now, options=PlanOptions(delay=timedelta(0)))


def _audit(
    conn: Connection, at: datetime, actor: str, action: str, subject: str, subject_id: str, **detail: str
) -> None:
    audit.write(conn, at=at, actor=actor, action=action, subject=subject, subject_id=subject_id, **detail)
