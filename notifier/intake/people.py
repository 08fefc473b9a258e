"""Whose dose is it? A person is matched by the source's id, else by NIK, else never merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput
from notifier.core.identity import name_words
from notifier.core.ids import new_id
from notifier.core.phones import BadPhone, read_mobile
from notifier.core.states import Reason
from notifier.core.words import DEFAULT_LANGUAGE
from notifier.intake.event import Event, PersonData
from notifier.services import Services
from notifier.store import persons
from notifier.store.persons import Person


def indexes(services: Services, event: Event) -> tuple[bytes | None, bytes | None]:
    """The blind indexes of the source's id and the NIK of an event's person: what two events of one person share, so
    that both cannot insert the person at once."""
    person = event.person
    source = event.person_ref or (person.id if person else None)
    nik = person.nik if person else None
    return (
        persons.source_index(services.sealer, source) if source else None,
        persons.nik_index(services.sealer, nik) if nik else None,
    )


def find_or_add(
    conn: Connection, services: Services, event: Event, *, of_dose: str | None, at: datetime
) -> tuple[Person | None, Person]:
    """(as it was, as it is): the person of an event, added or brought up to date. `of_dose`: whom the dose belongs to
    so far. A null never erases what is known. Raises BadInput where the event only refers to somebody unknown."""
    data = event.person
    if data is None:
        return _referred(conn, services, event, of_dose)
    source = persons.source_index(services.sealer, data.id) if data.id else None
    known_id = _match(conn, services, data, source, of_dose)
    if known_id is None:
        added = fresh(services, data, event.recorded_at)
        persons.insert(conn, services.sealer, added, source=source, at=at)
        return None, added
    known = persons.get(conn, services.sealer, known_id)
    if contradicts(known, data):
        raise BadInput.of(
            "person.id", "person-differs", "this person is known with other data; correct one thing at a time"
        )
    if is_older_word(known, event.recorded_at):
        return known, known
    now = merged(services, known, data, event.recorded_at)
    if now != known:
        persons.update(conn, services.sealer, now, at=at)
    if source:
        persons.adopt_source(conn, known_id, source)
    return known, now


def is_older_word(known: Person, recorded_at: datetime | None) -> bool:
    """Whether an event says something about somebody of whom we have heard since."""
    return known.recorded_at is not None and recorded_at is not None and recorded_at < known.recorded_at


def _referred(conn: Connection, services: Services, event: Event, of_dose: str | None) -> tuple[Person | None, Person]:
    found = of_dose
    if event.person_ref:
        found = persons.find_by_source(conn, persons.source_index(services.sealer, event.person_ref))
    if found is None:
        raise BadInput.of("person", "patient-unknown", "we do not know this person yet; send the person with the dose")
    known = persons.get(conn, services.sealer, found)
    return known, known


def _match(
    conn: Connection, services: Services, data: PersonData, source: bytes | None, of_dose: str | None
) -> str | None:
    if source is not None:
        found = persons.find_by_source(conn, source)
        if found is not None:
            return found
    if of_dose is not None and (source is None or not persons.has_source(conn, of_dose)):
        return of_dose
    if data.nik:
        return _match_nik(conn, services, data, source)
    return None


def _match_nik(conn: Connection, services: Services, data: PersonData, source: bytes | None) -> str | None:
    """By NIK only where the birth date agrees: one mistyped digit must not give a dose to a stranger. A person whom
    the source calls by another id is another person."""
    found = persons.find_by_nik(conn, persons.nik_index(services.sealer, data.nik or ""))
    if found is None or (source is not None and persons.has_source(conn, found)):
        return None
    return found if born_alike(persons.get(conn, services.sealer, found), data) else None


def born_alike(known: Person, data: PersonData) -> bool:
    """Whether nothing speaks against one birth date."""
    return known.birth_date is None or data.birth_date is None or known.birth_date == data.birth_date


def contradicts(known: Person, data: PersonData) -> bool:
    """Whether `data` is hardly the same person: two of name, birth date and NIK are others. One may be a correction;
    two are an id that its source uses for two people, and merging them would show one the other's certificate."""
    others = (
        name_words(known.name).isdisjoint(name_words(data.name)),
        known.birth_date is not None and data.birth_date is not None and known.birth_date != data.birth_date,
        known.nik is not None and data.nik is not None and known.nik != data.nik,
    )
    return sum(others) >= 2


def _phone(services: Services, text: str | None) -> tuple[str | None, str | None]:
    """(number, problem): E.164 where it can receive an SMS, else as it was written, with the rule it breaks."""
    if text is None:
        return None, None
    settings = services.settings
    try:
        return read_mobile(text, region=settings.country, allowed=settings.countries).e164, None
    except BadPhone as error:
        return text, error.rule


def fresh(services: Services, data: PersonData, recorded_at: datetime | None) -> Person:
    """Somebody whom nobody knew."""
    number, problem = _phone(services, data.phone)
    return Person(
        id=new_id(),
        name=data.name,
        nik=data.nik,
        birth_date=data.birth_date,
        phone=number,
        phone_problem=problem,
        language=data.language or DEFAULT_LANGUAGE,
        time_zone=data.time_zone,
        recorded_at=recorded_at,
    )


def merged(services: Services, known: Person, data: PersonData, recorded_at: datetime | None) -> Person:
    """Somebody known, with what a newer word says."""
    number, problem = (known.phone, known.phone_problem) if data.phone is None else _phone(services, data.phone)
    if number == known.phone and known.phone_problem == Reason.WRONG_NUMBER:
        problem = known.phone_problem  # a stranger's number does not become theirs by being said again
    return replace(
        known,
        name=data.name,
        nik=data.nik or known.nik,
        birth_date=data.birth_date or known.birth_date,
        phone=number,
        phone_problem=problem,
        language=data.language or known.language,
        time_zone=data.time_zone or known.time_zone,
        recorded_at=recorded_at or known.recorded_at,
    )
