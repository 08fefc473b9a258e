"""The persons on a proved number, as an account shows them: nothing but initials until each is opened.

The first time the full name of one of them is asked, as on the KTP: a number that was given to somebody else may still
stand beside its former holder. It stays proved as long as that person has the number.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.identity import initials_of
from notifier.core.states import ProofAnswer
from notifier.services import Services
from notifier.store import accounts, audit, cases, persons
from notifier.store.persons import Person
from notifier.support import proof_of_person
from notifier.support.account.session import DOOR, Session
from notifier.support.proof_of_person import MOST_PERSONS, NOT_HERE, TryAnswer, persons_on, proof_of


class Standing(StrEnum):
    """How a person stands in an account."""

    CLOSED = "closed"  #: to be opened by birth date or NIK
    OPEN = "open"
    LOCKED = "locked"
    PAUSED = "paused"  #: somebody said that the number is not this person's; staff look into it


@dataclass(frozen=True, slots=True)
class Member:
    """One person on the number. `name`: the whole name where it is open, else initials (`S. A.`); "" where none is."""

    person_id: str
    standing: Standing
    name: str = field(repr=False)
    tries_left: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """Who is on the number. `is_named`: the full name of one of them was told; before that nothing is shown."""

    is_named: bool
    members: tuple[Member, ...]


def family(services: Services, session: Session) -> Family:
    """The persons on a session's number, oldest first."""
    with services.db.read() as conn:
        found = persons_on(conn, services, session.phone)
        opened = accounts.opened(conn, session.id)
        named = _is_named(conn, session, found)
        members = [_member(services, person, opened) for person in found]
        members += _paused(conn, services, session)
    return Family(named or not found, tuple(members) if named or not found else ())


def tell_name(services: Services, session: Session, typed: str) -> TryAnswer:
    """Tries the full name of any of the persons; a right one is kept, and not asked again at this number."""
    tried = proof_of_person.try_name_on(services, session.phone, typed, door=DOOR)
    if tried.is_right and tried.person_id is not None:
        with services.db.write() as conn:
            at = services.clock.now()
            if accounts.add_proof(conn, tried.person_id, session.number, at):
                _audit(conn, at, "account.name-told", tried.person_id)
    return tried


def open_by_birth_date(services: Services, session: Session, person_id: str, typed: date) -> TryAnswer:
    """Opens a person of the account for this session; somebody who is not in it is wrong, and counts nothing."""
    if member_of(services, session, person_id) is None:
        return NOT_HERE
    tried = proof_of_person.try_birth_date(services, person_id, typed, door=DOOR, phone=session.phone)
    return _opened(services, session, person_id, tried)


def open_by_nik(services: Services, session: Session, person_id: str, typed: str) -> TryAnswer:
    """The same by NIK, as core.identity.read_nik gives it."""
    if member_of(services, session, person_id) is None:
        return NOT_HERE
    tried = proof_of_person.try_nik(services, person_id, typed, door=DOOR, phone=session.phone)
    return _opened(services, session, person_id, tried)


def member_of(services: Services, session: Session, person_id: str) -> Member | None:
    """The person as they stand now; None where they are not in this account, or its name was not told yet: which of
    the two looks the same."""
    return next((one for one in family(services, session).members if one.person_id == person_id), None)


def opened_person(conn: Connection, services: Services, session: Session, person_id: str) -> Person | None:
    """The person whom this session has open, as the caller's transaction sees them; None where it is closed: never
    opened, locked, another birth date or NIK by now, or not on this number any more."""
    found = persons_on(conn, services, session.phone)
    person = next((one for one in found if one.id == person_id), None)
    if person is None or not _is_named(conn, session, found):
        return None
    is_open = _standing(services, person, accounts.opened(conn, session.id)) is Standing.OPEN
    return person if is_open else None


def _opened(services: Services, session: Session, person_id: str, tried: TryAnswer) -> TryAnswer:
    if tried.answer is not ProofAnswer.RIGHT:
        return tried
    with services.db.write() as conn:
        at = services.clock.now()
        # of what was right, not of what may have been corrected since
        accounts.open_person(conn, session.id, person_id, bytes.fromhex(tried.proof), at)
        _audit(conn, at, "account.person-opened", person_id)
    return tried


def _audit(conn: Connection, at: datetime, action: str, person_id: str) -> None:
    audit.write(conn, at=at, actor=DOOR, action=action, subject="person", subject_id=person_id)


def _member(services: Services, person: Person, opened: dict[str, bytes]) -> Member:
    standing = _standing(services, person, opened)
    name = person.name if standing is Standing.OPEN else initials_of(person.name)
    return Member(person.id, standing, name, max(0, persons.MAX_WRONG_TRIES - person.wrong_tries))


def _standing(services: Services, person: Person, opened: dict[str, bytes]) -> Standing:
    if person.locked_at is not None:
        return Standing.LOCKED
    is_open = hmac.compare_digest(opened.get(person.id, b"").hex(), proof_of(services, person))
    return Standing.OPEN if is_open else Standing.CLOSED


def _paused(conn: Connection, services: Services, session: Session) -> list[Member]:
    ids = persons.ids_with_phone(conn, session.number, limit=MOST_PERSONS)
    paused = sorted(person_id for person_id, number in cases.paused_numbers(conn, set(ids)) if number == session.number)
    found = []
    for person_id in paused:
        try:
            name = persons.get(conn, services.sealer, person_id).name
        except SealBroken:
            continue
        found.append(Member(person_id, Standing.PAUSED, initials_of(name)))
    return found


def _is_named(conn: Connection, session: Session, found: list[Person]) -> bool:
    return not accounts.proved(conn, session.number).isdisjoint(person.id for person in found)
