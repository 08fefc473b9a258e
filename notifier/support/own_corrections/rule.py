"""What is corrected at once, without anybody looking: a small change (core.small_changes), and no second one in a row.

Small steps by rule would lead anywhere: after one, the next change of the same field is for somebody to look at, until
somebody has. A birth date opens certificates, so none is ever changed by rule.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.own_corrections import Field, How
from notifier.core.small_changes import NameChange, NikChange, is_namesake, name_change, nik_change
from notifier.services import Services
from notifier.store import own_corrections, persons
from notifier.store.persons import Person


@dataclass(frozen=True, slots=True)
class Judged:
    """`change`: how far it is, as a reviewer is told; None where that says nothing. `at_once`: no review is needed."""

    change: NameChange | NikChange | None
    at_once: bool


def judge(conn: Connection, services: Services, person: Person, about: Field, value: str) -> Judged:
    """How far a wish is from what is on file, and whether it needs nobody."""
    if about is Field.NAME:
        name = name_change(person.name, value)
        is_small = name in {NameChange.WRITING, NameChange.SLIP} and not has_namesake(conn, services, person, value)
        return Judged(name, is_small and not _was_by_rule(conn, person, about))
    if about is Field.NIK:
        nik = nik_change(person.nik, value, person.birth_date)
        is_free = not is_taken(conn, services, person.id, value)
        return Judged(nik, nik is NikChange.PROVED and is_free and not _was_by_rule(conn, person, about))
    return Judged(None, at_once=False)


def is_taken(conn: Connection, services: Services, person_id: str, nik: str) -> bool:
    """Whether a NIK is somebody else's on record."""
    return bool(persons.others_with_nik(conn, persons.nik_index(services.sealer, nik), person_id))


def has_namesake(conn: Connection, services: Services, person: Person, name: str) -> bool:
    """Whether somebody else on the same number is called so: a change would make one out of two of a family."""
    if person.mobile is None:
        return False
    ids = set(persons.ids_with_phone(conn, persons.phone_index(services.sealer, person.mobile))) - {person.id}
    try:
        return any(is_namesake(other.name, name) for other in persons.load(conn, services.sealer, ids).values())
    except SealBroken:
        return True  # nobody can say, so somebody looks


def _was_by_rule(conn: Connection, person: Person, about: Field) -> bool:
    return own_corrections.last_how(conn, person.id, about) is How.RULE
