"""Test keys: every rule is asked, each outcome can be had by its number, and nothing real is touched or sent."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from notifier.access import api_keys
from notifier.access.api_keys import KeyKind, Scope
from notifier.core.phones import read_mobile
from notifier.services import Services
from notifier.store.tables import metadata
from notifier.support.magic_numbers import ANSWERS, NUMBERS, Magic
from tests.builders import event_json, fhir_bundle, fhir_immunization, fhir_patient
from tests.canaries import stands_in
from tests.fakes import FakeClock, FakeGateway
from tests.web.api.conftest import Post

DOSES, LIST = "/api/v1/vaccinations", "/api/v1/notifications"
#: what test keys may write
_OWN = {"test_notification", "bucket", "idempotency", "api_key", "alembic_version"}


@pytest.fixture
def key(services: Services) -> str:
    """A test key with every scope."""
    return api_keys.add(services, name="SIMPUS", scopes=list(Scope), kind=KeyKind.TEST, actor="system").text


@pytest.fixture
def get(client: FlaskClient, key: str) -> Any:
    return lambda path: client.get(path, headers={"Authorization": f"Bearer {key}"})


def _rows(services: Services) -> dict[str, int]:
    with services.db.read() as conn:
        return {
            table.name: conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
            if table.name not in _OWN
        }


def _posted(post: Post, number: str | None = "0812-0000-0001", **changes: Any) -> dict[str, Any]:
    answer = post(DOSES, event_json(person={"phone": number}, **changes))
    assert answer.status_code in {200, 202}, answer.text
    assert answer.json is not None
    return dict(answer.json)


@pytest.mark.parametrize("magic", [one for one in NUMBERS if one.script not in ANSWERS], ids=lambda one: one.script)
def test_each_number_ends_as_the_table_says(post: Post, get: Any, clock: FakeClock, magic: Magic) -> None:
    assert read_mobile(magic.number, region="ID", allowed={"ID"}).e164 == magic.e164
    told = _posted(post, magic.number, notify={"delay_hours": 1})
    assert (told["outcome"], told["state"], told["due_at"]) == ("planned", "scheduled", "2026-11-23T04:00:00Z")
    path = f"{LIST}/{told['reference']}"
    assert get(path).json["state"] == "scheduled"
    clock.tick(hours=1)
    seen = []
    for _ in range(40):
        state = get(path).json["state"]
        seen += [state] if seen[-1:] != [state] else []
        clock.tick(seconds=1)
    last = magic.steps[-1]
    found = get(path).json
    code, reason = last.code, last.reason.value if last.reason else None
    assert (found["state"], found["reason"], found["provider_code"]) == (last.state.value, reason, code)
    assert [state for state in seen if state != "scheduled"] == list(
        dict.fromkeys(step.state.value for step in magic.steps if step.state != "scheduled")
    )


def test_the_numbers_are_all_different_and_each_answer_has_one(post: Post) -> None:
    assert len({one.number for one in NUMBERS}) == len({one.script for one in NUMBERS}) == len(NUMBERS)
    assert post(DOSES, event_json(person={"phone": "0812-0000-0429"})).status_code == 429
    away = post(DOSES, event_json(person={"phone": "0812-0000-0503"}))
    assert (away.status_code, away.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize(
    ("number", "reason"), [(None, "no-phone"), ("021-350-0000", "bad-phone"), ("0812-34", "bad-phone")]
)
def test_what_no_sms_can_go_to_is_suppressed_as_with_a_live_key(
    post: Post, get: Any, number: str | None, reason: str
) -> None:
    told = _posted(post, number)
    assert (told["outcome"], told["state"], told["reason"]) == ("suppressed", "suppressed", reason)
    assert get(f"{LIST}/{told['reference']}").json["state"] == "suppressed"


def test_nothing_real_is_touched_or_sent(
    post: Post, services: Services, gateway: FakeGateway, client: FlaskClient, clock: FakeClock
) -> None:
    before = _rows(services)
    told = _posted(post)
    _posted(post, event_id="e2", event_type="corrected", dose={"lot": "LOT-8"})
    post(f"{LIST}/{told['reference']}/resend", {"reason": "again"})
    post(f"{LIST}/{told['reference']}/cancel", {"reason": "again"})
    post(DOSES, event_json(event_id="e3", event_type="entered_in_error"))
    post("/fhir/R4", fhir_bundle(type="transaction"))
    post("/fhir/R4/Immunization", fhir_immunization(contained=[fhir_patient()], patient={"reference": "#patient-1"}))
    assert _rows(services) == before
    assert gateway.sent == []
    with services.db.read() as conn:
        kept = str(conn.execute(sa.text("SELECT * FROM test_notification")).all())
    assert not [word for word in ("Siti", "1989", "0812", "person-1") if stands_in(word, kept)]


def test_a_test_message_is_seen_with_its_own_key_alone(post: Post, client: FlaskClient, services: Services) -> None:
    told = _posted(post)
    for kind in KeyKind:
        other = api_keys.add(services, name="other", scopes=list(Scope), kind=kind, actor="system").text
        headers = {"Authorization": f"Bearer {other}"}
        assert client.get(f"{LIST}/{told['reference']}", headers=headers).status_code == 404
        assert client.get(LIST, headers=headers).json == {"notifications": [], "next": None}


def test_a_real_message_cannot_be_seen_or_touched_with_a_test_key(
    post: Post, get: Any, client: FlaskClient, services: Services
) -> None:
    live = api_keys.add(services, name="live", scopes=list(Scope), actor="system").text
    answer = client.post(DOSES, json=event_json(), headers={"Authorization": f"Bearer {live}"})
    assert answer.json is not None
    reference = answer.json["reference"]
    assert get(f"{LIST}/{reference}").status_code == 404
    assert post(f"{LIST}/{reference}/cancel", {"reason": "x"}).status_code == 404
    assert post(f"{LIST}/{reference}/resend", {"reason": "x"}).status_code == 404
    assert _posted(post)["outcome"] == "planned"  # the same event id, and neither knows of the other


def test_every_rule_is_asked(post: Post) -> None:
    answer = post(DOSES, event_json(person={"nik": "123"}))
    assert answer.status_code == 422
    _posted(post)
    assert post(DOSES, event_json(person={"phone": "0812-0000-0001", "name": "Budi"})).status_code == 409


def test_the_same_event_again_and_its_correction_are_answered_as_with_a_live_key(post: Post, clock: FakeClock) -> None:
    first = _posted(post)
    assert _posted(post)["outcome"] == "repeated"
    assert _posted(post, event_id="e2")["outcome"] == "unchanged"
    updated = _posted(post, event_id="e3", dose={"lot": "LOT-8"})
    assert (updated["outcome"], updated["reference"]) == ("updated", first["reference"])
    clock.tick(minutes=1)
    corrected = _posted(post, event_id="e4", dose={"lot": "LOT-9"})
    assert corrected["outcome"] == "corrected"
    assert corrected["reference"] != first["reference"]
    gone = post(DOSES, event_json(event_id="e5", event_type="entered_in_error")).json
    assert gone is not None
    assert (gone["outcome"], gone["state"], gone["reason"]) == ("withdrawn", "cancelled", "withdrawn")
    again = post(DOSES, event_json(event_id="e6", event_type="entered_in_error")).json
    assert again is not None
    assert again["outcome"] == "unchanged"
    assert _posted(post, event_id="e7")["outcome"] == "planned"


def test_what_waits_is_cancelled_and_what_arrived_is_sent_again(post: Post, get: Any, clock: FakeClock) -> None:
    path = f"{LIST}/{_posted(post)['reference']}"
    assert post(f"{path}/resend", {"reason": "x"}).status_code == 409
    assert post(f"{path}/cancel", {"reason": " "}).status_code == 422
    assert post(f"{path}/cancel", {"reason": "typed twice"}).json["state"] == "cancelled"  # type: ignore[index]
    clock.tick(minutes=1)
    assert get(path).json["state"] == "cancelled"
    assert post(f"{path}/cancel", {"reason": "x"}).json["errors"][0]["rule"] == "already-stopped"  # type: ignore[index]
    second = post(f"{path}/resend", {"reason": "x", "at": "2026-11-24T02:00:00Z"})
    assert second.status_code == 202
    assert second.json is not None
    assert (second.json["generation"], second.json["due_at"]) == (2, "2026-11-24T02:00:00Z")


def test_test_messages_are_listed_by_pages_and_forgotten_after_a_month(
    post: Post, get: Any, services: Services, clock: FakeClock
) -> None:
    for number in range(5):
        _posted(post, event_id=f"e{number}", dose={"id": f"d{number}"})
        clock.tick(seconds=10)
    seen, path = [], f"{LIST}?limit=2"
    while path:
        page = get(path).json
        seen += [one["reference"] for one in page["notifications"]]
        path = f"{LIST}?limit=2&cursor={page['next']}" if page["next"] else ""
    assert len(seen) == len(set(seen)) == 5
    assert [one["state"] for one in get(f"{LIST}?state=delivered").json["notifications"]] == ["delivered"] * 5
    clock.tick(days=31)
    from notifier.store import sandbox

    with services.db.write() as conn:
        assert sandbox.forget(conn, clock.now()) == 5
