"""Where somebody stands in what could not be recorded: dead letters and refused lines, sealed as they came.

No index leads there, so they are opened one after the other; one that cannot be opened is counted and passed by.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.phones import national_form
from notifier.services import Services
from notifier.store import privacy
from notifier.store.persons import Person

_PAGE = 500
_NO_ID = "00000000-0000-0000-0000-000000000000"
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_BETWEEN = re.compile(r"(?<=\d)[\s().-]+(?=\d)")


@dataclass(frozen=True, slots=True)
class Traces:
    """Row ids of what tells of one person. `unreadable`: how many rows nobody can open."""

    dead_letters: list[str] = field(default_factory=list)
    refused_lines: list[str] = field(default_factory=list)
    unreadable: int = 0


class _Signs:
    """What gives a person away in a text: the NIK, or the name together with the number or the birth date."""

    def __init__(self, person: Person) -> None:
        self._nik = person.nik
        self._name = _folded(person.name)
        phone = person.phone or ""
        self._beside = [re.sub(r"\D", "", national_form(phone)).lstrip("0")] if person.mobile else []
        if person.birth_date:
            day = person.birth_date
            self._beside += [
                day.isoformat(),
                day.strftime("%d/%m/%Y"),
                day.strftime("%d-%m-%Y"),
                day.strftime("%Y%m%d"),
            ]

    def are_in(self, raw: bytes) -> bool:
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), raw.decode("utf-8", "replace"))
        digits = _BETWEEN.sub("", text)
        if self._nik and self._nik in digits:
            return True
        named = bool(self._name) and self._name in _folded(text)
        return named and any(sign in text or sign in digits for sign in self._beside)


def traces(services: Services, person: Person) -> Traces:
    """Where the person stands among what could not be recorded."""
    signs, unreadable = _Signs(person), 0
    found: dict[str, list[str]] = {}
    for place, page in (("dead_letter:body", privacy.letters), ("upload_refusal:body", privacy.refused_lines)):
        found[place], broken = _searched(services, signs, place, page)
        unreadable += broken
    return Traces(found["dead_letter:body"], found["upload_refusal:body"], unreadable)


Page = Callable[[Connection, str, int], list[privacy.Row]]


def _searched(services: Services, signs: _Signs, place: str, page: Page) -> tuple[list[str], int]:
    ids, broken, after = list[str](), 0, _NO_ID
    while True:
        with services.db.read() as conn:
            rows = page(conn, after, _PAGE)
        if not rows:
            return ids, broken
        after = rows[-1].id
        for row in rows:
            try:
                body = services.sealer.open_bytes(place, row.id, row.body_sealed)
            except SealBroken:
                broken += 1
                continue
            if signs.are_in(body):
                ids.append(row.id)


def _folded(text: str) -> str:
    plain = "".join(ch for ch in unicodedata.normalize("NFKD", text) if not unicodedata.combining(ch))
    return " ".join(plain.casefold().split())
