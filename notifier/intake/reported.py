"""A dose that somebody may have reported as missing: noticed in the transaction that records it, looked at afterwards.

Reports are few and doses are many. So one small question says whether any report is open at all; only then the persons'
blind indexes are compared, all of a batch in two statements. Never by name alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.states import FollowUp
from notifier.services import Services
from notifier.store import case_reports, doses, follow_ups, persons
from notifier.store.persons import Person


def note(conn: Connection, services: Services, recorded: Mapping[str, Person], *, at: datetime) -> None:
    """Leaves a follow-up for each dose (by its id) whose person has the NIK, or the number and birth date, of an open
    report."""
    if recorded and case_reports.any_open(conn):
        _note(conn, services, recorded, at)


def note_one(conn: Connection, services: Services, dose_id: str, *, at: datetime) -> None:
    """The same for one dose, whose person is looked up only where any report is open."""
    if not case_reports.any_open(conn):
        return
    person_id = doses.get(conn, dose_id).person_id
    try:
        _note(conn, services, {dose_id: persons.get(conn, services.sealer, person_id)} if person_id else {}, at)
    except SealBroken:
        return  # nobody can compare it with anything


def _note(conn: Connection, services: Services, recorded: Mapping[str, Person], at: datetime) -> None:
    niks = {dose_id: index for dose_id, person in recorded.items() if (index := _nik(services, person))}
    born = {dose_id: index for dose_id, person in recorded.items() if (index := _born(services, person))}
    by_nik, by_birth = case_reports.awaited(conn, set(niks.values()), set(born.values()))
    for dose_id in recorded:
        if niks.get(dose_id) in by_nik or born.get(dose_id) in by_birth:
            follow_ups.add(conn, FollowUp.DOSE_ARRIVED, dose_id, at=at)


def _nik(services: Services, person: Person) -> bytes | None:
    return persons.nik_index(services.sealer, person.nik) if person.nik else None


def _born(services: Services, person: Person) -> bytes | None:
    if person.mobile is None or person.birth_date is None:
        return None
    return case_reports.born_index(services.sealer, person.mobile, person.birth_date.isoformat())
