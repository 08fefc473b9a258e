"""Celery tasks. Each only says which room does the work; none is longer than ten lines, none takes an argument."""

from __future__ import annotations

from typing import Any

from notifier.messages.upkeep import BATCH

SEND_BATCH = "sertilink.send_batch"


def register(app: Any) -> None:
    """Registers the tasks with an app (notifier.worker.SertilinkApp)."""

    @app.task(name=SEND_BATCH, ignore_result=True)  # type: ignore[untyped-decorator]  # celery ships no types
    def send_batch() -> None:
        report = app.sender.send_batch(BATCH)
        if report.full:
            app.send_task(SEND_BATCH, expires=30)
