"""Whether somebody is who they say: whose number a phone is, and birth date, NIK or full name, tried for life.

Every door that asks one of the three counts wrong tries in the same place as the links do (persons.count_wrong_try):
five for life over all of them together, and the fifth locks. A person is found by a number that was proved, never by
what is typed.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.engine import Connection

from notifier.core.identity import clean_name
from notifier.core.states import FollowUp, ProofAnswer
from notifier.messages.gather import open_each
from notifier.services import Services
from notifier.store import audit, cases, follow_ups, persons
from notifier.store.persons import MAX_WRONG_TRIES, Person

#: more persons on one number than any family has: a seller's or a school's phone
MOST_PERSONS = 50
#: as they stand before a name; what one registry writes another leaves out
_TITLES = frozenset(
    ("h", "hj", "dr", "drg", "drs", "dra", "ir", "prof", "kh", "ust", "alm", "bpk", "ibu", "tn", "ny", "sdr", "r", "rr")
)
_NOT_LETTERS = re.compile(r"[^\w]+|_", re.UNICODE)


@dataclass(frozen=True, slots=True)
class TryAnswer:
    """What a try came to. `person_id`: whose it was, where it was right. `tries_left`: of the person, for life; of
    several, the fewest. `proof`: of a right birth date or NIK, for `still_proved`."""

    answer: ProofAnswer
    tries_left: int = 0
    person_id: str | None = None
    proof: str = field(default="", repr=False, compare=False)

    @property
    def is_right(self) -> bool:
        return self.answer is ProofAnswer.RIGHT

    @property
    def is_locked(self) -> bool:
        return self.answer is ProofAnswer.LOCKED


#: the person is not on the number that was proved: nothing was compared, nothing counted
NOT_HERE = TryAnswer(ProofAnswer.WRONG, MAX_WRONG_TRIES - 1)


def persons_on(conn: Connection, services: Services, phone: str) -> list[Person]:
    """The persons whose number this is (E.164), oldest first; without those of whom somebody has said that the number
    is not theirs. Empty: nobody's. One that cannot be opened is left out."""
    number = persons.phone_index(services.sealer, phone)
    ids = persons.ids_with_phone(conn, number, limit=MOST_PERSONS)
    paused = cases.paused_numbers(conn, set(ids)) if ids else set()
    theirs = [person_id for person_id in ids if (person_id, number) not in paused]
    known = open_each(conn, services, set(theirs)) if theirs else {}
    return [person for person_id in theirs if (person := known.get(person_id)) is not None]


def proof_of(services: Services, person: Person) -> str:
    """What a door keeps of whoever proved to be this person, in hexadecimal digits: another one once birth date or NIK
    is corrected. Tells neither without our key."""
    born = person.birth_date.isoformat() if person.birth_date else ""
    return services.sealer.index("account.open", f"{person.id}:{person.nik or ''}:{born}").hex()


def still_proved(conn: Connection, services: Services, phone: str, proofs: Mapping[str, str]) -> dict[str, Person]:
    """Of the persons of some proofs (by id), those who are what was proved to this moment: on the number that was
    proved (E.164) without anybody having said that it is not theirs, not locked, of the same birth date and NIK."""
    number = persons.phone_index(services.sealer, phone)
    return {
        person.id: person
        for person in persons.free_at(conn, services.sealer, proofs, number)
        if hmac.compare_digest(proofs[person.id], proof_of(services, person))
    }


def try_birth_date(
    services: Services, person_id: str, typed: date, *, door: str, phone: str | None = None
) -> TryAnswer:
    """Tries a person's birth date. `door`: an actor of the audit, such as `door:me`. `phone`: the try is refused as
    wrong, uncounted, where the person has this number no more."""
    return _try_one(services, person_id, lambda person: _is_born(person, typed), "birth-date-wrong", door, phone)


def try_nik(services: Services, person_id: str, typed: str, *, door: str, phone: str | None = None) -> TryAnswer:
    """Tries a person's NIK; `typed`: as core.identity.read_nik gives it. Nobody without a NIK is opened by one."""
    return _try_one(services, person_id, lambda person: _same(person.nik, typed), "nik-wrong", door, phone)


def try_name(services: Services, person_id: str, typed: str, *, door: str, phone: str | None = None) -> TryAnswer:
    """Tries a person's full name; compared without case, accents, punctuation and titles."""
    return _try_one(services, person_id, lambda person: is_name_of(person, typed), "name-wrong", door, phone)


def try_name_on(services: Services, phone: str, typed: str, *, door: str) -> TryAnswer:
    """Tries the full name of any of the persons on a number that was proved. A wrong one counts against each of them:
    whoever holds a phone gets five guesses at the names behind it, not five for each."""
    at = services.clock.now()
    with services.db.write() as conn:
        family = persons_on(conn, services, phone)
        for person in family:  # in the order of their ids, so that no two wait for each other
            persons.hold(conn, person.id)
        family = persons_on(conn, services, phone)
        named = next((person for person in family if is_name_of(person, typed)), None)
        if named is not None and named.locked_at is None:
            return TryAnswer(ProofAnswer.RIGHT, MAX_WRONG_TRIES - named.wrong_tries, named.id)
        free = [person for person in family if person.locked_at is None]
        if named is not None or (family and not free):
            return TryAnswer(ProofAnswer.LOCKED)
        answers = [_count_wrong(conn, person.id, "name-wrong", door, at) for person in free]
    if not answers:
        return NOT_HERE
    return min(answers, key=lambda each: each.tries_left)


def is_name_of(person: Person, typed: str) -> bool:
    """Whether `typed` is a person's full name."""
    said = plain_name(typed)
    return _same(plain_name(person.name), said) and said != ""


def plain_name(name: str) -> str:
    """A name for comparing: without case, accents, punctuation, and titles before it; a degree behind a comma too."""
    head = clean_name(name).partition(",")[0]
    letters = "".join(ch for ch in unicodedata.normalize("NFKD", head) if not unicodedata.combining(ch)).casefold()
    words = _NOT_LETTERS.sub(" ", letters.replace("'", "").replace("\u2019", "")).split()
    while len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    return " ".join(words)


def _try_one(
    services: Services,
    person_id: str,
    is_right: Callable[[Person], bool],
    action: str,
    door: str,
    phone: str | None,
) -> TryAnswer:
    at = services.clock.now()
    with services.db.write() as conn:
        persons.hold(conn, person_id)  # so that no right try slips past a lock that falls at the same moment
        if phone is not None and all(person.id != person_id for person in persons_on(conn, services, phone)):
            return NOT_HERE
        person = persons.get(conn, services.sealer, person_id)
        right = is_right(person)
        if person.locked_at is not None or person.wrong_tries >= MAX_WRONG_TRIES:
            return TryAnswer(ProofAnswer.LOCKED)
        if right:
            left = MAX_WRONG_TRIES - person.wrong_tries
            return TryAnswer(ProofAnswer.RIGHT, left, person_id, proof_of(services, person))
        return _count_wrong(conn, person_id, action, door, at)


def _count_wrong(conn: Connection, person_id: str, action: str, door: str, at: datetime) -> TryAnswer:
    tries = persons.count_wrong_try(conn, person_id, at)
    _audit(conn, person_id, action, door, at, tries=tries)
    if tries is None:
        return TryAnswer(ProofAnswer.LOCKED)
    if tries >= MAX_WRONG_TRIES:
        _audit(conn, person_id, "person-locked", door, at)
        follow_ups.add(conn, FollowUp.PERSON_LOCKED, person_id, at=at)
        return TryAnswer(ProofAnswer.LOCKED)
    return TryAnswer(ProofAnswer.WRONG, MAX_WRONG_TRIES - tries)


def _audit(conn: Connection, person_id: str, action: str, door: str, at: datetime, **detail: int | None) -> None:
    audit.write(conn, at=at, actor=door, action=action, subject="person", subject_id=person_id, **detail)


def _is_born(person: Person, typed: date) -> bool:
    return person.birth_date is not None and _same(person.birth_date.isoformat(), typed.isoformat())


def _same(known: str | None, typed: str) -> bool:
    """In the same time whatever was typed; what is not known is the same as nothing."""
    return hmac.compare_digest((known or "\0").encode(), typed.encode("utf-8", "replace")) and known is not None
