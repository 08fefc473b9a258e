"""What staff do at a person's page: note a call, and see one of their data whole, for a reason that the audit keeps."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

from notifier.core.errors import BadInput
from notifier.core.states import CallKind
from notifier.services import Services
from notifier.store import audit, calls, persons
from notifier.store.persons import Person
from notifier.support.person_timeline import person_of
from notifier.support.resend import read_reason

MAX_NOTE_LENGTH = 300
#: a run of digits, however it is divided: a NIK, a number, or a date
_DIGITS = re.compile(r"\d(?:[\s.,:/()+-]*\d){5,}")


class Datum(StrEnum):
    """What can be seen whole, one at a time."""

    PHONE = "phone"
    NIK = "nik"
    BIRTH_DATE = "birth-date"


_READ: dict[Datum, Callable[[Person], str | None]] = {
    Datum.PHONE: lambda person: person.phone,
    Datum.NIK: lambda person: person.nik,
    Datum.BIRTH_DATE: lambda person: person.birth_date.isoformat() if person.birth_date else None,
}


def reveal(
    services: Services, reference: str, datum: Datum, *, only_facility: str | None, reason: str, actor: str
) -> str | None:
    """One datum of a person, whole, once the audit says who looked and why; a birth date as YYYY-MM-DD, None where it
    is not known. Raises NotFound, BadInput, SealBroken."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        person_id = person_of(conn, reference, only_facility)
        person = persons.get(conn, services.sealer, person_id)
        audit.write(
            conn,
            at=services.clock.now(),
            actor=actor,
            action=f"{datum.value}.revealed",
            subject="person",
            subject_id=person_id,
            reason=reason,
        )
    return _READ[datum](person)


def note_call(
    services: Services,
    reference: str,
    *,
    kind: str,
    note: str,
    only_facility: str | None,
    staff_id: str,
) -> str:
    """Keeps that somebody spoke with a person; the row id. Raises NotFound, and BadInput for an unknown kind and for
    a note that is too long or holds a long number."""
    chosen = _read_kind(kind)
    text = _read_note(note)
    now = services.clock.now()
    with services.db.write() as conn:
        person_id = person_of(conn, reference, only_facility)
        row_id = calls.add(
            conn,
            services.sealer,
            person_id=person_id,
            facility_id=only_facility,
            noted_by=staff_id,
            kind=chosen,
            note=text,
            at=now,
        )
        audit.write(
            conn,
            at=now,
            actor=f"staff:{staff_id}",
            action="call.noted",
            subject="call",
            subject_id=row_id,
            call=chosen.value,
        )
    return row_id


def _read_kind(text: str) -> CallKind:
    try:
        return CallKind(text)
    except ValueError:
        raise BadInput.of("kind", "required", "choose what the call was about") from None


def _read_note(text: str) -> str:
    cleaned = " ".join(text.replace("\0", " ").split())
    if len(cleaned) > MAX_NOTE_LENGTH:
        raise BadInput.of("note", "too-long", f"at most {MAX_NOTE_LENGTH} characters")
    if _DIGITS.search(cleaned):
        raise BadInput.of("note", "long-number", "leave out NIK, telephone numbers and dates")
    return cleaned
