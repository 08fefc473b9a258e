"""The Celery worker: app, ticker, and how it is started.

The broker carries wake-ups only: no arguments, no results, nothing that would be missed (docs/decisions/0001).
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import Celery, signals
from celery.worker.consumer import Consumer
from kombu import Queue

from notifier import embedded_broker, metrics, tasks
from notifier.core.errors import BadSettings
from notifier.logs import configure_logging
from notifier.messages import upkeep
from notifier.messages.send import Sender
from notifier.services import Services, build
from notifier.settings import Settings
from notifier.support.chat import work as chat

_TICK_SECONDS = 1.0
#: how often a worker looks whether somebody wrote: whoever chats waits for the answer (docs/decisions/0040)
_LOOK_SECONDS = 0.025
#: a worker that was woken goes on while there is anything to do
_WAKE_AGAIN_SECONDS = 0.1
#: for so long it is taken for granted that it does, and another is woken where somebody has waited nevertheless
_TRUST_SECONDS = 2.0
_WAITED = timedelta(milliseconds=300)

_log = logging.getLogger(__name__)


class _Consumer(Consumer):
    """Celery's consumer less native delayed delivery: 28 queues on RabbitMQ for an `eta` that we never use."""

    class Blueprint(Consumer.Blueprint):
        default_steps = [step for step in Consumer.Blueprint.default_steps if not step.endswith(":DelayedDelivery")]


class SertilinkApp(Celery):
    """A Celery app that hands Services to its tasks. They are built after a fork, once a process, never shared."""

    def __init__(self, settings: Settings, build_services: Callable[[Settings], Services], **more: Any) -> None:
        self.settings = settings
        self._build_services = build_services
        self._built: tuple[int, Services, Sender] | None = None
        self._left_behind: list[Any] = []  # a parent's connections: never used, and never closed by a child either
        self._lock = threading.Lock()
        super().__init__("sertilink", broker=settings.broker_url, backend=None, set_as_current=False, **more)

    def _parts(self) -> tuple[int, Services, Sender]:
        with self._lock:
            if self._built is None or self._built[0] != os.getpid():
                self._left_behind.append(self._built)
                services = self._build_services(self.settings)
                self._built = (os.getpid(), services, Sender(services))
            return self._built

    def forget_parent(self) -> None:
        """After a fork: the parent's ticker may have held the lock, and here nobody would ever let go of it."""
        self._lock = threading.Lock()
        self._built = None

    def warm(self) -> None:
        """Gets ready what the first message would wait for."""
        try:
            services = self.services
            services.gateway.warm()
            with services.db.read():
                pass
        except Exception as error:
            _log.warning("not warm yet", extra={"error": type(error).__name__})

    @property
    def services(self) -> Services:
        return self._parts()[1]

    @property
    def sender(self) -> Sender:
        return self._parts()[2]


def broker_options(broker_url: str) -> dict[str, Any]:
    """What each broker needs to be told (reference: Celery's configuration page, kombu's transports)."""
    if broker_url.startswith(("redis", "rediss")):
        return {
            "visibility_timeout": 600,  # must exceed the longest task
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
            "unacked_restore_interval": 10,  # look for what a dead worker had every 10 s
            "unacked_restore_throttle": 1,
        }
    if broker_url.startswith("amqp"):
        return {"confirm_publish": True}  # a wake-up that the broker took is on its disk
    return {"visibility_timeout": 600, "polling_interval": 0.1}


def on_rabbitmq(settings: Settings) -> bool:
    """Whether the broker is RabbitMQ, which has quorum queues, dead-lettering and confirms."""
    return settings.broker_url.startswith("amqp")


def is_embedded(settings: Settings) -> bool:
    """Whether the broker is our own, on SQLite: then one process with threads does all."""
    return settings.broker_url.startswith(embedded_broker.SCHEME)


def send_queue(settings: Settings) -> Queue:
    """The queue of wake-ups, named after the installation's event queue, so that two may share a broker. On RabbitMQ a
    quorum queue: a wake-up survives the loss of a node."""
    return Queue(
        f"{settings.events_queue}.send", queue_arguments={"x-queue-type": "quorum"} if on_rabbitmq(settings) else None
    )


def create_app(settings: Settings, build_services: Callable[[Settings], Services] = build) -> SertilinkApp:
    """The app of worker and publishers. Connects to nothing."""
    embedded_broker.register()
    app = SertilinkApp(settings, build_services)
    queue = send_queue(settings)
    app.conf.update(
        broker_transport_options=broker_options(settings.broker_url),
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,  # a broker that is away is waited for
        worker_consumer=_Consumer,
        task_queues=[queue],
        task_default_queue=queue.name,
        task_ignore_result=True,
        task_acks_late=True,  # a lost wake-up costs one tick, never a message
        task_reject_on_worker_lost=False,  # a task that kills its child would come back for ever
        task_time_limit=300,
        worker_prefetch_multiplier=4 if is_embedded(settings) else 1,
        worker_send_task_events=False,
        task_send_sent_event=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_max_tasks_per_child=None if is_embedded(settings) else 5000,
        timezone="UTC",
        enable_utc=True,
    )
    tasks.register(app)
    return app


class Ticker(threading.Thread):
    """Ticks once a second in the worker's main process, with Services of its own, and sends the wake-ups."""

    def __init__(self, app: SertilinkApp, seconds: Callable[[], float] = time.monotonic) -> None:
        super().__init__(name="sertilink-ticker", daemon=True)
        self._app = app
        self._seconds = seconds
        self._stopping = threading.Event()
        self._woken_at = -math.inf

    def run(self) -> None:
        while not self._waited():
            self._guarded(lambda: self._wake(upkeep.tick(self._app.services)))

    def _waited(self) -> bool:
        """Until the next tick; where people chat, looking whether somebody wrote. Whether it is the end."""
        if not self._app.settings.chats:
            return self._stopping.wait(_TICK_SECONDS)
        until = self._seconds() + _TICK_SECONDS
        while (left := until - self._seconds()) > 0:
            if self._stopping.wait(min(_LOOK_SECONDS, left)):
                return True
            self._guarded(self.look)
        return self._stopping.is_set()

    def look(self) -> None:
        """Wakes a worker where somebody wrote; a second one costs both of them their large batches."""
        woken = self._seconds() - self._woken_at
        if woken < _WAKE_AGAIN_SECONDS:
            return
        if chat.is_waiting(self._app.services, _WAITED if woken < _TRUST_SECONDS else timedelta(0)):
            self._woken_at = self._seconds()
            self._app.send_task(tasks.CHAT, expires=5, retry=False)

    @staticmethod
    def _guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            # the database or the broker is away: the next tick finds the same rows
            _log.error("tick failed", extra={"error": type(error).__name__})

    def _wake(self, ticked: upkeep.Ticked) -> None:
        names = [tasks.SEND_BATCH] * ticked.wake_ups
        names += [tasks.RECONCILE] * ticked.look_ups + [tasks.COUNT_EVENTS, tasks.RETENTION] * ticked.nightly
        names += [tasks.MAKE_CODES] * ticked.codes
        names += [tasks.FOLLOW_UPS] * ticked.follow_ups
        names += [tasks.UPLOADS] * ticked.uploads
        names += [tasks.BULK_RESENDS] * ticked.bulks
        names += [tasks.COUNT_MESSAGES] * ticked.tallies
        names += [tasks.CHAT] * ticked.chats
        names += [tasks.LETTERS] * ticked.letters
        names += [tasks.CASES] * ticked.cases
        names += [tasks.REMINDERS] * ticked.reminders + [tasks.REGISTRY] * ticked.registry
        for name in names:
            self._app.send_task(name, expires=30, retry=False)

    def stop(self) -> None:
        self._stopping.set()


def node_name(role: str) -> str:
    """Unique for each process: two nodes of one name lock each other out of RabbitMQ's control queue."""
    return f"{role}-{os.getpid()}@{socket.gethostname()}"


def run_worker(settings: Settings) -> None:
    """Runs the worker until it is told to stop."""
    if not settings.link_keys:
        raise BadSettings(["SERTILINK_LINK_KEYS: the worker signs links; set it, or run `sertilink up` once"])
    configure_logging()
    app = create_app(settings)
    os.register_at_fork(after_in_child=app.forget_parent)
    ticker = Ticker(app)

    def start(**_: Any) -> None:
        ticker.start()
        if settings.metrics_port is not None:
            metrics.serve(app.services, settings.metrics_port)

    def warm(**_: Any) -> None:
        if settings.chats:  # whoever writes first must not wait until the provider's client is loaded
            threading.Thread(target=app.warm, name="sertilink-warm", daemon=True).start()

    def stop(**_: Any) -> None:
        ticker.stop()

    signals.worker_ready.connect(start, weak=False)
    signals.worker_process_init.connect(warm, weak=False)
    signals.worker_shutting_down.connect(stop, weak=False)
    # SQLite connections must not be open across a fork, and the ticker in the main process holds one
    forks = not is_embedded(settings) and not settings.database_url.startswith("sqlite")
    pool = "prefork" if forks else "threads"
    app.worker_main(
        [
            "worker",
            f"--pool={pool}",
            f"--concurrency={settings.worker_concurrency}",
            f"--hostname={node_name('worker')}",
            "--loglevel=INFO",
            "--without-gossip",
            "--without-mingle",
        ]
    )
