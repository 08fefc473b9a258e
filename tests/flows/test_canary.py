"""The canary: one person goes the whole way, and nothing of them is found in a plain column, metric or task message.
Log lines are listened to in every test (tests/conftest.py)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from kombu import Connection
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from linkserver import create_public_app
from notifier import embedded_broker, tasks
from notifier.core.errors import BadInput
from notifier.intake.event import read_event
from notifier.intake.record import Door, dead_letter
from notifier.metrics import DatabaseCollector
from notifier.services import Services
from notifier.store.tables import metadata
from notifier.support.resend import resend
from notifier.worker import create_app, send_queue
from tests import canaries
from tests.builders import TODAY, event_json
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock


@pytest.fixture
def lived(each_desk: Desk, clock: FakeClock) -> Desk:
    """An installation in which the canary went every way there is."""
    desk, services = each_desk, each_desk.services
    recorded = desk.record()
    desk.send()
    desk.receive("delivered")
    resend(services, recorded.reference or "", reason="lost", actor="system")
    desk.send()
    desk.record(event_id="e2", event_type="corrected", person={"name": "Siti Aminah Putri"})
    desk.send()
    client = create_public_app(services).test_client()
    path = "/" + desk.gateway.sent[-1].text.split("/", 3)[3].split(" ")[0]
    client.post(path, data={"day": "11", "month": "2", "year": "1989"})
    opened = client.post(path, data={"day": "10", "month": "2", "year": "1989"})
    for shape in ("", "/codes", ".smart-health-card"):
        assert client.get(opened.location + shape).status_code == 200
    body = json.dumps(event_json(event_id="e3", dose={"number": 0})).encode()
    try:
        read_event(json.loads(body), today=TODAY)
    except BadInput as error:
        dead_letter(services, door=Door.API, body=body, problems=error.problems)
    return desk


def plain(value: Any) -> str:
    """Any column value as text in which a canary would be seen."""
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return json.dumps(value, ensure_ascii=False, default=str)


def test_no_plain_column_holds_personal_data(lived: Desk) -> None:
    services = lived.services
    leaks = []
    seen = set()
    texts = {plain(message.text)[1:-1] for message in lived.gateway.sent}
    texts |= {plain(message.text.encode()) for message in lived.gateway.sent}
    assert len(lived.gateway.sent) == 3
    with services.db.read() as conn:
        for table in metadata.tables.values():
            for row in conn.execute(table.select()).mappings():
                seen.add(table.name)
                for column, value in row.items():
                    kinds = canaries.found_in(plain(value), services.links)
                    leaks += [f"{table.name}.{column}: {kind}" for kind in kinds]
                    if any(text in plain(value) for text in texts):
                        leaks.append(f"{table.name}.{column}: text of an SMS")
    assert leaks == []
    assert {"person", "dose", "notification", "attempt", "receipt", "audit", "dead_letter", "opening", "code"} <= seen


def test_no_metric_holds_personal_data(lived: Desk) -> None:
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(lived.services))
    text = generate_latest(registry).decode()
    assert 'sertilink_notifications{state="delivered"}' in text
    assert canaries.found_in(text, lived.services.links) == []


def test_a_wake_up_has_no_argument(build_services: Build, tmp_path: Any) -> None:
    url = embedded_broker.broker_url(tmp_path / "broker.db")
    services: Services = build_services(broker_url=url)
    app = create_app(services.settings, lambda _: services)
    app.send_task(tasks.SEND_BATCH, expires=30)
    with Connection(url) as connection, connection.SimpleQueue(send_queue(services.settings)) as queue:
        message = queue.get(timeout=5)
        arguments, keywords, _ = json.loads(message.body)
        message.ack()
    assert (arguments, keywords) == ([], {})
    assert "eta" not in message.headers or message.headers["eta"] is None
    app.close()


def test_the_canaries_are_found_where_they_are(services: Services) -> None:
    """A canary test that cannot fail would be worth nothing."""
    token = services.links.sign("00000000001")
    texts = {
        "name": "hello AMINAH",
        "NIK": canaries.NIK,
        "phone": "+62 812-3456-7890",
        "birth date": str(datetime(1989, 2, 10, tzinfo=UTC)),
        "token": f"GET /c/{token}x".removesuffix("x"),
    }
    assert [canaries.found_in(text, services.links) for text in texts.values()] == [[kind] for kind in texts]
