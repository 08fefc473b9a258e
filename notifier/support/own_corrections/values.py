"""What was typed to correct one's own data, read; and what is on file for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from notifier.core.errors import BadInput
from notifier.core.identity import MAX_NAME_LENGTH, OLDEST_BIRTH_YEAR, BadNik, read_nik
from notifier.core.own_corrections import Field
from notifier.core.phones import BadPhone, read_mobile
from notifier.intake.fields import clean_text
from notifier.services import Services
from notifier.store.persons import Person


def read(services: Services, about: Field, typed: str) -> str:
    """The value as it is kept: a clean name, YYYY-MM-DD, 16 digits, E.164. Raises BadInput, whose field is
    `person.<field>` as an event calls it."""
    return _READ[about](services, typed)


def on_file(person: Person, about: Field) -> str | None:
    """What is recorded, in the same form."""
    found: Any = getattr(person, about.value)
    return found.isoformat() if isinstance(found, date) else found


def as_change(about: Field, value: str) -> dict[str, Any]:
    """The same as support.corrections takes it."""
    return {about.value: date.fromisoformat(value) if about is Field.BIRTH_DATE else value}


def _name(services: Services, typed: str) -> str:
    name = clean_text(typed)
    if not name:
        raise BadInput.of("person.name", "required", "write the name as on the identity card")
    if len(name) > MAX_NAME_LENGTH:
        raise BadInput.of("person.name", "too-long", f"at most {MAX_NAME_LENGTH} characters")
    if not any(ch.isalpha() for ch in name) or any(ch.isdigit() for ch in name) or not name.isprintable():
        raise BadInput.of("person.name", "name-letters", "a name has letters, and no digits")
    return name


def _nik(services: Services, typed: str) -> str:
    try:
        nik = read_nik(typed)
    except BadNik as bad:
        raise BadInput.of("person.nik", bad.rule, bad.detail) from None
    if len(set(nik)) == 1:
        raise BadInput.of("person.nik", "nik-placeholder", "a filler is nobody's NIK")
    return nik


def _birth_date(services: Services, typed: str) -> str:
    try:
        born = date.fromisoformat(typed)
    except ValueError:
        raise BadInput.of("person.birth_date", "date", "write the day, the month and the year") from None
    if born > services.clock.now().astimezone(services.zone).date():
        raise BadInput.of("person.birth_date", "in-future", "write a date that is not in the future")
    if born.year < OLDEST_BIRTH_YEAR:
        raise BadInput.of("person.birth_date", "date-too-early", f"write a year from {OLDEST_BIRTH_YEAR} on")
    return born.isoformat()


def _phone(services: Services, typed: str) -> str:
    try:
        settings = services.settings
        return read_mobile(typed, region=settings.country, allowed=settings.countries).e164
    except BadPhone as bad:
        raise BadInput.of("person.phone", bad.rule, bad.detail) from None


_READ = {Field.NAME: _name, Field.NIK: _nik, Field.BIRTH_DATE: _birth_date, Field.PHONE: _phone}
