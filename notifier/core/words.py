"""Dates and times as people read them, in any language that Babel knows."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_month_names, get_time_format

#: what we say where we have no words in somebody's language
DEFAULT_LANGUAGE = "id"
#: the languages of the documents, which speak both at once
LANGUAGES = (DEFAULT_LANGUAGE, "en")


def primary_language(code: str | None) -> str:
    """The first part of a BCP 47 tag: `en` of en-GB and en_US; "" of nothing."""
    return (code or "").split("-")[0].split("_")[0].lower()


def known_language(code: str | None) -> str:
    """`id` or `en` for a BCP 47 tag; Indonesian where we have no words for it."""
    primary = primary_language(code)
    return primary if primary in LANGUAGES else DEFAULT_LANGUAGE


def long_date(day: date, language: str) -> str:
    """23 November 2026."""
    return f"{day.day} {_months(language)[day.month]} {day.year}"  # Babel's "d MMMM y", thirty times as fast


@cache
def _months(language: str) -> dict[int, str]:
    return dict(get_month_names("wide", locale=language))


def clock_time(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """09.00 WIB in Indonesian, 09:00 WIB in English: 24 hours, the locale's own mark; the zone is always named."""
    mark = "." if "." in get_time_format("short", language).pattern else ":"
    return moment.astimezone(zone).strftime(f"%H{mark}%M %Z")


def long_moment(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """Selasa 24 November 09.00 WIB: the near future, so without the year."""
    local = moment.astimezone(zone)
    return f"{format_date(local.date(), 'EEEE d MMMM', locale=language)} {clock_time(moment, zone, language)}"


def full_moment(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """24 November 2026 09.00 WIB."""
    return f"{long_date(moment.astimezone(zone).date(), language)} {clock_time(moment, zone, language)}"
