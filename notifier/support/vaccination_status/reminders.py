"""A reminder by SMS on the first day on which the next dose may be had; only where the programme asks for it.

What is to be reminded of is found from the events that came since the last look (`reminder_mark`), some minutes late,
so that no transaction under way is missed. A reminder is a row for a person, a vaccine and a dose's number: whoever was
reminded of that dose is never reminded of it again. Its SMS is a notification like any other; before it leaves it is
decided once more, and one whose doses have changed since is cancelled (messages.decide) and looked at anew here.

Each step is one transaction that any worker may do, any number at once: a worker that dies leaves whole rows.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core.states import NOT_LEFT, Kind, Reason, State
from notifier.messages import plan
from notifier.messages.gather import open_each
from notifier.messages.plan import PlanOptions, Subject
from notifier.services import Services
from notifier.store import certificates, doses, notifications, persons, reminders
from notifier.store.persons import Person
from notifier.support.vaccination_status.rules import NextDose
from notifier.support.vaccination_status.status import last_zone, of_doses

#: events looked at, and reminders planned, in one transaction each
BATCH = 200
#: who is later than this by more knows, or does not want it; and turning reminders on writes to nobody about old doses
STALE = timedelta(days=14)
#: what falls due so soon after goes into the same SMS
TOGETHER = timedelta(days=7)
_WAITING = frozenset(state.value for state in NOT_LEFT)
_LAST_YEAR = 9000  # of a calendar that a programme may mean
_WAIT = timedelta(hours=1)  # after a fault

_log = logging.getLogger(__name__)


def run(services: Services) -> bool:
    """Looks at some more doses and plans what is due; whether there is more to do at once."""
    if not services.programme.reminders:
        return _call_off(services)
    seen, has_more = _look(services), _plan_due(services)
    return seen == BATCH or has_more


def _call_off(services: Services) -> bool:
    """Reminders were turned off: what waits is not sent."""
    with services.db.write() as conn:
        ids = reminders.waiting(conn, BATCH)
        notifications.move(
            conn, ids, State.CANCELLED, old=list(NOT_LEFT), at=services.clock.now(), reason=Reason.OPERATOR
        )
    return len(ids) == BATCH


def _look(services: Services) -> int:
    """Goes on along the events; how many were looked at."""
    now = services.clock.now()
    with services.db.write() as conn:
        mark = reminders.hold_mark(conn)
        seen = reminders.events_after(conn, mark, now - reminders.SETTLED, BATCH) if mark is not None else []
        if seen:
            _refresh(conn, services, reminders.persons_of(conn, {row.dose_id for row in seen if row.dose_id}), now)
            reminders.move_mark(conn, seen[-1])
    return len(seen)


@dataclass(frozen=True, slots=True)
class _Due:
    """A next dose of somebody who can be reminded. `due_at`: when its first day begins where they are."""

    person: Person
    next: NextDose
    due_at: datetime
    facility_zone: str | None


def _refresh(conn: Connection, services: Services, person_ids: Collection[str], now: datetime) -> None:
    """Makes the reminders of some persons what their doses ask for now."""
    wanted = {
        (one.person.id, one.next.series, one.next.number): one for one in _due_of(conn, services, person_ids, now)
    }
    for row in reminders.of_persons(conn, list(person_ids)):
        due = wanted.pop((row.person_id, row.series, row.number), None)
        if due is not None:
            _keep(conn, row, due)
        else:
            _give_up(conn, row, now)
    for due in wanted.values():
        if due.due_at >= now - STALE:
            reminders.add(
                conn,
                person_id=due.person.id,
                series=due.next.series,
                number=due.next.number,
                at=now,
                dose_id=due.next.after,
                due_at=due.due_at,
            )


def _keep(conn: Connection, row: reminders.Row, due: _Due) -> None:
    """Still asked for, perhaps on another day. One whose SMS was called off because the doses changed waits anew; one
    that is planned or was sent stays as it is."""
    called_off = row.status == State.CANCELLED and row.reason == Reason.DOSES_CHANGED
    if row.notification_id is None or called_off:
        reminders.change(conn, row, due_at=due.due_at, dose_id=due.next.after, notification_id=None)


def _give_up(conn: Connection, row: reminders.Row, now: datetime) -> None:
    """The dose was had, or its last one withdrawn, or nobody can be told. What was sent is remembered."""
    if row.notification_id is None:
        reminders.drop(conn, row)
    elif row.status in _WAITING:
        old, reason = list(NOT_LEFT), Reason.DOSES_CHANGED
        if notifications.move(conn, [row.notification_id], State.CANCELLED, old=old, at=now, reason=reason):
            reminders.drop(conn, row)


def _due_of(conn: Connection, services: Services, person_ids: Collection[str], now: datetime) -> list[_Due]:
    """The next doses that some persons are to be told of. Boosters are had by whoever asks, without a reminder."""
    people = open_each(conn, services, set(person_ids))
    found: list[_Due] = []
    for person in people.values():
        if person is None or person.deceased_at is not None or plan.unreachable(person) is not None:
            continue
        shots = doses.of_person(conn, person.id)
        facility_zone = last_zone(conn, shots)
        zone = plan.zone_of(services, person, facility_zone)
        status = of_doses(shots, person.birth_date, now.astimezone(zone).date())
        found += [
            _Due(person, due, _begin(due, zone), facility_zone)
            for due in status.due
            if not due.is_booster and due.earliest.year < _LAST_YEAR
        ]
    return found


def _begin(due: NextDose, zone: ZoneInfo) -> datetime:
    return datetime.combine(due.earliest, time(0), zone).astimezone(UTC)


def _plan_due(services: Services) -> bool:
    """Plans an SMS for each person of whom a day has come; whether more of them wait, and some could be planned."""
    now, planned = services.clock.now(), 0
    with services.db.read() as conn:
        people = reminders.due_persons(conn, now, BATCH)
    for person_id in people:
        try:
            with services.db.write() as conn:
                planned += _plan_one(conn, services, person_id, now)
        except Exception as error:
            _log.error("a reminder was not planned", extra={"error": type(error).__name__, "person_id": person_id})
            with services.db.write() as conn:
                reminders.put_off(conn, person_id, now + _WAIT)
    return len(people) == BATCH and planned > 0


def _plan_one(conn: Connection, services: Services, person_id: str, now: datetime) -> bool:
    """One SMS about everything that somebody may have by now or within days; whether something was planned. What is not
    asked for any more goes."""
    persons.hold(conn, person_id)
    changed = reminders.last_changes(conn, [person_id]).get(person_id)
    if changed is not None and changed > now - reminders.SETTLED:
        return False  # the events will tell of it within minutes, and this is looked at with them
    rows = [row for row in reminders.of_persons(conn, [person_id]) if row.notification_id is None]
    due = {(one.next.series, one.next.number): one for one in _due_of(conn, services, [person_id], now)}
    soon = []
    for row in rows:
        one = due.get((row.series, row.number))
        if one is None or one.due_at < now - STALE:
            reminders.drop(conn, row)
        elif one.due_at <= now + TOGETHER:
            soon.append((one.due_at, row, one))
    ready = sorted(soon, key=lambda each: (each[0], each[1].id))
    return bool(ready) and ready[0][0] <= now and _write(conn, services, [row for _, row, _ in ready], ready[0][2], now)


def _write(conn: Connection, services: Services, rows: list[reminders.Row], first: _Due, now: datetime) -> bool:
    certificate_id = certificates.valid_of_dose(conn, first.next.after)
    if certificate_id is None:
        for row in rows:
            reminders.drop(conn, row)
        return True
    subject = Subject(first.person, first.next.after, certificate_id, first.facility_zone)
    options = PlanOptions(delay=timedelta(0))
    message = plan.add(conn, services, subject, Kind.REMINDER, accepted_at=now, options=options)
    for row in rows:
        reminders.change(conn, row, notification_id=message.id)
    return True
