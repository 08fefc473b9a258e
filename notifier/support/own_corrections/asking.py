"""What the person does: asks, shows that a new number is theirs, sends the picture that was asked for, withdraws.

Whoever asks as the person has shown it (a code to the number on file, and birth date or NIK; the door sees to that).
Where that number is lost nothing can be shown from afar: such a request tells nobody anything, and waits for somebody
of ours to see the person and their card.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, address_index, first_wait
from notifier.core.errors import BadInput, NotFound, Problem, Refused, SealBroken
from notifier.core.ids import new_id, new_reference, read_reference
from notifier.core.own_corrections import (
    MONTH,
    MOST_A_MONTH,
    MOST_OPEN,
    OPEN,
    REVIEW_DUE,
    WAITS,
    Field,
    How,
    Proof,
    RequestState,
)
from notifier.core.states import FollowUp
from notifier.services import Services
from notifier.store import doses, entry, follow_ups, own_corrections, persons
from notifier.store.own_corrections import Row, Values
from notifier.store.persons import Person
from notifier.support import photos
from notifier.support.own_corrections import rule, values
from notifier.support.own_corrections.carry_out import Prepared, carry_out, note, prepare, with_person_held
from notifier.support.own_corrections.proofs import IsOpen, must_be_theirs, still_asks

#: of requests without proof, by what was typed: a stranger can fill nobody's list, and uses up nothing of the person's
UNPROVEN_ADDRESS = Limit("unproven:address", 5, timedelta(days=1))
UNPROVEN_NIK = Limit("unproven:nik", 3, timedelta(days=1))
UNPROVEN_ALL = Limit("unproven:all", 2_000, timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a request stands, and by what it is called. `wait_s`: nothing was kept, since too many were asked for."""

    state: RequestState
    reference: str
    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says they are, where nothing proves it."""

    name: str = field(repr=False)
    nik: str = field(repr=False)
    born: date = field(repr=False)


def ask(
    services: Services,
    person_id: str,
    about: Field,
    typed: str,
    *,
    door: str,
    proved_by: Proof,
    language: str = "id",
    on_number: str | None = None,
    is_open: IsOpen | None = None,
) -> Asked:
    """Asks for a correction as the person. A small change is carried out at once; a new number waits for its own code;
    anything else for somebody's decision. `on_number`: the number that the person has proved; `is_open`: what the door
    knows of them, asked again in the transaction that writes.

    Raises NotFound where they may not speak for the person any more: another number is on file, it was said not to be
    theirs, too many wrong tries, or the door says so. Raises BadInput (`person.<field>`), and Refused: `open-already`,
    `too-many-open`, `too-many` (with the moment from which one may ask again), `no-dose`, `unreadable`,
    `changed-meanwhile`.
    """
    if proved_by is Proof.NONE:
        raise ValueError("without a proof, see ask_unproven")
    value, row_id = values.read(services, about, typed), new_id()

    def work(conn: Connection, ready: Prepared) -> Asked:
        now = services.clock.now()
        if on_number is not None and ready.person.mobile != on_number:
            raise NotFound("this person has another number by now")
        must_be_theirs(conn, services, ready.person, is_open)
        _must_be_few(conn, person_id, now)
        judged = rule.judge(conn, services, ready.person, about, value)
        state = RequestState.NUMBER if about is Field.PHONE else RequestState.REVIEW
        row = own_corrections.insert_new(
            conn,
            services.sealer,
            Values(value, values.on_file(ready.person, about), {}),
            row_id=row_id,
            reference=new_reference(),
            person_id=person_id,
            facility_id=ready.facility_id,
            field=about.value,
            state=state.value,
            proof=proved_by.value,
            door=door,
            language=language,
            number_index=_number(services, ready.person, about, value),
            change=judged.change.value if judged.change else None,
            asked_at=now,
            due_at=due_at(now, state),
            proved_at=now,
        )
        if row is None:
            raise Refused("open-already")
        note(conn, services, row, "correction.asked", f"door:{door}", field=about.value, change=row.change)
        if judged.at_once:
            carry_out(conn, services, ready, row, how=How.RULE, actor=f"door:{door}")
            return Asked(RequestState.DONE, row.reference)
        watch(conn, row.id, row.due_at)
        return Asked(state, row.reference)

    return with_person_held(services, lambda: prepare(services, person_id, row_id, about, value), work)


def ask_unproven(
    services: Services, claim: Claim, typed_phone: str, *, door: str, language: str, address: str
) -> Asked:
    """Asks for another number, by somebody who has lost the one on file. The answer, and the work that is done, are the
    same whether anybody on record fits what was typed. Raises BadInput."""
    value, name, nik = read_claim(services, claim, typed_phone)
    row_id, reference, now, sealer = new_id(), new_reference(), services.clock.now(), services.sealer
    due = due_at(now, RequestState.UNPROVEN)
    with services.db.write() as conn:
        wait = first_wait(
            conn,
            (UNPROVEN_NIK, persons.nik_index(sealer, nik).hex()),
            (UNPROVEN_ADDRESS, address_index(sealer, address)),
            (UNPROVEN_ALL, ""),
            at=now,
        )
        if wait:
            return Asked(RequestState.UNPROVEN, "", wait)
        claimed, facility_id = _fits(conn, services, nik, claim.born)
        said = {"name": name, "nik": nik, "birth_date": claim.born.isoformat()}
        row = own_corrections.insert_new(
            conn,
            sealer,
            Values(value, None, said),
            row_id=row_id,
            reference=reference,
            claimed_id=claimed,
            facility_id=facility_id,
            field=Field.PHONE.value,
            state=RequestState.UNPROVEN.value,
            proof=Proof.NONE.value,
            door=door,
            language=language,
            asked_at=now,
            due_at=due,
        )
        if row is None:
            raise AssertionError("a request of nobody meets no other")
        note(conn, services, row, "correction.asked", f"door:{door}", field=Field.PHONE.value)
        watch(conn, row.id, due)
    return Asked(RequestState.UNPROVEN, reference)


def read_claim(services: Services, claim: Claim, typed_phone: str) -> tuple[str, str, str]:
    """(new number, name, NIK), read. Raises BadInput with all that is wrong."""
    read: list[str] = []
    problems: list[Problem] = []
    for about, typed in ((Field.PHONE, typed_phone), (Field.NAME, claim.name), (Field.NIK, claim.nik)):
        try:
            read.append(values.read(services, about, typed))
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    return read[0], read[1], read[2]


def number_proved(services: Services, reference: str, phone: str, *, door: str) -> Asked:
    """The new number has given its code (support.otp): the request that waits for it is carried out. Raises NotFound
    where none of that reference waits for this number, else as `ask`: what proved the request must hold to this day."""
    row = _waiting_for(services, reference, phone)
    person_id, row_id = row.person_id, row.id

    def work(conn: Connection, ready: Prepared) -> Asked:
        again = own_corrections.get(conn, row_id, lock=True)
        if again is None or again.state != RequestState.NUMBER:
            raise Refused("already-decided")
        if not still_asks(conn, services, ready.person, again):
            raise Refused("changed-meanwhile")
        carry_out(conn, services, ready, again, how=How.NUMBER, actor=f"door:{door}")
        return Asked(RequestState.DONE, again.reference)

    try:
        return with_person_held(services, lambda: prepare(services, person_id, row_id, Field.PHONE, phone), work)
    except BadInput:  # the number came by another way meanwhile, or a dose on file cannot be recorded any more
        raise Refused("changed-meanwhile") from None


def new_number_of(services: Services, reference: str, *, person_id: str | None = None) -> str | None:
    """The number that an open request waits for, E.164; None where there is none, or it is another person's."""
    with services.db.read() as conn:
        row = own_corrections.find(conn, read_reference(reference), None)
    if row is None or row.state != RequestState.NUMBER or (person_id is not None and row.person_id != person_id):
        return None
    return own_corrections.values_of(services.sealer, row).value


def send_evidence(
    services: Services, person_id: str, reference: str, picture: bytes, *, door: str, is_open: IsOpen | None = None
) -> None:
    """The picture that a reviewer has asked for. It is drawn anew by us, and nothing else of it is kept. Raises
    NotFound as `ask`, and for another person's request, and Refused: `not-asked`, or a rule of support.photos."""
    with services.db.read() as conn:
        _must_ask_for_evidence(_mine(conn, person_id, reference))
    drawn = photos.redrawn(picture)  # takes a while, and a process of its own: not inside of a transaction
    now = services.clock.now()
    with services.db.write() as conn:
        row = _must_ask_for_evidence(_held(conn, services, person_id, reference, is_open))
        due = due_at(now, RequestState.REVIEW)
        own_corrections.move(
            conn,
            row.id,
            RequestState.REVIEW,
            old=[RequestState.EVIDENCE],
            evidence_at=now,
            evidence_sealed=own_corrections.seal_evidence(services.sealer, row.id, drawn),
            due_at=due,
            reminded_at=None,
        )
        note(conn, services, row, "correction.evidence-sent", f"door:{door}")
        watch(conn, row.id, due)


def withdraw(services: Services, person_id: str, reference: str, *, door: str, is_open: IsOpen | None = None) -> None:
    """The person wants it no more. Raises NotFound as `ask`, and for another person's request; and Refused
    (`already-decided`)."""
    actor = f"door:{door}"
    with services.db.write() as conn:
        row = _held(conn, services, person_id, reference, is_open)
        ended = own_corrections.ended(services.clock.now(), actor)
        if not own_corrections.move(conn, row.id, RequestState.WITHDRAWN, old=OPEN, **ended):
            raise Refused("already-decided")
        note(conn, services, row, "correction.withdrawn", actor)


def one_of(services: Services, person_id: str, reference: str) -> tuple[Row, Values]:
    """One request of a person, with what it holds. Raises NotFound for another person's."""
    with services.db.read() as conn:
        row = _mine(conn, person_id, reference)
    return row, own_corrections.values_of(services.sealer, row)


def of_person(services: Services, person_id: str) -> list[Row]:
    """A person's requests, newest first, for their own page."""
    with services.db.read() as conn:
        return own_corrections.of_person(conn, person_id)


def due_at(now: datetime, state: RequestState) -> datetime:
    """Until when whom it waits for should have come."""
    return now + WAITS.get(state.value, REVIEW_DUE)


def watch(conn: Connection, row_id: str, due: datetime) -> None:
    """Has the request looked at again once it is due (own_corrections.tending)."""
    follow_ups.add(conn, FollowUp.CORRECTION_DUE, row_id, at=due)


def _must_be_few(conn: Connection, person_id: str, now: datetime) -> None:
    asked = own_corrections.asked_since(conn, person_id, now - MONTH)
    if len(asked) >= MOST_A_MONTH:
        raise Refused("too-many", not_before=asked[-MOST_A_MONTH] + MONTH)
    if own_corrections.count_open(conn, person_id) >= MOST_OPEN:
        raise Refused("too-many-open")


def _fits(conn: Connection, services: Services, nik: str, born: date) -> tuple[str | None, str | None]:
    """(whom NIK and birth date both fit, whose list it is for). The second is asked for also where nobody fits."""
    found = entry.with_nik(conn, services.sealer, persons.nik_index(services.sealer, nik))
    fits = next((one for one in found if one.birth_date == born), None)
    shots = doses.of_person(conn, fits.id if fits else new_id())
    return (fits.id, shots[-1].facility_id) if fits and shots else (None, None)


def _waiting_for(services: Services, reference: str, phone: str) -> Row:
    with services.db.read() as conn:
        row = own_corrections.find(conn, read_reference(reference), None)
    if row is None or row.person_id is None or row.state != RequestState.NUMBER:
        raise NotFound("no request of this reference waits for a number")
    if own_corrections.values_of(services.sealer, row).value != phone:
        raise NotFound("the request waits for another number")
    return row


def _number(services: Services, person: Person, about: Field, value: str) -> bytes | None:
    """The blind index of the number that a new one's code is waited from; for any other field, of that which asked."""
    number = value if about is Field.PHONE else person.mobile
    return persons.phone_index(services.sealer, number) if number else None


def _held(conn: Connection, services: Services, person_id: str, reference: str, is_open: IsOpen | None) -> Row:
    """A person's own request, kept from changing, once they may still speak for themselves."""
    persons.hold(conn, person_id)
    row = _mine(conn, person_id, reference, lock=True)
    try:
        person = persons.get(conn, services.sealer, person_id)
    except SealBroken:
        raise NotFound("this person cannot be opened") from None
    must_be_theirs(conn, services, person, is_open)
    return row


def _mine(conn: Connection, person_id: str, reference: str, *, lock: bool = False) -> Row:
    row = own_corrections.find(conn, read_reference(reference), None, lock=lock)
    if row is None or row.person_id != person_id:
        raise NotFound("this person has no such request")
    return row


def _must_ask_for_evidence(row: Row) -> Row:
    if row.state != RequestState.EVIDENCE:
        raise Refused("not-asked")
    return row
