"""Schedules: "every morning at nine, yesterday's undelivered, at most twice a person". A second person says yes once;
then each day one worker makes that day's bulk, and on a day on which nothing may be sent a note instead."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core.bulks import BulkState, ScheduleState, SkipNote
from notifier.core.errors import BadInput, NotFound, Problem, Refused
from notifier.core.ids import read_reference
from notifier.core.resend_filter import ResendFilter, read_filter
from notifier.services import Services
from notifier.store import audit, bulk_facts, bulk_schedules, bulks, circuits, counters
from notifier.store.circuits import CircuitMode, CircuitState
from notifier.support.bulk_resend import limits_of, said_of
from notifier.support.resend import read_reason

MOST_PER_PERSON = 9
_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_MOST_LISTED = 200

_log = logging.getLogger(__name__)


def create(
    services: Services, wanted: ResendFilter, *, time_of_day: str, most_per_person: str, reason: str, actor: str
) -> bulk_schedules.Row:
    """A schedule that waits for a second person; its row. `wanted` names its days by a span, or by how long nobody
    opened, so that each day finds others. Raises BadInput."""
    problems: list[Problem] = []
    for name in ("since", "until", "sent_since", "sent_until"):
        if getattr(wanted, name) is not None:
            problems.append(Problem(name, "no-fixed-days", "a schedule counts its days back from each run"))
    if wanted.span is None and wanted.unopened_days is None and not problems:
        problems.append(Problem("span", "required", "choose the days that each run looks at"))
    clock = _TIME.fullmatch(time_of_day.strip())
    if clock is None:
        problems.append(Problem("time_of_day", "time", "write the time as 09:00"))
    if not (most_per_person.isascii() and most_per_person.isdecimal() and 1 <= int(most_per_person[:4]) <= 9):
        problems.append(Problem("most_per_person", "most-range", f"a number from 1 to {MOST_PER_PERSON}"))
    try:
        reason = read_reason(reason)
    except BadInput as bad:
        problems += bad.problems
    if problems or clock is None:
        raise BadInput(problems)
    now = services.clock.now()
    with services.db.write() as conn:
        row = bulk_schedules.add(
            conn,
            at=now,
            filter=wanted.as_words(),
            time_of_day=f"{int(clock[1]):02}:{clock[2]}",
            most_per_person=int(most_per_person),
            reason=reason,
            made_by=actor,
        )
        _note(conn, row, "bulk-schedule.create", actor, now, reason=reason, **said_of(wanted))
    return row


def find(services: Services, reference: str) -> bulk_schedules.Row:
    """The schedule with a reference, as typed. Raises NotFound."""
    with services.db.read() as conn:
        row = bulk_schedules.find(conn, read_reference(reference))
    if row is None:
        raise NotFound("there is no schedule with this reference")
    return row


def listed(services: Services) -> list[bulk_schedules.Row]:
    """Every schedule, the newest first, ended ones last."""
    with services.db.read() as conn:
        return bulk_schedules.listed(conn, _MOST_LISTED)


def approve(services: Services, reference: str, *, actor: str) -> None:
    """Lets another person's schedule run. Raises NotFound, Refused (`own-bulk`, `already-decided`)."""
    row = find(services, reference)
    if row.made_by == actor:
        raise Refused("own-bulk")
    values = {"approved_by": actor, "approved_at": services.clock.now()}
    _change(services, row, ScheduleState.ACTIVE, [ScheduleState.ASKED], "approve", "already-decided", actor, "", values)


def pause(services: Services, reference: str, *, reason: str, actor: str) -> None:
    """No new bulk is made until it is resumed. Raises NotFound, BadInput, Refused (`changed-meanwhile`)."""
    row, reason = find(services, reference), read_reason(reason)
    _change(services, row, ScheduleState.PAUSED, [ScheduleState.ACTIVE], "pause", "changed-meanwhile", actor, reason)


def resume(services: Services, reference: str, *, reason: str, actor: str) -> None:
    """It runs again, from its next time of day on. Raises as `pause`."""
    row, reason = find(services, reference), read_reason(reason)
    _change(services, row, ScheduleState.ACTIVE, [ScheduleState.PAUSED], "resume", "changed-meanwhile", actor, reason)


def end(services: Services, reference: str, *, reason: str, actor: str) -> None:
    """It makes no bulk any more; those that it made go on. Raises as `pause`."""
    row, reason = find(services, reference), read_reason(reason)
    old = [ScheduleState.ASKED, ScheduleState.ACTIVE, ScheduleState.PAUSED]
    values = {"ended_at": services.clock.now()}
    _change(services, row, ScheduleState.ENDED, old, "end", "changed-meanwhile", actor, reason, values)


def _change(
    services: Services,
    row: bulk_schedules.Row,
    new: ScheduleState,
    old: Collection[ScheduleState],
    deed: str,
    otherwise: str,
    actor: str,
    reason: str,
    values: dict[str, Any] | None = None,
) -> None:
    now = services.clock.now()
    next_at = next_run(now, row.time_of_day, services.zone) if new is ScheduleState.ACTIVE else None
    with services.db.write() as conn:
        if not bulk_schedules.move(conn, row.id, new, old=old, next_at=next_at, **(values or {})):
            raise Refused(otherwise)
        _note(conn, row, f"bulk-schedule.{deed}", actor, now, reason=reason or None)


def next_run(after: datetime, time_of_day: str, zone: ZoneInfo) -> datetime:
    """The first moment past `after` at which the zone's clock shows the time of day; where it leaps over it, an hour
    later on that clock."""
    hour, minute = map(int, time_of_day.split(":"))
    day = after.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
        if moment > after:
            return moment
        day += timedelta(days=1)


def make_due(services: Services) -> int:
    """Makes the bulks of the schedules whose time has come, one a schedule and day, however many workers come at once;
    how many. A run that was missed is made up for once, as soon as somebody looks."""
    now = services.clock.now()
    with services.db.read() as conn:
        due = bulk_schedules.due(conn, now)
    return sum(_make_one(services, row, now) for row in due)


def _make_one(services: Services, row: bulk_schedules.Row, now: datetime) -> bool:
    try:
        day = now.astimezone(services.zone).date()
        wanted = read_filter(row.filter).pinned(now, services.zone)
        with services.db.read() as conn:
            note = _why_not(conn, services)
            count = 0 if note else _count(conn, services, row, wanted, now)
        with services.db.write() as conn:
            if not bulk_schedules.put_forward(conn, row, next_run(now, row.time_of_day, services.zone)):
                return False
            return _add(conn, row, wanted, day, note, count, now)
    except Exception as error:
        _log.error("a schedule's bulk was not made", extra={"error": type(error).__name__, "row_id": row.id})
        return False


def _why_not(conn: Connection, services: Services) -> SkipNote | None:
    if counters.is_on(conn, counters.HOLD):
        return SkipNote.HOLD
    row = circuits.get(conn, services.gateway.name)
    if row is None or row.mode == CircuitMode.CLOSED:
        return None
    return SkipNote.CIRCUIT if row.mode == CircuitMode.OPEN or row.state != CircuitState.CLOSED else None


def _count(conn: Connection, services: Services, row: Any, wanted: ResendFilter, now: datetime) -> int:
    bounds = wanted.bounds(now, services.zone)
    groups = bulk_facts.counted(conn, wanted, bounds, limits_of(services, now, row))
    return sum(group.count for group in groups if group.reason is None)


def _add(
    conn: Connection, row: Any, wanted: ResendFilter, day: date, note: SkipNote | None, count: int, now: datetime
) -> bool:
    made = bulks.add(
        conn,
        state=BulkState.SKIPPED if note else BulkState.RUNNING,
        at=now,
        filter=wanted.as_words(),
        expected=count,
        reason=row.reason,
        made_by=row.made_by,
        approved_by=row.approved_by,
        approved_at=now if not note else None,
        starts_at=now,
        look_at=now,
        ended_at=now if note else None,
        schedule_id=row.id,
        schedule_day=day,
        note=note.value if note else None,
    )
    if made is None:
        return False
    detail = {"reference": made.reference, "schedule": row.reference, "count": count, "note": made.note}
    audit.write(
        conn,
        at=now,
        actor=audit.SYSTEM,
        action="bulk.skip" if note else "bulk.create",
        subject="bulk",
        subject_id=made.id,
        **detail,
    )
    return True


def _note(conn: Connection, row: Any, action: str, actor: str, at: datetime, **detail: Any) -> None:
    words = {"reference": row.reference} | detail
    audit.write(conn, at=at, actor=actor, action=action, subject="bulk_schedule", subject_id=row.id, **words)
