"""The plain event: a dose that nobody knew yet, of a person who is new or as we know them. Many of them are written as
one set of rows, the same rows that `one.record_one` writes for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from notifier.certificates.issue import new_number
from notifier.core.errors import SealBroken
from notifier.core.ids import new_ids
from notifier.core.states import Kind, Reason, State
from notifier.intake import effects, people, reported
from notifier.intake.effects import RecordOutcome
from notifier.intake.event import EventType, PersonData
from notifier.intake.one import Item, Job, Recorded, answer, draft_of, told
from notifier.messages import plan
from notifier.messages.plan import Planned, Subject
from notifier.services import Services
from notifier.store import audit, certificates, doses, events, notifications, persons
from notifier.store.persons import Draft, Person


@dataclass(frozen=True, slots=True)
class Shot:
    """A plain event. `added`: the person is new. `said_at`: the person is known, and this is the newest word about
    them."""

    item: Item
    person: Person
    added: Draft | None = None
    said_at: datetime | None = None


def shot_of(job: Job, item: Item, by_source: Mapping[bytes, Any], by_nik: Mapping[bytes, Any]) -> Shot | None:
    """The event of an unknown dose, where it is plain; None where it is not. The persons are those who have its ids."""
    event, services = item.event, job.services
    if event.person is None or event.event_type is EventType.ENTERED_IN_ERROR:
        return None
    try:
        known, is_adopted = match(services, item, event.person, by_source, by_nik)
    except SealBroken:
        return None
    if known is None:
        draft = item.draft or draft_of(services, event, item.source)
        return Shot(item, draft.person, draft) if draft else None
    if is_adopted or people.contradicts(known, event.person):
        return None
    if people.is_older_word(known, event.recorded_at):
        return Shot(item, known)
    merged = people.merged(services, known, event.person, event.recorded_at)
    if replace(merged, recorded_at=known.recorded_at) != known:
        return None
    return Shot(item, merged, said_at=None if merged == known else merged.recorded_at)


def match(
    services: Services, item: Item, data: PersonData, by_source: Mapping[bytes, Any], by_nik: Mapping[bytes, Any]
) -> tuple[Person | None, bool]:
    """(the person whose event it is, whether the source's id is new to them); as `people.find_or_add` matches."""
    if item.source is not None and item.source in by_source:
        return persons.opened(services.sealer, by_source[item.source]._mapping), False
    row = by_nik.get(item.nik) if item.nik is not None else None
    if row is None or (item.source is not None and row.source_index is not None):
        return None, False
    known = persons.opened(services.sealer, row._mapping)
    return (known, item.source is not None) if people.born_alike(known, data) else (None, False)


@dataclass(frozen=True, slots=True)
class _Rows:
    """What one shot adds to each table."""

    event: dict[str, Any]
    dose: dict[str, Any]
    certificate: dict[str, Any]
    planned: Planned
    accepted: dict[str, Any]
    answer: Recorded


def write(conn: Connection, job: Job, shots: Sequence[Shot], facilities: Mapping[str, str | None]) -> list[Recorded]:
    """Writes the shots, none of which shares a dose or a person with another; their answers. `facilities`: the zones of
    the known ones. Raises IntegrityError and DataError, and then has written a part."""
    at = job.services.clock.now()
    _remember_facilities(conn, shots, facilities)
    rows = [_rows(job, shot, facilities.get(shot.item.event.dose.facility_id or ""), at) for shot in shots]
    # in the order of the foreign keys
    events.insert_settled(conn, [row.event for row in rows])
    persons.insert_many(conn, [shot.added for shot in shots if shot.added is not None], at=at)
    persons.note_words_of(conn, {shot.person.id: shot.said_at for shot in shots if shot.said_at is not None}, at=at)
    doses.insert_many(conn, [row.dose for row in rows], at=at)
    certificates.insert_many(conn, [row.certificate for row in rows])
    certificates.insert_links(conn, [link for row in rows for link in row.planned.links])
    notifications.insert_many(conn, [row.planned.notification for row in rows])
    audit.write_many(conn, [line for row in rows for line in (*row.planned.audit, row.accepted)])
    recorded = {row.dose["id"]: shot.person for row, shot in zip(rows, shots, strict=True)}
    reported.note(conn, job.services, recorded, at=at)
    return [row.answer for row in rows]


def _remember_facilities(conn: Connection, shots: Sequence[Shot], known: Mapping[str, str | None]) -> None:
    fresh: dict[str, str | None] = {}
    for shot in shots:
        dose = shot.item.event.dose
        if dose.facility_id is not None and dose.facility_id not in known:
            fresh.setdefault(dose.facility_id, dose.facility)
    for facility_id in sorted(fresh):  # in one order: two batches may both be the first to name some
        doses.remember_facility(conn, facility_id, fresh[facility_id])


def _rows(job: Job, shot: Shot, facility_zone: str | None, at: datetime) -> _Rows:
    event, person = shot.item.event, shot.person
    event_row_id, dose_id, certificate_id, audit_id = new_ids(4)
    planned = plan.rows_of(
        job.services,
        Subject(person, dose_id, certificate_id, facility_zone, event_row_id),
        Kind.CERTIFICATE,
        accepted_at=at,
        at=at,
        generation=1,
        options=effects.options_for(event, job.options),
        suppress=effects.suppressed(event),
    )
    message = planned.notification
    reason = Reason(message["reason"]) if message["status"] == State.SUPPRESSED else None
    outcome = RecordOutcome.SUPPRESSED if reason else RecordOutcome.PLANNED
    return _Rows(
        event={
            "id": event_row_id,
            "event_id": event.event_id,
            "event_type": event.event_type.value,
            "content_index": shot.item.content,
            "door": job.door.value,
            "accepted_at": at,
            "recorded_at": event.recorded_at,
            "outcome": outcome.value,
            "reason": reason.value if reason else None,
            "dose_id": dose_id,
            "notification_id": message["id"],
        },
        dose={
            "id": dose_id,
            "source_id": event.dose.id,
            **_NOT_GIVEN,
            **effects.dose_values(event, job.options, person),
        },
        certificate=certificates.new_row(
            certificate_id=certificate_id, number=new_number(), person_id=person.id, dose_id=dose_id, at=at
        ),
        planned=planned,
        accepted=audit.new_row(
            row_id=audit_id,
            at=at,
            actor=job.actor,
            action="event.accepted",
            subject="dose",
            subject_id=dose_id,
            detail=told(event, outcome, reason, message["reference"]),
        ),
        answer=answer(shot.item, outcome, message, reason),
    )


#: columns that one event has and the next has not
_NOT_GIVEN = {"recorded_at": None, "entered_by": None}
