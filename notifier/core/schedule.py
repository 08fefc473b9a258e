"""When an SMS may leave: delay, undo minutes, quiet hours, and the 48-hour promise. Pure; all moments aware, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

PROMISE = timedelta(hours=48)  # counts from the moment we accepted the event
_MICROSECOND = timedelta(microseconds=1)
LAST_HOUR = timedelta(hours=1)  # "the last allowed hour" starts this long before quiet begins
MAX_DELAY_HOURS = 48

_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times between which nothing is sent: `start` is quiet, `end` is allowed again. May cross midnight."""

    start: time
    end: time

    def quiet_at(self, local: datetime) -> bool:
        clock = local.time()
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def next_allowed(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """`moment` itself where it is allowed, else the next `end` on the local clock: the next day's where a clock put
        forward leaps over all that this one allows."""
        local = moment.astimezone(zone)
        if not self.quiet_at(local):
            return moment
        opening = local.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        while opening <= local or self.quiet_at(opening.astimezone(UTC).astimezone(zone)):
            opening += timedelta(days=1)
        return opening.astimezone(UTC)

    def next_quiet(self, allowed: datetime, zone: ZoneInfo) -> datetime:
        """The start of the quiet time that follows an allowed moment."""
        local = allowed.astimezone(zone)
        closing = local.replace(hour=self.start.hour, minute=self.start.minute, second=0, microsecond=0)
        if closing <= local:
            closing += timedelta(days=1)
        return closing.astimezone(UTC)

    def last_allowed_hour(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The start of the last allowed hour before the quiet time that `moment` falls in; where less than an hour is
        allowed at a time, the start of that."""
        local = moment.astimezone(zone)
        closing = local.replace(hour=self.start.hour, minute=self.start.minute, second=0, microsecond=0)
        if closing > local:
            closing -= timedelta(days=1)
        return self.next_allowed((closing - LAST_HOUR).astimezone(UTC), zone)


def read_quiet_hours(text: str) -> QuietHours | None:
    """`20:00-08:00` or `off`. Raises ValueError for anything else, and for a day with no allowed minute."""
    if text.strip().lower() == "off":
        return None
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise ValueError("write quiet hours as 20:00-08:00, or off")
    hours = [int(part) for part in match.groups()]
    start, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    if start == end:
        raise ValueError("quiet hours may not fill the day")
    return QuietHours(start, end)


def share_of(row_id: str) -> float:
    """A number in [0, 1) that is always the same for one row and evenly spread over many: from the random end of its
    id (core.ids.new_id)."""
    return int(row_id.replace("-", "")[-13:], 16) / 16**13


def spread_opening(
    quiet: QuietHours, moment: datetime, zone: ZoneInfo, *, share: float, spread: timedelta, until: datetime
) -> datetime:
    """`moment` where it is allowed; else the part `share` of `spread` after the next opening, so that what waited for
    the morning does not fall due in one second.

    The spread ends where quiet begins again, and at `until`; an opening after `until` is answered as it is, unspread.
    """
    opening = quiet.next_allowed(moment, zone)
    if opening == moment:
        return moment
    room = min(spread, quiet.next_quiet(opening, zone) - opening, until - opening)
    steps = max(room // _MICROSECOND, 0)
    later = opening + min(int(steps * share), max(steps - 1, 0)) * _MICROSECOND
    # a clock that is put back or forward in between may open twice
    return opening if quiet.quiet_at(later.astimezone(zone)) else later


@dataclass(frozen=True, slots=True)
class Plan:
    """When to send. `breaks_promise` asks for an alarm: no allowed hour was left within 48 hours."""

    due_at: datetime
    breaks_promise: bool = False


def plan_due(
    accepted_at: datetime,
    *,
    delay: timedelta,
    undo: timedelta,
    quiet: QuietHours | None,
    zone: ZoneInfo,
    share: float = 0.0,
    spread: timedelta = timedelta(0),
) -> Plan:
    """The due time of a message about an event accepted at `accepted_at`.

    The delay and the undo minutes run together. A moment in quiet hours moves to the next allowed one, and on by the
    part `share` of `spread` (`spread_opening`); where that would pass the promise, back to the last allowed hour before
    it; where none is left, forward, with an alarm.
    """
    earliest = accepted_at + undo
    wanted = max(accepted_at + delay, earliest)
    promise = accepted_at + PROMISE
    if quiet is None:
        return Plan(wanted, wanted > promise)
    moved = spread_opening(quiet, wanted, zone, share=share, spread=spread, until=promise)
    if moved <= promise:
        return Plan(moved)
    back = max(quiet.last_allowed_hour(wanted, zone), earliest)
    if back <= promise and not quiet.quiet_at(back.astimezone(zone)):
        return Plan(back)
    return Plan(moved, True)
