"""event publish: onto the embedded broker's queue, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from notifier.commands.publish import connect
from notifier.settings import Settings
from notifier.stream import events_queue
from tests.commands.conftest import Run
from tests.conftest import TEST_KEYS


@pytest.fixture
def broker(tmp_path: Path) -> dict[str, str]:
    """The environment of an own embedded broker."""
    return {"SERTILINK_BROKER_URL": f"sertilink-sqlite:///{tmp_path}/broker.db"}


def _waiting(broker: dict[str, str]) -> list[bytes]:
    settings = Settings(broker_url=broker["SERTILINK_BROKER_URL"], **TEST_KEYS)
    bodies = []
    with connect(settings) as connection, connection.channel() as channel:
        queue = events_queue(settings)(channel)
        queue.declare()
        while (message := queue.get(no_ack=True)) is not None:
            body = message.body
            bodies.append(body.encode() if isinstance(body, str) else bytes(body))
    return bodies


def test_each_line_is_an_event(run: Run, tmp_path: Path, broker: dict[str, str]) -> None:
    lines = [json.dumps({"event_id": f"e{number}", "name": "Nur'aini"}) for number in range(450)]
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join([*lines, "", ""]))
    result = run("event", "publish", str(path), "--json", environ=broker)
    assert json.loads(result.stdout) == {"published": 450, "queue": "vaccinations"}
    assert [body.decode() for body in _waiting(broker)] == lines


def test_a_json_file_is_one_event(run: Run, tmp_path: Path, broker: dict[str, str]) -> None:
    path = tmp_path / "event.json"
    path.write_text('{\n  "event_id": "e1"\n}\n')
    assert run("event", "publish", str(path), environ=broker).stdout == "1 published to vaccinations\n"
    assert _waiting(broker) == [path.read_bytes()]


def test_what_cannot_be_read_is_published_as_it_is(run: Run, tmp_path: Path, broker: dict[str, str]) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"{broken\n\xff\xfe\n")
    assert run("event", "publish", str(path), environ=broker).exit_code == 0
    assert _waiting(broker) == [b"{broken", b"\xff\xfe"]


def test_an_empty_file_is_refused(run: Run, tmp_path: Path, broker: dict[str, str]) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text("\n\n")
    result = run("event", "publish", str(path), environ=broker)
    assert result.exit_code == 1
    assert "[empty-file]" in result.stderr


def test_a_broker_that_is_away_is_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text("{}\n")
    for url in ("redis://:hunter2@127.0.0.1:1/0", "amqp://guest:hunter2@127.0.0.1:1//"):
        result = run("event", "publish", str(path), environ={"SERTILINK_BROKER_URL": url})
        assert result.exit_code == 1
        assert result.stderr == "sertilink: SERTILINK_BROKER_URL: the broker does not answer\n"
