"""Builders of input: what a registry, a spreadsheet or a FHIR server would send. Invented people only."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from notifier.certificates.issue import issue
from notifier.core.ids import new_id
from notifier.core.states import DoseStatus
from notifier.intake.event import Event, read_event
from notifier.services import Services
from notifier.store import certificates, doses, persons
from notifier.store.persons import Person
from tests.fakes import MONDAY_MORNING

SAMPLES = Path(__file__).parent / "samples"
TODAY = MONDAY_MORNING.date()
HASH_KEY = b"builders-hash-key".ljust(32, b"-")

#: a NIK that agrees with the birth date beside it
NIK = "3174031002890009"
NIK_SYSTEM = "https://fhir.kemkes.go.id/id/nik"
CVX_SYSTEM = "http://hl7.org/fhir/sid/cvx"


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`; objects are merged, everything else replaces what was there."""
    found = dict(base)
    for name, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(found.get(name), Mapping)
        found[name] = merged(found[name], value) if both else value
    return found


def event_json(**changes: Any) -> dict[str, Any]:
    """An event as our JSON spells it: `event_json(person={"nik": None}, dose={"number": 2})`."""
    base = {
        "event_id": "event-1",
        "event_type": "recorded",
        "recorded_at": "2026-11-23T03:00:00Z",
        "person": {
            "id": "person-1",
            "name": "Siti Aminah",
            "nik": NIK,
            "birth_date": "1989-02-10",
            "phone": "0812-3456-7890",
            "language": "id",
            "time_zone": None,
        },
        "dose": {
            "id": "dose-1",
            "number": 1,
            "series_total": 2,
            "vaccine_code": "140",
            "vaccine_system": CVX_SYSTEM,
            "product": "Influenza",
            "lot": "LOT-7",
            "given_on": "2026-11-22",
            "facility": "Puskesmas Menteng",
            "facility_id": "facility-1",
        },
        "notify": {"delay_hours": 0},
    }
    return merged(base, changes)


def an_event(**changes: Any) -> Event:
    """The same, read."""
    return read_event(event_json(**changes), today=TODAY)


def csv_row(**changes: str) -> dict[str, str]:
    """A row of a spreadsheet, by column."""
    base = {
        "name": "Siti Aminah",
        "nik": NIK,
        "birth_date": "1989-02-10",
        "phone": "081234567890",
        "product": "Influenza",
        "dose_number": "1",
        "given_on": "2026-11-22",
    }
    return base | changes


def csv_text(rows: Sequence[Mapping[str, str]], delimiter: str = ",") -> str:
    """The rows as a file whose first line names the columns of the first row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def fhir_patient(**changes: Any) -> dict[str, Any]:
    """A Patient as SATUSEHAT has them."""
    base = {
        "resourceType": "Patient",
        "id": "patient-1",
        "identifier": [{"use": "official", "system": NIK_SYSTEM, "value": NIK}],
        "name": [{"use": "official", "text": "Siti Aminah"}],
        "telecom": [{"system": "phone", "value": "081234567890", "use": "mobile"}],
        "birthDate": "1989-02-10",
    }
    return merged(base, changes)


def fhir_immunization(**changes: Any) -> dict[str, Any]:
    """An Immunization of `fhir_patient`."""
    base = {
        "resourceType": "Immunization",
        "id": "immunization-1",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": CVX_SYSTEM, "code": "140", "display": "Influenza"}]},
        "patient": {"reference": "Patient/patient-1"},
        "occurrenceDateTime": "2026-11-22",
        "primarySource": True,
    }
    return merged(base, changes)


def without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """`data` less these keys."""
    return {name: value for name, value in data.items() if name not in names}


def fhir_bundle(*resources: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A collection of the resources; a Patient with one Immunization where none are given."""
    chosen = resources or (fhir_patient(), fhir_immunization())
    base = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource} for resource in chosen]}
    return merged(base, changes)


@dataclass(frozen=True)
class MadeCertificate:
    """A certificate that stands in the database, with a live link to it."""

    person_id: str
    dose_id: str
    certificate_id: str
    number: str
    link_id: str
    public_id: str
    token: str = field(repr=False)
    birth_date: date = field(repr=False)


SITI = Person(
    id="",
    name="Siti Aminah",
    nik=NIK,
    birth_date=date(1989, 2, 10),
    phone="+6281234567890",
    phone_problem=None,
    language="id",
    time_zone=None,
)


def a_certificate(
    services: Services, *, person: Person = SITI, person_id: str | None = None, **dose: Any
) -> MadeCertificate:
    """A person with one dose, its certificate and a link, through the store alone; `person_id` adds to a known one."""
    at = services.clock.now()
    values: dict[str, Any] = {
        "id": new_id(),
        "source_id": f"dose-{new_id()}",
        "status": DoseStatus.GIVEN.value,
        "number": 1,
        "series_total": 2,
        "vaccine_code": "140",
        "vaccine_system": CVX_SYSTEM,
        "product": "Influenza",
        "lot": "LOT-7",
        "given_on": date(2026, 11, 22),
        "facility": "Puskesmas Menteng",
        "facility_id": "facility-1",
    } | dose
    with services.db.write() as conn:
        if person_id is None:
            person_id = new_id()
            persons.insert(conn, services.sealer, replace(person, id=person_id), source=None, at=at)
        doses.insert(conn, at=at, person_id=person_id, **values)
        certificate_id = issue(conn, person_id=person_id, dose_id=values["id"], at=at)
        link_id = certificates.add_link(
            conn, certificate_id=certificate_id, person_id=person_id, at=at, expires_at=at + timedelta(days=90)
        )
        public_id = certificates.load_links(conn, [link_id])[link_id].public_id
        number = certificates.get(conn, certificate_id).number
    born = person.birth_date or date(1, 1, 1)
    token = services.links.sign(public_id)
    return MadeCertificate(person_id, values["id"], certificate_id, number, link_id, public_id, token, born)
