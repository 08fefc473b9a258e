"""What is looked up while a dose is typed and the person is there: whether we know them, and what looks wrong.

Whoever types a NIK and its birth date has the card in front of them, and is shown initials and a masked number; a NIK
alone shows nothing. Each look is counted a staff member, and one that recognised somebody is audited. Nothing found
here stops a dose: it is said, and confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.access.sessions import SignedIn
from notifier.certificates.limits import Limit, seconds_to_wait
from notifier.core.identity import initials_of, name_words, neighbours_of, nik_agrees_with
from notifier.core.phones import masked_phone
from notifier.intake.event import Event
from notifier.services import Services
from notifier.store import audit, cases, entry, persons, suppressions
from notifier.store.persons import Person

#: a person takes three looks (search, check, record) and half a minute; the rest is for slips
LOOKS = Limit("dose-look:staff", 600, timedelta(hours=1))
#: one family may share a number; as many others as this are more than a family
MANY = 4
COUNTED = 50  #: "50 or more" is as good as any larger number


class Warn(StrEnum):
    """What looks wrong about a dose, in the order of the form."""

    NOT_CHECKED = "not-checked"  #: too many looks; nothing could be compared
    NIK_BIRTH_DATE = "nik-birth-date"  #: the birth date inside the NIK is another one
    NIK_OTHER_BIRTH_DATE = "nik-other-birth-date"  #: the NIK is on record with another birth date
    NIK_NEAR = "nik-near"  #: a slip of the hand away from somebody on record
    DOSE_TODAY = "dose-today"  #: this person has a dose of that day
    NAME_DIFFERS = "name-differs"  #: on record under quite another name
    NUMBER_SHARED = "number-shared"
    NUMBER_CHANGES = "number-changes"  #: another one is on record, whose links end
    NUMBER_STOPPED = "number-stopped"  #: it asked for no more SMS
    NUMBER_REPORTED = "number-reported"  #: whoever has it said that it is not this person's


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to check with the person. `at` and `facility`: of the other dose."""

    code: Warn
    at: datetime | None = None
    facility: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody on record whose NIK and birth date were both typed. A page shows `initials` and `masked` alone; the
    rest goes into the event."""

    person: Person = field(repr=False)

    @property
    def initials(self) -> str:
        return initials_of(self.person.name)

    @property
    def masked(self) -> str | None:
        """The number that an SMS would go to, masked."""
        return masked_phone(self.person.mobile) if self.person.mobile else None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a NIK and a birth date led to. `allowed` False: this staff member has looked too often in this hour."""

    known: Known | None = None
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class Checked:
    """What is said before a dose is recorded. `others`: how many other persons have the number, up to COUNTED."""

    warnings: tuple[Caution, ...] = ()
    others: int = 0

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(warning.code.value for warning in self.warnings)


def look(services: Services, me: SignedIn, nik: str, born: date, *, shown: bool) -> Looked:
    """Whom we know by a NIK and a birth date. `shown`: a page will say so, which the audit notes."""
    now = services.clock.now()
    with services.db.write() as conn:
        if seconds_to_wait(conn, LOOKS, me.staff_id, now):
            return Looked(allowed=False)
        known = _known(conn, services, nik, born)
        if known is not None and shown:
            audit.write(
                conn,
                at=now,
                actor=me.actor,
                action="person.recognised",
                subject="person",
                subject_id=known.person.id,
            )
    return Looked(known)


def find(services: Services, nik: str, born: date) -> Known | None:
    """The same for a dose that is recorded already and only sent again: nothing is shown, so nothing is counted."""
    with services.db.read() as conn:
        return _known(conn, services, nik, born)


def check(services: Services, event: Event, looked: Looked) -> Checked:
    """What looks wrong about a dose that was typed; `looked`: what its NIK and birth date led to."""
    data = event.person
    if data is None:
        raise TypeError("a dose that was typed has a person")  # the form's reader sees to it
    known, nik, born = looked.known, data.nik, data.birth_date
    found: list[Caution] = []
    if not looked.allowed:
        found.append(Caution(Warn.NOT_CHECKED))
    if nik and born and not nik_agrees_with(nik, born):
        found.append(Caution(Warn.NIK_BIRTH_DATE))
    with services.db.read() as conn:
        if nik and looked.allowed:
            found += _about_nik(conn, services, event, nik)
        if known and _are_apart(known.person.name, data.name):
            found.append(Caution(Warn.NAME_DIFFERS))
        number = data.phone or (known.person.mobile if known else None)
        others = 0
        if number:
            index = persons.phone_index(services.sealer, number)
            others = entry.count_with_phone(conn, index, but=[known.person.id] if known else [], most=COUNTED)
            found += _about_number(conn, known, number, index, others)
    return Checked(tuple(found), others)


def _are_apart(known: str, typed: str) -> bool:
    return known != typed and name_words(known).isdisjoint(name_words(typed))


def _known(conn: Connection, services: Services, nik: str, born: date) -> Known | None:
    """As intake matches: the oldest row of the NIK, where its birth date is the same."""
    found = entry.with_nik(conn, services.sealer, persons.nik_index(services.sealer, nik))
    return Known(found[0]) if found and found[0].birth_date == born else None


def _about_nik(conn: Connection, services: Services, event: Event, nik: str) -> list[Caution]:
    born = event.person.birth_date if event.person else None
    same = entry.with_nik(conn, services.sealer, persons.nik_index(services.sealer, nik))
    theirs = [one for one in same if born is not None and one.birth_date == born]
    found = []
    if same and not theirs:
        found.append(Caution(Warn.NIK_OTHER_BIRTH_DATE))  # and no word about what that person has
    if not same and _has_neighbour(conn, services, nik, born):
        found.append(Caution(Warn.NIK_NEAR))
    if theirs and event.dose.given_on:
        ids = [one.id for one in theirs]
        others = entry.doses_on(conn, ids, event.dose.given_on, but_source=event.dose.id)
        found += [Caution(Warn.DOSE_TODAY, one.created_at, one.facility_name) for one in others[:1]]
    return found


def _has_neighbour(conn: Connection, services: Services, nik: str, born: date | None) -> bool:
    """Whether somebody on record has a NIK that one slip would turn into this one. Where both NIK agree with their own
    birth dates and these differ, no single slip can have happened: those are two people."""
    indexes = [persons.nik_index(services.sealer, near) for near in neighbours_of(nik)]
    near = entry.with_any_nik(conn, services.sealer, indexes)
    return any(not _are_two(nik, born, one) for one in near)


def _are_two(nik: str, born: date | None, other: Person) -> bool:
    if born is None or other.birth_date is None or other.nik is None or born == other.birth_date:
        return False
    return nik_agrees_with(nik, born) and nik_agrees_with(other.nik, other.birth_date)


def _about_number(conn: Connection, known: Known | None, number: str, index: bytes, others: int) -> list[Caution]:
    found = []
    if others >= MANY:
        found.append(Caution(Warn.NUMBER_SHARED))
    if known and known.person.mobile and known.person.mobile != number:
        found.append(Caution(Warn.NUMBER_CHANGES))
    if suppressions.standing(conn, index) is not None:
        found.append(Caution(Warn.NUMBER_STOPPED))
    if known and cases.pause_in_force(conn, person_id=known.person.id, phone_index=index) is not None:
        found.append(Caution(Warn.NUMBER_REPORTED))
    return found
