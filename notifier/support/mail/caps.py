"""How many cases letters may open: so many an hour from one sender, and from all together.

A letter beyond that stays in the mailbox, untouched, and is looked at again when an hour has room for it: none is lost,
and a flood from one address keeps nobody else's letters waiting. What goes with an open case is never counted.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit
from notifier.services import Services
from notifier.store import audit, counters

CAPPED = "letters.capped"
_HOUR = timedelta(hours=1)

_log = logging.getLogger(__name__)


_SENDER = Limit("mail-case:sender", 10, _HOUR)
_OVERALL = Limit("mail-case:all", 2_000, _HOUR)


@dataclass(frozen=True, slots=True)
class CaseLimits:
    """New cases by letter. In 2021 800 letters came in an average hour of the worst week; `sender`: a health worker who
    writes about a whole village is spread over some hours."""

    sender: Limit = _SENDER
    overall: Limit = _OVERALL


CASES = CaseLimits()


def room_at(conn: Connection, services: Services, sender: bytes | None, limits: CaseLimits = CASES) -> datetime | None:
    """Counts one more case; None where it may be opened now, else when the letter is looked at again. The narrowest
    first: whoever is over their own cap uses up nothing of the others'. `sender`: the blind index; None where nobody
    can say who wrote. Operators are told once a window."""
    at = services.clock.now()
    counted = [(limits.sender, f"{limits.sender.name}:{sender.hex()}")] if sender is not None else []
    for limit, name in (*counted, (limits.overall, limits.overall.name)):
        count = counters.hit(conn, name, window=limit.window, at=at)
        if count <= limit.most:
            continue
        if count == limit.most + 1:
            audit.write(
                conn,
                at=at,
                actor=audit.SYSTEM,
                action=CAPPED,
                subject="case-cap",
                subject_id=limit.name,
                most=limit.most,
            )
            _log.error("letters wait in the mailbox: too many new cases in an hour", extra={"limit": limit.name})
        return _turn(at, limit, count)
    return None


def _turn(at: datetime, limit: Limit, count: int) -> datetime:
    """The beginning of the window in which the letter's turn comes: as many in each as may be opened in it."""
    seconds = limit.window.total_seconds()
    begun = datetime.fromtimestamp(at.timestamp() // seconds * seconds, tz=at.tzinfo)
    return begun + limit.window * ((count - 1) // limit.most)
