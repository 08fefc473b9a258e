"""Words of the corrections that a person asks for of their own data: what, how far, on what proof, until when."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

#: who decides should have done so by then; later it stands on the work list as late, and an alarm is written each day
REVIEW_DUE = timedelta(hours=48)
#: how long we wait for somebody: at a desk with their card, for a code to the new number, for the picture of a card
WAITS = {"unproven": timedelta(days=30), "number": timedelta(days=3), "evidence": timedelta(days=14)}
#: how long the old number may object to a new one
OBJECTION = timedelta(hours=48)
#: a person's open requests at once, and all in MONTH
MOST_OPEN, MOST_A_MONTH = 2, 4
MONTH = timedelta(days=30)


class Field(StrEnum):
    """What can be corrected, as support.dose_on_file calls it."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    NIK = "nik"
    PHONE = "phone"


class RequestState(StrEnum):
    """Where a request stands."""

    UNPROVEN = "unproven"  #: nobody has shown yet that it is the person's: at a facility or to an operator, with a card
    NUMBER = "number"  #: until the new number has given its code
    REVIEW = "review"  #: for somebody's decision
    EVIDENCE = "evidence"  #: the reviewer has asked for a picture of a card
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


OPEN = frozenset({RequestState.UNPROVEN, RequestState.NUMBER, RequestState.REVIEW, RequestState.EVIDENCE})


class Proof(StrEnum):
    """How it was made sure that the person asks."""

    NONE = "none"
    OTP = "otp"  #: a code to the number on file, and the birth date or NIK
    FACE = "face"  #: somebody of ours has looked at the person's card


class How(StrEnum):
    """By what a request was decided."""

    RULE = "rule"  #: a small change (core.small_changes)
    NUMBER = "number"  #: the new number gave its code
    REVIEW = "review"  #: by staff


class RefusedWhy(StrEnum):
    """What the person is told where a reviewer refuses."""

    NO_MATCH = "no-match"  #: what was shown says something else
    UNREADABLE = "unreadable"  #: the picture cannot be read
    NOT_PROVED = "not-proved"  #: nothing shows that it is right
    OTHER_PERSON = "other-person"  #: it would make another person of them
