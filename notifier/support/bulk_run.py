"""Bulk resends that go by themselves: one worker at a time has a bulk, and works through it in chunks.

First the doses are gathered, as they were when somebody said yes. From the start time on each chunk is decided about
anew and planned, in one transaction, and never more than AHEAD messages before those that have left: so a pause or a
cancellation has effect, and a worker that dies leaves a whole number of chunks behind.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.bulks import BulkState, Exclusion, ItemState
from notifier.core.ids import new_id
from notifier.core.states import Lane, Reason, State
from notifier.faults import FaultPoint
from notifier.messages.gather import open_each
from notifier.messages.plan import Subject, zone_of
from notifier.services import Services
from notifier.store import bulk_facts, bulk_schedules, bulks, doses, locks
from notifier.store.persons import Person
from notifier.support import bulk_schedules as schedules
from notifier.support.bulk_resend import filter_of, limits_of
from notifier.support.resend import add_generation

#: planned and not gone yet, at most
AHEAD = 2000
CHUNK = 200
_GATHERED = 20_000  # each look costs a pass over the table
_MOST_STEPS = 60  # of one go; the next tick goes on
_MOST_BULKS = 20
#: when to look again where messages must leave first, or only receipts are waited for
_SOON = timedelta(seconds=1)
_LATER = timedelta(seconds=5)
_AFTER_FAULT = timedelta(seconds=30)

_log = logging.getLogger(__name__)


def run(services: Services) -> int:
    """Goes on with every bulk that is due; how many. Safe to run anywhere, any number at once."""
    schedules.make_due(services)
    worked = 0
    while worked < _MOST_BULKS:
        token = new_id()
        with services.db.write() as conn:
            row = bulks.claim(conn, at=services.clock.now(), token=token, lease=_lease(services))
        if row is None:
            break
        _work(services, row.id, token)
        worked += 1
    return worked


def _work(services: Services, bulk_id: str, token: str) -> None:
    look_at: datetime | None = None
    try:
        for _ in range(_MOST_STEPS):
            with services.db.write() as conn:
                row = bulks.renew(conn, bulk_id, token=token, lease=_lease(services))
                if row is None:
                    return  # paused, cancelled, or somebody else's by now
                look_at = _step(conn, services, row)
                services.faults.reached(FaultPoint.BULK_BEFORE_COMMIT)
            services.faults.reached(FaultPoint.BULK_AFTER_COMMIT)
            if look_at is not None:
                break
    except Exception as error:
        # one bulk's fault keeps no other waiting; it is tried again, and stays as whole as its last chunk left it
        _log.error("a bulk resend failed", extra={"error": type(error).__name__, "row_id": bulk_id})
        look_at = services.clock.now() + _AFTER_FAULT
    with services.db.write() as conn:
        bulks.let_go(conn, bulk_id, token=token, look_at=look_at or services.clock.now())


def _lease(services: Services) -> Any:
    return services.db.lease(timedelta(seconds=services.settings.lease_seconds))


def _step(conn: Connection, services: Services, row: bulks.Row) -> datetime | None:
    """One chunk; None where the next may follow at once, else when to look again."""
    now = services.clock.now()
    if row.gathered_at is None:
        _gather(conn, services, row, now)
        return None
    starts_at: datetime = row.starts_at
    if starts_at > now:
        return starts_at
    room = min(CHUNK, AHEAD - bulks.count_messages(conn, row.id, [State.SCHEDULED, State.CLAIMED]))
    if room <= 0:
        return now + _SOON
    items = bulks.next_items(conn, row.id, at=now, limit=room)
    if items:
        _plan(conn, services, row, items, now)
        return None
    waits_until = bulks.next_moment(conn, row.id)
    if waits_until is not None:
        return waits_until
    if bulks.count_messages(conn, row.id, [State.SCHEDULED, State.CLAIMED, State.SENDING]):
        return now + _LATER
    bulks.move(conn, row.id, BulkState.DONE, old=[BulkState.RUNNING], ended_at=now)
    return now


def _gather(conn: Connection, services: Services, row: bulks.Row, now: datetime) -> None:
    """The next doses that the filter finds, as of the moment when somebody said yes."""
    meant_at = row.approved_at or row.created_at
    wanted = filter_of(row)
    found = bulk_facts.gathered(
        conn,
        row.id,
        wanted,
        wanted.bounds(meant_at, services.zone),
        made_before=meant_at,
        after=row.cursor,
        limit=_GATHERED,
    )
    # two messages about one dose that are equally new would be one too many
    each = {one.dose_id: one for one in found}
    bulks.add_items(conn, row.id, list(each.values()), not_before=row.starts_at)
    cursor = found[-1].id if found else row.cursor
    bulks.note_gathered(conn, row.id, cursor=cursor, gathered_at=now if len(found) < _GATHERED else None)


def _plan(conn: Connection, services: Services, row: bulks.Row, items: Sequence[bulks.Row], now: datetime) -> None:
    """Decides about a chunk as things stand now: plans it, leaves it out, or puts it off until the hour is allowed."""
    known = doses.load(conn, [item.dose_id for item in items])
    # what an event, or an operator, is doing to a dose comes before us or after us, never in between
    locks.hold(conn, *(locks.dose_key(services.sealer, shot.source_id) for shot in known.values()))
    schedule = bulk_schedules.get(conn, row.schedule_id) if row.schedule_id else None
    messages = bulk_facts.judged(conn, [item.notification_id for item in items], limits_of(services, now, schedule))
    chunk = _Chunk(conn, services, row, messages, now)
    changes = {message.dose_id: chunk.decide(message) for message in messages}
    gone = _left_out(Reason.WITHDRAWN)  # the message, or its person, is not there any more
    bulks.settle_items(conn, row.id, {item.dose_id: changes.get(item.dose_id, gone) for item in items})


class _Chunk:
    """What the decisions about a chunk share."""

    def __init__(
        self, conn: Connection, services: Services, row: bulks.Row, messages: Sequence[bulk_facts.Row], now: datetime
    ) -> None:
        self._conn, self._services, self._row, self._now = conn, services, row, now
        self._people = open_each(conn, services, {one.person_id for one in messages if one.exclusion is None})
        self._cooldown = timedelta(hours=services.settings.bulk_cooldown_hours)
        since = now - self._cooldown
        self._got_one = bulks.persons_with_message(conn, row.id, {one.person_id for one in messages}, since=since)

    def decide(self, message: bulk_facts.Row) -> dict[str, Any]:
        """What is written to the dose's item."""
        if message.exclusion == Exclusion.COOLDOWN and message.person_id in self._got_one:
            return self._put_off(self._now + self._cooldown)
        if message.exclusion is not None:
            return _left_out(message.exclusion)
        person = self._people.get(message.person_id)
        if person is None:
            return _left_out(Reason.UNREADABLE)
        if self._cooldown and message.person_id in self._got_one:
            # another dose of somebody who has just got a message of this very bulk
            return self._put_off(self._now + self._cooldown)
        opens_at = self._opens_at(message, person)
        return self._put_off(opens_at) if opens_at > self._now else self._planned(message, person)

    def _put_off(self, until: datetime) -> dict[str, Any]:
        return {"not_before": until}

    def _opens_at(self, message: bulk_facts.Row, person: Person) -> datetime:
        if self._services.quiet is None or message.any_hour:
            return self._now
        return self._services.quiet.next_allowed(self._now, zone_of(self._services, person, message.facility_zone))

    def _planned(self, message: bulk_facts.Row, person: Person) -> dict[str, Any]:
        self._got_one.add(message.person_id)
        new = add_generation(
            self._conn,
            self._services,
            message,
            Subject(person, message.dose_id, message.certificate_id, message.facility_zone),
            due_at=self._now,
            lane=Lane.BULK,
            actor=self._row.made_by,
            reason=self._row.reason,
            bulk_id=self._row.id,
        )
        return {"state": ItemState.PLANNED.value, "new_notification_id": new.id}


def _left_out(reason: str) -> dict[str, Any]:
    return {"state": ItemState.EXCLUDED.value, "reason": str(reason)}
