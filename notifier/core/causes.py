"""Why somebody has no certificate, who has to act, and what a tap can do about it (support.missing)."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why somebody has no certificate, as far as we know (support.missing)."""

    NOT_ENTERED = "not-entered"  #: no facility has sent us such a dose
    TOO_YOUNG = "too-young"  #: not entered, and younger than the promise
    STILL_YOUNG = "still-young"  #: not entered, and younger than the days that facilities take
    SCHEDULED = "scheduled"
    QUIET_HOURS = "quiet-hours"
    ON_ITS_WAY = "on-its-way"  #: the provider or the carrier has it
    DELIVERED = "delivered"
    OPENED = "opened"
    NUMBER_FAILED = "number-failed"  #: the SMS did not reach the number on file
    NUMBER_BAD = "number-bad"  #: the number on file cannot receive SMS
    NUMBER_DIFFERS = "number-differs"  #: it was sent to another number than the one on file
    OPTED_OUT = "opted-out"
    NOT_ME = "not-me"  #: somebody with the number said that it is not the person's
    LOCKED = "locked"
    WITHDRAWN = "withdrawn"  #: the facility took the dose back
    CORRECTED = "corrected"  #: a new certificate took its place
    HELD = "held"
    PROVIDER_TROUBLE = "provider-trouble"
    UNKNOWN_OUTCOME = "unknown-outcome"
    HISTORICAL = "historical"  #: copied from older records; no SMS was sent
    LATE = "late"  #: not sent in time, or taken back; a new link mends it


class WhoActs(StrEnum):
    """Who has to do something about a cause."""

    NOBODY = "nobody"  #: it goes on by itself
    YOU = "you"
    FACILITY = "facility"
    OPERATORS = "operators"


class Fix(StrEnum):
    """What one tap can do about a cause."""

    NEW_LINK = "new-link"  #: to the number on file
    ALLOW_SMS = "allow-sms"
    NUMBER_IS_MINE = "number-is-mine"  #: takes "this is not me" back
    CORRECT_NUMBER = "correct-number"  #: by a code to the number; support.own_corrections
