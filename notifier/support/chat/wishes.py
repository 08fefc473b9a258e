"""What a step may wish, and how it is granted: in the transaction of the step, so that each happens once.

Every wish about a person makes sure again that what was proved still holds: the number is theirs, nobody locked them.
Rooms that are optional are handed in (`Rooms`); one that is not there is told to the person as such.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Protocol

from sqlalchemy.engine import Connection

from notifier.certificates.facts import dose_words
from notifier.certificates.limits import Limit, seconds_to_wait
from notifier.core.errors import BadInput
from notifier.core.phones import read_mobile
from notifier.core.states import CertificateStatus, OtpAnswer, OtpPurpose, ProofAnswer
from notifier.core.words import long_date
from notifier.services import Services
from notifier.store import audit, certificates, persons
from notifier.store.engine import InTransaction
from notifier.support import otp, proof_of_person
from notifier.support.chat import files
from notifier.support.chat.dialogue import (
    AskCode,
    Came,
    CheckCode,
    Dialogue,
    FindCauses,
    GiveCertificate,
    Granted,
    HandOver,
    ListDoses,
    LookStatus,
    Mend,
    Report,
    TryBirthDate,
    TryName,
    TryNik,
    Wish,
)

DOOR = "door:chat"
GIVEN = "chat.certificate-given"
#: certificates handed out to one person; each makes a link and a PDF
GIVES = Limit("chat:gives", 10, timedelta(days=1))
_MOST_DOSES = 8  # in a list that is answered by one digit


@dataclass(frozen=True, slots=True)
class Told:
    """Causes, in the dialogue's language. `mendable`: (id, what the option says)."""

    lines: tuple[str, ...]
    mendable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Missed:
    """What somebody reports of a dose whose certificate never came. `phone`: that is told (E.164); `is_proven`: by a
    code. `person_id`: who was proved, where somebody was; else there are a name and a birth date."""

    phone: str = field(repr=False)
    is_proven: bool
    place: str
    day: date
    vaccine: str
    language: str
    address: str  #: what stands for the client's, in limits
    person_id: str = ""
    name: str = field(default="", repr=False)
    born: date | None = field(default=None, repr=False)


class StatusRoom(Protocol):
    def __call__(self, conn: Connection, services: Services, person_id: str, language: str) -> Sequence[str]:
        """The vaccination status of a person, in lines."""
        ...


class MissingRoom(Protocol):
    """What is known of certificates that did not come."""

    def causes(self, services: Services, phone: str, person_id: str, language: str) -> Told | None:
        """Why none came to a person who was proved; None where nothing is known of any dose."""
        ...

    def mend(self, services: Services, phone: str, person_id: str, finding: str) -> bool:
        """One tap; False where it does not help any more."""
        ...

    def report(self, services: Services, missed: Missed) -> Granted:
        """Opens a case: its reference as `id`, the `address` of its page; or why it could not."""
        ...


class DeskRoom(Protocol):
    def __call__(self, services: Services, phone: str, language: str, question: str) -> Granted:
        """Hands a question over to staff: its reference as `id`, and the `address` of its page."""
        ...


@dataclass(frozen=True, slots=True)
class Rooms:
    """Rooms that a chat reaches into, as far as they are there."""

    status: StatusRoom | None = None
    missing: MissingRoom | None = None
    desk: DeskRoom | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Who wishes: the services as they look inside the step's transaction, and the sender's own number."""

    conn: Connection
    services: Services
    rooms: Rooms
    sender: str

    @classmethod
    def inside(cls, conn: Connection, services: Services, rooms: Rooms, sender: str) -> Asking:
        return cls(conn, replace(services, db=InTransaction(services.db, conn)), rooms, sender)


def grant(asking: Asking, state: Dialogue, wish: Wish) -> Granted:
    """Does what a step wishes."""
    granted: Granted = _GRANTS[type(wish)](asking, state, wish)
    return granted


def _ask_code(asking: Asking, state: Dialogue, wish: AskCode) -> Granted:
    try:
        asked = otp.request(
            asking.services,
            wish.typed,
            purpose=OtpPurpose.CHAT,
            language=state.language,
            address=_address_of(asking),
        )
    except BadInput:
        return Granted(Came.UNREADABLE)
    if not asked.challenge:
        return Granted(Came.LIMITED, wait_s=asked.wait_s)
    settings = asking.services.settings
    phone = read_mobile(wish.typed, region=settings.country, allowed=settings.countries).e164
    return Granted(Came.DONE, id=asked.challenge, phone=phone)


def _address_of(asking: Asking) -> str:
    """A telephone has no address; each counts as a network of its own (fd00::/8 is nobody's), made of its index."""
    index = persons.phone_index(asking.services.sealer, asking.sender)
    return str(ipaddress.IPv6Address(b"\xfd" + index[:7] + bytes(8)))


def _check_code(asking: Asking, state: Dialogue, wish: CheckCode) -> Granted:
    checked = otp.check(asking.services, state.challenge, wish.typed, purpose=OtpPurpose.CHAT)
    if checked.answer is OtpAnswer.RIGHT and checked.phone:
        return Granted(Came.DONE, phone=checked.phone)
    return Granted(_CODE[checked.answer], left=checked.tries_left)


_CODE = {
    OtpAnswer.RIGHT: Came.OVER,  # without a number: never
    OtpAnswer.WRONG: Came.WRONG,
    OtpAnswer.UNREADABLE: Came.UNREADABLE,
    OtpAnswer.OVER: Came.OVER,
}
_PROOF = {ProofAnswer.RIGHT: Came.DONE, ProofAnswer.WRONG: Came.WRONG, ProofAnswer.LOCKED: Came.LOCKED}


def _try_name(asking: Asking, state: Dialogue, wish: TryName) -> Granted:
    if not state.has_phone(asking.services.clock.now()):
        return Granted(Came.GONE)
    tried = proof_of_person.try_name_on(asking.services, state.phone, wish.typed, door=DOOR)
    if tried.is_right and tried.person_id:
        has_nik = persons.get(asking.conn, asking.services.sealer, tried.person_id).nik is not None
        return Granted(Came.DONE, id=tried.person_id, has_nik=has_nik)
    return Granted(_PROOF[tried.answer], left=tried.tries_left)


def _try_nik(asking: Asking, state: Dialogue, wish: TryNik) -> Granted:
    if not state.named_id or not state.has_phone(asking.services.clock.now()):
        return Granted(Came.GONE)
    tried = proof_of_person.try_nik(asking.services, state.named_id, wish.typed, door=DOOR, phone=state.phone)
    return Granted(_PROOF[tried.answer], left=tried.tries_left, proof=tried.proof)


def _try_birth_date(asking: Asking, state: Dialogue, wish: TryBirthDate) -> Granted:
    if not state.named_id or not state.has_phone(asking.services.clock.now()):
        return Granted(Came.GONE)
    day = date.fromisoformat(wish.day)
    tried = proof_of_person.try_birth_date(asking.services, state.named_id, day, door=DOOR, phone=state.phone)
    return Granted(_PROOF[tried.answer], left=tried.tries_left, proof=tried.proof)


def _list_doses(asking: Asking, state: Dialogue, wish: ListDoses) -> Granted:
    person_id = _proved(asking, state)
    if person_id is None:
        return Granted(Came.GONE)
    rows = [row for row in certificates.of_person(asking.conn, person_id) if row.status == CertificateStatus.VALID]
    items = []
    for row in rows[:_MOST_DOSES]:
        said = dose_words(row.dose_number, row.series_total, state.language)
        day = long_date(row.given_on, state.language) if row.given_on else ""
        items.append((str(row.id), " · ".join(part for part in (said, row.product or "", day) if part)))
    return Granted(Came.DONE, items=tuple(items)) if items else Granted(Came.NOTHING)


def _give_certificate(asking: Asking, state: Dialogue, wish: GiveCertificate) -> Granted:
    person_id = _proved(asking, state)
    if person_id is None:
        return Granted(Came.GONE)
    conn, services = asking.conn, asking.services
    mine = [row for row in certificates.of_person(conn, person_id) if row.id == wish.certificate_id]
    if not mine or mine[0].status != CertificateStatus.VALID:
        return Granted(Came.NOTHING)
    at = services.clock.now()
    if seconds_to_wait(conn, GIVES, person_id, at):
        return Granted(Came.LIMITED)
    address, file = files.offer(conn, services, wish.certificate_id, person_id, at)
    audit.write(conn, at=at, actor=DOOR, action=GIVEN, subject="certificate", subject_id=wish.certificate_id)
    return Granted(Came.DONE, address=address, file=file)


def _look_status(asking: Asking, state: Dialogue, wish: LookStatus) -> Granted:
    person_id = _proved(asking, state)
    if person_id is None:
        return Granted(Came.GONE)
    if asking.rooms.status is None:
        return Granted(Came.CLOSED)
    lines = asking.rooms.status(asking.conn, asking.services, person_id, state.language)
    return Granted(Came.DONE, lines=tuple(lines))


def _find_causes(asking: Asking, state: Dialogue, wish: FindCauses) -> Granted:
    if asking.rooms.missing is None:
        return Granted(Came.CLOSED)
    person_id = _proved(asking, state)
    if person_id is None:
        return Granted(Came.GONE)
    told = asking.rooms.missing.causes(asking.services, state.phone, person_id, state.language)
    return Granted(Came.NOTHING) if told is None else Granted(Came.DONE, lines=told.lines, items=told.mendable)


def _mend(asking: Asking, state: Dialogue, wish: Mend) -> Granted:
    if asking.rooms.missing is None:
        return Granted(Came.CLOSED)
    if state.person_id:
        persons.hold(asking.conn, state.person_id)  # so that what is asked now holds until it is done
    person_id = _proved(asking, state)
    if person_id is None:
        return Granted(Came.GONE)
    done = asking.rooms.missing.mend(asking.services, state.phone, person_id, wish.finding)
    return Granted(Came.DONE if done else Came.NOTHING)


def _report(asking: Asking, state: Dialogue, wish: Report) -> Granted:
    """A case is told to the number that was proved, else to the one that writes: nobody can be made to get SMS by
    naming a number."""
    if asking.rooms.missing is None:
        return Granted(Came.CLOSED)
    is_proven = state.has_phone(asking.services.clock.now())
    person_id = None if state.whose else _proved(asking, state)
    if person_id is None and not state.whose:
        return Granted(Came.GONE)
    missed = Missed(
        phone=state.phone if is_proven else asking.sender,
        is_proven=is_proven,
        place=state.place,
        day=date.fromisoformat(state.day),
        vaccine=wish.vaccine,
        language=state.language,
        address=_address_of(asking),
        person_id=person_id or "",
        name=state.whose,
        born=date.fromisoformat(state.born) if state.born else None,
    )
    return asking.rooms.missing.report(asking.services, missed)


def _hand_over(asking: Asking, state: Dialogue, wish: HandOver) -> Granted:
    if asking.rooms.desk is None:
        return Granted(Came.CLOSED)
    phone = state.phone if state.has_phone(asking.services.clock.now()) else asking.sender
    return asking.rooms.desk(asking.services, phone, state.language, wish.question)


def _proved(asking: Asking, state: Dialogue) -> str | None:
    """The person that was proved, as long as it holds: the time, the number, no lock, the same birth date and NIK."""
    if not state.has_person(asking.services.clock.now()):
        return None
    proofs = {state.person_id: state.person_proof}
    proved = proof_of_person.still_proved(asking.conn, asking.services, state.phone, proofs)
    return state.person_id if state.person_id in proved else None


_GRANTS: dict[type[Wish], Callable[..., Granted]] = {
    AskCode: _ask_code,
    CheckCode: _check_code,
    TryName: _try_name,
    TryNik: _try_nik,
    TryBirthDate: _try_birth_date,
    ListDoses: _list_doses,
    GiveCertificate: _give_certificate,
    LookStatus: _look_status,
    FindCauses: _find_causes,
    Mend: _mend,
    Report: _report,
    HandOver: _hand_over,
}
