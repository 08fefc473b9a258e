"""What a FHIR R4 Patient and Immunization say, in the words of our event. Pure: validated resources in, plain data out.

Sources: HL7 FHIR R4 (Patient, Immunization, Bundle), the SATUSEHAT profiles for the systems of NIK and KFA.
Dates are read from the JSON text, not from fhir.resources' values: the library also takes numbers for dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from typing import Any

from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.contactpoint import ContactPoint
from fhir.resources.R4B.humanname import HumanName
from fhir.resources.R4B.immunization import Immunization
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.reference import Reference

from notifier.core.errors import BadInput

NIK_SYSTEM = "https://fhir.kemkes.go.id/id/nik"
KFA_SYSTEM = "http://sys-ids.kemkes.go.id/kfa"
CVX_SYSTEM = "http://hl7.org/fhir/sid/cvx"
KFA_PRODUCT = "93"  # product with its brand and pack; VG... is only the group of vaccines

#: our field -> where the sender finds it
PATHS = {
    "event_id": "Immunization.meta.versionId",
    "event_type": "Immunization.status",
    "recorded_at": "Immunization.recorded",
    "person": "Immunization.patient",
    "person.id": "Patient.id",
    "person.name": "Patient.name",
    "person.nik": "Patient.identifier",
    "person.birth_date": "Patient.birthDate",
    "person.phone": "Patient.telecom",
    "person.language": "Patient.communication",
    "dose.id": "Immunization.id",
    "dose.number": "Immunization.protocolApplied.doseNumber",
    "dose.series_total": "Immunization.protocolApplied.seriesDoses",
    "dose.vaccine_code": "Immunization.vaccineCode",
    "dose.vaccine_system": "Immunization.vaccineCode",
    "dose.product": "Immunization.vaccineCode",
    "dose.lot": "Immunization.lotNumber",
    "dose.given_on": "Immunization.occurrenceDateTime",
    "dose.facility": "Immunization.location",
    "dose.facility_id": "Immunization.location",
}

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PARTIAL = re.compile(r"\d{4}(-\d{2})?", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,3}", re.ASCII)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_NOT_CURRENT = frozenset({"old", "maiden", "nickname", "anonymous"})


def full_date(raw: object, path: str) -> str:
    """A FHIR date that names a day. Raises BadInput `date-partial` or `date`."""
    if isinstance(raw, str) and _DATE.fullmatch(raw):
        return raw
    if isinstance(raw, str) and _PARTIAL.fullmatch(raw):
        raise BadInput.of(path, "date-partial", "write the whole date, with month and day")
    raise BadInput.of(path, "date", "write a date as YYYY-MM-DD")


def day_given(raw: object, zone: tzinfo) -> str:
    """The calendar day of occurrenceDateTime. A time with an offset is the facility's own clock, so its day stands as
    written; a time in UTC (SATUSEHAT sends those) is turned to `zone` first."""
    path = PATHS["dose.given_on"]
    if not isinstance(raw, str) or "T" not in raw:
        return full_date(raw, path)
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(raw)
        local = moment.astimezone(zone) if moment.utcoffset() == timedelta(0) else moment
        return local.date().isoformat()
    return full_date(None, path)


def moment_recorded(raw: object) -> str | None:
    """Immunization.recorded where it names a moment; a mere date names none."""
    return raw if isinstance(raw, str) and "T" in raw else None


def _used(name: HumanName) -> int:
    if name.use == "official":
        return 0
    return 2 if name.use in _NOT_CURRENT else 1


def _name(names: Sequence[HumanName] | None) -> str | None:
    """The official name as text, else its given and family parts; without titles."""
    for name in sorted(names or [], key=_used):
        parts = [*(name.given or []), name.family]
        text = name.text or " ".join(part for part in parts if part)
        if text.strip():
            return str(text)
    return None


def _best_phone(telecom: Iterable[ContactPoint]) -> str | None:
    usable = [point for point in telecom if point.system in ("phone", "sms") and point.use != "old" and point.value]
    usable.sort(key=lambda point: (point.use != "mobile", point.rank or 1000))
    return str(usable[0].value) if usable else None


def _phone(patient: Patient) -> str | None:
    """The patient's own mobile number, any own number, else that of the first contact who has one (a baby's parent)."""
    own = _best_phone(patient.telecom or [])
    if own:
        return own
    for contact in patient.contact or []:
        if found := _best_phone(contact.telecom or []):
            return found
    return None


def _nik(patient: Patient) -> str | None:
    for identifier in patient.identifier or []:
        if identifier.system == NIK_SYSTEM and identifier.use != "old" and identifier.value:
            return str(identifier.value)
    return None


def _language(patient: Patient) -> str | None:
    """A language we cannot read is no reason to refuse a dose."""
    for spoken in sorted(patient.communication or [], key=lambda spoken: not spoken.preferred):
        for coding in spoken.language.coding or []:
            if coding.code and _LANGUAGE.fullmatch(coding.code):
                return str(coding.code)
    return None


def person_data(patient: Patient, raw: Mapping[str, Any], person_id: str | None) -> dict[str, Any]:
    """The event's `person`. Raises BadInput for a birth date that is not a whole one."""
    birth_date = raw.get("birthDate")
    return {
        "id": person_id,
        "name": _name(patient.name),
        "nik": _nik(patient),
        "birth_date": None if birth_date is None else full_date(birth_date, PATHS["person.birth_date"]),
        "phone": _phone(patient),
        "language": _language(patient),
    }


def _number(positive: int | None, text: str | None) -> int | None:
    """FHIR's choice of number or text; a text such as "booster" names no number."""
    if positive is not None:
        return int(positive)
    return int(text) if text is not None and _DIGITS.fullmatch(text.strip()) else None


def _series(immunization: Immunization) -> tuple[int | None, int | None]:
    for protocol in immunization.protocolApplied or []:
        number = _number(protocol.doseNumberPositiveInt, protocol.doseNumberString)
        total = _number(protocol.seriesDosesPositiveInt, protocol.seriesDosesString)
        if number is not None or total is not None:
            return number, total
    return None, None


def _rank(system: str | None, code: str) -> int:
    if system == KFA_SYSTEM and code.startswith(KFA_PRODUCT):
        return 0
    if system == CVX_SYSTEM:
        return 1
    return 2 if system else 3


def _vaccine(concept: CodeableConcept) -> dict[str, str | None]:
    """The KFA product first, else CVX, else the first code with a system; named as that code's display says."""
    codings = [coding for coding in concept.coding or [] if coding.code]
    codings.sort(key=lambda coding: _rank(coding.system, str(coding.code)))
    if not codings:
        return {"vaccine_code": None, "vaccine_system": None, "product": concept.text}
    best = codings[0]
    return {"vaccine_code": best.code, "vaccine_system": best.system, "product": best.display or concept.text}


def reference_id(reference: str | None, kind: str) -> str | None:
    """`abc` of `Location/abc`, absolute or with a version; None for another type or a bundle's own name."""
    if reference is None:
        return None
    parts = reference.split("/_history/")[0].split("/")
    return parts[-1] if len(parts) > 1 and parts[-2] == kind and parts[-1] else None


def _place(reference: Reference, kind: str, names: Mapping[str, str]) -> dict[str, str | None]:
    return {
        "facility": reference.display or names.get(reference.reference or ""),
        "facility_id": reference_id(reference.reference, kind),
    }


def _facility(immunization: Immunization, names: Mapping[str, str]) -> dict[str, str | None]:
    """The location, else an organisation among the performers. A performer with a reference to a Practitioner is a
    person; one with a display alone is taken for the organisation (the SMART Health Card profile says so)."""
    if immunization.location is not None:
        place = _place(immunization.location, "Location", names)
        if any(place.values()):
            return place
    for performer in immunization.performer or []:
        actor = performer.actor
        nameless = actor.reference is None and actor.type in (None, "Organization")
        if nameless or reference_id(actor.reference, "Organization") or actor.type == "Organization":
            return _place(actor, "Organization", names)
    return {"facility": None, "facility_id": None}


def dose_data(
    immunization: Immunization, raw: Mapping[str, Any], names: Mapping[str, str], zone: tzinfo
) -> dict[str, Any]:
    """The event's `dose`, without its id. `names`: reference -> name of the places that came along.

    Raises BadInput `date-text`, `date-partial` or `date` where the day of the dose is not told.
    """
    if "occurrenceDateTime" not in raw:
        raise BadInput.of(
            "Immunization.occurrenceString", "date-text", "give the date as occurrenceDateTime, with month and day"
        )
    number, total = _series(immunization)
    return {
        "number": number,
        "series_total": total,
        "lot": immunization.lotNumber,
        "given_on": day_given(raw["occurrenceDateTime"], zone),
        **_vaccine(immunization.vaccineCode),
        **_facility(immunization, names),
    }
