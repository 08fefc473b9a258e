"""The stream watcher: a Celery worker whose one job is a kombu consumer on the registry's event queue.

Acknowledged after the commit; poison goes to the dead letters with its reason; a database that is away is waited for
with the message unacknowledged; no exception ends the worker.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from celery import bootsteps, signals
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.message import Message

from notifier.core.errors import BadInput, BadSettings, Conflict, Problem
from notifier.intake.event import MAX_EVENT_BYTES, now_as_today, read_event_json
from notifier.intake.record import Door, dead_letter, record
from notifier.logs import configure_logging
from notifier.services import Services
from notifier.settings import LinkCheck, Settings
from notifier.store.health import AWAY
from notifier.worker import SertilinkApp, create_app, node_name, on_rabbitmq

ACTOR = "door:stream"
PREFETCH = 50
_LONGEST_WAIT_S = 30.0
_MOST_FAULTS = 5
_FAULTS_KEPT = 1000
_DELIVERY_LIMIT = 20  # RabbitMQ: a message that keeps killing its consumer ends in the dead queue
_CONTROL_QUEUE = "sertilink.stream-idle"

_log = logging.getLogger(__name__)


def events_queue(settings: Settings) -> Queue:
    """The queue that a registry publishes to: durable; on RabbitMQ a quorum queue with a dead-letter queue."""
    name = settings.events_queue
    arguments: dict[str, Any] | None = None
    if on_rabbitmq(settings):
        arguments = {
            "x-queue-type": "quorum",
            "x-delivery-limit": _DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": f"{name}.dead",
        }
    exchange = Exchange(name, type="direct", durable=True)
    return Queue(name, exchange, routing_key=name, durable=True, queue_arguments=arguments)


def dead_queue(settings: Settings) -> Queue:
    """Where RabbitMQ puts what we rejected; the reasons are in our own dead-letter table."""
    return Queue(f"{settings.events_queue}.dead", durable=True, queue_arguments={"x-queue-type": "quorum"})


def publish(connection: Connection, settings: Settings, bodies: list[bytes]) -> int:
    """Puts event JSON on the queue, as a registry would; how many. Returns when the broker has them."""
    queue = events_queue(settings)
    with connection.channel() as channel:
        if on_rabbitmq(settings):
            dead_queue(settings)(channel).declare()
        producer = Producer(channel)
        for body in bodies:
            producer.publish(
                body,
                exchange=queue.exchange,
                routing_key=queue.routing_key,
                declare=[queue],
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=2,
            )
    return len(bodies)


class EventHandler:
    """What happens to one message. Never raises. `give_back` puts one where it will be offered again; by default it is
    requeued."""

    def __init__(
        self,
        services: Callable[[], Services],
        settings: Settings,
        stopping: threading.Event,
        give_back: Callable[[Message], None] | None = None,
    ) -> None:
        self._services = services
        self._settings = settings
        self._stopping = stopping
        self._give_back = give_back or _requeue
        self._failures = 0
        self._faults: Counter[bytes] = Counter()

    def __call__(self, message: Message) -> None:
        try:
            self._handle(message)
            self._failures = 0
        except Exception as error:
            # the database or the broker is away: keep the message, wait, offer it again
            self._failures += 1
            _log.error("event not recorded yet", extra={"error": type(error).__name__, "failures": self._failures})
            self._stopping.wait(min(0.1 * 2 ** min(self._failures, 10), _LONGEST_WAIT_S))
            self._return(message)

    def _handle(self, message: Message) -> None:
        services = self._services()
        body = _bytes(message)
        problems = self._record(services, body)
        if problems:
            dead_letter(services, door=Door.STREAM, body=body[:MAX_EVENT_BYTES], problems=problems)
            _log.warning("event refused", extra={"rules": [problem.rule for problem in problems]})
            message.reject(requeue=False)
        else:
            message.ack()

    def _record(self, services: Services, body: bytes) -> list[Problem]:
        """What is wrong with the event; [] where it is recorded. Raises what may be gone at the next try."""
        try:
            event = read_event_json(
                body,
                today=now_as_today(services.clock.now()),
                require_birth_date=self._settings.link_check is not LinkCheck.NONE,
            )
            record(services, event, door=Door.STREAM, actor=ACTOR)
        except (BadInput, Conflict) as error:
            return _problems(error)
        except AWAY:
            raise
        except Exception as error:
            # a fault of ours that this event meets each time: not for ever in the way of the others
            if not self._is_hopeless(body):
                raise
            return [Problem("body", "unexpected", f"recording it failed {_MOST_FAULTS} times: {type(error).__name__}")]
        return []

    def _is_hopeless(self, body: bytes) -> bool:
        key = hashlib.sha256(body).digest()
        if len(self._faults) > _FAULTS_KEPT:
            self._faults.clear()
        self._faults[key] += 1
        return self._faults[key] >= _MOST_FAULTS

    def _return(self, message: Message) -> None:
        try:
            self._give_back(message)
        except Exception as error:
            # the connection is gone, and with it our hold on the message: the broker gives it out again
            _log.error("event not given back", extra={"error": type(error).__name__})


def _requeue(message: Message) -> None:
    message.requeue()


def _bytes(message: Message) -> bytes:
    body = message.body
    return body.encode("utf-8", "surrogateescape") if isinstance(body, str) else bytes(body)


def _problems(error: BadInput | Conflict) -> list[Problem]:
    if isinstance(error, BadInput):
        return list(error.problems)
    return [Problem("event_id", "conflict", str(error))]


def give_back_to(app: SertilinkApp) -> Callable[[Message], None]:
    """How a message is given back. RabbitMQ counts each requeue towards the delivery limit, so that a database away for
    minutes would send good events to the dead queue: there the event goes to the end of the queue anew, confirmed, and
    only then is the old message acknowledged. Twice is once: the event id is the same."""

    def publish_again(message: Message) -> None:
        with app.connection_for_write() as connection:
            publish(connection, app.settings, [_bytes(message)])
        message.ack()

    return publish_again if on_rabbitmq(app.settings) else _requeue


def consumer_step(app: SertilinkApp, handler: EventHandler) -> type[Any]:
    """The bootstep that Celery starts anew after each reconnect."""
    settings = app.settings

    class EventStep(bootsteps.ConsumerStep):
        def get_consumers(self, channel: Any) -> list[Consumer]:
            channel.basic_qos(0, PREFETCH, False)
            if on_rabbitmq(settings):
                dead_queue(settings)(channel).declare()
            return [Consumer(channel, queues=[events_queue(settings)], on_message=handler, accept=None, no_ack=False)]

    return EventStep


def run_stream(settings: Settings) -> None:
    """Watches the event queue until told to stop."""
    if not settings.data_keys:
        raise BadSettings(["SERTILINK_DATA_KEYS: the stream seals what it records"])
    configure_logging()
    app = create_app(settings)
    # the step reads the events; the task consumer gets an idle queue, or it would eat wake-ups or events
    app.conf.task_queues = [Queue(f"{_CONTROL_QUEUE}.{settings.events_queue}", auto_delete=True, durable=False)]
    app.conf.task_default_queue = f"{_CONTROL_QUEUE}.{settings.events_queue}"
    stopping = threading.Event()
    signals.worker_shutting_down.connect(lambda **_: stopping.set(), weak=False)
    handler = EventHandler(lambda: app.services, settings, stopping, give_back_to(app))
    app.steps["consumer"].add(consumer_step(app, handler))
    app.worker_main(
        [
            "worker",
            "--pool=solo",
            f"--hostname={node_name('stream')}",
            "--loglevel=INFO",
            "--without-gossip",
            "--without-mingle",
        ]
    )
