"""What a health worker typed about one dose: read into an event, or into what is wrong beside which field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from notifier.access.sessions import SignedIn
from notifier.certificates.birth_dates import read_birth_date
from notifier.core.errors import BadInput, Problem
from notifier.core.identity import BadNik, read_nik
from notifier.core.ids import new_secret_id
from notifier.core.phones import BadPhone, Phone, read_mobile
from notifier.intake.event import Event, now_as_today, read_event
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.support.dose_checks import Known

#: every input of the form; what was typed in them is kept through errors and the confirmation
FIELDS = (
    "key", "nik", "name", "birth_day", "birth_month", "birth_year", "phone", "no_phone", "product", "lot", "number",
    "series_total", "given_day", "given_month", "given_year", "delay", "delay_hours", "language",
)  # fmt: skip
DELAYS = ("default", "now", "later")
LANGUAGES = ("id", "en")
_KEY = re.compile(r"[0-9A-Za-z]{20,40}", re.ASCII)

#: the event's field -> the form's
_PLACES = {
    "person.nik": "nik",
    "person.name": "name",
    "person.birth_date": "birth_date",
    "person.phone": "phone",
    "dose.product": "product",
    "dose.lot": "lot",
    "dose.number": "number",
    "dose.series_total": "series_total",
    "dose.given_on": "given_on",
    "notify.delay_hours": "delay",
}
#: the order of the fields on the page, for the list of errors
_ORDER = [*_PLACES.values(), ""]


@dataclass(frozen=True, slots=True)
class Read:
    """A form that was read. `event` is None where there are `problems`, in the order of the page."""

    typed: dict[str, str] = field(repr=False)
    event: Event | None = field(default=None, repr=False)
    phone: Phone | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Whom:
    """Who a form is about, for a search: both are there where there are no `problems`."""

    nik: str | None = field(repr=False)
    born: date | None = field(repr=False)
    problems: tuple[Problem, ...] = ()


def place_of(problem: Problem) -> str:
    """The form's field that a problem belongs to; "" for the whole form."""
    return _PLACES.get(problem.field, "")


def fresh(today: date, *, product: str = "", lot: str = "") -> dict[str, str]:
    """An empty form for a dose given today, with the vaccine and lot of the person before."""
    typed = dict.fromkeys(FIELDS, "")
    given = {"given_day": str(today.day), "given_month": str(today.month), "given_year": str(today.year)}
    return typed | given | {"key": new_key(), "delay": "default", "language": "id", "product": product, "lot": lot}


def new_key() -> str:
    """What makes the second submit of one form the same dose."""
    return new_secret_id(128)


def event_id_of(me: SignedIn, key: str) -> str:
    """Bound to the staff member: nobody else's key can be met."""
    return f"form-{me.staff_id}-{key}"


def typed_in(form: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with a key of its own where it came with none of ours."""
    typed = {name: form.get(name, "").strip() for name in FIELDS}
    if not _KEY.fullmatch(typed["key"]):
        typed["key"] = new_key()
    return typed


def searched(typed: dict[str, str]) -> str:
    """What a search was for, so that the page knows whether it was made."""
    return " ".join(typed[name] for name in ("nik", "birth_day", "birth_month", "birth_year"))


def whom(typed: dict[str, str], today: date) -> Whom:
    """The NIK and birth date of a form, as far as they can be read; what is wrong with them otherwise."""
    problems: list[Problem] = []
    nik = None
    try:
        nik = read_nik(typed["nik"]) if typed["nik"] else None
    except BadNik as error:
        problems.append(Problem("person.nik", error.rule, error.detail))
    if not typed["nik"]:
        problems.append(Problem("person.nik", "nik-to-search", "write the NIK, or fill in the rest"))
    born = _date(typed, "birth", "person.birth_date", today, problems)
    return Whom(nik, born, tuple(problems))


def read(
    services: Services, typed: dict[str, str], me: SignedIn, facility: str | None, known: Known | None = None
) -> Read:
    """Reads what was typed. `facility` is the name of the worker's own; `known`: whom the NIK and birth date led to,
    whose name and number need not be typed again."""
    problems: list[Problem] = []
    today = services.clock.now().astimezone(me.zone).date()
    phone = _phone(services, typed, problems, keeps=known is not None and known.person.mobile is not None)
    body = {
        "event_id": event_id_of(me, typed["key"]),
        "event_type": "recorded",
        "person": _person(typed, phone, today, problems, known),
        "dose": _dose(typed, me, facility, today, problems),
        "notify": {"delay_hours": _delay(typed, problems)},
    }
    event = None
    try:
        required = services.settings.link_check is not LinkCheck.NONE
        utc_today = now_as_today(services.clock.now())
        event = read_event(body, today=utc_today, require_birth_date=required)
    except BadInput as bad:
        told = {problem.field for problem in problems}
        problems += [problem for problem in bad.problems if problem.field not in told]
    if problems or event is None:
        return Read(typed, phone=phone, problems=tuple(sorted(problems, key=lambda one: _ORDER.index(place_of(one)))))
    return Read(typed, event, phone)


def _phone(services: Services, typed: dict[str, str], problems: list[Problem], *, keeps: bool) -> Phone | None:
    """Asked again at once where it cannot receive an SMS: the person is still here. `keeps`: one is on record."""
    text, none = typed["phone"], bool(typed["no_phone"])
    if not text and not none and not keeps:
        problems.append(Problem("person.phone", "required", "write a number, or choose no phone"))
    if text and none:
        problems.append(Problem("person.phone", "both", "either a number or no phone"))
    if not text:
        return None
    try:
        return read_mobile(text, region=services.settings.country, allowed=services.settings.countries)
    except BadPhone as error:
        problems.append(Problem("person.phone", error.rule, error.detail))
        return None


def _person(
    typed: dict[str, str], phone: Phone | None, today: date, problems: list[Problem], known: Known | None
) -> dict[str, Any]:
    born = None
    if any(typed[f"birth_{part}"] for part in ("day", "month", "year")):
        born = _date(typed, "birth", "person.birth_date", today, problems)
    return {
        "name": typed["name"] or (known.person.name if known else ""),
        "nik": typed["nik"] or None,
        "birth_date": born.isoformat() if born else None,
        "phone": phone.e164 if phone else None,
        "language": typed["language"] if typed["language"] in LANGUAGES else "id",
    }


def _dose(
    typed: dict[str, str], me: SignedIn, facility: str | None, today: date, problems: list[Problem]
) -> dict[str, Any]:
    given = _date(typed, "given", "dose.given_on", today, problems)
    if not typed["number"]:
        problems.append(Problem("dose.number", "required", "which dose it is"))
    return {
        "id": event_id_of(me, typed["key"]),  # a typed dose has one event; its id is as much the worker's own
        "number": _count(typed["number"], "dose.number", problems),
        "series_total": _count(typed["series_total"], "dose.series_total", problems),
        "product": typed["product"],
        "lot": typed["lot"] or None,
        "given_on": given.isoformat() if given else None,
        "facility": facility,
        "facility_id": me.facility_id,
    }


def _date(typed: dict[str, str], which: str, place: str, today: date, problems: list[Problem]) -> date | None:
    parts = (typed[f"{which}_day"], typed[f"{which}_month"], typed[f"{which}_year"])
    try:
        return read_birth_date(*parts, today=today)
    except BadInput as bad:
        problems.append(Problem(place, bad.problems[0].rule, bad.problems[0].detail))
        return None


def _count(text: str, place: str, problems: list[Problem]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 4:
        return int(text)
    problems.append(Problem(place, "number", "digits only"))
    return None


def _delay(typed: dict[str, str], problems: list[Problem]) -> float | None:
    """None: the programme's own delay."""
    if typed["delay"] not in DELAYS:
        problems.append(Problem("notify.delay_hours", "choice", "choose one"))
        return None
    if typed["delay"] != "later":
        return 0.0 if typed["delay"] == "now" else None
    if not typed["delay_hours"]:
        problems.append(Problem("notify.delay_hours", "delay-missing", "how many hours"))
        return None
    try:
        return float(typed["delay_hours"].replace(",", "."))  # 1,5 in Indonesian; the event checks the range
    except ValueError:
        problems.append(Problem("notify.delay_hours", "delay-range", "0 to 48"))
        return None
