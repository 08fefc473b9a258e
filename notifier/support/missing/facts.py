"""What somebody reports about a dose: read, checked, sealed; and by what the dose is known when it comes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from notifier.certificates.birth_dates import read_birth_date
from notifier.core.errors import BadInput, Problem
from notifier.core.identity import MAX_NAME_LENGTH, BadNik, clean_name, name_words, read_nik
from notifier.services import Services
from notifier.store import case_reports, persons

MAX_PLACE, MAX_VACCINE, MAX_WORDS = 120, 80, 500
#: whoever asks about an older one has a card from before there were certificates; the facility is the one to ask
OLDEST = timedelta(days=5 * 365)
#: people mistake the day by so much, and facilities enter the next one
SAME_DOSE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Facts:
    """Who, what, where, when, as it was reported. `phone`: E.164, of whoever reported."""

    name: str = field(repr=False)
    birth_date: date = field(repr=False)
    given_on: date
    place: str
    phone: str = field(repr=False)
    nik: str | None = field(default=None, repr=False)
    vaccine: str | None = None
    dose_number: int | None = None
    words: str | None = field(default=None, repr=False)

    def as_json(self) -> str:
        """For the sealed column."""
        values = asdict(self)
        return json.dumps(values | {name: values[name].isoformat() for name in ("birth_date", "given_on")})

    @classmethod
    def from_json(cls, text: str) -> Facts:
        values = json.loads(text)
        dates = {name: date.fromisoformat(values[name]) for name in ("birth_date", "given_on")}
        return cls(**(values | dates))

    def with_phone(self, phone: str) -> Facts:
        return replace(self, phone=phone)


@dataclass(frozen=True, slots=True)
class Indexes:
    """By what a report is found."""

    phone: bytes
    born: bytes
    nik: bytes | None
    same: bytes


def indexes_of(services: Services, facts: Facts, form: str | None) -> Indexes:
    """The blind indexes of a report. `form`: of a report whose number nobody has proven; it is the same only as itself,
    so that nobody comes to another's case by typing another's number."""
    sealer, born = services.sealer, facts.birth_date.isoformat()
    whose = (facts.phone, born, facts.given_on.isoformat(), first_word(facts.name))
    return Indexes(
        phone=persons.phone_index(sealer, facts.phone),
        born=case_reports.born_index(sealer, facts.phone, born),
        nik=persons.nik_index(sealer, facts.nik) if facts.nik else None,
        same=case_reports.same_index(sealer, *(("form", form) if form else ("number", *whose))),
    )


def first_word(name: str) -> str:
    """The first word of a name, folded; tells twins on one phone apart. Never enough to find anybody by."""
    for word in name.split():
        folded = sorted(name_words(word))
        if folded:
            return folded[0]
    return name.casefold()


def is_same_day(facts: Facts, given_on: date | None) -> bool:
    """Whether a dose was given on the reported day, as people remember days."""
    return given_on is not None and abs(given_on - facts.given_on) <= SAME_DOSE


def read_facts(form: Mapping[str, str], *, phone: str, today: date) -> Facts:
    """What was typed into the report's fields. Raises BadInput with all that is wrong with it: fields `name`, `day`,
    `month`, `year`, `nik`, `given_day`, `given_month`, `given_year`, `place`, `vaccine`, `dose_number`, `words`."""
    reader = _Reader(form)
    name = reader.text("name", MAX_NAME_LENGTH, required=True)
    born = reader.date("", today)
    given_on = reader.date("given_", today)
    if born and given_on and given_on < born:
        reader.say("given_year", "date-before-birth", "a dose is not given before the birth")
    if given_on and given_on < today - OLDEST:
        reader.say("given_year", "date-too-old", "older doses are asked about at the facility")
    facts = {
        "nik": reader.nik(),
        "place": reader.text("place", MAX_PLACE, required=True),
        "vaccine": reader.text("vaccine", MAX_VACCINE),
        "dose_number": reader.number("dose_number", 10),
        "words": reader.text("words", MAX_WORDS),
    }
    if reader.problems or born is None or given_on is None:
        raise BadInput(reader.problems)
    return Facts(name=name or "", birth_date=born, given_on=given_on, phone=phone, **facts)  # type: ignore[arg-type]


class _Reader:
    """Reads fields one by one, and keeps what is wrong with them."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.problems: list[Problem] = []

    def say(self, name: str, rule: str, detail: str) -> None:
        self.problems.append(Problem(name, rule, detail))

    def text(self, name: str, most: int, *, required: bool = False) -> str | None:
        cleaned = clean_name(self._form.get(name, ""))
        if len(cleaned) > most:
            self.say(name, "too-long", f"write at most {most} characters")
        elif required and not any(ch.isalpha() for ch in cleaned):
            self.say(name, f"{name}-missing", "is missing")
        return cleaned or None

    def number(self, name: str, most: int) -> int | None:
        typed = self._form.get(name, "").strip()
        if not typed:
            return None
        if typed.isascii() and typed.isdigit() and len(typed) < 4 and 1 <= int(typed) <= most:
            return int(typed)
        self.say(name, f"{name}-unreadable", f"write a number from 1 to {most}")
        return None

    def nik(self) -> str | None:
        typed = self._form.get("nik", "").strip()
        try:
            return read_nik(typed) if typed else None
        except BadNik as bad:
            self.say("nik", bad.rule, bad.detail)
            return None

    def date(self, prefix: str, today: date) -> date | None:
        parts = [self._form.get(f"{prefix}{part}", "") for part in ("day", "month", "year")]
        if not any(part.strip() for part in parts):
            self.say(f"{prefix}day", f"{prefix}date-missing", "is missing")
            return None
        read: Callable[..., Any] = read_birth_date
        try:
            found: date = read(*parts, today=today)
        except BadInput as bad:
            self.problems += [Problem(f"{prefix}{one.field}", one.rule, one.detail) for one in bad.problems]
            return None
        return found
