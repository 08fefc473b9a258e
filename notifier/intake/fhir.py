"""FHIR R4 -> events: one Immunization with its Patient contained, in the Bundle, or known already.

Each resource is parsed once by fhir.resources' R4B classes (its name for R4; the default classes are R5 and refuse R4's
`doseNumberPositiveInt`). One bad Immunization does not spoil the others of its Bundle. Locations and Organizations lend
their names; other resources of a Bundle are passed over. `deceased` is not looked at yet.

A copy from a card or another record (`primarySource` false, or `reportOrigin`) is an event like others, with
`historical` true: it belongs on the certificate, but nobody waits for an SMS about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from fhir.resources.R4B.immunization import Immunization

from notifier.core.errors import BadInput, Problem
from notifier.intake.derived import content_event_id, derived_dose_id, derived_id
from notifier.intake.event import Event, EventType, read_event
from notifier.intake.fhir_bundle import Bundle, parsed
from notifier.intake.fhir_fields import PATHS, dose_data, moment_recorded

#: where the day of a UTC time is taken, unless the caller says otherwise; the default of the setting TIMEZONE
JAKARTA = ZoneInfo("Asia/Jakarta")

_EVENT_TYPES = {
    "completed": EventType.RECORDED,
    "entered-in-error": EventType.ENTERED_IN_ERROR,
    "not-done": EventType.ENTERED_IN_ERROR,
}
MAX_FHIR_ID = 64
#: stands in until the id is made from the content
_NO_ID_YET = "pending"


@dataclass(frozen=True, slots=True)
class FhirResult:
    """What became of one Immunization: an event, or problems. `position` counts the Bundle's entries from 1."""

    position: int
    event: Event | None = None
    problems: tuple[Problem, ...] = ()


def _version(immunization: Immunization) -> str | None:
    return (immunization.meta.versionId if immunization.meta else None) or None


def _check_ids(immunization: Immunization) -> None:
    for field, text in (("dose.id", immunization.id), ("event_id", _version(immunization))):
        if len(text or "") > MAX_FHIR_ID:
            raise BadInput.of(PATHS[field], "too-long", f"a FHIR id has at most {MAX_FHIR_ID} characters")


@dataclass(frozen=True, slots=True)
class _Reader:
    bundle: Bundle
    today: date
    hash_key: bytes
    require_birth_date: bool
    zone: tzinfo

    def read(self, raw: Mapping[str, Any]) -> Event:
        immunization = parsed(Immunization, "Immunization", raw)
        event_type = _EVENT_TYPES.get(immunization.status or "")
        if event_type is None:
            raise BadInput.of(PATHS["event_type"], "status", "write completed, entered-in-error or not-done")
        _check_ids(immunization)
        try:
            return self._event(immunization, raw, event_type)
        except BadInput:
            if event_type is not EventType.ENTERED_IN_ERROR or not (immunization.id or immunization.identifier):
                raise
        # a withdrawal needs the dose alone, and must not fail for anything else: an SMS may be on its way
        return self._finished(immunization, self._checked(immunization, {"event_type": event_type.value}), None)

    def _event(self, immunization: Immunization, raw: Mapping[str, Any], event_type: EventType) -> Event:
        problems: list[Problem] = []
        person: dict[str, Any] | None = None
        reference: str | None = None
        dose: dict[str, Any] = {}
        try:
            person, reference = self.bundle.person_of(immunization, raw)
        except BadInput as error:
            problems += error.problems
        try:
            dose = dose_data(immunization, raw, self.bundle.place_names(raw), self.zone)
        except BadInput as error:
            problems += error.problems
        if problems:
            raise BadInput(problems)
        told = {
            "event_type": event_type.value,
            "recorded_at": moment_recorded(raw.get("recorded")),
            "person": person,
            "dose": dose,
        }
        return self._finished(immunization, self._checked(immunization, told, reference is not None), reference)

    def _checked(self, immunization: Immunization, told: dict[str, Any], person_elsewhere: bool = False) -> Event:
        """As the JSON door checks it; the fields are named as FHIR names them."""
        ids = {"event_id": _version(immunization) or _NO_ID_YET}
        data = told | ids | {"dose": told.get("dose", {}) | {"id": immunization.id or _NO_ID_YET}}
        try:
            return read_event(
                data,
                today=self.today,
                require_birth_date=self.require_birth_date,
                person_elsewhere=person_elsewhere,
            )
        except BadInput as error:
            renamed = [Problem(PATHS.get(p.field, p.field), p.rule, p.detail) for p in error.problems]
        raise BadInput(renamed)

    def _finished(self, immunization: Immunization, event: Event, reference: str | None) -> Event:
        """Puts in what our JSON has no field for, and the ids."""
        historical = immunization.primarySource is False or immunization.reportOrigin is not None
        event = event.model_copy(update={"person_ref": reference, "historical": historical})
        dose = event.dose.model_copy(update={"id": self._dose_id(immunization, event)})
        event = event.model_copy(update={"dose": dose})
        return event.model_copy(update={"event_id": self._event_id(immunization, event)})

    def _dose_id(self, immunization: Immunization, event: Event) -> str:
        if immunization.id:
            return str(immunization.id)
        for identifier in immunization.identifier or []:
            if identifier.value:
                content = f"{identifier.system or ''}\0{identifier.value}".encode()
                return derived_id(self.hash_key, "identifier", content)
        made = derived_dose_id(self.hash_key, event.person, event.dose)
        if made is None:
            raise BadInput.of(PATHS["dose.id"], "required", "give the Immunization an id that stays the same")
        return made

    def _event_id(self, immunization: Immunization, event: Event) -> str:
        version = _version(immunization)
        if version is None:
            return content_event_id(self.hash_key, event)
        # who withdraws a dose may send back the version that they read, with nothing but the status changed
        withdrawn = event.event_type is EventType.ENTERED_IN_ERROR
        return f"{event.dose.id}/version/{version}" + (f"/{event.event_type}" if withdrawn else "")


def read_fhir(
    resource: object, *, today: date, hash_key: bytes, require_birth_date: bool = True, zone: tzinfo = JAKARTA
) -> list[FhirResult]:
    """The events in an Immunization, or in a Bundle (collection, transaction, batch, document, searchset).

    A result for each Immunization, in the Bundle's order; a Bundle without one gives none. `today` is the UTC date;
    `zone` is where a dose recorded in UTC was given; `hash_key` makes the ids that a resource lacks.
    Raises BadInput where the resource as a whole cannot be read.
    """
    bundle = Bundle.of(resource)
    reader = _Reader(bundle, today, hash_key, require_birth_date, zone)
    return list(_results(bundle, reader))


def _results(bundle: Bundle, reader: _Reader) -> Iterator[FhirResult]:
    for position, entry in enumerate(bundle.entries, start=1):
        try:
            raw = bundle.immunization_in(position - 1, entry)
            if raw is not None:
                yield FhirResult(position, event=reader.read(raw))
        except BadInput as error:
            yield FhirResult(position, problems=error.problems)
