"""Dates and times as people read them, in Indonesian and English."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

LANGUAGES = ("id", "en")


def known_language(code: str | None) -> str:
    """`id` or `en` for a BCP 47 tag; Indonesian where we have no words for it."""
    primary = (code or "").split("-")[0].split("_")[0].lower()
    return primary if primary in LANGUAGES else "id"


def long_date(day: date, language: str) -> str:
    """23 November 2026."""
    return format_date(day, "d MMMM y", locale=language)


def clock_time(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """09.00 WIB in Indonesian, 09:00 WIB in English; the zone is always named."""
    local = moment.astimezone(zone)
    return local.strftime("%H.%M %Z" if language == "id" else "%H:%M %Z")


def long_moment(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """Selasa 24 November 09.00 WIB: the near future, so without the year."""
    local = moment.astimezone(zone)
    return f"{format_date(local.date(), 'EEEE d MMMM', locale=language)} {clock_time(moment, zone, language)}"


def full_moment(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """24 November 2026 09.00 WIB."""
    return f"{long_date(moment.astimezone(zone).date(), language)} {clock_time(moment, zone, language)}"
