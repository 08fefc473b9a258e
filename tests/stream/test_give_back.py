"""An event that cannot be recorded now is neither lost nor in the way for ever."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sa
from kombu import Connection, Consumer
from kombu.message import Message
from sqlalchemy.exc import OperationalError

from notifier.services import Services
from notifier.store import events
from notifier.stream import OnRabbit, Wary, dead_queue, events_queue, publish
from notifier.stream_batches import BatchHandler, body_of
from notifier.worker import SertilinkApp, broker_options, create_app
from tests.builders import event_json
from tests.conftest import Build
from tests.requirements import require
from tests.stream.test_handler import a_message, dead_letters, no_waiting

RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"


def test_an_event_that_fails_each_time_ends_among_the_dead_letters(services: Services) -> None:
    with services.db.write() as conn:
        conn.execute(sa.text("CREATE TRIGGER fault BEFORE INSERT ON dose BEGIN SELECT RAISE(ABORT, 'a fault'); END"))
    handler = BatchHandler(lambda: services, services.settings, no_waiting())
    message = a_message()
    for _ in range(5):
        handler([message])
    assert message.done == ["requeue"] * 4 + ["reject"]
    [letter] = dead_letters(services)
    assert letter.problems[0]["rule"] == "unexpected"
    assert "a fault" not in json.dumps(letter.problems)


def test_a_fault_that_passes_loses_no_event(services: Services) -> None:
    fault = "CREATE TRIGGER fault BEFORE INSERT ON dose BEGIN SELECT RAISE(ABORT, 'a fault'); END"
    handler = BatchHandler(lambda: services, services.settings, no_waiting())
    message = a_message()
    for statement in (fault, "DROP TRIGGER fault"):
        with services.db.write() as conn:
            conn.execute(sa.text(statement))
        handler([message])
    assert message.done == ["requeue", "ack"]


@pytest.fixture
def rabbitmq(build_services: Build) -> Iterator[tuple[Services, SertilinkApp, Connection]]:
    require("rabbitmq")
    services = build_services(broker_url=RABBITMQ, events_queue=f"test-{uuid.uuid4().hex[:12]}")
    settings = services.settings
    with Connection(RABBITMQ, transport_options=broker_options(RABBITMQ)) as connection:
        yield services, create_app(settings, lambda _: services), connection
        with connection.channel() as channel:
            for queue in (events_queue(settings), dead_queue(settings)):
                channel.queue_delete(queue.name)
            channel.exchange_delete(settings.events_queue)


def test_a_long_outage_of_the_database_fills_no_dead_queue(
    rabbitmq: tuple[Services, SertilinkApp, Connection],
) -> None:
    services, app, connection = rabbitmq
    tries = 0

    def away_at_first() -> Services:
        nonlocal tries
        tries += 1
        if tries <= 30:  # more than RabbitMQ's delivery limit
            raise OperationalError("SELECT 1", None, ConnectionRefusedError())
        return services

    handler = BatchHandler(away_at_first, services.settings, no_waiting(), OnRabbit(app))
    publish(connection, services.settings, [json.dumps(event_json()).encode()])
    with connection.channel() as channel:
        with Consumer(
            channel, [events_queue(services.settings)], on_message=lambda message: handler([message]), accept=None
        ):
            drain_until(connection, lambda: recorded(services))
        assert dead_queue(services.settings)(channel).queue_declare(passive=True).message_count == 0
    assert recorded(services) == {"planned": 1}
    assert tries == 31


def recorded(services: Services) -> dict[str, int]:
    with services.db.read() as conn:
        return events.count_by_outcome(conn)


def drain_until(connection: Connection, done: Any) -> None:
    for _ in range(100):
        with suppress(socket.timeout):
            connection.drain_events(timeout=0.2)
        if done():
            return
    pytest.fail("the event was not offered again")


class Killed(BaseException):
    """The process ends."""


class Deadly(BatchHandler):
    """Dies of one event."""

    def __call__(self, messages: Sequence[Message]) -> list[Message]:
        if any(b"killer" in body_of(message) for message in messages):
            raise Killed
        return super().__call__(messages)


def test_an_event_that_kills_its_process_takes_no_other_with_it(
    rabbitmq: tuple[Services, SertilinkApp, Connection],
) -> None:
    services, app, connection = rabbitmq
    names = ["e1", "killer", "e2", "e3"]
    events_of_all = [event_json(event_id=name, dose={"id": name}) for name in names]
    publish(connection, services.settings, [json.dumps(event).encode() for event in events_of_all])
    for _ in range(40):
        one_life(app, services)
        if dead_letters(services):
            break
    one_life(app, services)
    assert recorded(services) == {"planned": 3}
    assert [letter.problems[0]["rule"] for letter in dead_letters(services)] == ["unexpected"]
    with connection.channel() as channel:
        assert dead_queue(services.settings)(channel).queue_declare(passive=True).message_count == 1


def one_life(app: SertilinkApp, services: Services) -> None:
    """A process that takes what there is, and dies or finishes."""
    handler = Wary(Deadly(lambda: services, services.settings, no_waiting(), OnRabbit(app)))
    found: list[Message] = []
    with Connection(RABBITMQ) as connection, connection.channel() as channel:
        taking = Consumer(channel, [events_queue(services.settings)], on_message=found.append, accept=None)
        with taking, suppress(TimeoutError):
            while True:
                connection.drain_events(timeout=0.5 if found else 5)
        with suppress(Killed):
            if found:
                handler(found)
