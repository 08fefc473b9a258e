"""What operators do to one notification: send again, cancel; and the kill switch over all. Each has a reason."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.ids import read_reference
from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.core.reasons import read_reason as read_reason
from notifier.core.segments import Size, measure
from notifier.core.states import LEFT, NOT_LEFT, Channel, DoseStatus, Kind, Lane, Reason, State
from notifier.messages import plan
from notifier.messages.gather import addressee
from notifier.messages.plan import PlanOptions, Subject
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES, Services
from notifier.store import (
    audit,
    cases,
    certificates,
    counters,
    doses,
    locks,
    notifications,
    persons,
    suppressions,
    unknowns,
)
from notifier.support import cooldown, lockouts

LATEST = timedelta(days=60)

#: kinds that a person holds and may be sent again; the others belong to a conversation that is over
RESENDABLE = frozenset({Kind.CERTIFICATE, Kind.CORRECTION, Kind.RENEWAL})


def resend(
    services: Services,
    reference: str,
    *,
    at: datetime | None = None,
    reason: str,
    actor: str,
    still: Callable[[notifications.Row], bool] | None = None,
) -> notifications.Row:
    """A new generation with a new link, due at `at` (now where None), moved into the allowed hours; its row. A held
    notification is released instead. `still`: what whoever decides has seen of the row and must hold yet, or somebody
    else has decided. Raises NotFound, BadInput, or Refused with the reason (`changed-meanwhile` for `still`)."""
    now = services.clock.now()
    reason = read_reason(reason)
    due_at = read_due(at, now)
    with services.db.write() as conn:
        row = _find(conn, services, reference)
        if still is not None and not still(row):
            raise Refused("changed-meanwhile")
        due_at = _allowed(conn, services, row, due_at)
        if row.status == State.HELD:
            new = _release(conn, row, due_at, now)
        else:
            _not_too_often(conn, services, row, due_at)
            new = _next_generation(conn, services, row, due_at, actor, reason)
            # where nobody knows whether the old one was accepted: it stays so, decided about
            strict = still is not None and State(row.status) is State.UNKNOWN
            decided = unknowns.decide_unknown(conn, row.id, reason=Reason.SENT_AGAIN, at=now, only_undecided=strict)
            if strict and not decided:
                raise Refused("changed-meanwhile")
        audit.write(
            conn,
            at=now,
            actor=actor,
            action="notification.resend",
            subject="notification",
            subject_id=row.id,
            reason=reason,
            reference=new.reference,
            was=row.status,
        )
        return new


@dataclass(frozen=True, slots=True)
class Preview:
    """What a resend would do. `text` has `link` where the new link will stand, of the same length."""

    row: notifications.Row
    mobile: str | None = field(repr=False)
    text: str = field(repr=False)
    link: str
    size: Size
    due_at: datetime
    live_links: int  #: links to the certificate that were sent and still open it; a resend leaves them so


def preview(services: Services, reference: str, *, at: datetime | None = None) -> Preview:
    """What `resend` would do, with the refusals that it would give; nothing is written."""
    now = services.clock.now()
    due_at = read_due(at, now)
    with services.db.read() as conn:
        row = find(conn, reference)
        due_at = _allowed(conn, services, row, due_at)
        if row.status != State.HELD:
            _not_too_often(conn, services, row, due_at, lock=False)
        person = addressee(conn, services, row)
        if person is None:
            raise Refused(Reason.UNREADABLE)
        shot = doses.get(conn, row.dose_id) if row.dose_id else None
        live = certificates.count_live_links(conn, row.dose_id, now) if row.dose_id else 0
    link = f"{services.settings.public_url}/c/{'x' * TOKEN_LENGTH}"
    text = SmsTexts(TEMPLATES / "sms", services.settings.sender_name).render(
        Kind(row.kind),
        language=person.language,
        name=person.name,
        dose_number=shot.number if shot else None,
        link=link if row.link_id else None,
        own=services.programme.texts,
    )
    return Preview(row, person.mobile, text, link, measure(text), due_at, live)


def cancel(
    services: Services, reference: str, *, reason: str, actor: str, old: Collection[State] = NOT_LEFT
) -> notifications.Row:
    """Takes back what has not left yet, and stands in one of `old`; its row. Raises NotFound, BadInput, or Refused
    (`has-left`, `already-stopped`, `changed-meanwhile`)."""
    now = services.clock.now()
    reason = read_reason(reason)
    with services.db.write() as conn:
        row = _find(conn, services, reference)
        moved = notifications.move(conn, [row.id], State.CANCELLED, old=old, at=now, reason=Reason.OPERATOR)
        if not moved:
            raise Refused(_why_not_cancelled(State(notifications.get(conn, row.id).status)))
        audit.write(
            conn,
            at=now,
            actor=actor,
            action="notification.cancel",
            subject="notification",
            subject_id=row.id,
            reason=reason,
        )
        return notifications.get(conn, row.id)


def set_aside(services: Services, reference: str, *, reason: str, actor: str) -> notifications.Row:
    """Holds one message back that has not left: it waits until somebody releases or cancels it; its row. Raises
    NotFound, BadInput, or Refused (`has-left`, `already-held`, `already-stopped`)."""
    now, waiting = services.clock.now(), (State.SCHEDULED, State.CLAIMED)
    reason = read_reason(reason)
    with services.db.write() as conn:
        row = _find(conn, services, reference)
        moved = notifications.move(conn, [row.id], State.HELD, old=waiting, at=now, reason=Reason.OPERATOR)
        if not moved:
            state = State(notifications.get(conn, row.id).status)
            raise Refused("already-held" if state is State.HELD else _why_not_cancelled(state))
        audit.write(
            conn,
            at=now,
            actor=actor,
            action="notification.set-aside",
            subject="notification",
            subject_id=row.id,
            reason=reason,
        )
        return notifications.get(conn, row.id)


def _why_not_cancelled(state: State) -> str:
    if state in LEFT:
        return "has-left"
    return "changed-meanwhile" if state in NOT_LEFT else "already-stopped"


def unlock(services: Services, reference: str, *, reason: str, actor: str) -> None:
    """Forgets the wrong birth dates that were tried for the person of a notification, so that the links open again. Who
    calls has made sure of the person. Raises NotFound, BadInput, or Refused (`not-locked`)."""
    now = services.clock.now()
    reason = read_reason(reason)
    with services.db.write() as conn:
        row = find(conn, reference)
        if row.person_id is None:
            raise Refused("not-locked")
        lockouts.unlock(conn, services, row.person_id, at=now, actor=actor, reason=reason, reference=row.reference)


def hold(services: Services, *, reason: str, actor: str) -> bool:
    """Turns the kill switch on: no worker claims anything. False where it was on already."""
    return _switch(services, is_on=True, reason=reason, actor=actor)


def release(services: Services, *, reason: str, actor: str) -> bool:
    """Turns the kill switch off. False where it was off already."""
    return _switch(services, is_on=False, reason=reason, actor=actor)


def _switch(services: Services, *, is_on: bool, reason: str, actor: str) -> bool:
    now = services.clock.now()
    reason = read_reason(reason)
    with services.db.write() as conn:
        changed = counters.set_switch(conn, counters.HOLD, is_on=is_on, by=actor, reason=reason, at=now)
        if changed:
            audit.write(
                conn,
                at=now,
                actor=actor,
                action="switch.hold" if is_on else "switch.release",
                subject="switch",
                subject_id=counters.HOLD,
                reason=reason,
            )
    return changed


def read_due(at: datetime | None, now: datetime) -> datetime:
    """The moment that was asked for, not before now; now where None. Raises BadInput."""
    if at is None:
        return now
    if at < now - timedelta(minutes=1):
        raise BadInput.of("at", "in-past", "choose a time that is still to come")
    if at > now + LATEST:
        raise BadInput.of("at", "too-late", f"choose a time within {LATEST.days} days")
    return max(at, now)


def find(conn: Connection, reference: str) -> notifications.Row:
    """The notification with a reference, as typed. Raises NotFound."""
    row = notifications.find(conn, read_reference(reference))
    if row is None:
        raise NotFound("there is no notification with this reference")
    return row


def _find(conn: Connection, services: Services, reference: str) -> notifications.Row:
    row = find(conn, reference)
    if row.dose_id is None:
        return row
    # what an event is doing to the same dose, or a second operator, comes before us or after us, never in between
    locks.hold(conn, locks.dose_key(services.sealer, doses.get(conn, row.dose_id).source_id))
    return notifications.get(conn, row.id)


def _allowed(conn: Connection, services: Services, row: notifications.Row, due_at: datetime) -> datetime:
    if services.quiet is None or row.any_hour:
        return due_at
    if row.person_id is None:
        return services.quiet.next_allowed(due_at, services.zone)
    person = persons.get(conn, services.sealer, row.person_id)
    return services.quiet.next_allowed(due_at, plan.zone_of(services, person, _facility_zone(conn, row)))


def _not_too_often(
    conn: Connection, services: Services, row: notifications.Row, due_at: datetime, *, lock: bool = True
) -> None:
    if row.person_id is None:
        raise Refused("not-resendable")
    person = persons.get(conn, services.sealer, row.person_id)
    _sendable_certificate(conn, services, row, person)  # why it cannot be sent at all comes before when it can
    zone = plan.zone_of(services, person, _facility_zone(conn, row))
    quiet = None if row.any_hour else services.quiet
    cooldown.check(conn, services, row.person_id, due_at, zone=zone, quiet=quiet, lock=lock)


def _facility_zone(conn: Connection, row: notifications.Row) -> str | None:
    facility_id = doses.get(conn, row.dose_id).facility_id if row.dose_id else None
    return doses.facility_zone(conn, facility_id) if facility_id else None


def _release(conn: Connection, row: notifications.Row, due_at: datetime, now: datetime) -> notifications.Row:
    moved = notifications.move(
        conn, [row.id], State.SCHEDULED, old=[State.HELD], at=now, due_at=due_at, planned_for=due_at
    )
    if not moved:
        raise Refused("changed-meanwhile")
    return notifications.get(conn, row.id)


def _next_generation(
    conn: Connection,
    services: Services,
    row: notifications.Row,
    due_at: datetime,
    actor: str,
    reason: str,
) -> notifications.Row:
    person = persons.get(conn, services.sealer, row.person_id)
    certificate_id = _sendable_certificate(conn, services, row, person)
    subject = Subject(person, row.dose_id, certificate_id, _facility_zone(conn, row))
    return add_generation(conn, services, row, subject, due_at=due_at, lane=Lane.FRESH, actor=actor, reason=reason)


def add_generation(
    conn: Connection,
    services: Services,
    row: notifications.Row,
    subject: Subject,
    *,
    due_at: datetime,
    lane: Lane,
    actor: str,
    reason: str,
    bulk_id: str | None = None,
) -> notifications.Row:
    """The same message once more, with a new link; the caller holds the dose's line and has made sure that it may be
    sent. `bulk_id`: the bulk that it belongs to."""
    return plan.add(
        conn,
        services,
        subject,
        Kind(row.kind),
        accepted_at=services.clock.now(),
        options=PlanOptions(any_hour=row.any_hour, lane=lane),
        due_at=due_at,
        parent_id=row.id,
        requested_by=actor.removeprefix("staff:") if actor.startswith("staff:") else None,
        request_reason=reason,
        bulk_id=bulk_id,
    )


def _sendable_certificate(conn: Connection, services: Services, row: notifications.Row, person: persons.Person) -> str:
    """The certificate that a new link would open. Raises Refused where nothing may be sent."""
    if Kind(row.kind) not in RESENDABLE or row.dose_id is None:
        raise Refused("not-resendable")
    if doses.get(conn, row.dose_id).status == DoseStatus.WITHDRAWN:
        raise Refused(Reason.WITHDRAWN)
    if any(State(other.status) in {*NOT_LEFT, State.SENDING} for other in notifications.of_dose(conn, row.dose_id)):
        raise Refused("still-waiting")
    if person.deceased_at is not None:
        raise Refused(Reason.DECEASED)
    unreachable = plan.unreachable(person)
    if unreachable is not None:
        raise Refused(unreachable)
    number = persons.phone_index(services.sealer, person.mobile) if person.mobile else b""
    if cases.pause_in_force(conn, person_id=person.id, phone_index=number) is not None:
        raise Refused(Reason.NOT_ME)
    if suppressions.standing(conn, number, channel=Channel(row.channel)):
        raise Refused(Reason.OPTED_OUT)
    certificate_id = certificates.valid_of_dose(conn, row.dose_id)
    if certificate_id is None:
        raise Refused("no-valid-certificate")
    return certificate_id
