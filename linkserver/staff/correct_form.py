"""What somebody typed to correct a dose: read into changes, or into what is wrong beside which field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from notifier.certificates.birth_dates import read_birth_date
from notifier.core.errors import BadInput, Problem
from notifier.core.phones import BadPhone, Phone, read_mobile
from notifier.services import Services
from notifier.support import corrections
from notifier.support.corrections import Checked
from notifier.support.dose_on_file import FIELDS, Held

_DATES = {"birth_date": "birth", "given_on": "given"}
_PARTS = ("day", "month", "year")
_DATE_FIELDS = tuple(f"{prefix}_{part}" for prefix in _DATES.values() for part in _PARTS)
#: every input of the forms; what was typed in them is kept through errors and the confirmation
TYPED = (
    "name", "nik", "phone", "product", "lot", "number", "series_total", *_DATE_FIELDS, "checked", "checked_words",
    "revision",
)  # fmt: skip
#: what only those see who may: filled in for nobody else, and empty means unchanged
PERSONAL = frozenset({"nik", "birth_date", "phone"})
#: the event's field -> ours
_PLACES = {place: name for name, place in FIELDS.items()}
ORDER = (*FIELDS, "checked", "checked_words", "")
_REVISION = re.compile(r"[0-9a-f.]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Read:
    """A form that was read; `changes` are to be used where there are no `problems`."""

    typed: dict[str, str] = field(repr=False)
    changes: dict[str, Any] = field(repr=False)
    checked: Checked | None
    problems: tuple[Problem, ...]
    phone: Phone | None = field(default=None, repr=False)


def place_of(problem: Problem) -> str:
    """The form's field that a problem belongs to; "" for the whole form."""
    return _PLACES.get(problem.field, problem.field if problem.field in ORDER else "")


def filled(held: Held, *, personal: bool) -> dict[str, str]:
    """The form with what is on file; `personal`: with what only some may see."""
    typed = dict.fromkeys(TYPED, "") | {"revision": held.revision}
    for name in FIELDS:
        value = held.value(name)
        if value is None or (name in PERSONAL and not personal):
            continue
        if isinstance(value, date):
            parts = (value.day, value.month, value.year)
            typed |= {f"{_DATES[name]}_{part}": str(number) for part, number in zip(_PARTS, parts, strict=True)}
        else:
            typed[name] = str(value)
    if typed["phone"] and held.person.mobile:
        typed["phone"] = Phone(held.person.mobile).national
    return typed


def read(services: Services, form: Mapping[str, str], held: Held, today: date) -> Read:
    """Reads a correction of any fields. `today`: where the reader is."""
    typed = _typed(form)
    problems: list[Problem] = []
    phone = _phone(services, typed["phone"], held, problems)
    changes: dict[str, Any] = {
        "name": typed["name"] or None,
        "nik": typed["nik"] or None,
        "birth_date": _date(typed, "birth_date", today, problems),
        "given_on": _date(typed, "given_on", today, problems),
        "phone": phone.e164 if phone else None,
        "product": typed["product"] or None,
        "lot": typed["lot"] or None,
        "number": _count(typed["number"], "dose.number", problems),
        "series_total": _count(typed["series_total"], "dose.series_total", problems),
    }
    _ask_for_what_stood_there(typed, held, problems)
    checked = _checked(typed, problems)
    return Read(typed, changes, checked, _in_order(problems), phone)


def read_number(services: Services, form: Mapping[str, str], held: Held) -> Read:
    """Reads another number alone."""
    typed = _typed(form)
    problems: list[Problem] = []
    phone = None
    if typed["phone"]:
        phone = _mobile(services, typed["phone"], problems)
    else:
        problems.append(Problem("person.phone", "phone-unreadable", "write the new number"))
    is_fresh = typed["revision"] == held.revision  # else it may be the same press again
    if phone is not None and is_fresh and phone.e164 == held.person.phone:
        problems.append(Problem("person.phone", "number-same", "this number is on file"))
    checked = _checked(typed, problems)
    return Read(typed, {"phone": phone.e164} if phone else {}, checked, _in_order(problems), phone)


def read_revision(form: Mapping[str, str]) -> str:
    """What the form says it was made from."""
    text = form.get("revision", "")
    return text if _REVISION.fullmatch(text) else "0"  # of nothing: to us it was changed meanwhile


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    return {name: form.get(name, "").strip() for name in TYPED} | {"revision": read_revision(form)}


def _in_order(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda one: ORDER.index(place_of(one))))


def _checked(typed: dict[str, str], problems: list[Problem]) -> Checked | None:
    try:
        return corrections.read_checked(typed["checked"], typed["checked_words"])
    except BadInput as bad:
        problems += bad.problems
        return None


def _phone(services: Services, text: str, held: Held, problems: list[Problem]) -> Phone | None:
    """None also for what is on file as it stands, though no SMS can go to it: it was shown, not typed."""
    if not text or text == held.person.phone:
        return None
    return _mobile(services, text, problems)


def _mobile(services: Services, text: str, problems: list[Problem]) -> Phone | None:
    try:
        return read_mobile(text, region=services.settings.country, allowed=services.settings.countries)
    except BadPhone as error:
        problems.append(Problem("person.phone", error.rule, error.detail))
        return None


def _date(typed: dict[str, str], name: str, today: date, problems: list[Problem]) -> date | None:
    parts = [typed[f"{_DATES[name]}_{part}"] for part in _PARTS]
    if name in PERSONAL and not any(parts):
        return None
    try:
        return read_birth_date(parts[0], parts[1], parts[2], today=today)
    except BadInput as bad:
        problems.append(Problem(FIELDS[name], bad.problems[0].rule, bad.problems[0].detail))
        return None


def _count(text: str, place: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    problems.append(Problem(place, "number", "digits only"))
    return None


def _ask_for_what_stood_there(typed: dict[str, str], held: Held, problems: list[Problem]) -> None:
    """What was filled in and is needed cannot be emptied."""
    for name in ("name", "number"):
        if not typed[name] and held.value(name) is not None:
            problems.append(Problem(FIELDS[name], "required", "this field is required"))
