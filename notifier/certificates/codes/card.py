"""What a code says once it was read and its signature held, and why a code cannot be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from notifier.core.errors import SertilinkError

#: no genuine code is longer, packed or unpacked; what is longer is not even decoded
LONGEST_TEXT = 20_000
LONGEST_UNPACKED = 10_000


class CodeKind(StrEnum):
    """The formats."""

    HC1 = "hc1"
    SHC = "shc"


class Distrust(StrEnum):
    """Why a code is refused."""

    UNREADABLE = "unreadable"  #: not a code of this format, or damaged on the way
    UNKNOWN_KEY = "unknown-key"  #: a code, but signed with a key that is not ours
    FORGED = "forged"  #: claims our key, and the signature does not hold


class BadCode(SertilinkError):
    """A code that says nothing; the message repeats nothing of it."""

    def __init__(self, reason: Distrust) -> None:
        self.reason = reason
        super().__init__(reason.value)


class NoCode(SertilinkError):
    """No code of this kind may be made, since it would lack or invent something that the format demands."""

    def __init__(self, reason: Missing) -> None:
        self.reason = reason
        super().__init__(reason.value)


class Missing(StrEnum):
    """What stands in the way of a code. Kept for staff and tests; never shown to the person as a fault of theirs."""

    NOT_COVID = "not-covid"  #: an HC1 code is about COVID-19 alone
    PRODUCT_UNCLEAR = "product-unclear"  #: which product of the EU's value sets it was cannot be said for sure
    NO_DOSE_NUMBER = "no-dose-number"
    NO_SERIES = "no-series"  #: how many doses the series has
    DOSE_OUT_OF_RANGE = "dose-out-of-range"  #: the EU allows 1 to 9
    NAME_NOT_LATIN = "name-not-latin"  #: a letter that ICAO 9303 does not transliterate, as far as we know for sure
    BIRTH_DATE_OUT_OF_RANGE = "birth-date-out-of-range"  #: the EU allows 1900 to 2099
    TOO_LONG = "too-long"  #: would not fit one QR code
    NO_DOSES = "no-doses"


@dataclass(frozen=True, slots=True)
class CardDose:
    """One dose as the code has it; what it does not have is None. HC1 has codes of the EU's value sets, SMART Health
    Cards have CVX (`vaccine_code`), lot and facility."""

    given_on: date
    vaccine_code: str | None
    vaccine: str | None  #: the product in words, where we know it
    number: int | None = None
    series_total: int | None = None
    lot: str | None = field(default=None, repr=False)
    facility: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """A genuine code: our signature holds. Whether it was revoked, or its time is over, is the reader's to ask.

    `identifier` is the code's own (`ci`, `rid`), `revocation_id` what the revocation list has, `key_id` the `kid` of
    the key that signed; `expires_at` is None where the format sets no end.
    """

    kind: CodeKind
    name: str = field(repr=False)
    birth_date: date = field(repr=False)
    doses: tuple[CardDose, ...] = field(repr=False)
    issued_at: datetime
    expires_at: datetime | None
    identifier: str | None
    revocation_id: str | None
    key_id: str
