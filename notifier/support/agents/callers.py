"""Three facts before anything is said: an agent types what a caller says, and is told right or wrong as a whole.

A person is looked for by the registered number, or by the whole NIK. Then full name, birth date and a third fact must
all be right: the last four digits of the NIK, or where and on which day a dose was given; whoever was looked for by
NIK must know the dose, since a NIK holds the birth date. Which of the three was wrong is said to nobody, nor whether
there is such a person. Wrong answers are counted by number or NIK, by person and by agent, by the day: a caller proves
nothing by the number they call from, so that counting for life would let anybody lock anybody (docs/decisions/0048).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy.engine import Connection

from notifier.certificates.birth_dates import read_birth_date
from notifier.certificates.limits import Limit
from notifier.core.errors import BadInput, Problem, Refused
from notifier.core.identity import NIK_LENGTH, clean_name, name_words, read_nik
from notifier.core.phones import BadPhone, read_mobile
from notifier.core.states import CaseKind, StepKind
from notifier.services import Services
from notifier.store import agents, audit, case_reports, case_steps, cases, contacts, counters, doses, persons, search
from notifier.store.persons import Person
from notifier.support.agents.queue import find, hold
from notifier.support.desk import open_persons
from notifier.support.missing.causes import Finding, causes_of
from notifier.support.proof_of_person import is_name_of

#: wrong answers; past them nobody is right any more until the window is over
BY_KEY = Limit("caller:key", 3, timedelta(days=1))
BY_PERSON = Limit("caller:person", 5, timedelta(days=1))
BY_AGENT = Limit("caller:agent", 20, timedelta(hours=1))
_MOST = 20  # persons on one number
_LAST = 4
_NOT_DIGITS = re.compile(r"[\s.-]")


@dataclass(frozen=True, slots=True)
class Said:
    """What a caller said, as far as it can be read. `nik_end`: the last four digits."""

    phone: str | None = field(repr=False)
    nik: str | None = field(repr=False)
    name: str = field(repr=False)
    birth_date: date = field(repr=False)
    nik_end: str | None = field(repr=False)
    facility: str = field(repr=False)
    given_on: date | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """`message`: the reference that leads to the person, where all three facts were right; `findings`: what may be said
    about the doses."""

    is_right: bool
    message: str | None = None
    findings: tuple[Finding, ...] = ()


def read_said(services: Services, form: Mapping[str, str]) -> Said:
    """What was typed. Raises BadInput with all that cannot be read: fields `phone`, `nik`, `name`, `day`, `month`,
    `year`, `nik_end`, `facility`, `given_day`, `given_month`, `given_year`."""
    problems: list[Problem] = []
    today = services.clock.now().astimezone(services.zone).date()
    typed = {name: clean_name(value[:200]) for name, value in form.items()}
    phone = _phone(services, typed.get("phone", ""), problems)
    nik = _digits(typed.get("nik", ""), "nik", NIK_LENGTH, problems)
    end = _digits(typed.get("nik_end", ""), "nik_end", _LAST, problems)
    born = _date(typed, "", today, problems)
    given_on = None
    if any(typed.get(f"given_{part}") for part in ("day", "month", "year")):
        given_on = _date(typed, "given_", today, problems)
    facility, name = typed.get("facility", ""), typed.get("name", "")
    if not name_words(name):
        problems.append(Problem("name", "required", "write the full name"))
    if bool(phone) == bool(nik) and not problems:
        problems.append(Problem("phone", "one-key", "write either the registered number or the whole NIK"))
    dose = bool(facility and given_on)
    if not problems and not dose and (nik or not end):
        rule = "dose-required" if nik else "third-fact"
        problems.append(Problem("facility" if nik else "nik_end", rule, "a third fact is needed"))
    if problems or born is None:
        raise BadInput(problems)
    return Said(phone, nik, name, born, end, facility, given_on)


def check(services: Services, said: Said, *, reference: str | None, staff_id: str) -> Checked:
    """Whether a caller is who they say. `reference`: of the case that they call about, which is the person's from then
    on. Raises NotFound, or Refused (`too-many-checks`, `claimed`, `already-closed`)."""
    at, actor = services.clock.now(), f"staff:{staff_id}"
    with services.db.write() as conn:
        case = find(conn, reference, lock=True) if reference else None
        if case is not None:
            hold(conn, services, case, staff_id)
        meant = _meant(conn, services, said)
        charges = _charges(services, said, staff_id, meant)
        counts = [counters.hit(conn, one.name, window=one.limit.window, at=at) for one in charges]
        if any(count > one.limit.most for one, count in zip(charges, counts, strict=True) if one.whose is None):
            raise Refused("too-many-checks")
        over = {one.whose for one, count in zip(charges, counts, strict=True) if count > one.limit.most}
        right = [one for one in meant if _is_right(conn, one, said)]
        found = right[0] if len(right) == 1 and right[0].id not in over else None
        if found is not None:  # charged beforehand, so that many at once are counted too
            for one in charges:
                counters.give_back(conn, one.name, window=one.limit.window, at=at)
        case_id = case.id if case is not None else None
        agents.note_check(
            conn,
            case_id=case_id,
            person_id=found.id if found else None,
            staff_id=staff_id,
            is_right=found is not None,
            at=at,
        )
        action = "caller.right" if found else "caller.wrong"
        subject = ("person", found.id) if found else ("case", case_id) if case_id else ("caller", "unknown")
        audit.write(conn, at=at, actor=actor, action=action, subject=subject[0], subject_id=subject[1])
        if found is None:
            return Checked(False)
        if case is not None and case.person_id in {None, found.id}:  # somebody else's case stays theirs
            case_steps.add(conn, services.sealer, case.id, StepKind.CALLER_CHECKED, actor=actor, at=at)
            _give(conn, services, case, found)
        newest = search.newest_messages(conn, [found.id], None).get(found.id)
        return Checked(True, newest.reference if newest else None, tuple(causes_of(conn, services, [found.id])))


@dataclass(frozen=True, slots=True)
class _Charge:
    """One counter of wrong answers; `whose`: the person's, None for number or NIK and agent."""

    name: str
    limit: Limit
    whose: str | None = None


def _charges(services: Services, said: Said, staff_id: str, meant: list[Person]) -> list[_Charge]:
    """In one order for everybody, so that no two wait for each other."""
    sealer = services.sealer
    key = sealer.index("caller.key", said.phone or said.nik or "").hex()
    charges = [_Charge(f"{BY_AGENT.name}:{staff_id}", BY_AGENT), _Charge(f"{BY_KEY.name}:{key}", BY_KEY)]
    for person_id in sorted(one.id for one in meant):
        index = sealer.index("caller.person", person_id).hex()
        charges.append(_Charge(f"{BY_PERSON.name}:{index}", BY_PERSON, person_id))
    return charges


def _meant(conn: Connection, services: Services, said: Said) -> list[Person]:
    """Whoever the number or the NIK may mean."""
    sealer = services.sealer
    if said.phone is not None:
        ids = search.with_phone(conn, persons.phone_index(sealer, said.phone), None, _MOST)
    else:
        ids = search.with_nik(conn, persons.nik_index(sealer, said.nik or ""), None, _MOST)
    return list(open_persons(conn, services, ids).values())


def _is_right(conn: Connection, person: Person, said: Said) -> bool:
    facts = (
        is_name_of(person, said.name),
        person.birth_date == said.birth_date,
        _ends_with(person.nik, said.nik_end) if said.nik_end and said.nik is None else _had_dose(conn, person, said),
    )
    return all(facts)


def _ends_with(nik: str | None, end: str) -> bool:
    return nik is not None and hmac.compare_digest(nik[-_LAST:], end)


def _had_dose(conn: Connection, person: Person, said: Said) -> bool:
    words = name_words(said.facility)
    if said.given_on is None or not words:
        return False
    return any(
        dose.given_on == said.given_on
        and (words <= name_words(dose.facility or "") or said.facility == dose.facility_id)
        for dose in doses.of_person(conn, person.id)
    )


def _give(conn: Connection, services: Services, case: case_reports.Row, person: Person) -> None:
    """The case is the person's, and SMS about it go to the number that is on file for them; facility and cause are
    those of their newest dose, as far as nobody has said otherwise."""
    cases.note_person(conn, case.id, person.id)
    newest = next(iter(causes_of(conn, services, [person.id])), None)
    if newest is not None and case.kind == CaseKind.ASKED:
        about = {"facility_id": newest.facility_id, "cause": newest.cause.value}
        case_reports.change(
            conn, case.id, **{name: value for name, value in about.items() if getattr(case, name) is None and value}
        )
    if person.mobile is None or case.contact_id is not None:
        return
    at = services.clock.now()
    known = contacts.find_or_add(conn, services.sealer, phone=person.mobile, language=person.language, at=at)
    index = persons.phone_index(services.sealer, person.mobile)
    case_reports.change(conn, case.id, contact_id=known.id, phone_index=index, confirmed_at=at)


def _phone(services: Services, typed: str, problems: list[Problem]) -> str | None:
    if not typed:
        return None
    try:
        return read_mobile(typed, region=services.settings.country, allowed=services.settings.countries).e164
    except BadPhone as bad:
        problems.append(Problem("phone", bad.rule, bad.detail))
        return None


def _digits(typed: str, name: str, length: int, problems: list[Problem]) -> str | None:
    digits = _NOT_DIGITS.sub("", typed)
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) == length):
        problems.append(Problem(name, f"{name.replace('_', '-')}-digits", f"write {length} digits"))
        return None
    return read_nik(digits) if length == NIK_LENGTH else digits


def _date(typed: Mapping[str, str], prefix: str, today: date, problems: list[Problem]) -> date | None:
    day, month, year = (typed.get(f"{prefix}{part}", "") for part in ("day", "month", "year"))
    try:
        return read_birth_date(day, month, year, today=today)
    except BadInput as bad:
        problems += [Problem(f"{prefix}{one.field}", one.rule, one.detail) for one in bad.problems]
        return None
