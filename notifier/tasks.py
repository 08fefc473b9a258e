"""Celery tasks. Each only says which room does the work; none is longer than ten lines, none takes an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notifier.certificates.codes.ahead import make_ahead
from notifier.intake.reconciliation import reconcile_events
from notifier.intake.uploads import steps
from notifier.messages import tallies
from notifier.messages.reconcile import reconcile
from notifier.messages.upkeep import BATCH
from notifier.support import bulk_run, follow_ups, registry_out
from notifier.support.chat import work as chat
from notifier.support.mail import work as letters
from notifier.support.missing import waiting
from notifier.support.privacy import retention
from notifier.support.vaccination_status import reminders

SEND_BATCH = "sertilink.send_batch"
RECONCILE = "sertilink.reconcile"
COUNT_EVENTS = "sertilink.count_events"
MAKE_CODES = "sertilink.make_codes"
FOLLOW_UPS = "sertilink.follow_ups"
UPLOADS = "sertilink.uploads"
BULK_RESENDS = "sertilink.bulk_resends"
COUNT_MESSAGES = "sertilink.count_messages"
RETENTION = "sertilink.retention"
CHAT = "sertilink.chat"
LETTERS = "sertilink.letters"
CASES = "sertilink.cases"
REMINDERS = "sertilink.reminders"
REGISTRY = "sertilink.registry"


_WORK: dict[str, Callable[[Any], object]] = {
    SEND_BATCH: lambda app: app.sender.send_batch(BATCH).full,
    RECONCILE: lambda app: reconcile(app.services),
    COUNT_EVENTS: lambda app: reconcile_events(app.services),
    MAKE_CODES: lambda app: make_ahead(app.services),
    FOLLOW_UPS: lambda app: follow_ups.run(app.services),
    UPLOADS: lambda app: steps.run(app.services),
    BULK_RESENDS: lambda app: bulk_run.run(app.services),
    COUNT_MESSAGES: lambda app: tallies.refresh(app.services),
    RETENTION: lambda app: retention.nightly(app.services),
    CHAT: lambda app: chat.run(app.services, patience=chat.PATIENCE, hand_over=lambda: app.send_task(CHAT, expires=30)),
    LETTERS: lambda app: letters.run(app.services),
    CASES: lambda app: waiting.run(app.services),
    REMINDERS: lambda app: reminders.run(app.services),
    REGISTRY: lambda app: registry_out.run(app.services, app.connection_for_write),
}
#: what these answer says whether more of the same waits; then the task is sent again, and others come in between
_MAY_LEAVE_MORE = frozenset({SEND_BATCH, MAKE_CODES, UPLOADS, RETENTION, LETTERS, REMINDERS, REGISTRY})


def register(app: Any) -> None:
    """Registers the tasks with an app (notifier.worker.SertilinkApp)."""
    for name, work in _WORK.items():
        _add(app, name, work)


def _add(app: Any, name: str, work: Callable[[Any], object]) -> None:
    @app.task(name=name, ignore_result=True)  # type: ignore[untyped-decorator]  # celery ships no types
    def do() -> None:
        if work(app) and name in _MAY_LEAVE_MORE:
            app.send_task(name, expires=30)
