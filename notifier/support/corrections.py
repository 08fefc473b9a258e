"""Staff correct or withdraw a dose that is on file, whichever door it came by: each change is an event like any other,
made from what we hold plus what was typed, so that every rule of intake holds (dedupe, locks, what happens to links,
messages, cases and tries).

The event's id is made of the dose and of the revision that the person at the form saw: pressed twice it is one event,
and of two who correct at once the second is refused (`changed-meanwhile`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, Conflict, Problem, Refused
from notifier.core.states import NOT_LEFT, Lane, Reason, RegistryEvent, State
from notifier.intake.event import Event, EventType, now_as_today, read_event, warnings_for
from notifier.intake.one import Item, Job, item_of, record_one
from notifier.intake.record import Door, PlanOptions, Recorded, RecordOutcome, in_transaction
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store import audit, doses, events, locks, persons, registry_outbox
from notifier.support.dose_on_file import FIELDS, Held, look, look_in
from notifier.support.resend import read_reason

#: an event's null erases none of these, so an empty field leaves them as they are
KEPT_WHEN_EMPTY = frozenset({"name", "nik", "birth_date", "phone"})
_CODE = "vaccine_code"


class CheckedHow(StrEnum):
    """How somebody made sure that the change is right."""

    ID_CARD = "id-card"  #: face to face, with an identity card
    CALLED = "called-on-file"  #: called the person at the number on file
    OTHER = "other"  #: in words


class Consequence(StrEnum):
    """What a correction does to the messages."""

    WAITING = "waiting"  #: nothing has left: what is sent is the corrected
    HELD = "held"  #: it waits for somebody's decision, and still does
    CORRECTION = "correction"  #: it has left: new certificate, dead links, an SMS that says so
    NEW_LINK = "new-link"  #: an SMS with a new link; links that went to the old number are dead
    NO_SMS = "no-sms"  #: the certificate is right, nobody is told


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of FIELDS (or `vaccine_code`), as it is and as it will be."""

    name: str
    old: Any = field(repr=False)
    new: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """A correction that can be recorded. `due_at`: when the SMS of it goes, where one goes."""

    event: Event = field(repr=False)
    differences: tuple[Difference, ...]
    warnings: tuple[Problem, ...]
    consequence: Consequence
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Checked:
    """How the change was checked, as the audit keeps it."""

    how: CheckedHow
    words: str = ""


def read_checked(how: str, words: str) -> Checked:
    """What was chosen and typed. Raises BadInput: `checked` where nothing is chosen, `checked_words` where "other" has
    no words or they are too long."""
    try:
        chosen = CheckedHow(how)
    except ValueError:
        raise BadInput.of("checked", "choice", "choose how the person was checked") from None
    if chosen is not CheckedHow.OTHER and not words.strip():
        return Checked(chosen)
    try:
        return Checked(chosen, read_reason(words))
    except BadInput as bad:
        raise BadInput([Problem("checked_words", one.rule, one.detail) for one in bad.problems]) from None


def draft(services: Services, held: Held, changes: Mapping[str, Any], *, revision: str | None = None) -> Draft:
    """The correction that `changes` (by FIELDS; only what was typed) asks for. Raises BadInput with the event's fields,
    also where nothing is another than on file (`nothing-changed`), or Refused (`withdrawn`)."""
    if held.is_withdrawn:
        raise Refused(Reason.WITHDRAWN)
    event = corrected_event(services, held, changes, event_id=_event_id(held, revision or held.revision))
    differences = _differences(held, event)
    if not differences:
        raise _unchanged()
    consequence = _consequence(held, {one.name for one in differences})
    return Draft(event, differences, tuple(warnings_for(event)), consequence, _due(services, held, consequence))


def compare(services: Services, held: Held, changes: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What is on file beside what was typed; nothing where that cannot stand together."""
    try:
        event = corrected_event(services, held, changes, event_id=_event_id(held, held.revision))
    except BadInput:
        return ()
    return _differences(held, event)


def correct(
    services: Services,
    reference: str,
    changes: Mapping[str, Any],
    *,
    revision: str,
    checked: Checked,
    only_facility: str | None,
    actor: str,
) -> Recorded:
    """Records a correction of what stood at `revision`. Raises NotFound, BadInput (nothing was written), or Refused
    (`changed-meanwhile`, `withdrawn`)."""
    held = look(services, reference, only_facility=only_facility)
    event = corrected_event(services, held, changes, event_id=_event_id(held, revision))
    names = ",".join(one.name for one in _differences(held, event))
    said = {"how": checked.how.value, "reason": checked.words or None, "fields": names}
    return _record(services, reference, only_facility, event, revision, actor, "dose.corrected", said)


def withdraw(
    services: Services, reference: str, *, revision: str, reason: str, only_facility: str | None, actor: str
) -> Recorded:
    """Takes back a dose that was entered in error: before the SMS leaves it is cancelled, after it the certificate is
    revoked and its links say so. Raises NotFound, BadInput, or Refused (`changed-meanwhile`, `withdrawn`)."""
    reason = read_reason(reason)
    held = look(services, reference, only_facility=only_facility)
    body = {
        "event_id": _event_id(held, revision),
        "event_type": EventType.ENTERED_IN_ERROR.value,
        "recorded_at": _newest_word(services, held),
        "dose": {"id": held.dose.source_id},
    }
    event = read_event(body, today=now_as_today(services.clock.now()))
    return _record(services, reference, only_facility, event, revision, actor, "dose.withdrawn", {"reason": reason})


def _event_id(held: Held, revision: str) -> str:
    return f"desk/{held.dose.id}/{revision[:80]}"


def _newest_word(services: Services, held: Held) -> str:
    """Ours is the last word so far, also where the registry's clock is ahead; what it repeats later comes too late."""
    said = (services.clock.now(), held.dose.recorded_at, held.person.recorded_at)
    return max(moment for moment in said if moment is not None).isoformat()


def corrected_event(services: Services, held: Held, changes: Mapping[str, Any], *, event_id: str) -> Event:
    """What we hold of a dose, with the changes (by FIELDS). The phone is named only where it is typed: null leaves it
    as it is. Raises BadInput with the event's fields."""
    told = {name: held.value(name) for name in FIELDS if name != "phone"}
    told |= {name: value for name, value in changes.items() if value is not None or name not in KEPT_WHEN_EMPTY}
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in told.items()}
    whose: dict[str, dict[str, Any]] = {"person": {}, "dose": {}}
    for name, value in told.items():
        part, column = FIELDS[name].split(".")
        whose[part][column] = value
    shot = held.dose
    is_same_vaccine = whose["dose"]["product"] == shot.product  # a code for another vaccine would contradict the name
    whose["dose"] |= {
        "id": shot.source_id,
        "vaccine_code": shot.vaccine_code if is_same_vaccine else None,
        "vaccine_system": shot.vaccine_system if is_same_vaccine else None,
        "facility": shot.facility,
        "facility_id": shot.facility_id,
    }
    body = {
        "event_id": event_id,
        "event_type": EventType.CORRECTED.value,
        "recorded_at": _newest_word(services, held),
        **whose,
    }
    required = services.settings.link_check is not LinkCheck.NONE
    event = read_event(body, today=now_as_today(services.clock.now()), require_birth_date=required)
    was_historical = held.newest is not None and held.newest.reason == Reason.HISTORICAL
    return event.model_copy(update={"historical": True}) if was_historical else event


def _differences(held: Held, event: Event) -> tuple[Difference, ...]:
    found = []
    for name, place in FIELDS.items():
        part, column = place.split(".")
        new, old = getattr(getattr(event, part), column), held.value(name)
        if new != old and not (new is None and name in KEPT_WHEN_EMPTY):
            found.append(Difference(name, old, new))
    if event.dose.vaccine_code != held.dose.vaccine_code:
        found.append(Difference(_CODE, held.dose.vaccine_code, event.dose.vaccine_code))
    return tuple(found)


def _consequence(held: Held, changed: set[str]) -> Consequence:
    """What intake.effects will do."""
    newest = held.newest
    if newest is None:
        return Consequence.NO_SMS
    if held.has_reached:
        return Consequence.NEW_LINK if changed == {"phone"} else Consequence.CORRECTION
    if State(newest.status) in NOT_LEFT:
        return Consequence.HELD if newest.status == State.HELD else Consequence.WAITING
    is_sent = "phone" in changed and newest.status != State.CANCELLED and newest.reason != Reason.HISTORICAL
    return Consequence.NEW_LINK if is_sent else Consequence.NO_SMS


def _due(services: Services, held: Held, consequence: Consequence) -> datetime | None:
    if consequence is Consequence.WAITING and held.newest is not None:
        due_at: datetime = held.newest.due_at
        return due_at
    if consequence not in {Consequence.CORRECTION, Consequence.NEW_LINK}:
        return None
    moment = services.clock.now() + timedelta(minutes=services.settings.undo_minutes)
    return services.quiet.next_allowed(moment, held.zone) if services.quiet else moment


def _record(
    services: Services,
    reference: str,
    only_facility: str | None,
    event: Event,
    revision: str,
    actor: str,
    action: str,
    said: Mapping[str, str | None],
) -> Recorded:
    undo = timedelta(minutes=services.settings.undo_minutes)
    # whoever asks waits for nothing but the minutes in which it can be taken back
    job = Job(services, Door.FORM, actor, PlanOptions(delay=timedelta(0), undo=undo, lane=Lane.FRESH))
    item = item_of(services, event)

    def work(conn: Connection) -> Recorded:
        is_new = _must_stand(conn, services, reference, only_facility, item, revision)
        if is_new and said.get("fields") == "":
            raise _unchanged()
        recorded = record_one(conn, job, item)
        if recorded.outcome is not RecordOutcome.REPEATED:
            shot = doses.find(conn, event.dose.id)
            if shot is not None:
                _audit(conn, services, shot.id, actor, action, said)
                _tell_registry(conn, shot, said.get("fields"), services.clock.now())
        return recorded

    try:
        return in_transaction(services, work)
    except Conflict:
        raise Refused("changed-meanwhile") from None


def _must_stand(
    conn: Connection, services: Services, reference: str, only_facility: str | None, item: Item, revision: str
) -> bool:
    """Keeps dose and person from changing until the transaction ends, and makes sure that they stand as they were seen;
    False where this very event has come before."""
    locks.hold(conn, *item.locks)
    held = look_in(conn, services, reference, only_facility)
    persons.hold(conn, held.person.id)
    if events.find(conn, item.event.event_id) is not None:
        return False
    held = look_in(conn, services, reference, only_facility)
    if held.is_withdrawn:
        raise Refused(Reason.WITHDRAWN)
    if held.revision != revision:
        raise Refused("changed-meanwhile")
    return True


def _tell_registry(conn: Connection, shot: Any, fields: str | None, at: datetime) -> None:
    """The registry does not know what was changed here. `fields`: names of FIELDS; None: the dose was withdrawn."""
    if fields is None:
        registry_outbox.add(conn, RegistryEvent.DOSE_WITHDRAWN, shot.id, at)
        return
    names = fields.split(",")
    of_person = [name for name in names if FIELDS.get(name, "").startswith("person.")]
    of_dose = [name for name in names if name not in of_person]
    if of_person:
        registry_outbox.add(conn, RegistryEvent.PERSON_CORRECTED, shot.person_id, at, fields=of_person)
    if of_dose:
        registry_outbox.add(conn, RegistryEvent.DOSE_CORRECTED, shot.id, at, fields=of_dose)


def _unchanged() -> BadInput:
    return BadInput.of("", "nothing-changed", "nothing is another than on file")


def _audit(
    conn: Connection, services: Services, dose_id: str, actor: str, action: str, said: Mapping[str, str | None]
) -> None:
    audit.write(conn, at=services.clock.now(), actor=actor, action=action, subject="dose", subject_id=dose_id, **said)
