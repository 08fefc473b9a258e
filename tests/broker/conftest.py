"""One broker of each kind, with names of its own, and the processes that use it."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from kombu import Connection, Exchange, Queue

from notifier.embedded_broker import broker_url, register
from tests.polling import eventually
from tests.requirements import require

ROOT = Path(__file__).resolve().parents[2]
EXCHANGES = (
    "{}-exchange",
    "{}-fanout",
    "{}-topic",
    "{}-celery",
    "{}-celery.pidbox",
    "reply.{}-celery.pidbox",
    "{}-celeryev",
)
LEASE_SECONDS = 3  # how long a dead consumer's messages stay away, where that is a setting


@dataclass
class Broker:
    """A broker under test: connections, queues with unique names, helper processes; all is taken down at the end."""

    kind: str
    url: str
    options: dict[str, Any]
    folder: Path
    cleanup: ExitStack
    prefix: str = field(default_factory=lambda: f"sertilink-test-{uuid4().hex[:12]}")
    made: list[str] = field(default_factory=list)

    def connect(self, **options: Any) -> Connection:
        return self.cleanup.enter_context(Connection(self.url, transport_options={**self.options, **options}))

    def exchange(self, type: str = "direct", name: str = "exchange") -> Exchange:
        return Exchange(f"{self.prefix}-{name}", type)

    def queue(
        self, name: str = "queue", exchange: Exchange | None = None, key: str | None = None, **more: Any
    ) -> Queue:
        full = f"{self.prefix}-{name}"
        self.made.append(full)
        return Queue(full, exchange or self.exchange(), routing_key=full if key is None else key, **more)

    def start(self, mode: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """A process of tests/broker/processes.py; killed at the end of the test, whatever becomes of it."""
        command = [sys.executable, "-m", "tests.broker.processes", mode, self.url, json.dumps(self.options), *arguments]
        return self.run(command, **environment)

    def run(self, command: list[str], **environment: str) -> subprocess.Popen[str]:
        log = self.cleanup.enter_context((self.folder / f"{uuid4().hex}.log").open("w"))
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )
        self.cleanup.callback(_end, process)
        return process

    def clear(self) -> None:
        if self.kind == "redis":
            client = redis.Redis.from_url(self.url)
            for key in client.scan_iter(f"{self.prefix}*"):
                client.delete(key)
            client.close()
        if self.kind == "rabbitmq":
            with Connection(self.url) as connection:
                for name in set(self.made):
                    connection.channel().queue_delete(name)
                for name in EXCHANGES:
                    connection.channel().exchange_delete(name.format(self.prefix))


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)  # its own session: children of a killed worker end too
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _make(kind: str, folder: Path, cleanup: ExitStack) -> Broker:
    register()
    if kind != "embedded":
        require(kind)
    lease = {"visibility_timeout": LEASE_SECONDS}
    quick = {"unacked_restore_throttle": 1, "unacked_restore_interval": 1}
    url, options = {
        "embedded": (broker_url(folder / "broker.db"), {"polling_interval": 0.02}),
        "rabbitmq": ("amqp://guest:guest@127.0.0.1:5672//", {"confirm_publish": True}),
        "redis": ("redis://127.0.0.1:6379/9", {**lease, **quick}),
    }[kind]
    broker = Broker(kind, url, options, folder, cleanup)
    if kind == "redis":
        broker.options["global_keyprefix"] = f"{broker.prefix}:"
    return broker


@pytest.fixture(params=["embedded", "rabbitmq", "redis"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Each kind of broker in turn."""
    with ExitStack() as cleanup:
        broker = _make(request.param, tmp_path, cleanup)
        cleanup.callback(broker.clear)
        yield broker


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Broker]:
    """The embedded broker alone, with its normal visibility timeout of ten minutes."""
    with ExitStack() as cleanup:
        yield _make("embedded", tmp_path, cleanup)


def publish(connection: Connection, queue: Queue, *bodies: Any, **properties: Any) -> None:
    with connection.channel() as channel:
        producer = connection.Producer(channel)
        for body in bodies:
            producer.publish(
                body, exchange=queue.exchange, routing_key=queue.routing_key, declare=[queue], **properties
            )


def receive(connection: Connection, queue: Queue, count: int, seconds: float = 15.0) -> list[Any]:
    """Consume until `count` messages are in hand, none acknowledged; they stay so until the connection closes."""
    messages: list[Any] = []
    consumer = connection.Consumer(
        [queue], channel=connection.channel(), on_message=messages.append, prefetch_count=count
    )
    consumer.consume()
    eventually(lambda: drained(connection) and len(messages) >= count, seconds, f"{count} messages did not arrive")
    consumer.cancel()
    return messages


def drained(connection: Connection, timeout: float = 0.05) -> bool:
    """Take in what there is; always true, for use in a condition."""
    with suppress(socket.timeout):
        while True:
            connection.drain_events(timeout=timeout)
    return True


def size(connection: Connection, queue: Queue) -> int:
    """Messages ready for delivery."""
    with connection.channel() as channel:
        return int(queue(channel).queue_declare()[1])  # not passive: an empty queue does not exist on Redis


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def said(process: subprocess.Popen[str], word: str) -> None:
    """Wait for the process to print this line."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    pytest.fail(f"the process ended before it said {word!r}: {process.wait()}")


def rows(broker: Broker, sql: str) -> list[Any]:
    with closing(sqlite3.connect(broker.folder / "broker.db")) as db:
        return db.execute(sql).fetchall()
