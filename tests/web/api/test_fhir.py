"""The FHIR door: SATUSEHAT's own samples, single Immunizations, Bundles of every type, answers in FHIR."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from flask.testing import FlaskClient

from notifier.services import Services
from notifier.store import events, notifications
from tests.web.api.conftest import Post, sample

FHIR = "application/fhir+json"


def _bundle(*resources: dict[str, Any], kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": resource} for resource in resources]}


def _satusehat(**changes: Any) -> dict[str, Any]:
    return _bundle(sample("satusehat-Patient.json"), sample("satusehat-Immunization.json") | changes)


def _shot(number: int, **changes: Any) -> dict[str, Any]:
    """An Immunization with its Patient inside."""
    shot: dict[str, Any] = {
        "resourceType": "Immunization",
        "id": f"i{number}",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "208"}]},
        "patient": {"reference": "#p"},
        "occurrenceDateTime": "2026-11-20",
        "contained": [
            {
                "resourceType": "Patient",
                "id": "p",
                "name": [{"text": f"Sulastri {number}"}],
                "birthDate": "1990-02-03",
                "telecom": [{"system": "phone", "value": "081234567890"}],
            }
        ],
    }
    return copy.deepcopy(shot) | changes


def _states(services: Services) -> dict[str, int]:
    with services.db.read() as conn:
        return notifications.count_by_state(conn)


def _rules(outcome: dict[str, Any]) -> list[tuple[str, str]]:
    return [(issue["expression"][0], issue["details"]["coding"][0]["code"]) for issue in outcome["issue"]]


def test_the_satusehat_sample_with_completed_plans_one_sms(post: Post, services: Services) -> None:
    answer = post("/fhir/R4", _satusehat(status="completed"), content_type=FHIR)
    assert answer.status_code == 200
    assert answer.mimetype == FHIR
    assert answer.json is not None
    assert answer.json["type"] == "batch-response"
    (entry,) = answer.json["entry"]
    assert entry["response"]["status"] == "202 Accepted"
    assert entry["response"]["location"].startswith("/api/v1/notifications/")
    assert entry["response"]["outcome"]["issue"][0]["severity"] == "information"
    assert _states(services) == {"scheduled": 1}
    assert "John" not in answer.text


def test_the_satusehat_sample_as_it_stands_is_recorded_and_sends_nothing(post: Post, services: Services) -> None:
    answer = post("/fhir/R4", _satusehat())
    assert answer.json is not None
    assert answer.json["entry"][0]["response"]["status"] == "202 Accepted"
    assert "withdrawn" in answer.json["entry"][0]["response"]["outcome"]["issue"][0]["details"]["text"]
    assert _states(services) == {}
    with services.db.read() as conn:
        assert events.count_by_outcome(conn) == {"withdrawn": 1}


def test_not_done_after_completed_cancels(post: Post, services: Services) -> None:
    post("/fhir/R4", _satusehat(status="completed"))
    post("/fhir/R4", _satusehat())
    assert _states(services) == {"cancelled": 1}


def test_a_single_immunization_answers_an_operation_outcome(post: Post, services: Services) -> None:
    first = post("/fhir/R4/Immunization", _shot(1), content_type=FHIR)
    assert (first.status_code, first.mimetype) == (202, FHIR)
    assert first.json is not None
    assert first.json["resourceType"] == "OperationOutcome"
    assert first.headers["Location"].startswith("/api/v1/notifications/")
    assert post("/fhir/R4/Immunization", _shot(1)).status_code == 200
    assert _states(services) == {"scheduled": 1}


def test_one_bad_immunization_does_not_spoil_its_batch(post: Post, services: Services) -> None:
    bundle = _bundle(_shot(1), _shot(2, occurrenceDateTime="2026"), _shot(3), kind="batch")
    bundle["entry"][1]["fullUrl"] = "urn:uuid:2"
    answer = post("/fhir/R4", bundle)
    assert answer.json is not None
    entries = answer.json["entry"]
    assert [entry["response"]["status"] for entry in entries] == [
        "202 Accepted",
        "422 Unprocessable Entity",
        "202 Accepted",
    ]
    assert entries[1]["fullUrl"] == "urn:uuid:2"
    assert _rules(entries[1]["response"]["outcome"]) == [("Immunization.occurrenceDateTime", "date-partial")]
    assert _states(services) == {"scheduled": 2}


def test_a_transaction_is_taken_whole_or_not_at_all(post: Post, services: Services) -> None:
    refused = post("/fhir/R4", _bundle(_shot(1), _shot(2, occurrenceDateTime="2026"), kind="transaction"))
    assert refused.status_code == 422
    assert refused.json is not None
    assert _rules(refused.json) == [("Bundle.entry[1].resource.occurrenceDateTime", "date-partial")]
    assert _states(services) == {}
    unknown = {"patient": {"reference": "Patient/stranger"}, "contained": []}
    assert post("/fhir/R4", _bundle(_shot(1), _shot(2, **unknown), kind="transaction")).status_code == 422
    assert _states(services) == {}
    taken = post("/fhir/R4", _bundle(_shot(1), _shot(2), kind="transaction"))
    assert taken.json is not None
    assert taken.json["type"] == "transaction-response"
    assert _states(services) == {"scheduled": 2}


def test_a_reference_to_nobody_we_know_is_a_named_problem(post: Post) -> None:
    shot = _shot(1, patient={"reference": "Patient/stranger"}, contained=[])
    answer = post("/fhir/R4/Immunization", shot)
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["issue"][0]["details"]["coding"][0]["code"] == "patient-unknown"


def test_the_same_version_with_other_content_is_409(post: Post) -> None:
    version = {"meta": {"versionId": "1"}}
    post("/fhir/R4/Immunization", _shot(1, **version))
    answer = post("/fhir/R4/Immunization", _shot(1, lotNumber="other", **version))
    assert answer.status_code == 409
    assert answer.json is not None
    assert answer.json["issue"][0]["code"] == "conflict"


@pytest.mark.parametrize(
    ("path", "body", "status", "rule"),
    [
        ("/fhir/R4", b"{broken", 400, "json"),
        ("/fhir/R4", b'{"resourceType": "Patient"}', 422, "resource-type"),
        ("/fhir/R4/Immunization", b'{"resourceType": "Bundle", "type": "batch"}', 422, "resource-type"),
        ("/fhir/R4", b'{"resourceType": "Bundle", "type": "message"}', 422, "bundle-type"),
        ("/fhir/R4", b" " * 1_100_000, 413, "too-large"),
    ],
)
def test_a_bad_resource_is_an_operation_outcome(post: Post, path: str, body: bytes, status: int, rule: str) -> None:
    answer = post(path, data=body, content_type=FHIR)
    assert (answer.status_code, answer.mimetype) == (status, FHIR)
    assert answer.json is not None
    assert answer.json["resourceType"] == "OperationOutcome"
    assert answer.json["issue"][0]["details"]["coding"][0]["code"] == rule


def test_a_bundle_without_an_immunization_answers_no_entry(post: Post) -> None:
    answer = post("/fhir/R4", _bundle(sample("satusehat-Patient.json")))
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["entry"] == []


def test_without_a_key_nothing_is_read(client: FlaskClient) -> None:
    assert client.post("/fhir/R4", json=_satusehat()).status_code == 401


def test_xml_is_415(post: Post) -> None:
    answer = post("/fhir/R4", data=b"<Bundle/>", content_type="application/fhir+xml")
    assert (answer.status_code, answer.mimetype) == (415, FHIR)
