"""Bulk resends as people handle them: looked at beforehand, made, approved by a second person, paused, cancelled.

Each deed is one transaction with its audit row; of two at once one wins and the other is told (Refused). What then
happens by itself stands in support.bulk_run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core import forecast
from notifier.core.bulks import ACTIVE, BulkState, Exclusion, ItemState
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.ids import REFERENCE_ALPHABET, REFERENCE_LENGTH, read_reference
from notifier.core.resend_filter import ResendFilter, read_filter
from notifier.core.states import NOT_LEFT, Reason, State
from notifier.messages.gather import open_each
from notifier.services import Services
from notifier.store import audit, bulk_facts, bulks, doses
from notifier.store.bulk_facts import Limits
from notifier.store.persons import Person
from notifier.support.resend import read_due, read_reason

SAMPLE = 5
_LOOKED_AT = 300  #: of the newest messages, for the sample
#: by more than this part a count may not have changed unseen
TOLERANCE = 0.1
_PASSING = frozenset({Exclusion.COOLDOWN.value, Exclusion.STILL_WAITING.value, Reason.DAILY_CAP.value})
_KEY = re.compile(f"[{REFERENCE_ALPHABET}]{{{REFERENCE_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Sample:
    """One message that would be sent again. `person`: None where the reader may not see persons."""

    message: bulk_facts.Row
    dose: Any
    person: Person | None


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run: nothing was written. `excluded`: how many are left out at the start, by reason, the most first.
    `ends_at`: when the last would leave at the sender's rate and in the allowed hours, with nothing else waiting; None:
    not to be said."""

    wanted: ResendFilter
    included: int
    excluded: dict[str, int]
    segments: int
    starts_at: datetime
    ends_at: datetime | None
    sample: list[Sample]

    @property
    def matched(self) -> int:
        """How many messages the filter finds."""
        return self.included + sum(self.excluded.values())

    @property
    def most(self) -> int:
        """How many it may come to send: what leaves a message out at the start may be over when its turn comes."""
        return self.included + sum(count for reason, count in self.excluded.items() if reason in _PASSING)


def preview(
    services: Services, wanted: ResendFilter, *, at: datetime | None = None, with_persons: bool = False
) -> Preview:
    """What a bulk resend of `wanted` would do, starting at `at` (now where None). Raises BadInput for the time."""
    now = services.clock.now()
    starts_at = read_due(at, now)
    pinned, limits = wanted.pinned(now, services.zone), limits_of(services, starts_at)
    bounds = pinned.bounds(now, services.zone)
    with services.db.read() as conn:
        groups = bulk_facts.counted(conn, pinned, bounds, limits)
        newest = bulk_facts.newest(conn, pinned, bounds, _LOOKED_AT) if groups else []
        found = [row for row in bulk_facts.judged(conn, newest, limits) if row.exclusion is None]
        sample = _sample(conn, services, found[:SAMPLE], with_persons)
    excluded: Counter[str] = Counter()
    segments: Counter[ZoneInfo] = Counter()
    for group in groups:
        if group.reason is None:
            segments[ZoneInfo(group.zone or services.settings.timezone)] += group.segments
        else:
            excluded[group.reason] += group.count
    return Preview(
        wanted=pinned,
        included=sum(group.count for group in groups if group.reason is None),
        excluded=dict(excluded.most_common()),
        segments=sum(segments.values()),
        starts_at=starts_at,
        ends_at=forecast.finish(starts_at, segments, rate=services.settings.sender_rate, quiet=services.quiet),
        sample=sample,
    )


def limits_of(services: Services, now: datetime, schedule: Any = None) -> Limits:
    """What holds for each person at a moment; with a schedule's own limit."""
    day_start = now.astimezone(services.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Limits(
        day_start=day_start,
        cooled=now - timedelta(hours=services.settings.bulk_cooldown_hours),
        daily_cap=services.programme.person_daily_cap,
        zone=services.settings.timezone,
        schedule_id=schedule.id if schedule is not None else None,
        most_per_person=schedule.most_per_person if schedule is not None else 0,
    )


def create(
    services: Services,
    wanted: ResendFilter,
    *,
    at: datetime | None,
    reason: str,
    actor: str,
    key: str | None = None,
) -> bulks.Row:
    """A bulk that goes at its time, or waits for a second person where it is larger than BULK_APPROVAL_ABOVE,
    with what is left out for the moment alone; its row. `key`: the reference it gets, so that a form that is sent twice
    makes one. Raises BadInput, Refused (`nothing-to-send`)."""
    now = services.clock.now()
    reason = read_reason(reason)
    if key is not None and not _KEY.fullmatch(key):
        raise BadInput.of("key", "choice", "open the form again")
    seen = preview(services, wanted, at=at)
    if not seen.included:
        raise Refused("nothing-to-send")
    asks = seen.most > services.settings.bulk_approval_above
    values = {"reference": key} if key else {}
    with services.db.write() as conn:
        row = bulks.add(
            conn,
            state=BulkState.ASKED if asks else BulkState.RUNNING,
            at=now,
            filter=seen.wanted.as_words(),
            expected=seen.included,
            reason=reason,
            made_by=actor,
            starts_at=seen.starts_at,
            look_at=now,
            **values,
        )
        if row is not None:
            _note(conn, row, "bulk.create", actor, now, reason=reason, count=seen.included, **said_of(wanted))
            return row
    same = find(services, key or "")
    if same.made_by != actor:
        raise Refused("changed-meanwhile")
    return same


def find(services: Services, reference: str) -> bulks.Row:
    """The bulk with a reference, as typed. Raises NotFound."""
    with services.db.read() as conn:
        row = bulks.find(conn, read_reference(reference))
    if row is None:
        raise NotFound("there is no bulk resend with this reference")
    return row


def filter_of(row: Any) -> ResendFilter:
    """What a bulk, or a schedule, looks for."""
    return read_filter(row.filter)


def said_of(wanted: ResendFilter) -> dict[str, str]:
    """A filter as the audit keeps it beside the reason that somebody gave, which has the name of one of its words."""
    return {f"wanted_{name}" if name == "reason" else name: text for name, text in wanted.as_words().items()}


def recount(services: Services, row: bulks.Row, *, with_persons: bool = False) -> Preview:
    """What a bulk that waits for approval would do as things stand now."""
    now = services.clock.now()
    return preview(services, filter_of(row), at=max(row.starts_at, now), with_persons=with_persons)


def has_changed(row: bulks.Row, count: int) -> bool:
    """Whether so many are so far from what was asked for that somebody must say yes to the new count."""
    asked: int = row.expected
    return abs(count - asked) > asked * TOLERANCE


def approve(services: Services, reference: str, *, actor: str, confirmed: int | None = None) -> bulks.Row:
    """Lets another person's bulk go. `confirmed`: the count that the approver saw and means. Raises NotFound, Refused
    (`own-bulk`, `already-decided`, `nothing-to-send`; `count-changed` where it is more than TOLERANCE away from what
    was asked for and from what was confirmed)."""
    row = find(services, reference)
    if row.state != BulkState.ASKED:
        raise Refused("already-decided")
    if row.made_by == actor:
        raise Refused("own-bulk")
    count = recount(services, row).included
    if not count:
        raise Refused("nothing-to-send")
    is_meant = confirmed is not None and abs(count - confirmed) <= confirmed * TOLERANCE
    if has_changed(row, count) and not is_meant:
        raise Refused("count-changed")
    now = services.clock.now()
    with services.db.write() as conn:
        moved = bulks.move(
            conn,
            row.id,
            BulkState.RUNNING,
            old=[BulkState.ASKED],
            approved_by=actor,
            approved_at=now,
            expected=count,
            starts_at=max(row.starts_at, now),
            look_at=now,
        )
        if not moved:
            raise Refused("already-decided")
        _note(conn, row, "bulk.approve", actor, now, count=count, asked=row.expected)
    return find(services, reference)


#: how a bulk's messages are counted: the states that each number stands for
PARTS: dict[str, tuple[State, ...]] = {
    "planned": tuple(sorted(NOT_LEFT)),
    "moving": (State.SENDING, State.ACCEPTED, State.SENT, State.UNKNOWN),
    "delivered": (State.DELIVERED,),
    "failed": (State.UNDELIVERED, State.FAILED),
    "stopped": (State.SUPPRESSED, State.EXPIRED),
    "cancelled": (State.CANCELLED,),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How many doses of a bulk stand where; together they are `total`. `undecided`: not looked at yet. `stopped`: the
    decision before sending forbade it. `cancelled`: planned or not. `excluded`: left out, by reason."""

    total: int
    undecided: int
    planned: int
    moving: int
    delivered: int
    failed: int
    stopped: int
    cancelled: int
    cancelled_unplanned: int  #: of `cancelled`
    excluded: dict[str, int]

    @property
    def left(self) -> int:
        """What has gone to the provider, or was tried."""
        return self.moving + self.delivered + self.failed


def progress(services: Services, row: bulks.Row) -> Progress:
    """How far a bulk has come, counted from the rows themselves."""
    with services.db.read() as conn:
        items, messages = bulks.tally(conn, row.id)
    part = {name: sum(messages.get(state.value, 0) for state in states) for name, states in PARTS.items()}
    undecided = items.get((ItemState.WAITING.value, None), 0)
    is_off = row.state == BulkState.CANCELLED
    excluded = Counter({why: count for (state, why), count in items.items() if state == ItemState.EXCLUDED and why})
    part["cancelled"] += undecided if is_off else 0
    return Progress(
        total=sum(items.values()),
        undecided=0 if is_off else undecided,
        cancelled_unplanned=undecided if is_off else 0,
        excluded=dict(excluded.most_common()),
        **part,
    )


def pause(services: Services, reference: str, *, reason: str, actor: str) -> int:
    """Nothing of a bulk leaves until it is resumed; how many messages were taken back from the queue. Raises NotFound,
    BadInput, Refused (`changed-meanwhile`)."""
    return _stop(services, reference, BulkState.PAUSED, old=[BulkState.RUNNING], reason=reason, actor=actor)


def cancel(services: Services, reference: str, *, reason: str, actor: str) -> int:
    """Nothing more of a bulk leaves, ever; how many planned messages were cancelled. Raises as `pause`."""
    return _stop(services, reference, BulkState.CANCELLED, old=ACTIVE, reason=reason, actor=actor)


def _stop(
    services: Services, reference: str, new: BulkState, *, old: Collection[BulkState], reason: str, actor: str
) -> int:
    now = services.clock.now()
    reason = read_reason(reason)
    row = find(services, reference)
    held = new is BulkState.PAUSED
    with services.db.write() as conn:
        # first the bulk, for whose row a worker that is planning a chunk waits, or is waited for; then its messages
        values = {} if held else {"ended_at": now}
        if not bulks.move(conn, row.id, new, old=old, **values):
            raise Refused("changed-meanwhile")
        taken = bulks.move_messages(
            conn,
            row.id,
            State.HELD if held else State.CANCELLED,
            old=[State.SCHEDULED, State.CLAIMED] if held else NOT_LEFT,
            at=now,
            reason=Reason.OPERATOR,
        )
        _note(conn, row, "bulk.pause" if held else "bulk.cancel", actor, now, reason=reason, count=taken)
    return taken


def resume(services: Services, reference: str, *, reason: str, actor: str) -> int:
    """Lets a paused bulk go on; how many planned messages wait again. Raises as `pause`."""
    now = services.clock.now()
    reason = read_reason(reason)
    row = find(services, reference)
    with services.db.write() as conn:
        if not bulks.move(conn, row.id, BulkState.RUNNING, old=[BulkState.PAUSED], look_at=now):
            raise Refused("changed-meanwhile")
        released = bulks.move_messages(
            conn,
            row.id,
            State.SCHEDULED,
            old=[State.HELD],
            at=now,
            reason=None,
            only=Reason.OPERATOR,
            due_at=now,
            planned_for=now,
        )
        _note(conn, row, "bulk.resume", actor, now, reason=reason, count=released)
    return released


def _note(conn: Connection, row: Any, action: str, actor: str, at: datetime, **detail: Any) -> None:
    audit.write(
        conn,
        at=at,
        actor=actor,
        action=action,
        subject="bulk",
        subject_id=row.id,
        **{"reference": row.reference} | detail,
    )


def _sample(conn: Connection, services: Services, rows: list[Any], with_persons: bool) -> list[Sample]:
    shots = doses.load(conn, [row.dose_id for row in rows])
    people = open_each(conn, services, {row.person_id for row in rows}) if with_persons else {}
    return [Sample(row, shots.get(row.dose_id), people.get(row.person_id)) for row in rows]
