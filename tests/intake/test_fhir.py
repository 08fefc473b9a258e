"""FHIR R4 -> events: the samples of others, where a Patient is found, and what is refused."""

from __future__ import annotations

import copy
import gzip
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.core.errors import BadInput
from notifier.intake.event import EventType
from notifier.intake.fhir import read_fhir
from tests.builders import (
    NIK,
    NIK_SYSTEM,
    SAMPLES,
    TODAY,
    fhir_bundle,
    fhir_immunization,
    fhir_patient,
    without,
)
from tests.intake.fhir_reading import event_of, read, rules

CANARY = "K4n4ry-7391"
PROTOCOL = "Immunization.protocolApplied"
TWO_OF_ONE = {"doseNumberPositiveInt": 2, "seriesDosesPositiveInt": 1}
KFA = "http://sys-ids.kemkes.go.id/kfa"


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / "fhir" / f"{name}.json").read_bytes())


def with_contained(patient: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return fhir_immunization(contained=[patient], patient={"reference": f"#{patient['id']}"}, **changes)


def test_the_satusehat_sample_is_read_whole() -> None:
    immunization = sample("satusehat-Immunization") | {"status": "completed"}
    event = event_of(fhir_bundle(sample("satusehat-Patient"), immunization))
    assert event.event_type is EventType.RECORDED
    assert event.person is not None
    assert (event.person.id, event.person.name, event.person.nik) == ("100000030009", "John Smith", NIK)
    assert (event.person.birth_date, event.person.phone) == (date(1945, 11, 17), "08123456789")
    assert event.person.language == "id"
    assert event.dose.id == "cbda5884-f180-4118-911e-9bd35e09651a"
    assert (event.dose.vaccine_code, event.dose.vaccine_system) == ("93001282", KFA)
    assert event.dose.product == "Vaksin DTP - HB - Hib 0,5 mL (PENTABIO, 1)"
    assert (event.dose.number, event.dose.lot, event.dose.given_on) == (1, "202009007", date(2022, 1, 10))
    assert event.dose.facility == "Ruang 1A, Poliklinik Rawat Jalan"
    assert event.dose.facility_id == "ef011065-38c9-46f8-9c35-d1fe68966a3e"
    assert event.recorded_at is None  # a date names no moment
    assert not event.historical


def test_the_satusehat_sample_as_it_stands_is_a_withdrawal() -> None:
    event = event_of(fhir_bundle(sample("satusehat-Patient"), sample("satusehat-Immunization")))
    assert event.event_type is EventType.ENTERED_IN_ERROR
    assert event.dose.id == "cbda5884-f180-4118-911e-9bd35e09651a"


def test_the_hl7_examples_are_read() -> None:
    given = event_of(fhir_bundle(sample("hl7r4-Patient-example"), sample("hl7r4-Immunization-example")))
    assert given.person is not None
    assert (given.person.name, given.person.birth_date) == ("Peter James Chalmers", date(1974, 12, 25))
    assert given.dose.product == "Fluvax (Influenza)"
    assert event_of(sample("hl7r4-Immunization-notGiven")).event_type is EventType.ENTERED_IN_ERROR


def test_a_smart_health_card_bundle_needs_ids_for_its_doses() -> None:
    """Its people have neither NIK nor id, so that nothing tells two namesakes apart."""
    bundle = sample("shc-example-00-a-fhirBundle")
    assert {(p.field, p.rule) for r in read(bundle) for p in r.problems} == {("Immunization.id", "required")}
    for number, entry in enumerate(bundle["entry"][1:], start=1):
        entry["resource"]["id"] = f"dose-{number}"
    events = [result.event for result in read(bundle)]
    assert [event.dose.given_on for event in events if event] == [
        date(2021, 1, 1),
        date(2021, 1, 29),
        date(2022, 9, 5),
    ]
    assert events[0] is not None
    assert events[0].dose.facility == "ABC General Hospital"


def test_every_synthea_bundle_is_read() -> None:
    with gzip.open(SAMPLES / "fhir" / "synthea-r4-immunizations.jsonl.gz") as lines:
        bundles = [json.loads(next(lines)) for _ in range(60)]
    for bundle in bundles:
        before = copy.deepcopy(bundle)
        results = read(bundle)
        held = [entry["resource"] for entry in bundle["entry"]]
        doses = [resource["id"] for resource in held if resource["resourceType"] == "Immunization"]
        assert [result.event.dose.id for result in results if result.event] == doses
        assert bundle == before  # reading changes nothing


def test_a_patient_is_found_by_full_url() -> None:
    bundle = fhir_bundle(fhir_patient(), fhir_immunization(patient={"reference": "urn:uuid:abc"}))
    bundle["entry"][0]["fullUrl"] = "urn:uuid:abc"
    person = event_of(bundle).person
    assert person is not None
    assert (person.id, person.nik) == ("patient-1", NIK)


def test_a_patient_is_found_by_a_versioned_reference() -> None:
    bundle = fhir_bundle(fhir_patient(), fhir_immunization(patient={"reference": "Patient/patient-1/_history/3"}))
    assert event_of(bundle).person is not None


def test_a_contained_patient_has_no_id_that_others_could_share() -> None:
    person = event_of(with_contained(fhir_patient(id="p"))).person
    assert person is not None
    assert (person.id, person.nik) == (None, NIK)


def test_a_patient_elsewhere_is_a_reference_to_a_known_person() -> None:
    event = event_of(fhir_immunization())
    assert (event.person, event.person_ref) == (None, "patient-1")


@pytest.mark.parametrize(
    ("reference", "rule"),
    [
        ("#nobody", "patient-missing"),
        ("urn:uuid:nobody", "patient-missing"),
        ("https://elsewhere.example/fhir/Patient/1", "patient-reference"),
        ("Group/1", "patient-reference"),
        ("Patient/", "patient-reference"),
        ("Patient/a b\u0000", "patient-reference"),
        (None, "patient-reference"),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(reference: str | None, rule: str) -> None:
    patient = {"reference": reference} if reference else {"display": CANARY}
    immunization = {**fhir_immunization(), "patient": patient}
    assert rules(immunization) == {("Immunization.patient", rule)}


def test_a_nameless_patient_beside_two_references_is_never_guessed() -> None:
    patient = without(fhir_patient(), "id")
    bundle = fhir_bundle(
        patient,
        fhir_immunization(patient={"reference": "Patient/a"}),
        fhir_immunization(id="immunization-2", patient={"reference": "Patient/b"}),
    )
    assert [(r.event.person, r.event.person_ref) for r in read(bundle) if r.event] == [(None, "a"), (None, "b")]


def test_another_patient_in_the_bundle_is_not_the_one_that_is_meant() -> None:
    event = event_of(fhir_bundle(fhir_patient(id="mother"), fhir_immunization(patient={"reference": "Patient/baby"})))
    assert (event.person, event.person_ref) == (None, "baby")


def test_two_different_patients_of_one_id_are_refused() -> None:
    bundle = fhir_bundle(fhir_patient(), fhir_patient(birthDate="1990-01-01"), fhir_immunization())
    assert rules(bundle) == {("Immunization.patient", "patient-ambiguous")}


def test_one_bad_immunization_does_not_spoil_the_others() -> None:
    bundle = fhir_bundle(
        fhir_patient(),
        fhir_immunization(id="a"),
        fhir_immunization(id="b", lotNumber=7),
        {"resourceType": "Observation", "status": "final"},
        fhir_immunization(id="c", occurrenceDateTime="2026-11"),
        fhir_immunization(id="d"),
    )
    bundle["entry"].append("not an entry")
    results = read(bundle)
    assert [(r.position, r.event.dose.id) for r in results if r.event] == [(2, "a"), (6, "d")]
    assert [(r.position, *[(p.field, p.rule) for p in r.problems]) for r in results if not r.event] == [
        (3, ("Immunization.lotNumber", "text")),
        (5, ("Immunization.occurrenceDateTime", "date-partial")),
        (7, ("Bundle.entry[6]", "object")),
    ]


def test_a_patient_alone_in_a_bundle_is_no_error() -> None:
    assert read(fhir_bundle(fhir_patient())) == []


@pytest.mark.parametrize("kind", ["collection", "transaction", "batch", "document", "searchset"])
def test_bundles_that_deliver_are_read(kind: str) -> None:
    assert event_of(fhir_bundle(type=kind)).dose.id == "immunization-1"


@pytest.mark.parametrize(
    ("resource", "field", "rule"),
    [
        ([], "resourceType", "resource-type"),
        ({}, "resourceType", "resource-type"),
        (fhir_patient(), "resourceType", "resource-type"),
        (fhir_bundle(type="history"), "Bundle.type", "bundle-type"),
        ({"resourceType": "Bundle"}, "Bundle.type", "required"),
        (fhir_bundle(entry={"resource": {}}), "Bundle.entry", "list"),
        (fhir_bundle(colour="green"), "Bundle.colour", "unknown-field"),
    ],
)
def test_what_is_no_delivery_of_doses_is_refused_whole(resource: object, field: str, rule: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(resource)
    assert {(problem.field, problem.rule) for problem in caught.value.problems} == {(field, rule)}


def test_a_deletion_is_refused_rather_than_overlooked() -> None:
    bundle = fhir_bundle(type="transaction")
    bundle["entry"] = [{"request": {"method": "DELETE", "url": "Immunization/immunization-1"}}]
    assert rules(bundle) == {("Bundle.entry[0].request.method", "request-method")}


def test_a_bundle_in_a_bundle_is_refused_rather_than_overlooked() -> None:
    assert rules(fhir_bundle(fhir_bundle())) == {("Bundle.entry[0].resource", "resource-type")}


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"status": CANARY}, "Immunization.status", "status"),
        ({"occurrenceDateTime": "2026"}, "Immunization.occurrenceDateTime", "date-partial"),
        ({"occurrenceDateTime": "2026-02-30"}, "Immunization.occurrenceDateTime", "date"),
        ({"occurrenceDateTime": 20220110}, "Immunization.occurrenceDateTime", "date"),
        ({"occurrenceDateTime": "2027-01-01"}, "Immunization.occurrenceDateTime", "in-future"),
        ({"occurrenceDateTime": "1980-01-01"}, "Immunization.occurrenceDateTime", "before-birth"),
        ({"recorded": "2027-01-01T00:00:00Z"}, "Immunization.recorded", "in-future"),
        ({"lotNumber": 7}, "Immunization.lotNumber", "text"),
        ({"protocolApplied": [{"doseNumberPositiveInt": 0}]}, f"{PROTOCOL}[0].doseNumberPositiveInt", "dose-range"),
        ({"protocolApplied": [TWO_OF_ONE]}, f"{PROTOCOL}.seriesDoses", "series-range"),
        ({"vaccineCode": {"coding": []}}, "Immunization.vaccineCode", "required"),
        ({"reasonCode": [{"resourceType": "\ud800"}]}, "Immunization", "bad-character"),
        ({"id": "x" * 65}, "Immunization.id", "too-long"),
        ({"id": NIK}, "Immunization.id", "personal-data"),
        ({"colour": "green"}, "Immunization.colour", "unknown-field"),
        ({"vaccineCode": None}, "Immunization.vaccineCode", "required"),
        ({"status": None}, "Immunization.status", "required"),
    ],
)  # fmt: skip
def test_a_bad_immunization_is_refused_by_element_and_rule(changes: dict[str, Any], field: str, rule: str) -> None:
    assert rules(fhir_bundle(fhir_patient(), fhir_immunization(**changes))) == {(field, rule)}


def test_a_date_in_words_is_refused() -> None:
    immunization = without(fhir_immunization(occurrenceString="January 2012"), "occurrenceDateTime")
    assert rules(fhir_bundle(fhir_patient(), immunization)) == {("Immunization.occurrenceString", "date-text")}


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"birthDate": "1989"}, "Patient.birthDate", "date-partial"),
        ({"birthDate": 19890210}, "Patient.birthDate", "date"),
        ({"birthDate": None}, "Patient.birthDate", "required"),
        ({"name": None}, "Patient.name", "required"),
        ({"identifier": [{"system": NIK_SYSTEM, "value": "123"}]}, "Patient.identifier", "nik-length"),
        ({"gender": 1}, "Patient.gender", "text"),
    ],
)  # fmt: skip
def test_a_bad_patient_is_refused_by_element_and_rule(changes: dict[str, Any], field: str, rule: str) -> None:
    patient = {name: value for name, value in fhir_patient(**changes).items() if value is not None}
    assert rules(fhir_bundle(patient, fhir_immunization())) == {(field, rule)}


def test_a_birth_date_may_be_missing_where_links_do_not_ask_for_it() -> None:
    bundle = fhir_bundle(without(fhir_patient(), "birthDate"), fhir_immunization())
    assert event_of(bundle, require_birth_date=False).person is not None


@pytest.mark.parametrize("status", ["entered-in-error", "not-done"])
def test_a_withdrawal_gets_through_whatever_else_is_wrong(status: str) -> None:
    event = event_of(fhir_immunization(status=status, occurrenceDateTime="2026", patient={"reference": "#nobody"}))
    assert event.event_type is EventType.ENTERED_IN_ERROR
    assert event.dose.id == "immunization-1"
    assert (event.person, event.dose.given_on) == (None, None)


def test_the_event_id_is_the_version_where_there_is_one() -> None:
    versioned = fhir_immunization(meta={"versionId": "7"})
    assert event_of(versioned).event_id == "immunization-1/version/7"
    withdrawn = versioned | {"status": "not-done"}
    assert event_of(withdrawn).event_id == "immunization-1/version/7/entered_in_error"


def test_without_a_version_the_content_makes_the_event_id() -> None:
    first = event_of(fhir_bundle())
    again = event_of(fhir_bundle(fhir_patient(gender="female"), fhir_immunization(note=[{"text": "of no matter"}])))
    other_phone = event_of(
        fhir_bundle(fhir_patient(telecom=[{"system": "phone", "value": "0813"}]), fhir_immunization())
    )
    assert first.event_id == again.event_id
    assert first.event_id.startswith("immunization-1/content/")
    assert other_phone.event_id != first.event_id
    assert event_of(fhir_immunization(status="not-done")).event_id != event_of(fhir_immunization()).event_id


def test_ids_made_of_content_cannot_be_made_without_the_key() -> None:
    (other,) = read_fhir(fhir_bundle(), today=TODAY, hash_key=b"another key")
    assert other.event is not None
    assert other.event.event_id != event_of(fhir_bundle()).event_id


def test_a_dose_without_an_id_is_known_by_its_identifier_or_by_person_vaccine_and_day() -> None:
    nameless = without(fhir_immunization(), "id")
    by_person = event_of(fhir_bundle(fhir_patient(), nameless))
    assert by_person.dose.id == event_of(fhir_bundle(fhir_patient(), nameless | {"lotNumber": "L2"})).dose.id
    assert NIK not in by_person.dose.id
    identifier = [{"system": "urn:x", "value": "77"}]
    by_identifier = event_of(fhir_bundle(fhir_patient(), nameless | {"identifier": identifier}))
    assert by_identifier.dose.id not in ("77", by_person.dose.id)
    moved = nameless | {"identifier": identifier, "occurrenceDateTime": "2026-11-20"}
    assert event_of(fhir_bundle(fhir_patient(), moved)).dose.id == by_identifier.dose.id


def test_no_exception_or_problem_repeats_the_input() -> None:
    bundle = fhir_bundle(
        fhir_patient(birthDate=CANARY, gender=[CANARY]),
        fhir_immunization(id="a", occurrenceDateTime=CANARY),
        fhir_immunization(id="b", status=CANARY, **{CANARY: 1}),
        fhir_immunization(id="c", contained=[{"resourceType": CANARY}], patient={"reference": f"#{CANARY}"}),
        fhir_immunization(id="d"),
    )
    for result in read(bundle):
        assert result.problems
        assert CANARY not in str(result)


_values = st.none() | st.booleans() | st.integers() | st.just(CANARY) | st.text(max_size=6)
_KEYS = ["resourceType", "id", "coding", "reference", "use", "value", "system", "type", "method", "url", "a"]
_junk = st.recursive(
    _values,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_KEYS), inner),
    max_leaves=5,
)
_PLACES = [
    "id",
    "meta",
    "status",
    "patient",
    "vaccineCode",
    "contained",
    "protocolApplied",
    "occurrenceDateTime",
    "name",
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([0, 1]), st.sampled_from([*_PLACES, "birthDate", "telecom", "identifier", "location"]), _junk, _junk
)
def test_any_resource_is_read_or_refused(which: int, place: str, junk: object, entry: object) -> None:
    bundle = fhir_bundle()
    bundle["entry"][which]["resource"][place] = junk
    bundle["entry"].append({"resource": entry, "fullUrl": junk, "request": entry})
    results = read(bundle)
    assert results
    for result in results:
        assert (result.event is None) == bool(result.problems)
        assert CANARY not in "".join(map(str, result.problems))
