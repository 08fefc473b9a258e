"""Planning: when a new notification is due, and the row that says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core.schedule import Plan, plan_due
from notifier.core.states import KIND_RULES, Kind, Lane, Reason, State
from notifier.services import Services
from notifier.store import audit, certificates, notifications
from notifier.store.persons import Person, phone_index


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How a door wants its messages planned. None stands for the programme's default."""

    delay: timedelta | None = None
    undo: timedelta = timedelta(0)  #: typed doses wait at least this long
    any_hour: bool = False  #: quiet hours do not hold it back; demo, and what a person asked for
    lane: Lane | None = None
    entered_by: str | None = None  #: the staff member's id

    def with_delay(self, delay: timedelta | None) -> PlanOptions:
        """The same with another delay."""
        return replace(self, delay=delay)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom and what a notification is about."""

    person: Person
    dose_id: str
    certificate_id: str
    facility_zone: str | None
    event_row_id: str | None = None


def zone_of(services: Services, person: Person, facility_zone: str | None) -> ZoneInfo:
    """The person's zone: the event's, else the facility's, else the programme's."""
    return ZoneInfo(person.time_zone or facility_zone or services.settings.timezone)


def unreachable(person: Person) -> Reason | None:
    """Why no SMS can go to a person at all; None where one can."""
    if person.phone is None:
        return Reason.NO_PHONE
    return Reason.BAD_PHONE if person.phone_problem else None


def add(
    conn: Connection,
    services: Services,
    subject: Subject,
    kind: Kind,
    *,
    accepted_at: datetime,
    options: PlanOptions,
    suppress: Reason | None = None,
    due_at: datetime | None = None,
    **columns: Any,
) -> notifications.Row:
    """Adds the next generation of `kind` about a dose, with a new link, as `scheduled`, or as `suppressed` with the
    reason where nothing can be sent. `due_at` overrules the plan (an operator's time)."""
    rules = KIND_RULES[kind]
    plan = Plan(due_at) if due_at else _plan(services, subject, rules.quiet_hours, accepted_at, options)
    reason = suppress or unreachable(subject.person)
    link_id = certificates.add_link(
        conn,
        certificate_id=subject.certificate_id,
        person_id=subject.person.id,
        at=accepted_at,
        expires_at=plan.due_at + timedelta(days=services.settings.link_days),
    )
    mobile = subject.person.mobile
    row = notifications.insert(
        conn,
        kind=kind,
        status=State.SUPPRESSED if reason else State.SCHEDULED,
        lane=options.lane or rules.lane,
        at=services.clock.now(),
        reason=reason.value if reason else None,
        generation=notifications.next_generation(conn, subject.dose_id, kind),
        person_id=subject.person.id,
        dose_id=subject.dose_id,
        certificate_id=subject.certificate_id,
        link_id=link_id,
        event_id=subject.event_row_id,
        accepted_at=accepted_at,
        due_at=plan.due_at,
        any_hour=options.any_hour,
        phone_index=phone_index(services.sealer, mobile) if mobile else None,
        **columns,
    )
    if plan.breaks_promise:
        audit.write(
            conn,
            at=accepted_at,
            actor=audit.SYSTEM,
            action="promise.at-risk",
            subject="notification",
            subject_id=row.id,
            reason="no allowed hour within 48 hours",
        )
    return row


def _plan(services: Services, subject: Subject, obeys_quiet: bool, accepted_at: datetime, options: PlanOptions) -> Plan:
    delay = options.delay if options.delay is not None else timedelta(hours=services.settings.delay_hours)
    return plan_due(
        accepted_at,
        delay=delay,
        undo=options.undo,
        quiet=services.quiet if obeys_quiet and not options.any_hour else None,
        zone=zone_of(services, subject.person, subject.facility_zone),
    )
