"""Limits on guessing: tries counted in the database under keyed names, before anything is compared.

Counted first, in a transaction of their own, so that parallel guesses cannot slip through; a right answer gives them
back. Where the database cannot count, nobody gets on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.errors import Refused
from notifier.services import Services
from notifier.store import counters

TOO_MANY = "too-many-tries"
WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many tries under a name in a window."""

    name: str
    most: int
    window: timedelta = WINDOW


def named(services: Services, kind: str, value: str) -> str:
    """The name of a counter, which says nothing about `value`: that may be an e-mail address."""
    return f"{kind}:{services.sealer.index(kind, value).hex()}"


def count(services: Services, limits: list[Limit]) -> None:
    """Counts one try under each name. Raises Refused (TOO_MANY) where one of them has had its tries."""
    at = services.clock.now()
    with services.db.write() as conn:
        over = [counters.hit(conn, one.name, window=one.window, at=at) > one.most for one in limits]
    if any(over):
        raise Refused(TOO_MANY)


def give_back(conn: Connection, limits: list[Limit], at: datetime) -> None:
    """The try was right, so it was none."""
    for one in limits:
        counters.give_back(conn, one.name, window=one.window, at=at)
