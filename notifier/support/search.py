"""One search box: what was typed is recognised as a reference, a certificate's number, a NIK, a telephone number, or
else the words of a name; and narrowed by birth year and facility where many persons fit.

What is personal is looked up by its blind index, so that nothing typed here is kept anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.certificates.issue import read_number
from notifier.core.errors import BadInput, SealBroken
from notifier.core.identity import NIK_LENGTH, OLDEST_BIRTH_YEAR, name_words
from notifier.core.ids import REFERENCE_ALPHABET, REFERENCE_LENGTH, read_reference
from notifier.core.phones import BadPhone, read_mobile
from notifier.services import Services
from notifier.store import desk, persons, search
from notifier.store.persons import Person
from notifier.support.desk import open_persons

PAGE = 50
LONGEST = 200
#: so many persons of one name are looked at for a birth year; it is sealed, so each has to be opened
_MOST_OPENED = 5_000
_FACILITIES = 8
_MOST_WORDS = 8
_NUMBER_SHAPE = re.compile(r"[+(]?[\d(][\d\s().+/-]{5,}", re.ASCII)


class Kind(StrEnum):
    """What was typed."""

    REFERENCE = "reference"
    CERTIFICATE = "certificate"
    NIK = "nik"
    PHONE = "phone"
    NAME = "name"
    FACILITY = "facility"  #: nothing but the facility


@dataclass(frozen=True, slots=True)
class Hit:
    """A person who fits. `message`: the newest about them that the reader may see; its reference leads to the person.
    `person` is None where the row cannot be opened."""

    person_id: str
    person: Person | None
    message: desk.Row | None


@dataclass(frozen=True, slots=True)
class Found:
    """What fits. `reference`: of the one notification that was named. `more`: others fit too. `is_cut`: the birth year
    was looked for among the newest of the name alone, who are too many."""

    kind: Kind
    hits: list[Hit] = field(default_factory=list)
    reference: str | None = None
    more: bool = False
    is_cut: bool = False
    facilities: list[desk.Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to search for, tidied."""

    text: str = field(repr=False)
    birth_year: int | None = field(default=None, repr=False)
    facility_id: str | None = None  #: the one that was chosen
    facilities: tuple[desk.Row, ...] = ()  #: to choose from, where the words fit several


def find(
    services: Services, text: str, *, birth_year: str = "", facility: str = "", only_facility: str | None
) -> Found:
    """What fits a search, for those who may see persons. Raises BadInput (fields `q`, `birth_year`, `facility`)."""
    with services.db.read() as conn:
        asked = _read(conn, text, birth_year, facility, only_facility)
        if asked.facilities:
            return Found(Kind.FACILITY, facilities=list(asked.facilities))
        named = _named(conn, services, asked, only_facility)
        return named or _by_person(conn, services, asked, only_facility)


def find_reference(services: Services, text: str, *, only_facility: str | None) -> str | None:
    """The reference of the notification that was named; None where there is none to be seen."""
    wanted = read_reference(text)
    if not _is_word(wanted, REFERENCE_LENGTH):
        return None
    with services.db.read() as conn:
        row = desk.find_visible(conn, wanted, only_facility)
    return row.reference if row is not None else None


def _read(conn: Connection, text: str, birth_year: str, facility: str, only_facility: str | None) -> Asked:
    text, facility = _tidied("q", text), _tidied("facility", facility)
    year = _read_year(birth_year.strip())
    if only_facility is not None:
        facility = ""
    if not text and not facility:
        raise BadInput.of("q", "required", "write a name, a number or a reference")
    if not facility:
        return Asked(text, year)
    fitting = search.facilities(conn, facility, _FACILITIES)
    exact = [row for row in fitting if row.id == facility] or (fitting if len(fitting) == 1 else [])
    if exact:
        return Asked(text, year, exact[0].id)
    if not fitting:
        raise BadInput.of("facility", "unknown-facility", "no facility has this id, or a name with these words")
    return Asked(text, year, facilities=tuple(fitting))


def _tidied(name: str, text: str) -> str:
    if len(text) > LONGEST:
        raise BadInput.of(name, "too-long", f"at most {LONGEST} characters")
    return " ".join(text.replace("\0", " ").split())  # PostgreSQL takes no NUL


def _read_year(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) == 4 and int(text) >= OLDEST_BIRTH_YEAR):
        raise BadInput.of("birth_year", "year-digits", "write the year with 4 digits, for example 1984")
    return int(text)


def _named(conn: Connection, services: Services, asked: Asked, only_facility: str | None) -> Found | None:
    """By an id of ours: a name may look like one, so that only one that exists counts."""
    wanted = read_reference(asked.text)
    if _is_word(wanted, REFERENCE_LENGTH):
        row = desk.find_visible(conn, wanted, only_facility)
        if row is not None:
            return Found(Kind.REFERENCE, reference=row.reference)
    number = read_number(asked.text)
    ids = search.with_certificate(conn, number, only_facility) if number is not None else []
    if ids:
        return Found(Kind.CERTIFICATE, hits=_hits(conn, services, ids, only_facility))
    return None


def _by_person(conn: Connection, services: Services, asked: Asked, only_facility: str | None) -> Found:
    facility_id = asked.facility_id if only_facility is None else only_facility
    kind, ids = _ids(conn, services, asked, facility_id)
    is_cut = False
    if asked.birth_year is not None:
        is_cut = len(ids) > _MOST_OPENED
        ids = _born_in(conn, services, ids[:_MOST_OPENED], asked.birth_year)
    places = search.facilities(conn, asked.text, _FACILITIES) if _is_for_places(kind, asked, only_facility) else []
    hits = _hits(conn, services, ids[:PAGE], only_facility)
    return Found(kind, hits, more=len(ids) > PAGE, is_cut=is_cut, facilities=places)


def _is_for_places(kind: Kind, asked: Asked, only_facility: str | None) -> bool:
    return kind in {Kind.NAME, Kind.REFERENCE, Kind.PHONE} and asked.facility_id is None and only_facility is None


def _ids(conn: Connection, services: Services, asked: Asked, facility_id: str | None) -> tuple[Kind, list[str]]:
    limit = PAGE + 1 if asked.birth_year is None else _MOST_OPENED + 1
    text, sealer = asked.text, services.sealer
    if not text:
        return Kind.FACILITY, search.at_facility(conn, facility_id or "", limit)
    digits = re.sub(r"[\s.-]", "", text)
    if digits.isascii() and digits.isdigit() and len(digits) == NIK_LENGTH:
        return Kind.NIK, search.with_nik(conn, persons.nik_index(sealer, digits), facility_id, limit)
    if _NUMBER_SHAPE.fullmatch(text):
        return Kind.PHONE, _with_phone(conn, services, text, facility_id, limit)
    if any(ch.isdigit() for ch in text):
        return Kind.REFERENCE, []  # nobody's name has digits: a reference or number that is not there
    return Kind.NAME, search.with_words(conn, _word_indexes(services, text), facility_id, limit)


def _with_phone(conn: Connection, services: Services, text: str, facility_id: str | None, limit: int) -> list[str]:
    settings = services.settings
    try:
        phone = read_mobile(text, region=settings.country, allowed=settings.countries)
    except BadPhone as error:
        problem = (error.rule, error.detail)
    else:
        return search.with_phone(conn, persons.phone_index(services.sealer, phone.e164), facility_id, limit)
    raise BadInput.of("q", *problem)


def _word_indexes(services: Services, text: str) -> list[bytes]:
    words = sorted(name_words(text))[:_MOST_WORDS]
    if not words:
        raise BadInput.of("q", "no-words", "write a word of the name, with at least two letters")
    return [services.sealer.index("person.word", word) for word in words]


def _born_in(conn: Connection, services: Services, ids: Sequence[str], year: int) -> list[str]:
    sealed = search.sealed_births(conn, ids)
    return [one for one in ids if one in sealed and _year_of(services, one, sealed[one]) == year]


def _year_of(services: Services, person_id: str, sealed: bytes) -> int | None:
    try:
        return date.fromisoformat(services.sealer.open("person:birth_date", person_id, sealed)).year
    except SealBroken:
        return None


def _hits(conn: Connection, services: Services, ids: Iterable[str], only_facility: str | None) -> list[Hit]:
    ids = list(ids)
    people = open_persons(conn, services, ids)
    newest = search.newest_messages(conn, ids, only_facility)
    return [Hit(one, people.get(one), newest.get(one)) for one in ids]


def _is_word(text: str, length: int) -> bool:
    return len(text) == length and set(text) <= set(REFERENCE_ALPHABET)
