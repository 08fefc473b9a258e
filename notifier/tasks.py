"""Celery tasks. Each only says which room does the work; none is longer than ten lines, none takes an argument."""

from __future__ import annotations

from typing import Any

from notifier.certificates.codes.ahead import make_ahead
from notifier.intake.reconciliation import reconcile_events
from notifier.messages.reconcile import reconcile
from notifier.messages.upkeep import BATCH
from notifier.support import bulk_run, follow_ups

SEND_BATCH = "sertilink.send_batch"
RECONCILE = "sertilink.reconcile"
COUNT_EVENTS = "sertilink.count_events"
MAKE_CODES = "sertilink.make_codes"
FOLLOW_UPS = "sertilink.follow_ups"
BULK_RESENDS = "sertilink.bulk_resends"


def register(app: Any) -> None:
    """Registers the tasks with an app (notifier.worker.SertilinkApp)."""

    @app.task(name=SEND_BATCH, ignore_result=True)  # type: ignore[untyped-decorator]  # celery ships no types
    def send_batch() -> None:
        report = app.sender.send_batch(BATCH)
        if report.full:
            app.send_task(SEND_BATCH, expires=30)

    @app.task(name=RECONCILE, ignore_result=True)  # type: ignore[untyped-decorator]  # celery ships no types
    def look_up_unknown() -> None:
        reconcile(app.services)

    @app.task(name=COUNT_EVENTS, ignore_result=True)  # type: ignore[untyped-decorator]  # celery ships no types
    def count_events() -> None:
        reconcile_events(app.services)

    @app.task(name=MAKE_CODES, ignore_result=True)  # type: ignore[untyped-decorator]  # celery ships no types
    def make_codes() -> None:
        if make_ahead(app.services):
            app.send_task(MAKE_CODES, expires=30)

    @app.task(name=FOLLOW_UPS, ignore_result=True)  # type: ignore[untyped-decorator]  # celery ships no types
    def do_follow_ups() -> None:
        follow_ups.run(app.services)

    @app.task(name=BULK_RESENDS, ignore_result=True)  # type: ignore[untyped-decorator]  # celery ships no types
    def go_on_with_bulks() -> None:
        bulk_run.run(app.services)
