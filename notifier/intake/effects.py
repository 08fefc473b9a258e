"""What an event does to dose, certificate, links and notifications, inside `record`'s transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates import issue
from notifier.core.errors import BadInput
from notifier.core.ids import new_id
from notifier.core.states import LEFT, NOT_LEFT, CaseKind, DoseStatus, FollowUp, Kind, Reason, State
from notifier.intake import people, reported
from notifier.intake.event import Event
from notifier.messages import plan
from notifier.messages.plan import PlanOptions, Subject
from notifier.services import Services
from notifier.store import cases, certificates, codes, doses, follow_ups, notifications
from notifier.store.persons import Person
from notifier.store.unknowns import supersede


class RecordOutcome(StrEnum):
    """What became of an event."""

    PLANNED = "planned"  #: an SMS is scheduled
    SUPPRESSED = "suppressed"  #: recorded, and nothing will be sent, with the reason
    UPDATED = "updated"  #: what will be sent, or what the certificate shows, changed
    CORRECTED = "corrected"  #: it had been sent: the old link is dead, a new certificate and SMS are on the way
    UNCHANGED = "unchanged"  #: says nothing new
    STALE = "stale"  #: older than what we know
    WITHDRAWN = "withdrawn"
    REPEATED = "repeated"  #: the very same event came before


@dataclass(frozen=True, slots=True)
class Effect:
    """What happened, to which dose and notification."""

    outcome: RecordOutcome
    dose_id: str
    notification: notifications.Row | None = None
    reason: Reason | None = None


#: what the certificate shows of a dose
_SHOWN = ("number", "series_total", "vaccine_code", "vaccine_system", "product", "lot", "given_on", "facility")


@dataclass(frozen=True, slots=True)
class _Context:
    conn: Connection
    services: Services
    event: Event
    event_row_id: str
    options: PlanOptions
    at: datetime


def apply(
    conn: Connection, services: Services, event: Event, *, event_row_id: str, options: PlanOptions, at: datetime
) -> Effect:
    """Does what the event asks for. Raises BadInput for a reference to an unknown person, and for a
    dose that is not the door's to change."""
    effect = _applied(_Context(conn, services, event, event_row_id, options, at))
    if effect.outcome in _MAY_BE_MISSED:
        reported.note_one(conn, services, effect.dose_id, at=at)
    return effect


#: after these the dose may be one that somebody has reported as missing
_MAY_BE_MISSED = frozenset(
    {RecordOutcome.PLANNED, RecordOutcome.SUPPRESSED, RecordOutcome.UPDATED, RecordOutcome.CORRECTED}
)


def _applied(context: _Context) -> Effect:
    conn, event, options = context.conn, context.event, context.options
    shot = doses.find(conn, event.dose.id)
    if shot is not None and _is_elsewhere(shot, options):
        raise BadInput.of("dose.id", "other-facility", "this dose is another facility's")
    if shot is not None and shot.recorded_at and event.recorded_at and event.recorded_at < shot.recorded_at:
        return Effect(RecordOutcome.STALE, shot.id)
    if event.event_type == "entered_in_error":
        return _withdraw(context, shot)
    if shot is None or shot.status == DoseStatus.WITHDRAWN:
        return _new_dose(context, shot)
    return _known_dose(context, shot)


def _is_elsewhere(shot: sa.Row[Any], options: PlanOptions) -> bool:
    """Whether a dose is not the door's to change. One that was withdrawn before anybody reported it is nobody's."""
    mine = options.only_facility in {None, shot.facility_id}
    return not mine and shot.person_id is not None


def _withdraw(context: _Context, shot: sa.Row[Any] | None) -> Effect:
    conn, at = context.conn, context.at
    if shot is None:
        dose_id = new_id()
        values = {"source_id": context.event.dose.id, "recorded_at": context.event.recorded_at}
        doses.insert(conn, at=at, id=dose_id, status=DoseStatus.WITHDRAWN.value, **values)
        return Effect(RecordOutcome.WITHDRAWN, dose_id, reason=Reason.WITHDRAWN)
    recorded_at = context.event.recorded_at or shot.recorded_at
    if shot.status == DoseStatus.WITHDRAWN:
        doses.update(conn, shot.id, at=at, recorded_at=recorded_at)  # what is older than this word comes too late
        return Effect(RecordOutcome.UNCHANGED, shot.id)
    doses.update(conn, shot.id, at=at, status=DoseStatus.WITHDRAWN.value, recorded_at=recorded_at)
    codes.end_cards_with(conn, shot, at=at)
    notifications.take_back(conn, shot.id, new=State.CANCELLED, reason=Reason.WITHDRAWN, at=at)
    supersede(conn, shot.id, at=at)
    issue.revoke(conn, shot.id, reason=Reason.WITHDRAWN, at=at)
    newest = notifications.of_dose(conn, shot.id)
    return Effect(RecordOutcome.WITHDRAWN, shot.id, newest[0] if newest else None, Reason.WITHDRAWN)


def _new_dose(context: _Context, shot: sa.Row[Any] | None) -> Effect:
    """A dose seen for the first time, or given after all."""
    conn, at = context.conn, context.at
    _, person = _person(context, shot.person_id if shot else None)
    dose_id = shot.id if shot else new_id()
    values = dose_values(context.event, context.options, person)
    if shot is None:
        doses.insert(conn, at=at, id=dose_id, source_id=context.event.dose.id, **values)
    else:
        doses.update(conn, dose_id, at=at, **values)
    certificate_id = issue.issue(conn, person_id=person.id, dose_id=dose_id, at=at)
    return _plan(context, person, dose_id, certificate_id, Kind.CERTIFICATE)


def _person(context: _Context, of_dose: str | None) -> tuple[Person | None, Person]:
    """The person of the event, before and now. Links that went to a number which is not theirs any more stop at once,
    whichever dose they were about; what has not left yet goes to the new number."""
    before, person = people.find_or_add(context.conn, context.services, context.event, of_dose=of_dose, at=context.at)
    if before is not None and before.mobile is not None and before.mobile != person.mobile:
        notifications.unclaim_person(context.conn, person.id, at=context.at)  # or it goes to the old number unnoticed
        certificates.revoke_sent_links(context.conn, person.id, reason=Reason.NUMBER_CHANGED, at=context.at)
    if before is not None:
        if (before.name, before.birth_date) != (person.name, person.birth_date):
            codes.end_of_person(context.conn, person.id, at=context.at)  # of every dose, not of this one alone
        _leave_follow_ups(context, before, person)
    return before, person


def _leave_follow_ups(context: _Context, before: Person, person: Person) -> None:
    """For whoever could not open, or said that something is wrong; the many other corrections cost a look at most. Our
    own update of the person keeps new cases waiting until we are done."""
    conn = context.conn
    if before.birth_date != person.birth_date:
        complained = cases.open_of_person(conn, person.id, CaseKind.BIRTH_DATE_REJECTED)
        if before.wrong_tries or complained:
            follow_ups.add(conn, FollowUp.BIRTH_DATE_CORRECTED, person.id, at=context.at)
    if before.phone != person.phone and cases.open_of_person(conn, person.id, CaseKind.NOT_ME):
        follow_ups.add(conn, FollowUp.NUMBER_CORRECTED, person.id, at=context.at)


def _known_dose(context: _Context, shot: sa.Row[Any]) -> Effect:
    conn, at = context.conn, context.at
    before, person = _person(context, shot.person_id)
    before = context.options.person_before or before
    values = dose_values(context.event, context.options, person)
    doses.update(conn, shot.id, at=at, **values)
    moved = person.id != shot.person_id
    if moved or _dose_shown(values) != _dose_shown(shot._mapping):
        codes.end_cards_with(conn, shot, at=at)
    shown = moved or _shown(before, shot._mapping) != _shown(person, values)
    phone = moved or before is None or before.mobile != person.mobile
    newest = notifications.lock_newest(conn, shot.id)
    if newest is None or not (shown or phone):
        return Effect(RecordOutcome.UNCHANGED, shot.id, newest)
    if moved:
        return _give_to(context, person, shot.id)
    if _has_reached(conn, shot.id):
        notifications.take_back(conn, shot.id, new=State.CANCELLED, reason=Reason.SUPERSEDED, at=at)
        supersede(conn, shot.id, at=at)
        return _correct(context, person, shot.id, shown=shown)
    if State(newest.status) in NOT_LEFT:
        notifications.unclaim(conn, newest.id, at=at)
        return Effect(RecordOutcome.UPDATED, shot.id, newest)  # the decision before sending reads the new facts
    return _retry_unreached(context, person, newest, shown=shown, phone=phone)


def _has_reached(conn: Connection, dose_id: str) -> bool:
    """Whether a link to the certificate as it stands has left, in the newest message or (a resend that waits, or was
    cancelled) in an earlier one."""
    valid = certificates.valid_of_dose(conn, dose_id)
    rows = notifications.of_dose(conn, dose_id)
    return any(State(row.status) in LEFT and row.certificate_id == valid for row in rows)


def _give_to(context: _Context, person: Person, dose_id: str) -> Effect:
    """The dose was somebody else's: that person's messages and links stop, the right one's begin."""
    conn, at = context.conn, context.at
    notifications.take_back(conn, dose_id, new=State.CANCELLED, reason=Reason.CORRECTED, at=at)
    supersede(conn, dose_id, at=at)
    certificate_id = issue.replace(conn, person_id=person.id, dose_id=dose_id, reason=Reason.CORRECTED, at=at)
    return _plan(context, person, dose_id, certificate_id, Kind.CERTIFICATE, RecordOutcome.CORRECTED)


def _retry_unreached(
    context: _Context, person: Person, newest: notifications.Row, *, shown: bool, phone: bool
) -> Effect:
    conn, dose_id = context.conn, newest.dose_id
    certificate_id = certificates.valid_of_dose(conn, dose_id)
    if shown or certificate_id is None:
        certificate_id = issue.replace(
            conn, person_id=person.id, dose_id=dose_id, reason=Reason.CORRECTED, at=context.at
        )
    if State(newest.status) is State.CANCELLED or not phone:
        return Effect(RecordOutcome.UPDATED, dose_id, newest)
    return _plan(context, person, dose_id, certificate_id, Kind.CERTIFICATE)


def _correct(context: _Context, person: Person, dose_id: str, *, shown: bool) -> Effect:
    """It has left already: the old link dies at once, and the person is told."""
    conn, at = context.conn, context.at
    certificate_id = certificates.valid_of_dose(conn, dose_id)
    if shown or certificate_id is None:
        certificate_id = issue.replace(conn, person_id=person.id, dose_id=dose_id, reason=Reason.CORRECTED, at=at)
        return _plan(context, person, dose_id, certificate_id, Kind.CORRECTION, RecordOutcome.CORRECTED)
    certificates.revoke_links(conn, dose_id, reason=Reason.NUMBER_CHANGED, at=at)
    return _plan(context, person, dose_id, certificate_id, Kind.CERTIFICATE, RecordOutcome.CORRECTED)


def _plan(
    context: _Context,
    person: Person,
    dose_id: str,
    certificate_id: str,
    kind: Kind,
    outcome: RecordOutcome = RecordOutcome.PLANNED,
) -> Effect:
    row = plan.add(
        context.conn,
        context.services,
        Subject(person, dose_id, certificate_id, _facility_zone(context), context.event_row_id),
        kind,
        accepted_at=context.at,
        options=options_for(context.event, context.options),
        suppress=suppressed(context.event),
    )
    if row.status == State.SUPPRESSED:
        return Effect(RecordOutcome.SUPPRESSED, dose_id, row, Reason(row.reason))
    return Effect(outcome, dose_id, row)


def options_for(event: Event, options: PlanOptions) -> PlanOptions:
    """The door's options, with the event's own delay where the door has none."""
    if options.delay is not None or event.notify.delay_hours is None:
        return options
    return options.with_delay(timedelta(hours=event.notify.delay_hours))


def suppressed(event: Event) -> Reason | None:
    """Why nobody waits for an SMS about an event, whoever can be reached."""
    return Reason.HISTORICAL if event.historical else None


def _facility_zone(context: _Context) -> str | None:
    facility_id = context.event.dose.facility_id
    if facility_id is None:
        return None
    doses.remember_facility(context.conn, facility_id, context.event.dose.facility)
    return doses.facility_zone(context.conn, facility_id)


def dose_values(event: Event, options: PlanOptions, person: Person) -> dict[str, Any]:
    """The columns of a dose that an event fills."""
    data = event.dose
    values: dict[str, Any] = {
        "person_id": person.id,
        "status": DoseStatus.GIVEN.value,
        "number": data.number,
        "series_total": data.series_total,
        "vaccine_code": data.vaccine_code,
        "vaccine_system": data.vaccine_system,
        "product": data.product,
        "lot": data.lot,
        "given_on": data.given_on,
        "facility_id": data.facility_id,
        "facility": data.facility,
    }
    if event.recorded_at is not None:
        values["recorded_at"] = event.recorded_at
    if options.entered_by is not None:
        values["entered_by"] = options.entered_by
    return values


def _shown(person: Person | None, shot: Any) -> tuple[Any, ...]:
    """Everything that the certificate says."""
    whose = (person.name, person.nik, person.birth_date) if person else ()
    return (*whose, *_dose_shown(shot))


def _dose_shown(shot: Any) -> tuple[Any, ...]:
    return tuple(shot[name] for name in _SHOWN)
