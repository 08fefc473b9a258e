"""A birth date as people type it into three fields: numbers, or the month by its name in Indonesian or English."""

from __future__ import annotations

import unicodedata
from datetime import date

from notifier.core.errors import BadInput, Problem

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "januari january jan",
            "februari february feb pebruari",
            "maret march mar",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "agustus august agu ags aug agt",
            "september sep sept",
            "oktober october okt oct",
            "november nov nop nopember",
            "desember december des dec",
        ),
        start=1,
    )
    for name in names.split()
}
_EARLIEST_YEAR = 1900
_YEAR_DIGITS = 4
_DAYS = 31
_MONTHS_A_YEAR = 12


def read_birth_date(day: str, month: str, year: str, *, today: date) -> date:
    """The date. Nothing is guessed, a short year least of all.

    Raises BadInput with the fields `day`, `month`, `year` and the rules `day-missing`, `day-unreadable`, `year-digits`,
    `date-impossible`, `date-future`, `date-too-early`.
    """
    problems: list[Problem] = []
    read_day = _number("day", day, _DAYS, problems)
    read_month = _month(month, problems)
    read_year = _year(year, problems)
    if read_day is None or read_month is None or read_year is None:
        raise BadInput(problems)
    try:
        born = date(read_year, read_month, read_day)
    except ValueError:
        raise BadInput.of("day", "date-impossible", "there is no such day in that month") from None
    if born > today:
        raise BadInput.of("year", "date-future", "a birth date is not in the future")
    return born


def _plain(text: str) -> str:
    """Full-width and other digits as ASCII, blanks and a closing dot away."""
    folded = unicodedata.normalize("NFKC", text).strip().rstrip(".").strip()
    return "".join(str(unicodedata.digit(ch)) if ch.isdigit() and not ch.isascii() else ch for ch in folded)


def _number(field: str, text: str, most: int, problems: list[Problem]) -> int | None:
    plain = _plain(text)
    if not plain:
        problems.append(Problem(field, f"{field}-missing", "is missing"))
        return None
    if plain.isascii() and plain.isdigit() and len(plain) <= 2 and 1 <= int(plain) <= most:
        return int(plain)
    problems.append(Problem(field, f"{field}-unreadable", f"write a number from 1 to {most}"))
    return None


def _month(text: str, problems: list[Problem]) -> int | None:
    named = _MONTHS.get(_plain(text).casefold())
    return named if named is not None else _number("month", text, _MONTHS_A_YEAR, problems)


def _year(text: str, problems: list[Problem]) -> int | None:
    plain = _plain(text)
    if not plain:
        problems.append(Problem("year", "year-missing", "is missing"))
    elif not (plain.isascii() and plain.isdigit() and len(plain) == _YEAR_DIGITS):
        problems.append(Problem("year", "year-digits", "write the year with 4 digits"))
    elif int(plain) < _EARLIEST_YEAR:
        problems.append(Problem("year", "date-too-early", "that is too long ago; check the year"))
    else:
        return int(plain)
    return None
