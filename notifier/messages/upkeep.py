"""The tick: what one elected worker does each second. All of it is idempotent."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from notifier.certificates.codes import ahead
from notifier.faults import FaultPoint
from notifier.messages import alarms, audit_watch, circuit, receipts, restored
from notifier.services import Services
from notifier.store import (
    audit,
    bulks,
    chat_replies,
    conversations,
    counters,
    follow_ups,
    idempotency,
    notifications,
    registry_outbox,
    sandbox,
    several,
    staff,
    tallies,
    unknowns,
    uploads,
)

DISPATCH_TICK = "dispatch"
_DISPATCH_PERIOD = timedelta(milliseconds=900)
_CHORES_PERIOD = timedelta(seconds=4)
_ALARM_PERIOD = timedelta(minutes=1)
_FORGET_PERIOD = timedelta(hours=1)
_CODES_PERIOD = timedelta(seconds=15)
_AUDIT_PERIOD = timedelta(seconds=30)
_CASES_PERIOD = timedelta(minutes=5)
_NIGHTLY_PERIOD = timedelta(hours=24)
_LETTERS_PERIOD = timedelta(seconds=20)
_REMINDERS_PERIOD = timedelta(minutes=1)
BATCH = 1000
_MOST_WAKE_UPS = 8
_PATIENCE = timedelta(minutes=10)

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick found, and so what is worth starting. `wake_ups`: how many send batches; `look_ups`: outcomes are to
    be reconciled; `nightly`: the daily count of every accepted event and the retention sweep are due; `codes`: some are
    to be made ahead; `follow_ups`: one room left something for another to do; `uploads`: a list waits to be checked,
    recorded or taken away; `bulks`: a bulk resend or a schedule's day is due; `tallies`: the dashboard's counts are
    due; `cases`: reminders and promises of cases are to be looked at; `reminders`: of next doses are to be looked for;
    `registry`: there is something to tell it; `chats`: somebody wrote, or waits for a reply; `letters`: the mailbox is
    to be looked into."""

    elected: bool
    wake_ups: int = 0
    freed: int = 0
    doubtful: int = 0
    receipts: int = 0
    look_ups: bool = False
    nightly: bool = False
    codes: bool = False
    follow_ups: bool = False
    uploads: bool = False
    bulks: bool = False
    tallies: bool = False
    chats: bool = False
    letters: bool = False
    cases: bool = False
    reminders: bool = False
    registry: bool = False


def tick(services: Services) -> Ticked:
    """Frees leases that ran out, counts what is due, moves the database's mark on, does the chores. Loses nothing when
    it is not called: the next one finds the same rows."""
    now = services.clock.now()
    with services.db.write() as conn:
        if not counters.win_tick(conn, DISPATCH_TICK, period=_DISPATCH_PERIOD, at=now):
            return Ticked(elected=False)
        mark = restored.advance(conn, services, now)
        lease_now, at = services.db.lease(timedelta(0)).now, services.db.now(conn)
        look_up_at = at + services.settings.reconcile_after[0]
        farthest = services.db.lease(timedelta(seconds=2 * services.settings.lease_seconds)).until
        freed, doubtful = notifications.free_expired_leases(
            conn, now=lease_now, at=now, look_up_at=look_up_at, farthest=farthest
        )
        waits = counters.is_on(conn, counters.HOLD) or circuit.is_waiting(conn, services, at)
        due = 0 if waits else notifications.count_due(conn, lease_now, BATCH * _MOST_WAKE_UPS)
        look_ups, left_to_do, *others = several.any_of(
            conn,
            unknowns.due_look_ups(at),
            follow_ups.due(now),
            uploads.due(lease_now),
            uploads.overdue(at),
            bulks.due(now, lease_now),
            bulks.due_days(now),
            registry_outbox.due(now),
            conversations.waiting(now),
            chat_replies.due(now),
            chat_replies.doubtful(lease_now),
        )
        chores = counters.win_tick(conn, "chores", period=_CHORES_PERIOD, at=now)
        # the dashboard's counts wait while a backlog goes out, though not for ever
        count = chores and tallies.is_due(conn, now, patience=_PATIENCE if due >= BATCH else timedelta(0))
        make_codes = chores and counters.win_tick(conn, "codes", period=_CODES_PERIOD, at=now)
        has_mail = chores and services.mail is not None
        letters = has_mail and counters.win_tick(conn, "letters", period=_LETTERS_PERIOD, at=now)
        look_at_cases = chores and counters.win_tick(conn, "cases", period=_CASES_PERIOD, at=now)
        services.faults.reached(FaultPoint.TICK_BEFORE_COMMIT)
    services.memory.note(mark)
    services.faults.reached(FaultPoint.TICK_AFTER_COMMIT)
    fetched = _guarded(receipts.collect, services) or 0
    if chores:
        _guarded(_chores, services)
    # what takes long waits until a backlog is out; in the quiet hours there is none
    slow = chores and due < BATCH
    nightly = bool(slow and _guarded(_slow_chores, services))
    remind = bool(slow and _guarded(_is_time_to_remind, services))
    codes = bool(make_codes and _guarded(ahead.is_due, services))
    return Ticked(
        elected=True,
        wake_ups=-(-due // BATCH),
        freed=freed,
        doubtful=doubtful,
        receipts=fetched,
        look_ups=look_ups,
        nightly=nightly,
        codes=codes,
        follow_ups=left_to_do,
        uploads=any(others[:2]),
        bulks=any(others[2:4]),
        chats=any(others[5:]),
        tallies=count,
        letters=letters,
        cases=look_at_cases,
        reminders=remind,
        registry=others[4],
    )


def _chores(services: Services) -> None:
    """What can wait some seconds."""
    now = services.clock.now()
    with services.db.write() as conn:
        audit.seal(conn)
        alarm = counters.win_tick(conn, "promise-alarm", period=_ALARM_PERIOD, at=now)
        if counters.win_tick(conn, "forget", period=_FORGET_PERIOD, at=now):
            counters.forget_old(conn, now)
            staff.forget_sessions(conn, now)
            idempotency.forget(conn, now)
            sandbox.forget(conn, now)
    if alarm:
        alarms.warn_of_broken_promises(services)


def _slow_chores(services: Services) -> bool:
    """Watches over the audit; whether the nightly work is due."""
    now = services.clock.now()
    with services.db.write() as conn:
        watch = counters.win_tick(conn, "audit-watch", period=_AUDIT_PERIOD, at=now)
        nightly = counters.win_tick(conn, "nightly", period=_NIGHTLY_PERIOD, at=now)
    if watch:
        _guarded(audit_watch.watch, services)
    return nightly


def _is_time_to_remind(services: Services) -> bool:
    with services.db.write() as conn:
        return counters.win_tick(conn, "reminders", period=_REMINDERS_PERIOD, at=services.clock.now())


def _guarded(chore: Callable[[Services], Result], services: Services) -> Result | None:
    """A fault in a chore never keeps due messages waiting."""
    try:
        return chore(services)
    except Exception as error:
        _log.error("a chore failed", extra={"error": type(error).__name__, "chore": chore.__name__})
        return None
