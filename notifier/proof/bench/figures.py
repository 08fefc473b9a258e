"""Small statistics: quantiles by rank, and the rate of the middle of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import ceil


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which `part` of the values lie (nearest rank); 0 where there are none."""
    ordered = sorted(values)
    return ordered[max(0, ceil(part * len(ordered)) - 1)] if ordered else 0.0


def middle_rate(moments: Sequence[float]) -> float:
    """Events a second between the first and the last tenth, so that neither start nor end counts; 0 where it cannot be
    told."""
    low, high = len(moments) // 10, len(moments) - 1 - len(moments) // 10
    if high <= low or moments[high] <= moments[low]:
        return 0.0
    return (high - low) / (moments[high] - moments[low])


def whole_rate(moments: Sequence[float]) -> float:
    """Events a second from the first to the last; those of the very first moment do not count. 0 where all came at
    once."""
    if not moments or moments[-1] <= moments[0]:
        return 0.0
    return sum(1 for moment in moments if moment > moments[0]) / (moments[-1] - moments[0])


def timed(work: Callable[[], object], times: int, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """How long each call took, in seconds."""
    found = []
    for _ in range(times):
        start = clock()
        work()
        found.append(clock() - start)
    return found
