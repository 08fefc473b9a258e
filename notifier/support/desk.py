"""What staff look up: one notification, lists by state, a facility's day. Persons are found by `support.search`.

Whoever belongs to a facility names it as `only_facility`; what is another's is not there for them (NotFound).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, NotFound, SealBroken
from notifier.core.ids import read_reference
from notifier.core.states import State
from notifier.messages.gather import addressee
from notifier.services import Services
from notifier.store import audit, desk, doses, persons
from notifier.store.desk import Narrow, Row
from notifier.store.persons import Person

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list. `person` is None where the reader may not see persons, or the row cannot be opened."""

    notification: Row | None
    dose: Row | None
    person: Person | None


def find(services: Services, reference: str, *, only_facility: str | None) -> Row:
    """The notification with a reference, as typed. Raises NotFound, also for another facility's."""
    with services.db.read() as conn:
        row = desk.find_visible(conn, read_reference(reference), only_facility)
    if row is None:
        raise NotFound("there is no notification with this reference")
    return row


def listed(
    services: Services,
    *,
    states: Collection[State],
    only_facility: str | None,
    with_persons: bool,
    before: str | None = None,
    narrow: Narrow | None = None,
) -> tuple[list[Line], bool]:
    """Up to PAGE lines, newest first, and whether older ones follow."""
    with services.db.read() as conn:
        rows = desk.listed(conn, states=states, facility_id=only_facility, limit=PAGE + 1, before=before, narrow=narrow)
        return lines_of(conn, services, rows[:PAGE], with_persons=with_persons), len(rows) > PAGE


def reveal_phone(services: Services, row: Row, *, reason: str, actor: str) -> str | None:
    """The whole number of a notification's person, once the audit says who looked and why. Raises BadInput without a
    reason."""
    reason = " ".join(reason.split())[:300]
    if not reason:
        raise BadInput.of("reason", "required", "write why you need the number")
    with services.db.write() as conn:
        person = addressee(conn, services, row)
        audit.write(
            conn,
            at=services.clock.now(),
            actor=actor,
            action="phone.revealed",
            subject="notification",
            subject_id=row.id,
            reason=reason,
        )
    return person.phone if person is not None else None


def lines_of(conn: Connection, services: Services, rows: Sequence[Row], *, with_persons: bool) -> list[Line]:
    """Some notifications as lines of a list."""
    shots = doses.load(conn, [row.dose_id for row in rows if row.dose_id])
    known = open_persons(conn, services, [row.person_id for row in rows]) if with_persons else {}
    return [Line(row, shots.get(row.dose_id), known.get(row.person_id)) for row in rows]


def open_persons(conn: Connection, services: Services, ids: Collection[str | None]) -> dict[str, Person]:
    """Persons by id; one that cannot be opened is left out instead of taking the page with it."""
    wanted = {person_id for person_id in ids if person_id is not None}
    try:
        return persons.load(conn, services.sealer, wanted)
    except SealBroken:
        found = {}
        for person_id in wanted:
            try:
                found.update(persons.load(conn, services.sealer, [person_id]))
            except SealBroken:
                continue
        return found
