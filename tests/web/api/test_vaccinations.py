"""POST /api/v1/vaccinations and GET /api/v1/notifications: each status, each with field and rule, none with a value."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from linkserver import create_staff_app
from notifier.access import api_keys
from notifier.access.api_keys import Scope
from notifier.services import Services
from notifier.store import events
from notifier.store.engine import Database
from tests.fakes import FakeClock
from tests.web.api.conftest import Post

PATH = "/api/v1/vaccinations"


def _event(**changes: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "event_id": "e1",
        "event_type": "recorded",
        "person": {
            "name": "Sulastri",
            "birth_date": "1990-02-03",
            "phone": "0812-3456-7890",
            "nik": "3174031002890009",
        },
        "dose": {"id": "d1", "number": 1, "product": "Pentabio", "given_on": "2026-11-23"},
        "notify": {"delay_hours": 1},
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        part = event
        for parent in parents:
            part = part[parent]
        part[last] = value
    return event


def _stored(services: Services) -> int:
    with services.db.read() as conn:
        return sum(events.count_by_outcome(conn).values())


def test_a_new_dose_is_202_with_reference_due_time_and_location(post: Post, client: FlaskClient, key: str) -> None:
    answer = post(PATH, _event())
    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["outcome"] == "planned"
    assert answer.json["state"] == "scheduled"
    assert answer.json["due_at"] == "2026-11-23T04:00:00Z"
    assert [warning["rule"] for warning in answer.json["warnings"]] == ["nik-birth-date"]
    found = client.get(answer.headers["Location"], headers={"Authorization": f"Bearer {key}"})
    assert found.status_code == 200
    assert found.json is not None
    assert (found.json["reference"], found.json["state"]) == (answer.json["reference"], "scheduled")
    for personal in ("Sulastri", "34567890", "1990-02-03", "3174031002890009"):
        assert personal not in found.text
        assert personal not in answer.text


def test_the_same_event_again_is_200_and_changes_nothing(post: Post, services: Services) -> None:
    first, second = post(PATH, _event()), post(PATH, _event())
    assert second.status_code == 200
    assert first.json is not None
    assert second.json is not None
    assert second.json["outcome"] == "repeated"
    assert second.json["reference"] == first.json["reference"]
    assert _stored(services) == 1


def test_a_dose_without_a_phone_is_recorded_and_says_why_nothing_is_sent(post: Post) -> None:
    answer = post(PATH, _event(person__phone=None))
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["outcome"], answer.json["reason"]) == ("suppressed", "no-phone")


def test_the_same_event_id_with_other_content_is_409(post: Post) -> None:
    post(PATH, _event())
    answer = post(PATH, _event(person__name="Orang Lain"))
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["errors"][0]["rule"] == "conflict"
    assert "Orang" not in answer.text


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"person__nik": "123456789012345"}, "person.nik", "nik-length"),
        ({"dose__number": 0}, "dose.number", "dose-range"),
        ({"dose__number": "1"}, "dose.number", "number"),
        ({"dose__given_on": "2026-02-30"}, "dose.given_on", "date"),
        ({"notify__delay_hours": 49}, "notify.delay_hours", "delay-range"),
        ({"person__name": None}, "person.name", "required"),
        ({"person": None}, "person", "required"),
        ({"surprise": 1}, "surprise", "unknown-field"),
    ],
)
def test_a_bad_field_is_422_with_field_and_rule(
    post: Post, services: Services, changes: dict[str, Any], field: str, rule: str
) -> None:
    answer = post(PATH, _event(**changes))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert (answer.json["status"], answer.json["title"]) == (422, "Unprocessable Entity")
    assert {"field": field, "rule": rule} in [{"field": e["field"], "rule": e["rule"]} for e in answer.json["errors"]]
    assert "Sulastri" not in answer.text
    assert _stored(services) == 0


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b'{"event_id": ', "json"),
        (b"\xff{}", "encoding"),
        (b'{"event_id": "a", "event_id": "b"}', "duplicate-key"),
        (b"[" * 5000 + b"]" * 5000, "too-deep"),
        (b"", "json"),
    ],
)
def test_a_text_that_cannot_be_read_is_400(post: Post, body: bytes, rule: str) -> None:
    answer = post(PATH, data=body)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["errors"][0]["rule"] == rule


def test_a_list_is_not_an_event(post: Post) -> None:
    assert post(PATH, [_event()]).status_code == 422


def test_more_than_a_megabyte_is_413(post: Post, services: Services) -> None:
    answer = post(PATH, data=b" " * 10_000_000)
    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert answer.json["errors"][0]["rule"] == "too-large"


def test_half_a_megabyte_is_still_read(post: Post) -> None:
    body = json.dumps(_event()).encode() + b" " * 500_000
    assert post(PATH, data=body).status_code == 202


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_media_type_is_415(post: Post, content_type: str) -> None:
    answer = post(PATH, data=json.dumps(_event()), content_type=content_type)
    assert answer.status_code == 415
    assert answer.json is not None
    assert answer.json["errors"][0]["field"] == "Content-Type"


def test_a_packed_body_is_415(post: Post) -> None:
    assert post(PATH, _event(), headers={"Content-Encoding": "gzip"}).status_code == 415


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer sl_aaaaaaaa_" + "0" * 43, "Basic c2w6c2w="])
def test_without_a_live_key_it_is_401(client: FlaskClient, services: Services, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    answer = client.post(PATH, json=_event(), headers=headers)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert _stored(services) == 0


def test_a_revoked_key_is_401(post: Post, services: Services, key: str) -> None:
    api_keys.revoke(services, key.split("_")[2], reason="lost", actor="system")
    assert post(PATH, _event()).status_code == 401


def test_a_key_without_the_scope_is_403(client: FlaskClient, services: Services) -> None:
    key = api_keys.add(services, name="read only", scopes=[Scope.NOTIFICATIONS_READ], actor="system").text
    answer = client.post(PATH, json=_event(), headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert _stored(services) == 0


def test_an_unknown_reference_is_404(client: FlaskClient, key: str) -> None:
    answer = client.get("/api/v1/notifications/ABCDE12345", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"


def test_no_cookie_is_set_and_none_is_needed(post: Post) -> None:
    assert "Set-Cookie" not in post(PATH, _event()).headers


def test_a_database_that_is_away_is_503_as_a_problem(services: Services, clock: FakeClock, key: str) -> None:
    away = replace(services, db=Database("postgresql+psycopg://nobody@127.0.0.1:1/none", clock))
    client = create_staff_app(away).test_client()
    answer = client.post(PATH, json=_event(), headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Retry-After"] == "60"


def test_the_description_agrees_with_what_is_answered(post: Post, client: FlaskClient, key: str) -> None:
    described = client.get("/api/openapi.json").json
    assert described is not None
    schemas = described["components"]["schemas"]
    answer = post(PATH, _event())
    assert answer.json is not None
    assert answer.json.keys() == schemas["Recorded"]["properties"].keys()
    found = client.get(answer.headers["Location"], headers={"Authorization": f"Bearer {key}"}).json
    assert found is not None
    assert found.keys() == schemas["Notification"]["properties"].keys()


def test_the_page_about_the_doors_needs_no_sign_in(client: FlaskClient) -> None:
    answer = client.get("/api/docs")
    assert answer.status_code == 200
    assert "POST /api/v1/vaccinations" in answer.text
