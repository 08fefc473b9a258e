"""What a certificate says, and the few words that the page, the PDF and the picture must all say alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Status = Literal["valid", "replaced", "revoked"]

_STATUS_WORDS: dict[str, dict[Status, str]] = {
    "id": {"valid": "Sah", "replaced": "Diganti", "revoked": "Dicabut"},
    "en": {"valid": "Valid", "replaced": "Replaced", "revoked": "Revoked"},
}
_HIDDEN = "•"  # BULLET
_NIK_DIGITS = 16


@dataclass(frozen=True, slots=True)
class DoseFacts:
    """One dose as the registry recorded it. `given_on` is the calendar day where it was given."""

    number: int | None
    series_total: int | None
    product: str
    vaccine_code: str | None
    lot: str | None
    given_on: date
    facility: str | None
    vaccine_system: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Everything that is drawn on one certificate, unsealed; lives as long as one request.

    `doses` are all doses of the person in the order of the table; `this_dose` is the one it was issued for.
    `issued_at` is aware, in UTC; `time_zone` (IANA) is only the zone in which it is printed. `verify_host` is what
    people type before `/verify`. What tells who the person is stays out of `repr`, so that no traceback shows it.
    """

    number: str
    status: Status
    issuer: str
    name: str = field(repr=False)
    nik: str | None = field(repr=False)
    birth_date: date = field(repr=False)
    issued_at: datetime
    time_zone: str
    verify_host: str
    doses: tuple[DoseFacts, ...] = field(repr=False)
    this_dose: DoseFacts = field(repr=False)

    def __post_init__(self) -> None:
        """:raises ValueError: an unknown status, or `issued_at` without a time zone."""
        if self.status not in _STATUS_WORDS["id"]:
            raise ValueError("status: must be valid, replaced or revoked")
        if self.issued_at.tzinfo is None:
            raise ValueError("issued_at: must carry a time zone")


def masked_nik(nik: str) -> str:
    """The NIK as it may stand on paper: 3174••••••••0009.

    Digits 7 to 12 of a NIK are the birth date (PP 40/2019), which opens the link, so only the first and last four
    are shown. What does not have 16 digits is hidden whole: we cannot know which part of it tells too much.
    """
    if len(nik) != _NIK_DIGITS or not (nik.isascii() and nik.isdigit()):
        return _HIDDEN * _NIK_DIGITS
    return f"{nik[:4]}{_HIDDEN * 8}{nik[-4:]}"


def dose_words(number: int | None, series_total: int | None, language: str) -> str:
    """Dosis 2 dari 2, Dose 2 of 2. A booster beyond the series, or an unknown total, is only "Dosis 3"; without a
    number (FHIR often lacks it) the answer is empty."""
    if number is None:
        return ""
    word, of = ("Dose", "of") if language == "en" else ("Dosis", "dari")
    if series_total is None or number > series_total:
        return f"{word} {number}"
    return f"{word} {number} {of} {series_total}"


def status_words(status: Status, language: str) -> str:
    """Sah, Diganti, Dicabut; Valid, Replaced, Revoked; Indonesian for any language but English."""
    return _STATUS_WORDS.get(language, _STATUS_WORDS["id"])[status]


def headline(facts: CertificateFacts, language: str) -> str:
    """The first line of a certificate: "Sah · dosis 2 dari 2"; without a dose number only "Sah"."""
    dose = dose_words(facts.this_dose.number, facts.this_dose.series_total, language)
    return " · ".join(part for part in (status_words(facts.status, language), dose[:1].lower() + dose[1:]) if part)
