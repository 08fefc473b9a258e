"""How often the public may ask: soft limits beside the lock for life, counted in the database by all processes alike.

Fixed windows. Where the count cannot be made, the caller's transaction fails and the answer is no.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.store import counters
from notifier.store.sealed import Sealer

_IPV6_NETWORK = 64  # one customer


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` in a `window`."""

    name: str
    most: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class TryLimits:
    """For birth dates. Mobile networks put thousands of people behind one address, so that limit is soft."""

    overall: Limit = Limit("try:all", 6_000, timedelta(minutes=1))
    address: Limit = Limit("try:address", 120, timedelta(minutes=10))
    link: Limit = Limit("try:link", 12, timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """For certificate numbers and codes."""

    overall: Limit = Limit("verify:all", 6_000, timedelta(minutes=1))
    address: Limit = Limit("verify:address", 60, timedelta(minutes=1))
    noted: Limit = Limit("verify:noted", 20, timedelta(days=1))  #: events kept of one certificate's checks


@dataclass(frozen=True, slots=True)
class CodeLimits:
    """For one-time codes that are asked for. The addresses' are soft; a number's hold for every number alike, whether
    we know it or not."""

    overall: Limit = Limit("code:all", 600, timedelta(minutes=1))
    address: Limit = Limit("code:address", 30, timedelta(minutes=10))
    address_day: Limit = Limit("code:address-day", 500, timedelta(days=1))
    number: Limit = Limit("code:number", 1, timedelta(minutes=1))
    number_hour: Limit = Limit("code:number-hour", 5, timedelta(hours=1))
    number_day: Limit = Limit("code:number-day", 10, timedelta(days=1))


TRIES = TryLimits()
CODES = CodeLimits()
CHECKS = CheckLimits()
#: a picture costs a process and up to some seconds of it
PICTURES = CheckLimits(
    overall=Limit("picture:all", 300, timedelta(minutes=1)), address=Limit("picture:address", 12, timedelta(minutes=1))
)


#: files of one opened link: each is drawn and signed anew, costs some ten milliseconds of a core, and is noted
DOWNLOADS = Limit("download:link", 30, timedelta(minutes=10))


def seconds_to_wait(conn: Connection, limit: Limit, subject: str, at: datetime) -> int:
    """Counts one more; 0 where it is still allowed, else the seconds until the window ends."""
    count = counters.hit(conn, f"{limit.name}:{subject}" if subject else limit.name, window=limit.window, at=at)
    return 0 if count <= limit.most else seconds_left(limit, at)


def seconds_left(limit: Limit, at: datetime) -> int:
    """Until the window ends that `at` falls in."""
    seconds = int(limit.window.total_seconds())
    return max(1, seconds - int(at.timestamp()) % seconds)


def seconds_to_wait_at_link(
    conn: Connection, sealer: Sealer, limits: TryLimits, public_id: str, *, address: str, at: datetime
) -> int:
    """Counts one more deed at a link; see `first_wait`."""
    return first_wait(
        conn,
        (limits.link, public_id),
        (limits.address, address_index(sealer, address)),
        (limits.overall, ""),
        at=at,
    )


def first_wait(conn: Connection, *counted: tuple[Limit, str], at: datetime) -> int:
    """Counts one more of each (limit, subject), the narrowest first, up to the one that says no; its wait, or 0. So one
    link or one address alone uses up nothing that others share; and no two callers wait for each other, since all keep
    this order."""
    waits = (seconds_to_wait(conn, limit, subject, at) for limit, subject in counted)
    return next(filter(None, waits), 0)


def address_index(sealer: Sealer, address: str) -> str:
    """What stands for a client's address in a counter's name: keyed, so that the table holds no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unreadable"
    if parsed.version == 6:
        parsed = ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False).network_address
    return sealer.index("address", parsed.packed).hex()
