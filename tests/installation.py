"""A whole installation for a test: an environment, real processes, and a look into its database."""

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

from kombu import Connection

from notifier import embedded_broker
from notifier.safety import make_secrets
from notifier.services import Services, build
from notifier.settings import Role, Settings, load_settings
from notifier.store import caught, events, notifications
from notifier.store.migrate import upgrade
from notifier.stream import dead_queue, events_queue, publish
from notifier.worker import broker_options, send_queue
from tests.builders import event_json
from tests.databases import postgres_database
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

    def start(self, role: str, **environment: str) -> subprocess.Popen[bytes]:
        """A process of ours; `environment` replaces settings for it alone, names without the prefix."""
        command = [str(Path(sys.executable).with_name("sertilink")), role]
        env = self.environment | {f"SERTILINK_{name}": value for name, value in environment.items()}
        with self._logs.open("ab") as log:
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        self._running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to the process and its children: no chance to tidy up."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._running.remove(process)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM, as a supervisor does; within half a minute it must be gone."""
        process.terminate()
        process.wait(timeout=120)
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
            return [row.status for row in notifications.newest(conn, 1000)]

    def outcomes(self) -> dict[str, int]:
        with self.services.db.read() as conn:
            return events.count_by_outcome(conn)

    def dead_letters(self) -> int:
        with self.services.db.read() as conn:
            return events.count_dead_letters(conn)

    def recorded(self) -> int:
        """Events that stand in the database."""
        return sum(self.outcomes().values())

    def waiting(self) -> int:
        """Messages that nobody has taken."""
        with self._connection() as connection, connection.channel() as channel:
            return int(events_queue(self.settings)(channel).queue_declare().message_count)

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


@contextmanager
def an_installation(pair: str, folder: Path, **environment: str) -> Iterator[Installation]:
    """On `database+broker`, with an empty database and queues of its own; everything ends with it. The test is skipped
    where one of the two is missing. `environment` replaces settings, names without the prefix."""
    kind, broker = pair.split("+")
    if broker != "embedded":
        require(broker)
    with database(kind, folder) as database_url:
        make_secrets(folder)
        values = {
            "DATA_FOLDER": str(folder),
            "DATABASE_URL": database_url,
            "BROKER_URL": BROKERS.get(broker) or embedded_broker.broker_url(folder / "broker.db"),
            "EVENTS_QUEUE": f"test-{uuid.uuid4().hex[:12]}",
            "QUIET_HOURS": "off",
            "LEASE_SECONDS": str(LEASE_SECONDS),
        } | environment
        installed = Installation({f"SERTILINK_{name}": value for name, value in values.items()})
        try:
            yield installed
        finally:
            installed.stop()


def body(**changes: Any) -> bytes:
    """An event as it lies on the queue."""
    return json.dumps(event_json(**changes)).encode()


def body_of(number: int) -> bytes:
    """The event of one of many different people."""
    return body(event_id=f"e{number}", dose={"id": f"d{number}"}, person={"id": f"p{number}", "nik": None})
