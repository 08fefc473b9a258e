"""Counting for the dashboard: one worker, about once a minute, and never more than a twentieth of the time.

Only days are counted again in which something moved since the last count, and one more each time, the one that was
counted longest ago: so that whatever changed without a mark (a deleted row, a corrected facility) is right again soon.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from notifier.services import Services
from notifier.store import tallies
from notifier.store.tallies import Day, Row

#: so many days are counted and shown, today among them
DAYS = 14
EVERY = timedelta(seconds=55)
#: whoever counts is believed dead after this
LEASE = timedelta(minutes=10)
#: a transaction may be committed so long after the moment that it writes: longer than any may take, and clocks differ
OVERLAP = timedelta(minutes=10)
_SHARE = 20  # a count that takes a second is followed by twenty without one


def days_shown(services: Services, now: datetime) -> list[Day]:
    """The newest DAYS days of the programme's zone, oldest first."""
    zone = services.zone
    today = now.astimezone(zone).date()
    found = []
    for back in range(DAYS - 1, -1, -1):
        day = today - timedelta(days=back)
        start, end = (
            datetime.combine(one, time(), zone).astimezone(now.tzinfo) for one in (day, day + timedelta(days=1))
        )
        found.append(Day(day, start, end))
    return found


def refresh(services: Services) -> int:
    """Counts what has to be counted again; how many days. 0 where it is not time, or another worker does it."""
    now = services.clock.now()
    with services.db.write() as conn:
        last = tallies.begin(conn, at=now, until=now + LEASE)
    if last is None:
        return 0
    days = days_shown(services, now)
    stale = _stale(services, days, last, now)
    for day in stale:
        _count(services, day, now)
    with services.db.read() as conn:
        due = tallies.count_due(conn, services.db.lease(timedelta(0)).now)
        left = [tallies.count_left(conn, now - span) for span in (timedelta(minutes=5), timedelta(hours=1))]
    pause = max(EVERY, (services.clock.now() - now) * _SHARE)
    with services.db.write() as conn:
        tallies.forget(conn, days[0].day)
        tallies.finish(conn, counted_at=now, next_at=now + pause, due=due, left_5_minutes=left[0], left_hour=left[1])
    return len(stale)


def _stale(services: Services, days: Sequence[Day], last: Row, now: datetime) -> list[Day]:
    """The days to count again, newest first."""
    with services.db.read() as conn:
        known = tallies.counted_days(conn)
        since = last.counted_at - OVERLAP if last.counted_at is not None and last.counted_at <= now else None
        changed = tallies.changed_days(conn, days, since) if since else {day.day for day in days}
        changed |= tallies.changed_open(conn, days)
    zone = services.settings.timezone
    changed |= {day.day for day in days if day.day not in known or known[day.day].zone != zone}
    changed |= {min(days, key=lambda day: known[day.day].counted_at if day.day in known else now).day}
    return [day for day in reversed(days) if day.day in changed]


def _count(services: Services, day: Day, now: datetime) -> None:
    """Reads outside of a transaction, so that on SQLite nobody waits for it; one caller at a time makes that safe."""
    with services.db.read() as conn:
        new, old = tallies.count(conn, day), tallies.stored(conn, day.day)
    with services.db.write() as conn:
        tallies.write(conn, day, new, old, zone=services.settings.timezone, at=now)
