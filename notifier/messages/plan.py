"""Planning: when a new notification is due, and the row that says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core.ids import new_id, new_ids
from notifier.core.schedule import Plan, plan_due, share_of
from notifier.core.states import KIND_RULES, Channel, Kind, KindRules, Lane, Reason, State
from notifier.services import Services
from notifier.store import audit, certificates, notifications
from notifier.store.contacts import Contact
from notifier.store.persons import Person, phone_index


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How a door wants its messages planned. None stands for the programme's default."""

    delay: timedelta | None = None
    undo: timedelta = timedelta(0)  #: typed doses wait at least this long
    any_hour: bool = False  #: quiet hours do not hold it back; demo, and what a person asked for
    lane: Lane | None = None
    entered_by: str | None = None  #: the staff member's id
    only_facility: str | None = None  #: the door may change no other facility's doses
    person_before: Person | None = None  #: whom several events correct together: as they were before the first

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
    if person.phone_problem == Reason.WRONG_NUMBER:
        return Reason.WRONG_NUMBER
    return Reason.BAD_PHONE if person.phone_problem else None


@dataclass(frozen=True, slots=True)
class Planned:
    """The rows of one message, to be inserted in this order."""

    links: list[dict[str, Any]]  #: one, or none where the kind bears none
    notification: dict[str, Any]
    audit: list[dict[str, Any]]


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
    """Adds the next generation of `kind` about a dose, with a new link where the kind bears one, as `scheduled`, or as
    `suppressed` with the reason where nothing can be sent. `due_at` overrules the plan (an operator's time)."""
    planned = rows_of(
        services,
        subject,
        kind,
        accepted_at=accepted_at,
        at=services.clock.now(),
        generation=notifications.next_generation(conn, subject.dose_id, kind),
        options=options,
        suppress=suppress,
        due_at=due_at,
        **columns,
    )
    certificates.insert_links(conn, planned.links)
    row = notifications.insert_row(conn, planned.notification)
    audit.write_many(conn, planned.audit)
    return row


def add_to_contact(
    conn: Connection,
    services: Services,
    contact: Contact,
    kind: Kind,
    *,
    subject_id: str,
    at: datetime,
    channel: Channel = Channel.SMS,
) -> notifications.Row:
    """Adds a message to a number of whom we need know no person, about `subject_id`, due as its kind's rules say; in
    the programme's zone. Raises ValueError for a kind that bears a certificate's link."""
    rules = KIND_RULES[kind]
    if rules.link:
        raise ValueError(f"{kind}: tells of a certificate, and so goes to a person")
    row_id = new_id()
    options = PlanOptions(delay=timedelta(0))
    plan = _plan(services, services.zone, rules, at, options, share_of(row_id))
    return notifications.insert(
        conn,
        id=row_id,
        kind=kind,
        status=State.SCHEDULED,
        lane=rules.lane,
        at=at,
        channel=channel.value,
        generation=1,
        contact_id=contact.id,
        subject_id=subject_id,
        accepted_at=at,
        due_at=plan.due_at,
        any_hour=not rules.quiet_hours,
        phone_index=phone_index(services.sealer, contact.phone),
    )


def rows_of(
    services: Services,
    subject: Subject,
    kind: Kind,
    *,
    accepted_at: datetime,
    at: datetime,
    generation: int,
    options: PlanOptions,
    suppress: Reason | None = None,
    due_at: datetime | None = None,
    **columns: Any,
) -> Planned:
    """What `add` writes, for whoever writes many at once; touches no database."""
    rules = KIND_RULES[kind]
    row_id, link_id = new_ids(2)
    zone = zone_of(services, subject.person, subject.facility_zone)
    plan = Plan(due_at) if due_at else _plan(services, zone, rules, accepted_at, options, share_of(row_id))
    reason = suppress or unreachable(subject.person)
    mobile = subject.person.mobile
    links = [_link(services, subject, link_id, accepted_at, plan)] if rules.link else []
    notification = notifications.new_row(
        id=row_id,
        kind=kind,
        status=State.SUPPRESSED if reason else State.SCHEDULED,
        lane=options.lane or rules.lane,
        at=at,
        reason=reason.value if reason else None,
        generation=generation,
        person_id=subject.person.id,
        dose_id=subject.dose_id,
        certificate_id=subject.certificate_id,
        link_id=link_id if rules.link else None,
        event_id=subject.event_row_id,
        accepted_at=accepted_at,
        due_at=plan.due_at,
        any_hour=options.any_hour,
        phone_index=phone_index(services.sealer, mobile) if mobile else None,
        **columns,
    )
    return Planned(links, notification, [_alarm(row_id, accepted_at)] if plan.breaks_promise else [])


def _link(services: Services, subject: Subject, link_id: str, at: datetime, plan: Plan) -> dict[str, Any]:
    return certificates.new_link_row(
        link_id=link_id,
        certificate_id=subject.certificate_id,
        person_id=subject.person.id,
        at=at,
        expires_at=plan.due_at + timedelta(days=services.settings.link_days),
    )


def _alarm(notification_id: str, at: datetime) -> dict[str, Any]:
    return audit.new_row(
        row_id=new_ids(1)[0],
        at=at,
        actor=audit.SYSTEM,
        action="promise.at-risk",
        subject="notification",
        subject_id=notification_id,
        detail={"reason": "no allowed hour within 48 hours"},
    )


@dataclass(frozen=True, slots=True)
class Forecast:
    """When `add` would plan a message that nobody has asked for yet: what waits for the morning gets a moment of its
    own between the two, anything else the same moment twice. UTC."""

    earliest: datetime
    latest: datetime
    breaks_promise: bool


def forecast(
    services: Services, zone: ZoneInfo, kind: Kind, *, accepted_at: datetime, options: PlanOptions
) -> Forecast:
    """What the plan for a person in `zone` will be; by the very rules of `add`, and writes nothing."""
    first, last = (_plan(services, zone, KIND_RULES[kind], accepted_at, options, share) for share in (0.0, 1.0))
    return Forecast(first.due_at, last.due_at, first.breaks_promise)


def _plan(
    services: Services, zone: ZoneInfo, rules: KindRules, accepted_at: datetime, options: PlanOptions, share: float
) -> Plan:
    delay = options.delay if options.delay is not None else timedelta(hours=services.programme.delay_hours)
    return plan_due(
        accepted_at,
        delay=delay,
        undo=options.undo,
        quiet=services.quiet if rules.quiet_hours and not options.any_hour else None,
        zone=zone,
        share=share,
        spread=timedelta(minutes=services.settings.smooth_minutes),
    )
