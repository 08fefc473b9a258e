"""What an answer of Twilio's means for one message: certainly taken, certainly not, or nobody can say.

The rule: only a 201 that names the message is a yes, only a lost connection attempt or a 4xx is a no, and everything
between is UNKNOWN. Source: https://www.twilio.com/docs/api/errors/20500 (a POST after a 500 may send twice) and
https://www.twilio.com/docs/api/errors/20429 (what was limited was not processed).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from notifier.gateways import Outcome, OutcomeClass
from notifier.gateways.twilio.errors import UNCLEAR_ON_CREATE, explain

#: a refusal whose code we do not know, or that has none
_BY_STATUS = {
    401: OutcomeClass.SENDER_MISCONFIGURED,
    403: OutcomeClass.SENDER_MISCONFIGURED,
    404: OutcomeClass.SENDER_MISCONFIGURED,  # the account, since the path holds nothing else
    408: OutcomeClass.UNKNOWN,  # something between us and Twilio gave up; nobody says when
    429: OutcomeClass.RATE_LIMITED,
}


class TwilioFailure(ConnectionError):
    """Twilio gave no good answer. `reason` is a class name, an HTTP status or a code: never what was sent."""

    outcome = Outcome(OutcomeClass.UNKNOWN)

    def __init__(self, reason: str) -> None:
        super().__init__(f"Twilio: {reason}")
        self.reason = reason


class NotConnected(TwilioFailure):
    """No connection came about (refused, DNS, TLS, time-out), so no byte of the request left."""

    outcome = Outcome(OutcomeClass.NOT_SENT)


class NoClearAnswer(TwilioFailure):
    """Bytes may have left, and no answer came that can be read."""

    def __init__(self, reason: str, http_status: int | None = None) -> None:
        super().__init__(reason)
        self.outcome = Outcome(OutcomeClass.UNKNOWN, http_status=http_status)


class Refused(TwilioFailure):
    """Twilio, or something before it, answered with a status other than 2xx."""

    def __init__(self, http_status: int, code: str | None, retry_after_s: float | None) -> None:
        super().__init__(f"HTTP {http_status}, code {code or 'none'}")
        kind = _kind_of_refusal(http_status, code, retry_after_s)
        self.outcome = Outcome(kind, http_status=http_status, code=code, retry_after_s=retry_after_s)


def _kind_of_refusal(http_status: int, code: str | None, retry_after_s: float | None) -> OutcomeClass:
    if http_status == 503 and retry_after_s is not None:
        return OutcomeClass.RATE_LIMITED
    if http_status >= 500:
        return OutcomeClass.UNKNOWN
    if http_status < 400:
        return OutcomeClass.SENDER_MISCONFIGURED  # a redirect: TWILIO_API_BASE is not Twilio's API
    if code in UNCLEAR_ON_CREATE:
        return OutcomeClass.UNKNOWN
    meaning = explain(code) if code else None
    if meaning:
        return meaning.kind
    return _BY_STATUS.get(http_status, OutcomeClass.HOLD)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until we may ask again (RFC 9110, 10.2.3). A date is read against the answer's own Date, so that our
    clock does not matter. None where there is none, or it makes no sense."""
    given = headers.get("Retry-After")
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = _seconds_between(headers.get("Date"), given)
    return seconds if 0 <= seconds < math.inf else None


def _seconds_between(now: str | None, then: str) -> float:
    try:
        return (parsedate_to_datetime(then) - parsedate_to_datetime(now or "")).total_seconds()
    except (TypeError, ValueError):
        return math.nan
