"""A real Celery app for worker processes; the test hands the broker over in the environment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from celery import Celery

from notifier.embedded_broker import register


def make_app(url: str, options: dict[str, Any], prefix: str) -> Celery:
    register()
    app = Celery("sertilink-test", broker=url)
    app.conf.update(
        broker_transport_options=options,
        control_exchange=f"{prefix}-celery",
        event_exchange=f"{prefix}-celeryev",
        task_default_queue=f"{prefix}-celery",
        task_acks_late=True,
        task_ignore_result=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
    )

    @app.task(name="note")
    def note(path: str, line: str) -> None:
        with Path(path).open("a") as out:
            out.write(f"{line}\n")

    return app


if "SERTILINK_TEST_CELERY" in os.environ:
    app = make_app(**json.loads(os.environ["SERTILINK_TEST_CELERY"]))
