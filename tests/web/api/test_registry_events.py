"""The registry asks for what was corrected: with the right key alone, the fields that were named alone."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from notifier.access import api_keys
from notifier.access.api_keys import KeyKind, Scope
from notifier.services import Services
from notifier.store import audit
from notifier.store.tables import registry_outbox
from notifier.support.privacy.erase import erase
from tests.canaries import stands_in
from tests.desk import Desk
from tests.support.test_registry_out import correct

PATH = "/api/v1/registry-events/"


def get(client: FlaskClient, services: Services, event_id: str, **key: Any) -> Any:
    made = api_keys.add(services, **{"name": "registry", "scopes": [Scope.CORRECTIONS_READ], "actor": "system"} | key)
    return client.get(PATH + event_id, headers={"Authorization": f"Bearer {made.text}"})


@pytest.fixture
def events(desk: Desk) -> dict[str, str]:
    """A person's and a dose's, by kind."""
    correct(desk, desk.record(), name="Sulastri", lot="LOT-8")
    with desk.services.db.read() as conn:
        return {row.kind: row.id for row in conn.execute(sa.select(registry_outbox))}


def test_the_values_stand_as_they_are_now_and_the_reading_is_audited(
    client: FlaskClient, services: Services, events: dict[str, str]
) -> None:
    person = get(client, services, events["person.corrected"])
    assert (person.status_code, person.json["values"]) == (200, {"name": "Sulastri"})
    assert person.json["dose_ids"] == ["dose-1"]
    assert person.headers["Cache-Control"] == "no-store"
    assert not stands_in("1989", person.text)
    assert get(client, services, events["dose.corrected"]).json["values"] == {"lot": "LOT-8"}
    with services.db.read() as conn:
        (read,) = audit.of_subjects(conn, [events["person.corrected"]])
    assert (read.action, read.actor[:4], read.detail) == ("registry.read", "key:", {"fields": "name"})


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ({"scopes": [scope for scope in Scope if scope is not Scope.CORRECTIONS_READ]}, 403),
        ({"facility_id": "facility-1"}, 404),
        ({"kind": KeyKind.TEST}, 404),
    ],
)
def test_no_other_key_reads_them(
    client: FlaskClient, services: Services, events: dict[str, str], key: dict[str, Any], status: int
) -> None:
    answer = get(client, services, events["person.corrected"], **key)
    assert answer.status_code == status
    assert "Sulastri" not in answer.text


@pytest.mark.parametrize("event_id", ["x", "0" * 36, "00000000-0000-0000-0000-000000000000", "%00"])
def test_what_is_no_event_is_not_found(client: FlaskClient, services: Services, event_id: str) -> None:
    assert get(client, services, event_id).status_code == 404


def test_an_erased_person_s_event_is_gone(client: FlaskClient, services: Services, events: dict[str, str]) -> None:
    with services.db.read() as conn:
        person_id = conn.scalar(
            sa.select(registry_outbox.c.subject_id).where(registry_outbox.c.id == events["person.corrected"])
        )
    erase(services, str(person_id), reason="asked for it", actor="test")
    assert [get(client, services, one).status_code for one in events.values()] == [404, 404]
