"""The stream watcher: a Celery worker whose one job is a kombu consumer on the registry's event queue.

This is its door: the queue, publishing to it, and the process. What happens to messages: `stream_batches`; how they are
taken from Redis: `redis_fetch`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from celery import bootsteps, signals
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.message import Message
from kombu.transport import virtual

from notifier import redis_fetch
from notifier.core.errors import BadSettings
from notifier.embedded_broker.transport import DELETE_DELIVERY
from notifier.logs import configure_logging
from notifier.settings import Settings
from notifier.stream_batches import MOST, BatchHandler, Fetching, Gathering, Handler, OneByOne, Settling, body_of
from notifier.worker import SertilinkApp, create_app, is_embedded, node_name, on_rabbitmq

_DELIVERY_LIMIT = 20  # RabbitMQ: a message given out more often than that goes to the dead queue
_WORN = 10  # deliveries that no process lived to settle
_CONTROL_QUEUE = "sertilink.stream-idle"


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


class OnRabbit(OneByOne):
    """RabbitMQ counts each requeue towards the delivery limit, so that a database away for minutes would send good
    events to the dead queue: there an event goes to the end of the queue anew, confirmed, and only then is the old
    message acknowledged. Twice is once: the event id is the same."""

    def __init__(self, app: SertilinkApp) -> None:
        self._app = app

    def acknowledge(self, messages: Sequence[Message], *, all_before: bool) -> None:
        if all_before:
            messages[-1].ack(multiple=True)
        else:
            super().acknowledge(messages, all_before=False)

    def give_back(self, messages: Sequence[Message]) -> None:
        with self._app.connection_for_write() as connection:
            publish(connection, self._app.settings, [body_of(message) for message in messages])
        super().acknowledge(messages, all_before=False)


class Wary:
    """For RabbitMQ: one event that kills its process takes no other with it to the dead queue. Each death counts for
    the whole prefetch window; so of those that saw _WORN deaths all but the first are published anew, their count at
    naught. The first is tried on, and ends among the dead letters before the broker drops it without a reason."""

    def __init__(self, handler: BatchHandler) -> None:
        self._handler = handler

    def __call__(self, messages: Sequence[Message]) -> list[Message]:
        worn = [message for message in messages if _deaths(message) >= _WORN]
        left = self._handler.give_back(worn[1:])
        if worn and _deaths(worn[0]) >= _DELIVERY_LIMIT - 1:
            left += self._handler.refuse(worn[0], "the process ended each time that it was handled")
        else:
            worn = worn[1:]
        company = [message for message in messages if message not in worn]
        return left + (self._handler(company) if company else [])


def _deaths(message: Message) -> int:
    """How often it was given out to a process that ended (RabbitMQ, quorum queues)."""
    return int((message.headers or {}).get("x-delivery-count", 0))


class OnRedis(OneByOne):
    """All notes forgotten in one round trip."""

    def acknowledge(self, messages: Sequence[Message], *, all_before: bool) -> None:
        messages[0].channel.qos.ack_many([message.delivery_tag for message in messages])


class OnEmbedded(OneByOne):
    """All rows deleted in one transaction, so with one wait for the disk."""

    def acknowledge(self, messages: Sequence[Message], *, all_before: bool) -> None:
        channel = messages[0].channel
        tags = [message.delivery_tag for message in messages]
        channel.settle(tags, DELETE_DELIVERY)
        for tag in tags:
            virtual.QoS.ack(channel.qos, tag)
        channel.wake()


def settling(app: SertilinkApp) -> Settling:
    """How the broker of this installation is told."""
    if on_rabbitmq(app.settings):
        return OnRabbit(app)
    return OnEmbedded() if is_embedded(app.settings) else OnRedis()


def consumer_step(settings: Settings, handler: Handler) -> type[Any]:
    """The bootstep that Celery starts anew after each reconnect."""
    queue = events_queue(settings)

    class EventStep(bootsteps.ConsumerStep):
        incoming: Gathering | Fetching | None = None

        def start(self, c: Any) -> None:
            self.incoming = Fetching(handler, queue.name) if c.hub is None else Gathering(handler, c.hub)
            super().start(c)

        def get_consumers(self, channel: Any) -> list[Consumer]:
            channel.basic_qos(0, MOST, False)
            if on_rabbitmq(settings):
                dead_queue(settings)(channel).declare()
            return [Consumer(channel, queues=[queue], on_message=self.incoming, accept=None, no_ack=False)]

        def stop(self, c: Any) -> None:
            self._drop()
            super().stop(c)

        def shutdown(self, c: Any) -> None:
            self._drop()
            super().shutdown(c)

        def _drop(self) -> None:
            if self.incoming is not None:
                self.incoming.drop()

    return EventStep


def stream_app(settings: Settings, create: Callable[[Settings], SertilinkApp] = create_app) -> SertilinkApp:
    """The worker's app, fit for the stream. Connects to nothing."""
    app = create(settings)
    # the step reads the events; the task consumer gets an idle queue, or it would eat wake-ups or events. Durable, as
    # RabbitMQ 4.3 refuses transient queues that are not exclusive
    app.conf.task_default_queue = f"{_CONTROL_QUEUE}.{settings.events_queue}"
    app.conf.task_queues = [Queue(app.conf.task_default_queue, auto_delete=True, durable=True)]
    app.conf.broker_channel_error_retry = True  # a queue deleted, a server out of memory: connect again, do not end
    if on_redis(settings):
        app.conf.broker_url = redis_fetch.url(settings.broker_url)
        app.conf.broker_transport_options |= redis_fetch.options(settings.events_queue, settings.lease_seconds)
    return app


def _longest_wait_s(settings: Settings) -> float:
    """Between two tries: not so long that the leases on Redis end in between."""
    return min(30.0, settings.lease_seconds / 2)


def on_redis(settings: Settings) -> bool:
    """Whether the broker is Redis."""
    return settings.broker_url.startswith("redis")


def run_stream(settings: Settings) -> None:
    """Watches the event queue until told to stop."""
    if not settings.data_keys:
        raise BadSettings(["SERTILINK_DATA_KEYS: the stream seals what it records"])
    configure_logging()
    app = stream_app(settings)
    stopping = threading.Event()
    signals.worker_shutting_down.connect(lambda **_: stopping.set(), weak=False)
    handler = BatchHandler(lambda: app.services, settings, stopping, settling(app), _longest_wait_s(settings))
    app.steps["consumer"].add(consumer_step(settings, Wary(handler) if on_rabbitmq(settings) else handler))
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
