"""Telephone numbers that make a test key's message end in a chosen way, as at GOV.UK Notify and Twilio.

No SMS is ever sent for a test key, so it does not matter whether somebody has such a number. The last five digits are
the provider's error code where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from notifier.core.states import Reason, State


@dataclass(frozen=True, slots=True)
class Step:
    """From `after` the due time on a message stands so. `attempts`: how often it was handed to the provider by then."""

    after: timedelta
    state: State
    reason: Reason | None = None
    code: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Magic:
    """A number, as it is typed, with what becomes of a message to it."""

    number: str
    script: str
    meaning: str
    steps: tuple[Step, ...]

    @property
    def e164(self) -> str:
        return "+62" + self.number.replace("-", "").removeprefix("0")


def _at(seconds: float, state: State, reason: Reason | None = None, code: str | None = None, attempts: int = 1) -> Step:
    return Step(timedelta(seconds=seconds), state, reason, code, attempts)


_TAKEN = _at(1, State.ACCEPTED)
_ON_ITS_WAY = (_TAKEN, _at(3, State.SENT))
_DELIVERED = (*_ON_ITS_WAY, _at(6, State.DELIVERED))
#: what a number that stands in no table does
USUAL = "delivered"
#: answered at once, instead of recording anything: the status of HTTP
ANSWERS = MappingProxyType({"answer-429": 429, "answer-503": 503})


def _lost(code: str, reason: Reason) -> tuple[Step, ...]:
    return (*_ON_ITS_WAY, _at(6, State.UNDELIVERED, reason, code))


NUMBERS = (
    Magic("0812-0000-0001", USUAL, "delivered; as every other mobile number", _DELIVERED),
    Magic("0812-0000-0002", "stays-sent", "handed to the carrier, and nothing more is ever heard", _ON_ITS_WAY),
    Magic("0812-0000-0003", "stays-accepted", "taken by the provider, and nothing more is ever heard", (_TAKEN,)),
    Magic(
        "0812-0000-0004",
        "unknown",
        "nobody can say whether the provider took it",
        (_at(1, State.UNKNOWN, Reason.OUTCOME_UNKNOWN),),
    ),
    Magic("0812-0000-0005", "held", "held for an operator", (_at(0, State.HELD, Reason.PAST_DUE, attempts=0),)),
    Magic("0812-0000-0006", "expired", "not worth sending any more", (_at(0, State.EXPIRED, attempts=0),)),
    Magic(
        "0812-0000-0007",
        "opted-out",
        "the person asked for no more SMS: suppressed just before sending",
        (_at(0, State.SUPPRESSED, Reason.OPTED_OUT, attempts=0),),
    ),
    Magic(
        "0812-0000-0008",
        "not-me",
        "whoever has the number said that it is not the person's: suppressed just before sending",
        (_at(0, State.SUPPRESSED, Reason.NOT_ME, attempts=0),),
    ),
    Magic(
        "0812-0000-0009",
        "second-try",
        "the provider is away at first; delivered half a minute later",
        (
            _at(1, State.SCHEDULED, Reason.NOT_SENT),
            _at(31, State.ACCEPTED, attempts=2),
            _at(33, State.SENT, attempts=2),
            _at(36, State.DELIVERED, attempts=2),
        ),
    ),
    Magic(
        "0812-0002-1211",
        "failed-21211",
        "refused by the provider: not a phone number",
        (_at(1, State.FAILED, Reason.BAD_PHONE, "21211"),),
    ),
    Magic(
        "0812-0002-1610",
        "failed-21610",
        "refused by the provider: the person told it to stop",
        (_at(1, State.FAILED, Reason.OPTED_OUT, "21610"),),
    ),
    Magic("0812-0003-0003", "lost-30003", "the phone was off", _lost("30003", Reason.UNREACHABLE)),
    Magic("0812-0003-0005", "lost-30005", "the carrier does not know the number", _lost("30005", Reason.BAD_PHONE)),
    Magic("0812-0003-0007", "lost-30007", "filtered out by the carrier", _lost("30007", Reason.REFUSED)),
    Magic("0812-0003-0008", "lost-30008", "the carrier gave no reason", _lost("30008", Reason.UNREACHABLE)),
    Magic("0812-0000-0429", "answer-429", "the request is answered with 429", ()),
    Magic("0812-0000-0503", "answer-503", "the request is answered with 503", ()),
)
#: what needs no number of ours, since a live key has the same answer: what to write, and what becomes of it
RULES = (
    ("null", "suppressed, no-phone"),
    ("021-350-0000, or any landline", "suppressed, bad-phone"),
    ("0812-34, or anything else that is no number", "suppressed, bad-phone"),
)
_BY_NUMBER = MappingProxyType({magic.e164: magic for magic in NUMBERS})
_BY_SCRIPT = MappingProxyType({magic.script: magic for magic in NUMBERS})


def script_of(e164: str | None) -> str:
    """What becomes of a message to a number."""
    magic = _BY_NUMBER.get(e164 or "")
    return magic.script if magic else USUAL


def steps_of(script: str) -> tuple[Step, ...]:
    """The steps of a script; of one that a later version does not know, those of the usual one."""
    return _BY_SCRIPT.get(script, _BY_SCRIPT[USUAL]).steps
