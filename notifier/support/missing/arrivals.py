"""The missing dose came, by whatever door: its case closes itself, and whoever reported it is told.

A dose is the reported one where it was given about that day to the person with the reported NIK, or with the reported
birth date and first name on the reporter's number; and where the SMS about it goes to that number. Anything less (the
number on file is another one, another day, another first name) is left to staff, who see it, and says nothing outside:
else a stranger could report somebody's dose to learn when it comes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.causes import Cause
from notifier.core.errors import SealBroken
from notifier.core.states import CaseKind, CaseOutcome, CaseStatus, DoseStatus, StepKind
from notifier.messages.gather import open_each
from notifier.services import Services
from notifier.store import audit, case_reports, case_steps, cases, doses, missing, persons
from notifier.store.persons import Person
from notifier.support.missing import telling
from notifier.support.missing.facts import Facts, first_word, is_same_day

#: why a dose may be the one, and a person has to compare
OTHER_NUMBER, OTHER_DAY, OTHER_NAME = "other-number", "other-day", "other-name"


def dose_arrived(conn: Connection, services: Services, dose_id: str, *, since: datetime) -> None:
    """Looks whether anybody waits for a dose."""
    shot = doses.get(conn, dose_id)
    if shot.person_id is None or shot.status != DoseStatus.GIVEN:
        return
    person = persons.get(conn, services.sealer, shot.person_id)
    born = person.birth_date.isoformat() if person.birth_date else None
    found = case_reports.waiting_for(
        conn,
        persons.nik_index(services.sealer, person.nik) if person.nik else None,
        case_reports.born_index(services.sealer, person.mobile, born) if person.mobile and born else None,
    )
    held = case_reports.hold(conn, [row.id for row in found])
    for row in found:
        if row.id in held and held[row.id].status == CaseStatus.OPEN:
            _compare(conn, services, held[row.id], person, [shot])


def case_reported(conn: Connection, services: Services, case_id: str, *, since: datetime) -> None:
    """Looks whether a dose that we hold already is the reported one: it may have come a moment before, or lie under
    another number."""
    row = case_reports.get(conn, case_id, lock=True)
    if row is None or row.status != CaseStatus.OPEN or row.kind != CaseKind.MISSING:
        return
    ids = set(missing.ids_with_nik(conn, row.nik_index)) if row.nik_index is not None else set()
    if row.phone_index is not None:
        ids |= set(persons.ids_with_phone(conn, row.phone_index))
    facts = facts_of(services, row)
    # one whom no key opens keeps nobody else's case waiting
    for person in open_each(conn, services, ids).values() if ids and facts else ():
        if person is not None and _is_reported(services, row, facts, person):
            _compare(conn, services, row, person, doses.of_person(conn, person.id))


def facts_of(services: Services, row: case_reports.Row) -> Facts | None:
    """What was reported; None where that cannot be opened, or nothing was."""
    try:
        text = case_reports.facts(services.sealer, row)
    except SealBroken:
        return None
    return Facts.from_json(text) if text else None


def _is_reported(services: Services, row: case_reports.Row, facts: Facts | None, person: Person) -> bool:
    if person.nik and row.nik_index == persons.nik_index(services.sealer, person.nik):
        return True
    return facts is not None and person.birth_date == facts.birth_date


def _compare(
    conn: Connection, services: Services, row: case_reports.Row, person: Person, shots: list[sa.Row[Any]]
) -> None:
    facts = facts_of(services, row)
    near = [shot for shot in shots if facts is not None and is_same_day(facts, shot.given_on)]
    if facts is None or not shots:
        return
    doubt = _doubt(services, row, facts, person) if near else OTHER_DAY
    at = services.clock.now()
    if doubt is None:
        close(conn, services, row, person, at=at)
    elif not case_steps.count(conn, row.id, StepKind.PERHAPS_ARRIVED):
        cause = {"cause": Cause.NUMBER_DIFFERS.value} if doubt == OTHER_NUMBER else {}
        case_reports.change(conn, row.id, person_id=person.id, **cause)
        case_steps.add(conn, services.sealer, row.id, StepKind.PERHAPS_ARRIVED, actor=audit.SYSTEM, at=at, detail=doubt)


def _doubt(services: Services, row: case_reports.Row, facts: Facts, person: Person) -> str | None:
    """Why the person's dose of that day need not be the reported one; None: it is."""
    if person.mobile is None or persons.phone_index(services.sealer, person.mobile) != row.phone_index:
        return OTHER_NUMBER
    by_nik = person.nik is not None and row.nik_index == persons.nik_index(services.sealer, person.nik)
    return None if by_nik or first_word(facts.name) == first_word(person.name) else OTHER_NAME


def close(conn: Connection, services: Services, row: case_reports.Row, person: Person, *, at: datetime) -> None:
    """The dose is here: nobody has to look for it any more."""
    if not cases.close(conn, row.id, outcome=CaseOutcome.ARRIVED, by=audit.SYSTEM, at=at):
        return
    cases.note_person(conn, row.id, person.id)
    case_steps.drop_picture(conn, row.id)
    case_steps.add(conn, services.sealer, row.id, StepKind.ARRIVED, actor=audit.SYSTEM, at=at)
    audit.write(conn, at=at, actor=audit.SYSTEM, action="case.arrived", subject="case", subject_id=row.id)
    telling.tell(conn, services, row, at=at)
