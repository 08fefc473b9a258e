"""How many requests an API key may make: a GCRA row in the database, so one number over all processes.

Where the database cannot count, nobody gets through: the error is the caller's to answer with 503.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from notifier.access.api_keys import ApiKey
from notifier.services import Services
from notifier.store import buckets


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key has left. `quota` requests may come at once; after `full_in_s` seconds it is whole again."""

    granted: bool
    quota: int
    window_s: int
    left: int
    full_in_s: int
    retry_in_s: int


def take(services: Services, key: ApiKey) -> Allowance | None:
    """Counts one request of a key; None where there is no limit."""
    rate = services.settings.api_rate
    if rate <= 0:
        return None
    at, name = services.clock.now(), f"api-key:{key.id}"
    quota = max(1, int(max(buckets.BURST_S, 1 / rate) * rate + 1e-6))
    with services.db.write() as conn:
        room = buckets.room(conn, name, rate=rate, at=at)
        if room > 0:
            buckets.charge(conn, name, 1, rate=rate, at=at)
    left = max(0, room - 1)
    return Allowance(room > 0, quota, max(1, ceil(quota / rate)), left, ceil((quota - left) / rate), ceil(1 / rate))
