"""One dose as we hold it, for whoever wants to correct it: what is on file, who may see it, who changed it last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound, Refused, SealBroken
from notifier.core.ids import read_reference
from notifier.core.states import LEFT, DoseStatus, Reason, State
from notifier.messages.plan import zone_of
from notifier.services import Services
from notifier.store import audit, cases, certificates, desk, doses, events, notifications, persons
from notifier.store.desk import Row
from notifier.store.persons import Person
from notifier.support.resend import read_reason

#: what can be corrected: our name of it -> the event's
FIELDS = {
    "name": "person.name",
    "nik": "person.nik",
    "birth_date": "person.birth_date",
    "phone": "person.phone",
    "product": "dose.product",
    "lot": "dose.lot",
    "number": "dose.number",
    "series_total": "dose.series_total",
    "given_on": "dose.given_on",
}
_CHANGES = ("event.accepted", "dose.corrected", "dose.withdrawn")


@dataclass(frozen=True, slots=True)
class Held:
    """What we hold of one dose. `revision`: a word that is another one after any change of it."""

    dose: Row
    person: Person
    messages: list[Row]  #: those that bear a link, newest first
    is_first: bool  #: the person was not known before this dose: their data came with it
    has_reached: bool  #: a link to the certificate as it stands has left
    zone: ZoneInfo
    revision: str

    @property
    def newest(self) -> Row | None:
        return self.messages[0] if self.messages else None

    @property
    def is_withdrawn(self) -> bool:
        return bool(self.dose.status == DoseStatus.WITHDRAWN)

    def value(self, name: str) -> Any:
        """What is on file for one of FIELDS."""
        whose, column = FIELDS[name].split(".")
        return getattr(self.person if whose == "person" else self.dose, column)


def look(services: Services, reference: str, *, only_facility: str | None) -> Held:
    """What we hold of the dose that a notification is about. Raises NotFound, also for another facility's, or Refused
    (`unreadable`)."""
    with services.db.read() as conn:
        return look_in(conn, services, reference, only_facility)


def may_see_typed(held: Held, *, facility_id: str | None, today: date, zone: ZoneInfo) -> bool:
    """Whether somebody of a facility sees the person's data unmasked: all of it was typed there on this very day. Of
    somebody who was recognised the form has shown initials and a masked number, so it was not."""
    shot = held.dose
    is_theirs = facility_id is not None and shot.facility_id == facility_id and shot.entered_by is not None
    is_theirs = is_theirs and held.is_first
    return is_theirs and shot.created_at.astimezone(zone).date() == today


def look_in(conn: Connection, services: Services, reference: str, only_facility: str | None) -> Held:
    """`look` inside a transaction."""
    row = desk.find_visible(conn, read_reference(reference), only_facility)
    if row is None or row.dose_id is None:
        raise NotFound("there is no notification about a dose with this reference")
    shot = doses.get(conn, row.dose_id)
    if only_facility not in (None, shot.facility_id) or shot.person_id is None:
        raise NotFound("there is no dose of this facility behind the reference")
    return held_of(conn, services, shot)


def held_of(conn: Connection, services: Services, shot: Row) -> Held:
    """What we hold of a dose of somebody, by its row. Raises Refused (`unreadable`)."""
    try:
        person = persons.get(conn, services.sealer, shot.person_id)
    except SealBroken:
        raise Refused(Reason.UNREADABLE) from None
    messages = notifications.of_dose(conn, shot.id)
    valid = certificates.valid_of_dose(conn, shot.id)
    facility_zone = doses.facility_zone(conn, shot.facility_id) if shot.facility_id else None
    return Held(
        dose=shot,
        person=person,
        messages=messages,
        is_first=all(
            (one.created_at, one.id) >= (shot.created_at, shot.id) for one in doses.of_person(conn, person.id)
        ),
        has_reached=any(State(one.status) in LEFT and one.certificate_id == valid for one in messages),
        zone=zone_of(services, person, facility_zone),
        revision=_revision(services, shot, person, events.count_of_dose(conn, shot.id)),
    )


def _revision(services: Services, shot: Row, person: Person, count: int) -> str:
    """The content alone would come back when a change is undone, and an id must not."""
    about_person = (person.id, person.name, person.nik, person.birth_date, person.phone, person.phone_problem)
    columns = ("status", "vaccine_code", "vaccine_system", "product", "lot", "number", "series_total", "given_on")
    content = json.dumps([*about_person, *(getattr(shot, name) for name in columns)], default=str)
    return f"{count}.{services.sealer.index('correction.revision', content).hex()}"


def reveal(services: Services, held: Held, *, reason: str, actor: str) -> None:
    """Writes down who looks at the person's data, and why, before they are shown. Raises BadInput."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        audit.write(
            conn,
            at=services.clock.now(),
            actor=actor,
            action="dose.revealed",
            subject="dose",
            subject_id=held.dose.id,
            reason=reason,
        )


@dataclass(frozen=True, slots=True)
class LastChange:
    """The newest thing that changed a dose. `by`: an actor of the audit."""

    at: datetime
    action: str
    by: str
    fields: tuple[str, ...]


def last_change(services: Services, held: Held) -> LastChange | None:
    """Who changed a dose last, for whoever wanted to at the same time."""
    with services.db.read() as conn:
        told = audit.of_subjects(conn, [held.dose.id])
    changes = [row for row in told if row.action in _CHANGES]
    if not changes:
        return None
    row = max(changes, key=lambda one: (one.at, _CHANGES.index(one.action)))  # a deed's own row says more
    return LastChange(row.at, row.action, row.actor, tuple(filter(None, row.detail.get("fields", "").split(","))))


def shared_with(services: Services, held: Held, e164: str) -> int:
    """How many other persons have a number."""
    with services.db.read() as conn:
        ids = persons.ids_with_phone(conn, persons.phone_index(services.sealer, e164))
    return len(set(ids) - {held.person.id})


def links_at_old_number(services: Services, held: Held) -> int:
    """How many links that went to the number on file end with another number."""
    if held.person.mobile is None:
        return 0
    index = persons.phone_index(services.sealer, held.person.mobile)
    with services.db.read() as conn:
        return cases.count_sent_links(conn, person_id=held.person.id, phone_index=index)
