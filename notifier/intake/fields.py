"""The kinds of fields that an event has: how each is read, which rule it breaks, and what to write instead.

Every refusal is a PydanticCustomError of (rule, detail): the rule is a stable kebab-case word, the detail never repeats
the value. All readers are strict: a number where text is due is an error, and text where a number is due too.
"""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from notifier.core.identity import MAX_NAME_LENGTH, OLDEST_BIRTH_YEAR, BadNik, clean_name, read_nik
from notifier.core.schedule import MAX_DELAY_HOURS

MAX_DOSES = 99  # the SMS has room for two digits
MAX_PHONE_LENGTH = 100
OLDEST_YEAR = OLDEST_BIRTH_YEAR

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# RFC 3339 section 5.6; the offset is looked at apart, so that its absence has a rule of its own
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)
_SIXTEEN = re.compile(r"\d{16}", re.ASCII)  # `read_nik` refuses none of these
_NEVER = re.compile("[\0\ud800-\udfff]")  # no database takes these
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*", re.ASCII)
# zero-width joiners belong to the spelling of some scripts; other format characters only hide or turn text
_JOINERS = frozenset("\u200c\u200d")


def wrong(rule: str, detail: str) -> PydanticCustomError:
    """What a reader raises. Braces would be read as a template, so there may be none."""
    literal_rule: Any = rule  # typed LiteralString by pydantic: ours are literals, some with a number put in
    literal_detail: Any = detail
    return PydanticCustomError(literal_rule, literal_detail)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("text", "write text, in quotation marks")
    if _NEVER.search(value):
        raise wrong("bad-character", "leave out U+0000 and lone surrogates")
    return value


def _capped(text: str, longest: int) -> str:
    if len(text) > longest:
        raise wrong("too-long", f"write at most {longest} characters")
    return text


def clean_text(text: str) -> str:
    """As `clean_name`, and without invisible characters that hide or reverse what is written."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())  # nothing to hide, compose or reverse: nearly every text
    return clean_name("".join(ch for ch in text if unicodedata.category(ch) != "Cf" or ch in _JOINERS))


def _reader_of_words(longest: int) -> BeforeValidator:
    def read(value: Any) -> str | None:
        return None if value is None else _capped(clean_text(_text(value)), longest) or None

    return BeforeValidator(read)


def _reader_of_ids(longest: int) -> BeforeValidator:
    def read(value: Any) -> str | None:
        if value is None:
            return None
        text = _text(value).strip()
        if not (text.isascii() and text.isprintable()) and any(
            unicodedata.category(ch) in {"Cc", "Cf", "Zl", "Zp"} for ch in text
        ):
            raise wrong("bad-character", "an id has no control characters")
        return _capped(text, longest) or None

    return BeforeValidator(read)


def _read_name(value: Any) -> str:
    name = clean_text(_text(value))
    if not name:
        raise wrong("required", "write the name as the registry has it")
    return _capped(name, MAX_NAME_LENGTH)


def _read_nik(value: Any) -> str | None:
    if value is None:
        return None
    text = _text(value).strip()
    if not text:
        return None
    nik = text if _SIXTEEN.fullmatch(text) else _unusual_nik(text)
    if len(set(nik)) == 1:
        # persons are matched by NIK: a filler would make one person of strangers
        raise wrong("nik-placeholder", "write null where there is no NIK")
    return nik


def _unusual_nik(text: str) -> str:
    """A NIK with blanks, hyphens or dots, or none."""
    try:
        nik, refusal = read_nik(text), None
    except BadNik as error:
        nik, refusal = "", wrong(error.rule, f"{error.detail}, or null where it is not known")
    if refusal is not None:
        raise refusal
    return nik


def parse_date(text: str) -> date:
    """A whole date, YYYY-MM-DD. Raises PydanticCustomError `date` otherwise."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise wrong("date", "write a date of the calendar as YYYY-MM-DD")


def _read_date(value: Any) -> date | None:
    if value is None or type(value) is date:
        return value
    day = parse_date(_text(value).strip())
    if day.year < OLDEST_YEAR:
        raise wrong("too-early", f"write a date not before {OLDEST_YEAR}")
    return day


def parse_moment(text: str) -> datetime:
    """An RFC 3339 moment with its offset, in UTC. Raises PydanticCustomError `moment` or `time-zone-missing`."""
    match = _MOMENT.fullmatch(text)
    if match is not None and match.group(1) is None:
        raise wrong("time-zone-missing", "end the time with Z or an offset such as +07:00")
    if match is not None:
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise wrong("moment", "write a time as 2026-11-23T03:12:00Z")


def _read_moment(value: Any) -> datetime | None:
    if value is None:
        return None
    return parse_moment(_text(value).strip())


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _read_zone(value: Any) -> str | None:
    if value is None:
        return None
    text = _text(value).strip()
    if text and text not in _zones():
        raise wrong("time-zone", "write a zone of the IANA list, for example Asia/Makassar")
    return text or None


def _read_language(value: Any) -> str | None:
    if value is None:
        return None
    text = _text(value).strip()
    match = _LANGUAGE.fullmatch(text)
    if text and match is None:
        raise wrong("language", "write a language tag, for example id or en")
    return match.group(1).lower() if match else None


def _read_count(value: Any) -> int | None:
    if value is None:
        return None
    if type(value) is not int:
        raise wrong("number", "write a whole number, without quotation marks")
    if not 1 <= value <= MAX_DOSES:
        raise wrong("dose-range", f"write a number from 1 to {MAX_DOSES}")
    return value


def _read_delay(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float):
        raise wrong("number", "write a number of hours, without quotation marks")
    if not 0 <= value <= MAX_DELAY_HOURS:  # also false for NaN
        raise wrong("delay-range", f"write a delay from 0 to {MAX_DELAY_HOURS} hours")
    return float(value)


Name = Annotated[str, BeforeValidator(_read_name)]
EventId = Annotated[str, _reader_of_ids(300)]
DoseId = Annotated[str, _reader_of_ids(200)]
OptionalId = Annotated[str | None, _reader_of_ids(200)]
Nik = Annotated[str | None, BeforeValidator(_read_nik)]
Day = Annotated[date | None, BeforeValidator(_read_date)]
#: only the shape: a number that cannot receive an SMS is recorded, and its notification suppressed
PhoneText = Annotated[str | None, _reader_of_words(MAX_PHONE_LENGTH)]
Moment = Annotated[datetime | None, BeforeValidator(_read_moment)]
Zone = Annotated[str | None, BeforeValidator(_read_zone)]
Language = Annotated[str | None, BeforeValidator(_read_language)]
Count = Annotated[int | None, BeforeValidator(_read_count)]
Delay = Annotated[float | None, BeforeValidator(_read_delay)]
Code = Annotated[str | None, _reader_of_words(100)]
System = Annotated[str | None, _reader_of_words(200)]
Words = Annotated[str | None, _reader_of_words(300)]
