"""The event: what a door hands to `record`, and the JSON of the API and the stream (CONTRACT, "Event").

Nothing that is raised here repeats a value: not in a problem's text, not as the cause of an exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from notifier.core.errors import BadInput, Problem
from notifier.core.identity import nik_agrees_with
from notifier.intake import fields
from notifier.intake.json_text import BODY, read_json

MAX_EVENT_BYTES = 1_000_000
#: somewhere on earth it is already tomorrow
SLACK = timedelta(days=1)
_PHONE_TAIL = 9  # digits: the same in 0812... and +62812...; shorter runs stand in many an id by chance

_FIELD_NAME = re.compile(r"[A-Za-z_]{1,40}", re.ASCII)


class EventType(StrEnum):
    """What happened to the dose."""

    RECORDED = "recorded"
    CORRECTED = "corrected"
    ENTERED_IN_ERROR = "entered_in_error"


def _read_type(value: Any) -> EventType:
    if isinstance(value, str):
        for kind in EventType:
            if value == kind.value:
                return kind
    raise fields.wrong("event-type", "write recorded, corrected or entered_in_error")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class PersonData(_Part):
    """Who was vaccinated. `id` is the source's own, stable; `phone` is as written, perhaps undialable."""

    id: fields.OptionalId = None
    name: fields.Name
    nik: fields.Nik = None
    birth_date: fields.Day = None
    phone: fields.PhoneText = None
    language: fields.Language = None
    time_zone: fields.Zone = None


class DoseData(_Part):
    """What was given. `id` is the same in all events of one dose; `given_on` is the calendar day at the facility."""

    id: fields.DoseId
    number: fields.Count = None
    series_total: fields.Count = None
    vaccine_code: fields.Code = None
    vaccine_system: fields.System = None
    product: fields.Words = None
    lot: fields.Code = None
    given_on: fields.Day = None
    facility: fields.Words = None
    facility_id: fields.OptionalId = None


class Notify(_Part):
    """How to tell the person. `delay_hours` None: the programme's own delay."""

    delay_hours: fields.Delay = None


def _notify_or_default(value: Any) -> Any:
    return Notify() if value is None else value


class EventBody(_Part):
    """An event as our own JSON spells it."""

    event_id: fields.EventId
    event_type: Annotated[EventType, BeforeValidator(_read_type)]
    recorded_at: fields.Moment = None
    person: PersonData | None = None
    dose: DoseData
    notify: Annotated[Notify, BeforeValidator(_notify_or_default)] = Field(default_factory=Notify)


class Event(EventBody):
    """An event as `record` takes it.

    `person_ref`: the source's id of a person who is not in the event and must be known already (FHIR's reference to a
    Patient elsewhere); `person` is None then. `historical`: copied from a card or another record, not reported by those
    who gave the dose (FHIR's primarySource false); it is recorded, but nobody waits for an SMS about it.
    """

    person_ref: fields.OptionalId = None
    historical: bool = False


# What pydantic calls a fault -> our rule and what to do. Its own messages are never used: they may quote the input.
_PYDANTIC_RULES: dict[str, tuple[str, str]] = {
    "missing": ("required", "this field is required"),
    "extra_forbidden": ("unknown-field", "there is no such field; leave it out"),
    "model_type": ("object", "write an object, in braces"),
    "model_attributes_type": ("object", "write an object, in braces"),
    "dict_type": ("object", "write an object, in braces"),
    "string_type": ("required", "this field is required"),  # our readers give None for a blank
    "invalid_key": ("unknown-field", "the name of a field is text"),
}
_OTHER_RULE = ("value", "this value cannot stand here")


def safe_name(name: object) -> str:
    """The name of a field that the sender made up, where it can hardly be a number, a date or a full name; else `?`."""
    return name if isinstance(name, str) and _FIELD_NAME.fullmatch(name) else "?"


def _path(location: Iterable[int | str]) -> str:
    return ".".join(safe_name(part) for part in location) or BODY


def _problem(fault: Mapping[str, Any]) -> Problem:
    kind = str(fault["type"])
    if kind in _PYDANTIC_RULES:
        return Problem(_path(fault["loc"]), *_PYDANTIC_RULES[kind])
    # our own: PydanticCustomError(rule, detail), where the detail is a literal of ours
    own = "ctx" not in fault and "_" not in kind
    return Problem(_path(fault["loc"]), *((kind, str(fault["msg"])) if own else _OTHER_RULE))


#: what an event has besides its JSON
_OURS = Event.model_fields.keys() - EventBody.model_fields.keys()


def _validated(data: dict[Any, Any]) -> tuple[Event | None, list[Problem]]:
    foreign = _OURS & data.keys()
    problems = [Problem(name, *_PYDANTIC_RULES["extra_forbidden"]) for name in sorted(foreign)]
    try:
        return Event.model_validate(
            {name: value for name, value in data.items() if name not in foreign} if foreign else data
        ), problems
    except ValidationError as error:
        return None, [*(_problem(fault) for fault in error.errors(include_url=False, include_input=False)), *problems]


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _lacking(data: Mapping[Any, Any], require_birth_date: bool, person_elsewhere: bool) -> Iterator[Problem]:
    """What an event about a dose that was given must have besides its ids."""
    person, dose = data.get("person"), data.get("dose")
    if person is None and not person_elsewhere:
        yield Problem("person", "required", "write who was vaccinated")
    if isinstance(person, Mapping):
        if _blank(person.get("name")):
            yield Problem("person.name", "required", "write the name as the registry has it")
        if require_birth_date and _blank(person.get("birth_date")):
            yield Problem("person.birth_date", "required", "write the birth date: it opens the certificate")
    if isinstance(dose, Mapping):
        if _blank(dose.get("given_on")):
            yield Problem("dose.given_on", "required", "write the day of the vaccination as YYYY-MM-DD")
        if _blank(dose.get("vaccine_code")) and _blank(dose.get("product")):
            yield Problem("dose.product", "required", "write vaccine_code or product")


def _contradictions(event: EventBody, today: date) -> Iterator[Problem]:
    latest = today + SLACK
    born = event.person.birth_date if event.person else None
    given, dose = event.dose.given_on, event.dose
    if born and born > latest:
        yield Problem("person.birth_date", "in-future", "write a date that is not in the future")
    if given and given > latest:
        yield Problem("dose.given_on", "in-future", "write a date that is not in the future")
    if given and born and given < born:
        yield Problem("dose.given_on", "before-birth", "the vaccination is before the birth date; correct one of them")
    if event.recorded_at and event.recorded_at.date() > latest:
        yield Problem("recorded_at", "in-future", "write a time that is not in the future")
    if dose.series_total and dose.number and dose.series_total < dose.number:
        yield Problem("dose.series_total", "series-range", "write at least the dose number, or null")
    yield from _exposures(event)


def _exposures(event: EventBody) -> Iterator[Problem]:
    """Ids are kept, logged and shown in the clear, so none may be made of a NIK or a telephone number."""
    if event.person is None:
        return
    digits = "".join(ch for ch in event.person.phone or "" if ch.isdigit())[-_PHONE_TAIL:]
    telling = len(digits) == _PHONE_TAIL and len(set(digits)) > 1
    secrets = [event.person.nik or "", digits if telling else ""]
    ids = {"event_id": event.event_id, "dose.id": event.dose.id, "dose.facility_id": event.dose.facility_id or ""}
    for field, text in ids.items():
        if any(secret and secret in text for secret in secrets):
            yield Problem(field, "personal-data", "use an id that holds no NIK and no telephone number")


def _first_of_each_field(problems: Iterable[Problem]) -> list[Problem]:
    found: dict[tuple[str, str], Problem] = {}
    fields_seen: set[str] = set()
    for problem in problems:
        if problem.field not in fields_seen or problem.rule == "unknown-field":
            found.setdefault((problem.field, problem.rule), problem)
        fields_seen.add(problem.field)
    return list(found.values())


def _without_empty_person(data: dict[Any, Any]) -> dict[Any, Any]:
    """A withdrawal needs no person, so one without a name is no fault: it is left out."""
    person = data.get("person")
    if isinstance(person, Mapping) and _blank(person.get("name")):
        return data | {"person": None}
    return data


def read_event(data: object, *, today: date, require_birth_date: bool = True, person_elsewhere: bool = False) -> Event:
    """The event in `data`, as our JSON spells it. `today` is the date in UTC; dates may be one day past it.

    `person_elsewhere`: the caller will name the person by `person_ref`, so that none need be given.
    Raises BadInput with a Problem for each field at fault.
    """
    if not isinstance(data, dict):
        raise BadInput.of(BODY, "object", "write an object, in braces")
    withdrawn = data.get("event_type") == EventType.ENTERED_IN_ERROR.value
    if withdrawn:
        data = _without_empty_person(data)
    body, problems = _validated(data)
    if not withdrawn:
        problems = [*_lacking(data, require_birth_date, person_elsewhere), *problems]
    if body is not None:
        problems += _contradictions(body, today)
    if body is None or problems:
        raise BadInput(_first_of_each_field(problems))
    return body


def read_event_json(body: bytes, *, today: date, require_birth_date: bool = True) -> Event:
    """The event in a JSON text of at most MAX_EVENT_BYTES. Raises BadInput as `read_json` and `read_event` do."""
    data = read_json(body, limit=MAX_EVENT_BYTES)
    return read_event(data, today=today, require_birth_date=require_birth_date)


def _plain(part: BaseModel) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in part.__dict__.items():
        if value is None or value is False:
            continue
        if isinstance(value, date):
            found[name] = value.isoformat()
        elif not isinstance(value, BaseModel):
            found[name] = value
        elif inner := _plain(value):
            found[name] = inner
    return found


def content_bytes(event: Event) -> bytes:
    """What the event says, in one spelling, for a keyed hash: equal for equal content, in any order of keys and in
    later versions too (a field that is not given leaves no trace). Personal data: never keep or log it as it is.

    The event's id and `recorded_at` are left out: the first is what the hash is compared under, the second changes
    when a source stamps a repeated event anew, and neither changes what we do.
    """
    told = {name: part for name, part in _plain(event).items() if name not in ("event_id", "recorded_at")}
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def warnings_for(event: Event) -> list[Problem]:
    """What looks wrong but is accepted: a NIK whose birth date is another than the person's (PP 40/2019 article 30)."""
    person = event.person
    if person is None or person.nik is None or person.birth_date is None:
        return []
    if nik_agrees_with(person.nik, person.birth_date):
        return []
    return [Problem("person.nik", "nik-birth-date", "the birth date inside the NIK is another one; check both")]


def now_as_today(moment: datetime) -> date:
    """The `today` that readers are handed: the UTC date of a clock's moment."""
    return moment.astimezone(UTC).date()
