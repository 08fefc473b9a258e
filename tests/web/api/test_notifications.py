"""The list, resend and cancel by API; keys of one facility; limits; and that every error is a problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from linkserver import create_staff_app
from notifier.access import api_keys
from notifier.access.api_keys import Scope
from notifier.services import Services
from notifier.store import audit
from notifier.store.engine import Database
from tests.builders import event_json, fhir_bundle, fhir_immunization, fhir_patient
from tests.canaries import stands_in
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.web.api.conftest import Post

DOSES, LIST = "/api/v1/vaccinations", "/api/v1/notifications"


@pytest.fixture
def get(client: FlaskClient, key: str) -> Any:
    return lambda path, with_key=key: client.get(path, headers={"Authorization": f"Bearer {with_key}"})


def _of_facility(services: Services, facility_id: str) -> str:
    return api_keys.add(services, name="SIMRS", scopes=list(Scope), facility_id=facility_id, actor="system").text


def _fill(desk: Desk, clock: FakeClock, count: int = 5, facility_id: str = "facility-1", name: str = "a") -> list[str]:
    found = []
    for number in range(count):
        told = desk.record(
            event_id=f"{name}{number}",
            dose={"id": f"{name}{number}", "facility_id": facility_id},
            person={"id": f"{name}{number}", "nik": None},
        )
        found.append(str(told.reference))
        clock.tick(seconds=number % 2)  # some at the same moment
    return found[::-1]


def test_the_list_is_walked_to_its_end_without_a_gap_or_a_double(get: Any, desk: Desk, clock: FakeClock) -> None:
    made = _fill(desk, clock, 7)
    seen, path = [], f"{LIST}?limit=3"
    while path:
        answer = get(path)
        assert answer.status_code == 200
        seen += [one["reference"] for one in answer.json["notifications"]]
        path = f"{LIST}?limit=3&cursor={answer.json['next']}" if answer.json["next"] else ""
        assert ("next" in answer.headers.get("Link", "")) == bool(path)
    assert sorted(seen) == sorted(made)
    assert not [word for word in ("Siti", "0812", "1989") if stands_in(word, get(LIST).text)]


def test_the_list_is_narrowed_by_state_moment_and_facility(get: Any, desk: Desk, clock: FakeClock) -> None:
    old = _fill(desk, clock, 2)
    clock.tick(hours=1)
    desk.send()
    since = clock.now().isoformat().replace("+00:00", "Z")
    new = _fill(desk, clock, 2, "facility-2", "b")

    def listed(query: str) -> set[str]:
        return {one["reference"] for one in get(f"{LIST}?{query}").json["notifications"]}

    assert listed("state=accepted") == set(old)
    assert listed(f"since={since}") == set(new)
    assert listed("facility=facility-2") == set(new)
    assert listed("facility=facility-2&state=accepted") == set()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=%D9%A1", "limit"),
        ("state=lost", "state"),
        ("since=yesterday", "since"),
        ("since=2026-11-23T03:00:00", "since"),
        ("since=0001-01-01T00:00:00%2B14:00", "since"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=" + "A" * 400, "cursor"),
        ("facility=", "facility"),
        ("facility=%00", "facility"),
        ("colour=red", "query"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_a_query_that_breaks_a_rule_is_422_with_its_name(get: Any, query: str, field: str) -> None:
    answer = get(f"{LIST}?{query}")
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json["errors"]] == [field]


def test_a_message_is_cancelled_with_a_reason_that_the_audit_keeps(post: Post, desk: Desk, key: str) -> None:
    reference = desk.record().reference
    path = f"{LIST}/{reference}/cancel"
    assert post(path, {}).status_code == 422
    assert desk.state(reference) == "scheduled"
    answer = post(path, {"reason": "typed twice"})
    assert answer.status_code == 200
    assert answer.json is not None
    assert (answer.json["state"], desk.state(reference)) == ("cancelled", "cancelled")
    with desk.services.db.read() as conn:
        deed = audit.of_subjects(conn, [desk.row(reference).id])[-1]
    assert (deed.action, deed.actor, deed.detail["reason"]) == (
        "notification.cancel",
        f"key:{key.split('_')[2]}",
        "typed twice",
    )
    again = post(path, {"reason": "typed twice"})
    assert (again.status_code, again.json and again.json["errors"][0]["rule"]) == (409, "already-stopped")


def test_a_message_is_sent_again_with_a_new_link(post: Post, desk: Desk) -> None:
    first = desk.record().reference
    desk.send()
    answer = post(f"{LIST}/{first}/resend", {"reason": "asked at the counter", "at": "2026-11-24T02:00:00Z"})
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["due_at"] == "2026-11-24T02:00:00Z"
    assert answer.headers["Location"].endswith(answer.json["reference"])
    assert desk.link(answer.json["reference"]).id != desk.link(first).id
    assert post(f"{LIST}/{first}/resend", {"reason": "again"}).status_code == 409  # one is waiting


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "x", "at": "2026-11-22T02:00:00Z"}, 422),
        ({"reason": "x", "at": "soon"}, 422),
        ({"reason": "x" * 301}, 422),
        ({"reason": "a\ud800b"}, 422),
        ({"reason": 5}, 422),
        ({"reason": "x", "colour": "red"}, 422),
        ([], 422),
    ],
)
def test_a_resend_that_breaks_a_rule_changes_nothing(post: Post, desk: Desk, body: Any, status: int) -> None:
    reference = desk.record().reference
    desk.send()
    assert post(f"{LIST}/{reference}/resend", body).status_code == status
    assert len(desk.rows()) == 1


def test_to_act_needs_its_own_scope(client: FlaskClient, services: Services, desk: Desk) -> None:
    reference = desk.record().reference
    scopes = [Scope.VACCINATIONS_WRITE, Scope.NOTIFICATIONS_READ]
    key = api_keys.add(services, name="SIMPUS", scopes=scopes, actor="system").text
    for deed in ("cancel", "resend"):
        answer = client.post(
            f"{LIST}/{reference}/{deed}", json={"reason": "x"}, headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 403
    assert desk.state(reference) == "scheduled"


def test_a_key_of_one_facility_reaches_its_rows_alone(
    get: Any, client: FlaskClient, services: Services, desk: Desk, clock: FakeClock
) -> None:
    mine, other = _fill(desk, clock, 1, "pkm-1", "a")[0], _fill(desk, clock, 1, "pkm-2", "b")[0]
    key = _of_facility(services, "pkm-1")
    headers = {"Authorization": f"Bearer {key}"}
    assert [one["reference"] for one in get(LIST, key).json["notifications"]] == [mine]
    assert get(f"{LIST}?facility=pkm-1", key).status_code == 200
    assert get(f"{LIST}?facility=pkm-2", key).status_code == 404
    assert get(f"{LIST}/{mine}", key).status_code == 200
    assert get(f"{LIST}/{other}", key).status_code == 404
    for deed in ("cancel", "resend"):
        assert client.post(f"{LIST}/{other}/{deed}", json={"reason": "x"}, headers=headers).status_code == 404
    assert desk.state(other) == "scheduled"


def test_a_key_of_one_facility_writes_its_doses_alone(client: FlaskClient, services: Services, desk: Desk) -> None:
    foreign = desk.record(dose={"id": "foreign", "facility_id": "pkm-2"}, event_id="foreign")
    headers = {"Authorization": f"Bearer {_of_facility(services, 'pkm-1')}"}

    def send(**changes: Any) -> Any:
        return client.post(DOSES, json=event_json(**changes), headers=headers)

    elsewhere = send(dose={"facility_id": "pkm-2"})
    assert (elsewhere.status_code, elsewhere.json["errors"][0]["field"]) == (403, "dose.facility_id")
    unnamed = send(dose={"id": "mine", "facility_id": None}, person={"id": "p9", "nik": None})
    assert unnamed.status_code == 202
    with services.db.read() as conn:
        assert api_dose(conn, "mine").facility_id == "pkm-1"
    for kind in ("entered_in_error", "corrected", "recorded"):
        answer = send(
            event_id=f"try-{kind}", event_type=kind, dose={"id": "foreign", "facility_id": "pkm-1", "lot": "X"}
        )
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (403, "dose.id")
    with services.db.read() as conn:
        assert api_dose(conn, "foreign").lot == "LOT-7"
    assert desk.state(foreign.reference) == "scheduled"


def api_dose(conn: Any, source_id: str) -> Any:
    from notifier.store import doses

    found = doses.find(conn, source_id)
    assert found is not None
    return found


def test_a_bundle_with_another_facilitys_dose_is_refused_whole_where_it_is_a_transaction(
    client: FlaskClient, services: Services, desk: Desk
) -> None:
    desk.record(dose={"id": "immunization-1", "facility_id": "pkm-2"}, event_id="foreign")
    headers = {"Authorization": f"Bearer {_of_facility(services, 'pkm-1')}"}
    good = fhir_immunization(id="immunization-2", patient={"reference": "Patient/patient-1"})
    for kind, status in (("transaction", 403), ("batch", 200)):
        bundle = fhir_bundle(fhir_patient(), fhir_immunization(), good, type=kind)
        answer = client.post("/fhir/R4", json=bundle, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.json is not None
        with services.db.read() as conn:
            from notifier.store import doses

            assert (doses.find(conn, "immunization-2") is not None) == (kind == "batch")
    assert [entry["response"]["status"][:3] for entry in answer.json["entry"]] == ["403", "202"]


def test_a_key_that_asks_too_often_is_told_to_wait(build_services: Build, clock: FakeClock) -> None:
    services = build_services(api_rate=1)
    client = create_staff_app(services).test_client()
    keys = [api_keys.add(services, name=name, scopes=list(Scope), actor="system").text for name in ("a", "b")]

    def ask(key: str) -> Any:
        return client.get(LIST, headers={"Authorization": f"Bearer {key}"})

    first = ask(keys[0])
    assert (first.headers["RateLimit-Policy"], first.headers["RateLimit"]) == ('"key";q=2;w=2', '"key";r=1;t=1')
    assert ask(keys[0]).status_code == 200
    refused = ask(keys[0])
    assert (refused.status_code, refused.mimetype) == (429, "application/problem+json")
    assert refused.headers["Retry-After"] == "1"
    assert ask(keys[1]).status_code == 200  # another key has an allowance of its own
    clock.tick(seconds=1)
    assert ask(keys[0]).status_code == 200


def test_no_limit_says_nothing_of_one(build_services: Build) -> None:
    services = build_services(api_rate=0)
    key = api_keys.add(services, name="a", scopes=list(Scope), actor="system").text
    answer = create_staff_app(services).test_client().get(LIST, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    assert "RateLimit" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/", 404),
        ("DELETE", DOSES, 405),
        ("PUT", f"{LIST}/ABCDE12345", 405),
        ("GET", "/api/v1/notifications/ABCDE12345", 404),
        ("GET", DOSES, 405),
    ],
)
def test_every_error_under_api_is_a_problem(client: FlaskClient, key: str, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None
    assert answer.json.keys() == {"type", "title", "status", "detail", "errors"}
    assert answer.json["status"] == status
    assert (status == 405) == ("Allow" in answer.headers)


def test_a_wrong_host_is_a_problem_too(client: FlaskClient) -> None:
    answer = client.get(LIST, headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.mimetype) == (421, "application/problem+json")


def test_what_is_not_there_under_fhir_is_an_operation_outcome(client: FlaskClient) -> None:
    for method, path, status in (("GET", "/fhir/R4/Nothing", 404), ("GET", "/fhir/R4", 405)):
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.mimetype) == (status, "application/fhir+json")
        assert answer.json is not None
        assert answer.json["resourceType"] == "OperationOutcome"


def test_where_the_database_is_away_nobody_gets_in_and_all_is_a_problem(
    services: Services, clock: FakeClock, key: str
) -> None:
    away = replace(services, db=Database("postgresql+psycopg://nobody@127.0.0.1:1/none", clock))
    client = create_staff_app(away).test_client()
    for method, path in (("GET", LIST), ("POST", DOSES), ("POST", "/fhir/R4")):
        answer = client.open(path, method=method, json={}, headers={"Authorization": f"Bearer {key}"})
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert answer.headers["Retry-After"] == "60"
