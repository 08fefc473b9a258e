"""When a bulk would be through: the sender's rate, and each zone's quiet hours. Pure; all moments aware."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from notifier.core.schedule import QuietHours

_MOST_STEPS = 20_000  # two openings a zone and day: some years


def finish(
    start: datetime, segments: Mapping[ZoneInfo, int], *, rate: float, quiet: QuietHours | None
) -> datetime | None:
    """When the last of `segments` (by the zone of those who get them) has left, where nothing else waits. `rate`:
    segments per second, 0 for no limit. None where there is nothing, or it would take years."""
    left = {zone: float(count) for zone, count in segments.items() if count > 0}
    if not left:
        return None
    at = start
    for _ in range(_MOST_STEPS):
        open_now = [zone for zone in left if quiet is None or not quiet.quiet_at(at.astimezone(zone))]
        until = _next_change(at, left, open_now, quiet)
        room = (until - at).total_seconds() * rate if rate and until else float("inf")
        work = sum(left[zone] for zone in open_now)
        if work and work <= room:
            at += timedelta(seconds=work / rate) if rate else timedelta(0)
            left = {zone: count for zone, count in left.items() if zone not in open_now}
            if not left:
                return at
            continue
        for zone in open_now:  # each zone gets its part of the rate
            left[zone] -= room * left[zone] / work
        if until is None:
            return None
        at = until
    return None


def _next_change(
    at: datetime, zones: Mapping[ZoneInfo, float], open_now: list[ZoneInfo], quiet: QuietHours | None
) -> datetime | None:
    """When the next zone opens or closes; None where none ever does."""
    if quiet is None:
        return None
    return min(quiet.next_quiet(at, zone) if zone in open_now else quiet.next_allowed(at, zone) for zone in zones)
