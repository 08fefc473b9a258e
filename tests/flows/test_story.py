"""The whole story with real worker and stream processes, on each pair of database and broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from linkserver import create_public_app
from notifier import embedded_broker
from notifier.core.states import State
from notifier.safety import make_secrets
from notifier.services import Services, build
from notifier.settings import Role, Settings, load_settings
from notifier.store import caught, events, notifications
from notifier.store.migrate import upgrade
from notifier.stream import dead_queue, events_queue, publish
from notifier.worker import broker_options, send_queue
from tests.builders import event_json
from tests.databases import postgres_database
from tests.polling import eventually
from tests.requirements import require

PAIRS = ["sqlite+embedded", "postgres+rabbitmq", "postgres+redis"]
BROKERS = {"rabbitmq": "amqp://guest:guest@127.0.0.1:5672//", "redis": "redis://127.0.0.1:6379/7"}
LEASE_SECONDS = 3


class Installation:
    """One installation: its environment, its processes, and a look into its database."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {**os.environ, **environment}
        self.settings: Settings = load_settings(self.environment, Role.CLI)
        self.services: Services = build(self.settings)
        self._running: list[subprocess.Popen[bytes]] = []
        self._logs = self.settings.data_folder / "log"
        upgrade(self.services.db)

    def start(self, role: str) -> subprocess.Popen[bytes]:
        command = [str(Path(sys.executable).with_name("sertilink")), role]
        with self._logs.open("ab") as log:
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        self._running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to the process and its children: no chance to tidy up."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._running.remove(process)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL; SIGTERM where the events are on Redis: kombu pops a message before it notes it as unacknowledged, so
        that a SIGKILL in between loses it, and what it did note comes back only after the visibility timeout."""
        if not self.settings.broker_url.startswith("redis"):
            self.kill(process)
            return
        process.terminate()
        process.wait(timeout=30)
        self._running.remove(process)

    def stop(self) -> None:
        for process in list(self._running):
            self.kill(process)
        with self._connection() as connection, connection.channel() as channel:
            for queue in (events_queue(self.settings), send_queue(self.settings), dead_queue(self.settings)):
                channel.queue_delete(queue.name)
        self.services.close()

    def publish(self, *bodies: bytes) -> None:
        with self._connection() as connection:
            publish(connection, self.settings, list(bodies))

    def _connection(self) -> Connection:
        embedded_broker.register()
        url = self.settings.broker_url
        return Connection(url, transport_options=broker_options(url))

    def caught(self) -> list[caught.CaughtSms]:
        with self.services.db.read() as conn:
            return caught.newest(conn, self.services.sealer, 100)

    def states(self) -> list[str]:
        with self.services.db.read() as conn:
            return [row.status for row in notifications.newest(conn, 100)]

    def outcomes(self) -> dict[str, int]:
        with self.services.db.read() as conn:
            return events.count_by_outcome(conn)

    def dead_letters(self) -> int:
        with self.services.db.read() as conn:
            return events.count_dead_letters(conn)

    def log(self) -> str:
        return self._logs.read_text()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder}/sertilink.db"
        return
    require("postgres")
    with postgres_database() as url:
        yield url


@pytest.fixture(params=PAIRS)
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    kind, broker = request.param.split("+")
    if broker != "embedded":
        require(broker)
    with database(kind, tmp_path) as database_url:
        make_secrets(tmp_path)
        installed = Installation(
            {
                "SERTILINK_DATA_FOLDER": str(tmp_path),
                "SERTILINK_DATABASE_URL": database_url,
                "SERTILINK_BROKER_URL": BROKERS.get(broker) or embedded_broker.broker_url(tmp_path / "broker.db"),
                "SERTILINK_EVENTS_QUEUE": f"test-{uuid.uuid4().hex[:12]}",
                "SERTILINK_QUIET_HOURS": "off",
                "SERTILINK_LEASE_SECONDS": str(LEASE_SECONDS),
            }
        )
        try:
            yield installed
        finally:
            installed.stop()


def body(**changes: Any) -> bytes:
    return json.dumps(event_json(**changes)).encode()


def test_a_dose_goes_in_one_sms_comes_out_and_the_certificate_opens(installation: Installation) -> None:
    stream, worker = installation.start("stream"), installation.start("worker")
    installation.publish(body(), body(), b"{poison", body())
    [sms] = eventually(installation.caught, 40, "no SMS was caught")
    eventually(lambda: installation.states() == [State.DELIVERED], 20, "no receipt moved it")
    eventually(lambda: installation.dead_letters() == 1, 20, "the poison is not among the dead letters")
    assert sms.to == "+6281234567890"

    client = create_public_app(installation.services).test_client()
    path = "/" + sms.text.split("/", 3)[3].split(" ")[0]
    opened = client.post(path, data={"day": "10", "month": "2", "year": "1989"})
    assert opened.status_code == 303
    assert "Siti Aminah" in client.get(opened.location).text
    assert client.get(opened.location + ".pdf").data.startswith(b"%PDF-")

    # both are killed without warning, and what comes meanwhile waits for them
    installation.kill(stream)
    installation.kill(worker)
    installation.publish(body(event_id="e2", dose={"id": "d2"}), body())
    installation.start("stream")
    installation.start("worker")
    eventually(lambda: installation.states() == [State.DELIVERED] * 2, 60, "the second dose was not told")
    assert len(installation.caught()) == 2
    assert installation.outcomes() == {"planned": 2}

    log = installation.log()
    for secret in ("Siti", "1989-02-10", "81234567890", "3456-7890", path.removeprefix("/c/")):
        assert secret not in log


def test_killed_again_and_again_everything_goes_out_once(installation: Installation) -> None:
    count = 30
    installation.publish(
        *(body(event_id=f"e{n}", dose={"id": f"d{n}"}, person={"id": f"p{n}", "nik": None}) for n in range(count))
    )
    for seen in (5, 12, 20):
        stream, worker = installation.start("stream"), installation.start("worker")
        eventually(lambda: len(installation.states()) >= seen, 40, "the stream does not go on")  # noqa: B023
        installation.kill(worker)
        installation.end(stream)
    installation.start("stream")
    installation.start("worker")

    def ended() -> bool:
        states = installation.states()
        return len(states) == count and set(states) <= {State.DELIVERED, State.UNKNOWN}

    eventually(ended, 60, "not all of them ended")
    references = [sms.reference for sms in installation.caught()]
    assert len(references) == len(set(references)), "an SMS went out twice"
    assert installation.outcomes() == {"planned": count}
