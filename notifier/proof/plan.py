"""What the fault server does to each message: drawn from a seed, so that a run can be repeated.

The draw depends on the number and on how often it was tried, not on the order in which messages come: whatever the
machine's speed, the same message meets the same fault.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeVar


class Post(StrEnum):
    """What happens to one submission."""

    OK = "ok"
    ACCEPT_DROP = "accept-drop"  #: taken; the connection closes without a byte
    ACCEPT_RESET = "accept-reset"  #: taken; half of the answer, then RST
    ACCEPT_HANG = "accept-hang"  #: taken; no answer, ever
    ACCEPT_500 = "accept-500"  #: taken, and a 500 all the same
    ACCEPT_CUT = "accept-cut"  #: taken; a whole 201 with half of the JSON
    ACCEPT_DRIP = "accept-drip"  #: taken; the answer comes byte by byte, slower than anybody waits
    HANG = "hang"  #: not taken, no answer
    RESET = "reset"  #: not taken, RST
    ERROR_500 = "error-500"  #: not taken
    ERROR_503 = "error-503"  #: not taken, and nobody says when to come back
    BUSY_503 = "busy-503"  #: not taken, with Retry-After
    LIMITED = "limited-429"  #: not taken, with Retry-After
    REFUSED = "refused"  #: not taken, for good, with a code


TAKES = frozenset(mode for mode in Post if mode is Post.OK or mode.value.startswith("accept-"))


class Report(StrEnum):
    """How the receipts of a taken message come."""

    NORMAL = "normal"  #: sent, then delivered
    REPEATED = "repeated"  #: each five times
    REVERSED = "reversed"
    MISSING = "missing"  #: none comes; the list knows that it was delivered
    EARLY = "early"  #: before the answer to the submission leaves
    FORGED = "forged"  #: none is genuine: they must change nothing
    STRANGER = "stranger"  #: beside the genuine ones, some for a reference that nobody gave
    UNDELIVERED = "undelivered"  #: sent, then undelivered with a code


#: Twilio's codes for a refusal, each final: an invalid number, a landline, opted out, cannot be reached from here
REFUSALS = (21211, 21614, 21610, 21612)
#: and for an undelivered message: switched off, unknown to the carrier, no reason given
BAD_ENDS = (30003, 30005, 30008)

_POSTS = {
    Post.OK: 70, Post.ACCEPT_DROP: 4, Post.ACCEPT_RESET: 4, Post.ACCEPT_HANG: 2, Post.ACCEPT_500: 3,
    Post.ACCEPT_CUT: 3, Post.ACCEPT_DRIP: 1, Post.HANG: 1, Post.RESET: 1, Post.ERROR_500: 1, Post.ERROR_503: 1,
    Post.BUSY_503: 2, Post.LIMITED: 4, Post.REFUSED: 3,
}  # fmt: skip
_REPORTS = {
    Report.NORMAL: 58, Report.REPEATED: 8, Report.REVERSED: 8, Report.MISSING: 8, Report.EARLY: 6, Report.FORGED: 4,
    Report.STRANGER: 4, Report.UNDELIVERED: 4,
}  # fmt: skip

Chosen = TypeVar("Chosen", bound=StrEnum)


@dataclass(frozen=True)
class Drawn:
    """What happens to one submission. `code`: of a refusal; `bad_end`: of an undelivered message; `listed_late`: the
    list does not show it for LIST_LAG_S."""

    post: Post
    report: Report
    code: int
    bad_end: int
    listed_late: bool


@dataclass(frozen=True)
class Plan:
    """The seed and the weights. `delay_s`: until each answer; `report_s`: until the first receipt, at most;
    `early_s`: how long an answer waits for its early receipts."""

    seed: int = 0
    posts: Mapping[Post, int] = field(default_factory=lambda: dict(_POSTS))
    reports: Mapping[Report, int] = field(default_factory=lambda: dict(_REPORTS))
    delay_s: float = 0.02
    report_s: float = 0.6
    early_s: float = 0.5
    list_lag_s: float = 1.5

    def draw(self, number: str, tries: int) -> Drawn:
        """For the `tries`-th submission to a number."""
        rng = random.Random(f"{self.seed}:{number}:{tries}")  # noqa: S311  # a seed makes a run repeatable
        return Drawn(
            post=_one_of(rng, self.posts),
            report=_one_of(rng, self.reports),
            code=rng.choice(REFUSALS),
            bad_end=rng.choice(BAD_ENDS),
            listed_late=rng.random() < 0.3,
        )

    def as_json(self) -> dict[str, Any]:
        """For the provider's process."""
        return asdict(self)


def _one_of(rng: random.Random, weights: Mapping[Chosen, int]) -> Chosen:
    return rng.choices(list(weights), list(weights.values()))[0]


def plan_from(data: Mapping[str, Any]) -> Plan:
    """A plan from its JSON. Raises ValueError for a mode that does not exist, TypeError for a name that does not."""
    more = dict(data)
    if "posts" in more:
        more["posts"] = {Post(name): int(weight) for name, weight in more["posts"].items()}
    if "reports" in more:
        more["reports"] = {Report(name): int(weight) for name, weight in more["reports"].items()}
    return Plan(**more)
