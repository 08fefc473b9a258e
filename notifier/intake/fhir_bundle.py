"""A Bundle as a small library: which Immunizations it holds, and whom and what their references mean.

References are resolved as FHIR R4 says (Bundle, "Resolving references in Bundles"): `#id` in the resource itself, then
the entry of that fullUrl, then Type/id. What is not found is never guessed, with one exception: see `_only_patient`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from fhir.resources.R4B.bundle import Bundle as FhirBundle
from fhir.resources.R4B.immunization import Immunization
from fhir.resources.R4B.patient import Patient
from pydantic import BaseModel, ValidationError

from notifier.core.errors import BadInput, Problem
from notifier.intake.event import safe_name
from notifier.intake.fhir_fields import PATHS, person_data, reference_id

BUNDLE_TYPES = frozenset({"collection", "transaction", "batch", "document", "searchset"})
_WRITES = frozenset({"POST", "PUT"})
_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLACES = ("Location", "Organization")

# What pydantic and fhir.resources call a fault -> our rule and what to do. Their own messages may quote the input.
_RULES: dict[str, tuple[str, str]] = {
    "missing": ("required", "FHIR R4 requires this element"),
    "extra_forbidden": ("unknown-field", "FHIR R4 has no such element here; leave it out"),
    "string_type": ("text", "write text, in quotation marks"),
    "string_pattern_mismatch": ("fhir-format", "write it in the format of FHIR R4"),
    "greater_than_equal": ("dose-range", "write a whole number from 1 on"),
    "model_field_validation.missing": ("required", "FHIR R4 requires this element"),
}
_DATES = frozenset({"birthDate", "occurrenceDateTime", "recorded"})
_DATE_RULE = ("date", "write a date of the calendar as YYYY-MM-DD, or a time with its offset where FHIR R4 has one")
_OTHER_RULE = ("fhir", "this element does not follow FHIR R4")

Model = TypeVar("Model", bound=BaseModel)
Raw = Mapping[str, Any]


def _faults(kind: str, error: ValidationError) -> Iterator[Problem]:
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path = kind
        for part in fault["loc"]:
            path += f"[{part}]" if isinstance(part, int) else f".{safe_name(part)}"
        is_date = bool(fault["loc"]) and fault["loc"][-1] in _DATES
        yield Problem(path, *_RULES.get(fault["type"], _DATE_RULE if is_date else _OTHER_RULE))


def _prepared(kind: str, value: Any) -> Any:
    """`value` without nulls: FHIR's JSON leaves an absent element out, and fhir.resources lets null pass where R4 asks
    for one. Raises BadInput for text that has no UTF-8: pydantic cannot even say what is wrong with it."""
    if isinstance(value, dict):
        return {_prepared(kind, name): _prepared(kind, inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_prepared(kind, inner) for inner in value]
    if isinstance(value, str) and _SURROGATE.search(value):
        raise BadInput.of(kind, "bad-character", "leave out lone surrogates")
    return value


def parsed(model: type[Model], kind: str, raw: Raw) -> Model:
    """`raw` as fhir.resources reads it, without what it contains: that is parsed where it is needed.

    Raises BadInput with the elements at fault.
    """
    data = _prepared(kind, {name: value for name, value in raw.items() if name != "contained"})
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = list(_faults(kind, error))
    except Exception:  # the library answers some malformed resources with KeyError, AttributeError and others
        problems = [Problem(kind, *_OTHER_RULE)]
    raise BadInput(problems)


def _is(raw: object, *kinds: str) -> bool:
    return isinstance(raw, Mapping) and raw.get("resourceType") in kinds


def _names_of(entry: Raw) -> Iterator[str]:
    """How a reference may name the entry's resource."""
    resource = entry["resource"]
    if isinstance(entry.get("fullUrl"), str):
        yield entry["fullUrl"]
    if isinstance(resource.get("id"), str) and isinstance(resource.get("resourceType"), str):
        yield f"{resource['resourceType']}/{resource['id']}"


def _reference_of(raw: Raw) -> str:
    patient = raw.get("patient")
    return str(patient.get("reference")) if isinstance(patient, Mapping) else ""


class Bundle:
    """The entries of a Bundle, or one Immunization on its own. Patients are parsed at the first Immunization of theirs
    and kept for the others."""

    def __init__(self, entries: list[Any], alone: bool) -> None:
        self.entries = entries
        self._alone = alone
        self._persons: dict[int, dict[str, Any] | BadInput] = {}
        self._named: dict[str, list[Raw]] = {}
        self._places: dict[str, str] = {}
        for entry in entries:
            if isinstance(entry, Mapping) and isinstance(entry.get("resource"), Mapping):
                self._take_in(entry)

    @classmethod
    def of(cls, resource: object) -> Bundle:
        """Raises BadInput where it is neither an Immunization nor a Bundle that may carry some."""
        if not isinstance(resource, Mapping):
            raise BadInput.of("resourceType", "resource-type", "send a FHIR resource, in braces")
        if _is(resource, "Immunization"):
            return cls([{"resource": resource}], alone=True)
        if not _is(resource, "Bundle"):
            raise BadInput.of(
                "resourceType", "resource-type", "send an Immunization, or a Bundle of Patients and Immunizations"
            )
        envelope = parsed(FhirBundle, "Bundle", {name: value for name, value in resource.items() if name != "entry"})
        if envelope.type not in BUNDLE_TYPES:
            raise BadInput.of("Bundle.type", "bundle-type", f"send one of {', '.join(sorted(BUNDLE_TYPES))}")
        entries = resource.get("entry") or []
        if not isinstance(entries, list):
            raise BadInput.of("Bundle.entry", "list", "write a list, in brackets")
        return cls(entries, alone=False)

    def _take_in(self, entry: Raw) -> None:
        resource = entry["resource"]
        for name in _names_of(entry):
            self._named.setdefault(name, []).append(resource)
            if _is(resource, *_PLACES) and isinstance(resource.get("name"), str):
                self._places[name] = resource["name"]

    def immunization_in(self, index: int, entry: object) -> Raw | None:
        """The entry's Immunization; None where it holds something else. Raises BadInput where one would be lost."""
        path = "Immunization" if self._alone else f"Bundle.entry[{index}]"
        if not isinstance(entry, Mapping):
            raise BadInput.of(path, "object", "write an object, in braces")
        resource, request = entry.get("resource"), entry.get("request")
        if isinstance(request, Mapping):
            about = str(request.get("url", "")).split("?")[0].split("/")[0]
            if (about == "Immunization" or _is(resource, "Immunization")) and request.get("method") not in _WRITES:
                raise BadInput.of(
                    f"{path}.request.method", "request-method", "use POST or PUT; withdraw with entered-in-error"
                )
        if resource is not None and not isinstance(resource, Mapping):
            raise BadInput.of(f"{path}.resource", "object", "write a FHIR resource, in braces")
        if _is(resource, "Bundle"):
            raise BadInput.of(f"{path}.resource", "resource-type", "send the inner Bundle on its own")
        return resource if _is(resource, "Immunization") else None

    def place_names(self, raw: Raw) -> dict[str, str]:
        """Reference -> name, of the Locations and Organizations that came along or are contained."""
        inside = {
            f"#{place['id']}": place["name"]
            for place in _contained(raw)
            if _is(place, *_PLACES) and isinstance(place.get("id"), str) and isinstance(place.get("name"), str)
        }
        return self._places | inside

    def person_of(self, immunization: Immunization, raw: Raw) -> tuple[dict[str, Any] | None, str | None]:
        """The event's person; or None and the id of a Patient who is not here and must be known.

        Raises BadInput where the reference leads nowhere, or the Patient cannot be read.
        """
        reference = immunization.patient.reference
        if not reference:
            raise BadInput.of(PATHS["person"], "patient-reference", "name the Patient by a reference")
        patient = self._found(reference, raw)
        if patient is not None:
            if not _is(patient, "Patient"):
                raise BadInput.of(PATHS["person"], "patient-reference", "the reference must name a Patient")
            own_id = patient.get("id")
            # the id of a contained resource holds within its container only
            return self._person(patient, None if reference.startswith("#") else own_id), None
        if reference.startswith(("#", "urn:")):
            raise BadInput.of(PATHS["person"], "patient-missing", "send the Patient that the reference names along")
        known = reference_id(reference, "Patient") or ""
        if not (_ID.fullmatch(known) and reference.startswith(f"Patient/{known}")):
            raise BadInput.of(PATHS["person"], "patient-reference", "write the reference as Patient/id")
        only = self._only_patient()
        return (self._person(only, known), None) if only is not None else (None, known)

    def _found(self, reference: str, raw: Raw) -> Raw | None:
        if reference.startswith("#"):
            found = [inner for inner in _contained(raw) if inner.get("id") == reference[1:]]
        else:
            found = self._named.get(reference) or self._named.get(reference.split("/_history/")[0]) or []
        if any(other != found[0] for other in found[1:]):
            raise BadInput.of(PATHS["person"], "patient-ambiguous", "two Patients have this id; send one of them")
        return found[0] if found else None

    def _only_patient(self) -> Raw | None:
        """SATUSEHAT's own samples give a Patient without an id beside an Immunization that names one. Such a Patient
        is meant where nothing else can be: the only one, with neither id nor fullUrl, and one reference in all."""
        whole = [entry for entry in self.entries if isinstance(entry, Mapping)]
        patients = [entry for entry in whole if _is(entry.get("resource"), "Patient")]
        if len(patients) != 1 or "fullUrl" in patients[0] or "id" in patients[0]["resource"]:
            return None
        meant = {_reference_of(e["resource"]) for e in whole if _is(e.get("resource"), "Immunization")}
        patient: Raw = patients[0]["resource"]
        return patient if len(meant) == 1 else None

    def _person(self, raw: Raw, person_id: str | None) -> dict[str, Any]:
        known = self._persons.get(id(raw))
        if known is None:
            try:
                known = person_data(parsed(Patient, "Patient", raw), raw, person_id)
            except BadInput as error:
                known = error
            self._persons[id(raw)] = known
        if isinstance(known, BadInput):
            raise BadInput(known.problems)
        return known


def _contained(raw: Raw) -> list[Raw]:
    inside = raw.get("contained")
    return [inner for inner in inside if isinstance(inner, Mapping)] if isinstance(inside, list) else []
