"""Which messages a bulk resend is about, in our own words: states, reasons, codes, places, days. Pure; never personal
data, so that it may stand in an address, in a row and in the audit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from notifier.core.errors import BadInput, Problem
from notifier.core.states import Reason, State

MAX_UNOPENED_DAYS = 365
_LONGEST = {"facility": 200, "lot": 100, "product": 300}
_CODE = re.compile(r"[A-Za-z0-9._-]{1,40}", re.ASCII)
_DAY = timedelta(days=1)
_EARLIEST = date(2000, 1, 1)


class Wanted(StrEnum):
    """What became of the messages that are wanted."""

    PROBLEM = "problem"  #: undelivered or failed
    UNDELIVERED = "undelivered"
    FAILED = "failed"
    UNOPENED = "unopened"  #: delivered, and the certificate was not opened in some days
    SUPPRESSED = "suppressed"  #: not sent for a reason that may be mended by now

    @property
    def states(self) -> tuple[State, ...]:
        """The states that the messages stand in."""
        return _STATES[self]


_STATES = {
    Wanted.PROBLEM: (State.UNDELIVERED, State.FAILED),
    Wanted.UNDELIVERED: (State.UNDELIVERED,),
    Wanted.FAILED: (State.FAILED,),
    Wanted.UNOPENED: (State.DELIVERED,),
    Wanted.SUPPRESSED: (State.SUPPRESSED,),
}


class Span(StrEnum):
    """Days counted back from the day of the run, on the programme's calendar; today never belongs to them."""

    YESTERDAY = "yesterday"
    THREE_DAYS = "3-days"
    SEVEN_DAYS = "7-days"


_SPAN_DAYS = {Span.YESTERDAY: 1, Span.THREE_DAYS: 3, Span.SEVEN_DAYS: 7}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The moments between which a message was accepted and left; None: no bound. `before` is not included."""

    accepted_from: datetime | None
    accepted_before: datetime | None
    left_from: datetime | None
    left_before: datetime | None


@dataclass(frozen=True, slots=True)
class ResendFilter:
    """What is looked for. Days are whole days of the programme's calendar, the last one included."""

    wanted: Wanted
    reason: str | None = None
    code: str | None = None
    facility: str | None = None
    lot: str | None = None
    product: str | None = None
    since: date | None = None  #: accepted
    until: date | None = None
    sent_since: date | None = None
    sent_until: date | None = None
    span: Span | None = None  #: sent in these days before the run
    unopened_days: int | None = None

    def pinned(self, now: datetime, zone: ZoneInfo) -> ResendFilter:
        """The same with the days of `span` written out, as of `now`."""
        if self.span is None:
            return self
        today = now.astimezone(zone).date()
        return replace(self, span=None, sent_since=today - _SPAN_DAYS[self.span] * _DAY, sent_until=today - _DAY)

    def bounds(self, now: datetime, zone: ZoneInfo) -> Bounds:
        """The moments that the days stand for."""
        days = self.pinned(now, zone)
        left_before = _after(days.sent_until, zone)
        if self.unopened_days is not None:
            waited = now - self.unopened_days * _DAY
            left_before = min(left_before, waited) if left_before else waited
        return Bounds(_start(days.since, zone), _after(days.until, zone), _start(days.sent_since, zone), left_before)

    def as_words(self) -> dict[str, str]:
        """As it is typed: what `read_filter` reads back, for addresses, rows and the audit."""
        words = {name: str(value) for name, value in asdict(self).items() if value is not None}
        return {"state": words.pop("wanted"), **words}


def read_filter(typed: Mapping[str, str]) -> ResendFilter:
    """A filter as typed. Raises BadInput with every field that cannot be read."""
    words = {name: " ".join(text.split()) for name, text in typed.items() if text.strip()}
    problems: list[Problem] = []
    days = words.get("unopened_days")
    state = words.get("state") or (Wanted.UNOPENED if days else Wanted.PROBLEM)
    wanted = _one_of(Wanted, Wanted.UNOPENED if state == State.DELIVERED else state, "state", problems)
    found: dict[str, Any] = {
        "span": _one_of(Span, words["span"], "span", problems) if "span" in words else None,
        "unopened_days": _days(days, problems) if days else 3 if wanted is Wanted.UNOPENED else None,
    }
    for name in ("since", "until", "sent_since", "sent_until"):
        found[name] = _date(words.get(name), name, problems)
    for name, longest in _LONGEST.items():
        found[name] = _short(words.get(name), name, longest, problems)
    found["reason"], found["code"] = _reason(words.get("reason"), problems), _code(words.get("code"), problems)
    problems += [
        Problem(name, "unknown-word", "there is no such word in a filter")
        for name in words.keys() - found.keys() - {"state"}
    ]
    problems += _contradictions(wanted, found)
    if problems or wanted is None:
        raise BadInput(problems)
    return ResendFilter(wanted, **found)


def _contradictions(wanted: Wanted | None, found: Mapping[str, Any]) -> list[Problem]:
    problems = [
        Problem(last, "before-first", "the last day comes before the first")
        for first, last in (("since", "until"), ("sent_since", "sent_until"))
        if found[first] and found[last] and found[last] < found[first]
    ]
    if found["span"] and (found["sent_since"] or found["sent_until"]):
        problems.append(Problem("span", "both", "choose days or a span, not both"))
    if found["unopened_days"] and wanted is not None and wanted is not Wanted.UNOPENED:
        problems.append(Problem("unopened_days", "only-unopened", "only what was delivered can stay unopened"))
    if wanted is Wanted.SUPPRESSED and (found["span"] or found["sent_since"] or found["sent_until"]):
        problems.append(Problem("sent_since", "never-sent", "what was suppressed was never sent; use since and until"))
    return problems


def _one_of(words: type[StrEnum], text: str, name: str, problems: list[Problem]) -> Any:
    try:
        return words(text)
    except ValueError:
        problems.append(Problem(name, "choice", f"one of {', '.join(map(str, words))}"))
        return None


def _days(text: str, problems: list[Problem]) -> int | None:
    if text.isascii() and text.isdecimal() and len(text) < 4 and 1 <= int(text) <= MAX_UNOPENED_DAYS:
        return int(text)
    problems.append(Problem("unopened_days", "unopened-range", f"a number of days from 1 to {MAX_UNOPENED_DAYS}"))
    return None


def _date(text: str | None, name: str, problems: list[Problem]) -> date | None:
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        problems.append(Problem(name, "date", "write a day as 2026-11-23"))
        return None
    if not _EARLIEST <= found < date(9000, 1, 1):
        problems.append(Problem(name, "date", "write a day as 2026-11-23"))
        return None
    return found


def _short(text: str | None, name: str, longest: int, problems: list[Problem]) -> str | None:
    if text is not None and (len(text) > longest or not text.isprintable()):
        problems.append(Problem(name, "too-long", f"at most {longest} characters"))
        return None
    return text


def _reason(text: str | None, problems: list[Problem]) -> str | None:
    if text is None or text in set(Reason):
        return text
    problems.append(Problem("reason", "choice", "a reason that our messages have, such as bad-phone"))
    return None


def _code(text: str | None, problems: list[Problem]) -> str | None:
    if text is None or _CODE.fullmatch(text):
        return text
    problems.append(Problem("code", "code", "the provider's code, such as 30003"))
    return None


def _start(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) if day else None


def _after(day: date | None, zone: ZoneInfo) -> datetime | None:
    return _start(day + _DAY, zone) if day else None
