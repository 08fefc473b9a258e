"""What staff do about requests: see them, make sure of the person, ask for a picture, decide. `only_facility` None
means every facility; another facility's request is not there.

Whoever decides holds the person still first and then the request, as the person's own deeds do, so that of two who
decide at once the second finds it decided.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, NotFound, Refused, SealBroken
from notifier.core.identity import BadNik, read_nik
from notifier.core.ids import read_reference
from notifier.core.own_corrections import OPEN, Field, How, Proof, RefusedWhy, RequestState
from notifier.core.small_changes import is_namesake
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store import audit, desk, own_corrections, person_story, persons
from notifier.store.own_corrections import Row, Values
from notifier.store.persons import Person
from notifier.support.cases import Entry, entries_of
from notifier.support.corrections import Checked
from notifier.support.own_corrections import news, rule, values
from notifier.support.own_corrections.asking import Asked, due_at, watch
from notifier.support.own_corrections.carry_out import Prepared, carry_out, note, prepare, with_person_held
from notifier.support.own_corrections.proofs import still_asks
from notifier.support.resend import read_reason

PAGE = 50
#: these wait for staff; the others for the person
STAFF_STATES = frozenset({RequestState.REVIEW})
_MOST_EVIDENCE = 3  #: how often one request may ask for a picture


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list. `person`: None where nothing has proved yet whose it is, or the reader may not see it."""

    row: Row
    person: Person | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One request with what it is about. `values` are masked by the page until they are revealed."""

    row: Row
    values: Values = field(repr=False)
    person: Person | None = field(repr=False)
    facility: str | None
    message: str | None  #: the reference of the person's newest message, which leads to their page
    is_stale: bool  #: what is on file is another than when it was asked
    is_taken: bool  #: the NIK is somebody else's on record: whose is not said
    fits: bool  #: of an unproven one: somebody on record has this NIK and birth date
    name_fits: bool  #: and is called so
    entries: list[Entry]


def listed(
    services: Services,
    *,
    state: RequestState | None = None,
    only_facility: str | None,
    with_persons: bool,
    after: str | None = None,
    limit: int = PAGE,
) -> tuple[list[Line], bool]:
    """Up to `limit` lines, and whether more follow."""
    with services.db.read() as conn:
        rows = own_corrections.listed(conn, state=state, facility_id=only_facility, limit=limit + 1, after=after)
        known = {row.person_id for row in rows[:limit] if row.person_id} if with_persons else set()
        people = {person_id: _person(conn, services, person_id) for person_id in known}
    return [Line(row, people.get(row.person_id)) for row in rows[:limit]], len(rows) > limit


def waiting(conn: Connection, only_facility: str | None) -> tuple[int, datetime | None]:
    """(how many wait for a decision, since when the oldest does)."""
    return own_corrections.waiting(conn, only_facility, STAFF_STATES)


def show(services: Services, reference: str, *, only_facility: str | None) -> Seen:
    """One request. Raises NotFound, also for another facility's, and Refused (`unreadable`)."""
    with services.db.read() as conn:
        row = _find(conn, reference, only_facility)
        try:
            told = own_corrections.values_of(services.sealer, row)
        except SealBroken:
            raise Refused(Reason.UNREADABLE) from None
        whose = _person(conn, services, row.person_id or row.claimed_id)
        about = Field(row.field)
        return Seen(
            row=row,
            values=told,
            person=whose,
            facility=desk.facility_name(conn, row.facility_id) if row.facility_id else None,
            message=_newest_message(conn, row.person_id, only_facility) if row.person_id else None,
            is_stale=row.state in OPEN and row.person_id is not None and _is_stale(whose, about, told),
            is_taken=about is Field.NIK
            and row.person_id is not None
            and told.value is not None
            and rule.is_taken(conn, services, row.person_id, told.value),
            fits=row.claimed_id is not None,
            name_fits=whose is not None and is_namesake(whose.name, told.claim.get("name", "")),
            entries=entries_of(conn, row.id),
        )


def reveal(services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str) -> Seen:
    """The same, once the audit says who looks at the whole values, and why. Raises BadInput too."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        note(conn, services, _find(conn, reference, only_facility), "correction.revealed", actor, reason=reason)
    return show(services, reference, only_facility=only_facility)


def look_at_evidence(
    services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str
) -> bytes:
    """The picture of the card, a JPEG of our own making, once the audit says who looks and why. Raises NotFound,
    BadInput, and Refused (`no-picture`: none was sent, or it is gone)."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        row = _find(conn, reference, only_facility)
        picture = own_corrections.evidence_of(services.sealer, row)
        if picture is None:
            raise Refused("no-picture")
        note(conn, services, row, "correction.evidence-seen", actor, reason=reason)
    return picture


def confirm(
    services: Services, reference: str, *, card_nik: str, checked: Checked, only_facility: str | None, actor: str
) -> RequestState:
    """Somebody of ours has the person and their card in front of them, whose NIK they type: an unproven request is the
    person's, and its new number may give its code now. Raises NotFound, BadInput (`card_nik`), and Refused:
    `already-decided`, `nobody-fits`, `open-already`, `nothing-changed`."""
    typed = read_card(card_nik)
    with services.db.write() as conn:
        claimed = _find(conn, reference, only_facility).claimed_id
        if claimed is None:
            raise Refused("nobody-fits")
        persons.hold(conn, claimed)
        row = _find(conn, reference, only_facility, lock=True)
        if any(one.field == row.field and one.decided_at is None for one in own_corrections.of_person(conn, claimed)):
            raise Refused("open-already")
        now = services.clock.now()
        value = own_corrections.values_of(services.sealer, row).value or ""
        due = due_at(now, RequestState.NUMBER)
        person = _person(conn, services, claimed)
        if person is None or person.phone == value:
            raise Refused("nobody-fits" if person is None else "nothing-changed")
        if person.nik is None or not hmac.compare_digest(person.nik, typed):
            raise BadInput.of("card_nik", "card-differs", "the NIK of the card is another one")
        own_corrections.keep_old(conn, services.sealer, row.id, person.phone)
        if not own_corrections.move(
            conn,
            row.id,
            RequestState.NUMBER,
            old=[RequestState.UNPROVEN],
            person_id=claimed,
            proof=Proof.FACE.value,
            proved_at=now,
            number_index=persons.phone_index(services.sealer, value),
            due_at=due,
        ):
            raise Refused("already-decided")
        said = {"how": checked.how.value, "reason": checked.words or None}
        note(conn, services, row, "correction.confirmed", actor, **said)
        watch(conn, row.id, due)
    return RequestState.NUMBER


def read_card(typed: str) -> str:
    """The NIK as it was typed from a card. Raises BadInput (`card_nik`)."""
    try:
        return read_nik(typed)
    except BadNik as bad:
        raise BadInput.of("card_nik", bad.rule, bad.detail) from None


def ask_evidence(services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str) -> None:
    """Asks the person for a picture of their card. Raises NotFound, BadInput, and Refused: `already-decided`,
    `asked-enough`."""
    with _deciding(services, reference, only_facility, [RequestState.REVIEW], reason) as (conn, row, why):
        now = services.clock.now()
        asked = [one for one in audit.of_subjects(conn, [row.id]) if one.action == "correction.evidence-asked"]
        if len(asked) >= _MOST_EVIDENCE:
            raise Refused("asked-enough")
        due = due_at(now, RequestState.EVIDENCE)
        own_corrections.move(
            conn,
            row.id,
            RequestState.EVIDENCE,
            old=[RequestState.REVIEW],
            evidence_asked_at=now,
            evidence_sealed=None,
            due_at=due,
        )
        note(conn, services, row, "correction.evidence-asked", actor, reason=why)
        watch(conn, row.id, due)
        news.tell(conn, services, row, person_id=row.person_id)


def refuse(
    services: Services, reference: str, why: RefusedWhy, *, only_facility: str | None, reason: str, actor: str
) -> None:
    """Nothing is changed, and the person is told `why` on their page; `reason` is for colleagues. Raises NotFound,
    BadInput, Refused (`already-decided`)."""
    with _deciding(services, reference, only_facility, OPEN, reason) as (conn, row, said):
        ended = own_corrections.ended(services.clock.now(), actor, decided_how=How.REVIEW.value, refused_why=why.value)
        own_corrections.move(conn, row.id, RequestState.REFUSED, old=OPEN, **ended)
        note(conn, services, row, "correction.refused", actor, why=why.value, reason=said)
        if row.person_id is not None:
            news.tell(conn, services, row, person_id=row.person_id)


def approve(services: Services, reference: str, *, only_facility: str | None, reason: str, actor: str) -> Asked:
    """Carries a request out. Raises NotFound, BadInput, and Refused: `already-decided`, `nik-taken`,
    `changed-meanwhile` (the field is another than when it was asked), `proof-over` (who asked may ask no more: locked
    out, the number is another one or was said not to be theirs), `no-dose`."""
    reason = read_reason(reason)
    with services.db.read() as conn:
        row = _find(conn, reference, only_facility)
    told = own_corrections.values_of(services.sealer, row)
    if row.state != RequestState.REVIEW or told.value is None:
        raise Refused("already-decided")
    person_id, row_id, about, value = row.person_id, row.id, Field(row.field), told.value

    def work(conn: Connection, ready: Prepared) -> Asked:
        again = _find(conn, reference, only_facility, lock=True)
        if again.state != RequestState.REVIEW:
            raise Refused("already-decided")
        if _is_stale(ready.person, about, told):
            raise Refused("changed-meanwhile")
        if not still_asks(conn, services, ready.person, again):
            raise Refused("proof-over")
        note(conn, services, again, "correction.approved", actor, reason=reason)
        carry_out(conn, services, ready, again, how=How.REVIEW, actor=actor)
        return Asked(RequestState.DONE, again.reference)

    return with_person_held(services, lambda: prepare(services, person_id, row_id, about, value), work)


@contextmanager
def _deciding(
    services: Services, reference: str, only_facility: str | None, states: Collection[RequestState], reason: str
) -> Iterator[tuple[Connection, Row, str]]:
    reason = read_reason(reason)
    with services.db.write() as conn:
        person_id = _find(conn, reference, only_facility).person_id
        if person_id is not None:
            persons.hold(conn, person_id)
        row = _find(conn, reference, only_facility, lock=True)
        if row.state not in states:
            raise Refused("already-decided")
        yield conn, row, reason


def _find(conn: Connection, reference: str, only_facility: str | None, *, lock: bool = False) -> Row:
    row = own_corrections.find(conn, read_reference(reference), only_facility, lock=lock)
    if row is None:
        raise NotFound("there is no request with this reference")
    return row


def _is_stale(person: Person | None, about: Field, told: Values) -> bool:
    return person is None or values.on_file(person, about) != told.old


def _newest_message(conn: Connection, person_id: str, only_facility: str | None) -> str | None:
    found = person_story.messages(conn, person_id, only_facility, 1)
    return found[0].reference if found else None


def _person(conn: Connection, services: Services, person_id: str | None) -> Person | None:
    if person_id is None:
        return None
    try:
        return persons.get(conn, services.sealer, person_id)
    except (SealBroken, KeyError):
        return None
