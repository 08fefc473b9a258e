"""Telling the registry what was changed here: the outbox is emptied over the ways that are set.

At least once: an event is marked as told after the way took it, so that a worker killed in between tells it again, with
the same id. What is not taken is tried again, longer each time, for ever; an operator is told when that lasts, and at
once where the registry refuses an event for good (support.registry_desk has the list).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from notifier.faults import FaultPoint
from notifier.gateways.registry import Answer, RegistryMessage, Told, Webhook, publish
from notifier.services import Services
from notifier.store import audit, registry_outbox
from notifier.store.registry_outbox import Row

#: told in one go; all of them at the webhook's time-out take less than the lease
BATCH = 20
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)
#: an operator is told of what waits longer than this
PATIENCE = timedelta(hours=6)
_AWAY = "broker"

_log = logging.getLogger(__name__)


def run(services: Services, connect: Callable[[], Any]) -> bool:
    """Tells what is due; whether there is more. `connect`: opens a connection to the broker."""
    now = services.clock.now()
    with services.db.write() as conn:
        rows = registry_outbox.take(conn, now, BATCH)
        doses = registry_outbox.doses_of(conn, rows)
    if not rows:
        return False
    known = [(row, _message(row, doses.get(row.subject_id, []))) for row in rows]
    _Telling(services, [each for each in known if each[1].doses], connect).tell()
    _nothing_to_tell(services, [row for row, message in known if not message.doses])
    return len(rows) == BATCH


def _message(row: Row, doses: Sequence[str]) -> RegistryMessage:
    return RegistryMessage(row.id, row.kind, row.created_at, tuple(doses), tuple(row.fields))


def _nothing_to_tell(services: Services, rows: Sequence[Row]) -> None:
    """The person was erased meanwhile, or has no dose that the registry knows."""
    if rows:
        with services.db.write() as conn:
            registry_outbox.told(conn, [row.id for row in rows], done_at=services.clock.now())


class _Telling:
    """One batch. A way that is not set, or that has an event already, has nothing to do with it."""

    def __init__(
        self, services: Services, known: Sequence[tuple[Row, RegistryMessage]], connect: Callable[[], Any]
    ) -> None:
        self._services = services
        self._settings = services.settings
        self._known = known
        self._connect = connect
        self._left: dict[str, str] = {}  # row id -> why it is not done

    def tell(self) -> None:
        if self._settings.registry_queue:
            self._over_queue(self._settings.registry_queue)
        if self._settings.registry_webhook_url:
            self._over_webhook(self._settings.registry_webhook_url)
        done = [row.id for row, _ in self._known if row.id not in self._left]
        with self._services.db.write() as conn:
            registry_outbox.told(conn, done, done_at=self._services.clock.now())

    def _over_queue(self, name: str) -> None:
        waiting = [(row, message) for row, message in self._known if row.queued_at is None]
        if not waiting:
            return
        try:
            publish(self._connect, name, [message for _, message in waiting])
        except Exception as error:  # whatever a broker's library raises: it may not have them
            _log.error("the registry's queue took nothing", extra={"error": type(error).__name__})
            for row, _ in waiting:
                self._again(row, _AWAY)
            return
        self._services.faults.reached(FaultPoint.REGISTRY_TOLD)
        with self._services.db.write() as conn:
            registry_outbox.told(conn, [row.id for row, _ in waiting], queued_at=self._services.clock.now())

    def _over_webhook(self, url: str) -> None:
        secrets = [secret.get_secret_value() for secret in self._settings.registry_webhook_secret]
        webhook, is_away = Webhook(url, secrets), ""
        for row, message in self._known:
            if row.posted_at is not None:
                continue
            answer = Answer(Told.AWAY, is_away) if is_away else webhook.post(message, self._services.clock.now())
            is_away = answer.problem if answer.told is Told.AWAY else ""
            self._settle(row, answer)

    def _settle(self, row: Row, answer: Answer) -> None:
        if answer.told is Told.TAKEN:
            self._services.faults.reached(FaultPoint.REGISTRY_TOLD)
            with self._services.db.write() as conn:
                registry_outbox.told(conn, [row.id], posted_at=self._services.clock.now())
        elif answer.told is Told.REFUSED:
            self._refused(row, answer.problem)
        else:
            self._again(row, answer.problem)

    def _again(self, row: Row, problem: str) -> None:
        now = self._services.clock.now()
        wait = min(_FIRST_WAIT * 2 ** min(row.attempts - 1, 20), _LONGEST_WAIT)
        self._left[row.id] = problem
        with self._services.db.write() as conn:
            registry_outbox.put_off(conn, row.id, until=now + wait, problem=problem)
            if now - row.created_at > PATIENCE:
                _alarm(conn, row, now, problem)

    def _refused(self, row: Row, problem: str) -> None:
        now = self._services.clock.now()
        self._left[row.id] = problem
        with self._services.db.write() as conn:
            registry_outbox.stuck(conn, row.id, at=now, problem=problem)
            _alarm(conn, row, now, problem)


def _alarm(conn: Any, row: Row, now: datetime, problem: str) -> None:
    """Once an event: a line in the log, an audit row, and its place on the operators' list."""
    if registry_outbox.alarmed(conn, row.id, now):
        _log.error("the registry is not told", extra={"event_type": row.kind, "problem": problem})
        audit.write(
            conn,
            at=now,
            actor=audit.SYSTEM,
            action="registry.not-told",
            subject="registry-event",
            subject_id=row.id,
            reason=problem,
        )
