"""How often a person may be sent something again because somebody pressed a button: once in fifteen minutes, and no
more than PERSON_DAILY_CAP times a day of theirs. What counts is when the messages reach them, not when they were asked
for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core.errors import Refused
from notifier.core.schedule import QuietHours
from notifier.services import Services
from notifier.store import persons, resends

SPACING = timedelta(minutes=15)
_DAY = timedelta(days=1)
LATELY, ENOUGH = "resent-lately", "resent-enough"


def check(
    conn: Connection,
    services: Services,
    person_id: str,
    due_at: datetime,
    *,
    zone: ZoneInfo,
    quiet: QuietHours | None,
    lock: bool = True,
) -> None:
    """Raises Refused (`resent-lately`, `resent-enough`), with the moment from which it may be sent, where a resend that
    is due at `due_at` would come too soon after another one or be one too many that day. `lock`: two who resend to one
    person at once, about different doses, stand in line here until the caller's transaction ends."""
    if lock:
        persons.hold(conn, person_id)
    others = resends.moments_of_resends(conn, person_id, due_at - _DAY)
    reason, moment = first_allowed(others, due_at, cap=services.programme.person_daily_cap, zone=zone, quiet=quiet)
    if reason is not None:
        raise Refused(reason, not_before=moment)


def first_allowed(
    others: Sequence[datetime], wanted: datetime, *, cap: int, zone: ZoneInfo, quiet: QuietHours | None
) -> tuple[str | None, datetime]:
    """(why `wanted` is too soon, or None; the first moment from `wanted` on that is not). Pure."""
    reason, moment = None, wanted
    for _ in range(2 * len(others) + 2):  # each step leaves at least one of the others behind
        broken, later = _broken(others, moment, cap, zone)
        if broken is None:
            break
        reason = reason or broken
        moment = quiet.next_allowed(later, zone) if quiet else later
    return reason, moment


def _broken(others: Sequence[datetime], moment: datetime, cap: int, zone: ZoneInfo) -> tuple[str | None, datetime]:
    close = [other for other in others if abs(other - moment) < SPACING]
    if close:
        return LATELY, max(close) + SPACING
    day = moment.astimezone(zone).date()
    if sum(1 for other in others if other.astimezone(zone).date() == day) >= cap:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + _DAY
        return ENOUGH, midnight.astimezone(moment.tzinfo)
    return None, moment
