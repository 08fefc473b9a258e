"""The Celery app of what `dispatch` is measured beside; its worker is `notifier.proof.bench.naive`."""

from __future__ import annotations

from celery import Celery
from kombu import Queue

from notifier import embedded_broker
from notifier.settings import Settings

SEND = "naive.send"
NOTHING = "naive.nothing"
THREADS = 64  # a process; what measured best for one task a message
MARKS = "marks"  #: in the data folder: a byte for each task that did nothing


def create_app(settings: Settings) -> Celery:
    """The app, for its worker and for whoever publishes. Connects to nothing."""
    embedded_broker.register()
    embedded = settings.broker_url.startswith(embedded_broker.SCHEME)
    app = Celery("naive", broker=settings.broker_url, backend=None, set_as_current=False)
    queue = Queue(f"{settings.events_queue}.naive")
    app.conf.update(
        task_queues=[queue],
        task_default_queue=queue.name,
        task_ignore_result=True,
        # a polling transport sleeps whenever the worker has as many as it may have
        worker_prefetch_multiplier=16 if embedded else 1,
        broker_transport_options={"polling_interval": 0.02} if embedded else {},
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
    )
    return app
