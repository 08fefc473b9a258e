"""Erasing one person for good: who it was is overwritten, messages and links end, what was given stays as a count.

All of it is one transaction. A dry run does the same and takes it back, so that what it counts is what would happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.errors import Conflict, NotFound, Refused, SealBroken
from notifier.core.ids import new_id
from notifier.core.reasons import read_reason
from notifier.services import Services
from notifier.store import accounts, audit, case_reports, erased, locks, persons, privacy, registry_outbox, reminders
from notifier.support.privacy.letters import Traces, traces

_REFUSED_LINE = "upload_refusal:body"


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was wiped, or would be: rows by kind. `provider_ids`: under which the provider still has the messages, to
    be deleted there. `unreadable`: rows of which nobody can say whom they tell of."""

    counts: dict[str, int]
    provider_ids: list[str] = field(repr=False)
    unreadable: int
    kept_certificates: bool
    erased_at: datetime


class _TakenBack(Exception):
    """Ends the transaction of a dry run."""


def erase(
    services: Services,
    person_id: str,
    *,
    reason: str,
    actor: str,
    keep_certificates: bool = False,
    dry_run: bool = False,
) -> Erasure:
    """Erases a person. `keep_certificates`: the numbers of the certificates go on to be valid, though nothing says
    whose they are. Raises NotFound; BadInput; Refused (`already-erased`, or `in-flight`: a message is with the provider
    at this moment); Conflict where somebody records about the person meanwhile. Nothing is written then."""
    reason = read_reason(reason)
    told = _traces(services, person_id)
    found: list[Erasure] = []
    try:
        with services.db.write() as conn:
            found.append(_erase(conn, services, person_id, told, keep_certificates, actor))
            if dry_run:
                raise _TakenBack
            audit.write(
                conn,
                at=found[0].erased_at,
                actor=actor,
                action="person.erased",
                subject="person",
                subject_id=person_id,
                reason=reason,
                kept_certificates=int(keep_certificates),
                **found[0].counts,
            )
    except _TakenBack:
        pass
    return found[0]


def wipe(conn: Connection, services: Services, person_id: str, *, keep_certificates: bool, by: str) -> dict[str, int]:
    """Wipes everything that is found by the person's own rows; rows by kind. The caller holds the person still."""
    at = services.clock.now()
    row = privacy.find(conn, person_id)
    numbers = privacy.numbers_of(conn, row) if row is not None else set()
    born = _born(conn, services, person_id) if row is not None else None
    subjects = privacy.subjects_of(conn, row, born=born) if row is not None else []
    messages = privacy.messages_of(conn, person_id)
    counts = {"cancelled": privacy.stop_messages(conn, messages, at=at)}
    counts["links"] = privacy.end_links(conn, person_id, at=at)
    counts["certificates"] = 0 if keep_certificates else privacy.revoke_certificates(conn, person_id, at=at)
    counts["codes"] = privacy.wipe_codes(conn, person_id)
    counts["reminders"] = reminders.drop_of_person(conn, person_id)
    about = [person_id, *(shot.id for shot in privacy.doses_of(conn, person_id))]
    counts["registry"] = registry_outbox.drop_about(conn, about)
    if row is not None:
        counts |= privacy.wipe_cases(conn, row, born=born, by=by, at=at)
    # once nothing of the person's can plan another: codes, news of their cases and requests, to whatever number
    to_numbers = privacy.messages_to(conn, numbers, subjects)
    counts["cancelled"] += privacy.stop_messages(conn, to_numbers, at=at)
    counts |= privacy.wipe_messages(conn, [*messages, *to_numbers])
    counts["numbers"] = privacy.forget_numbers(conn, numbers)
    counts["account"] = accounts.wipe_person(conn, person_id)
    counts["doses"] = privacy.wipe_doses(conn, person_id)
    privacy.wipe_person(conn, services.sealer, person_id, at=at)
    return counts


def _born(conn: Connection, services: Services, person_id: str) -> bytes | None:
    """The blind index of the person's number and birth date; None where there is none, or nobody can open it."""
    try:
        person = persons.get(conn, services.sealer, person_id)
    except SealBroken:
        return None
    if person.mobile is None or person.birth_date is None:
        return None
    return case_reports.born_index(services.sealer, person.mobile, person.birth_date.isoformat())


def readmit(services: Services, mark: bytes, *, reason: str, actor: str) -> int:
    """Lets a registry send somebody again who was erased; nothing that was wiped comes back. Raises NotFound."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        lifted = erased.lift(conn, mark)
        if not lifted:
            raise NotFound("nobody with this NIK was erased")
        audit.write(
            conn,
            at=services.clock.now(),
            actor=actor,
            action="person.readmitted",
            subject="erasure",
            subject_id="marks",
            reason=reason,
            marks=lifted,
        )
    return lifted


def _erase(
    conn: Connection, services: Services, person_id: str, told: Traces, keep_certificates: bool, actor: str
) -> Erasure:
    marks = _hold(conn, services, person_id)
    messages = _messages(conn, services, person_id)
    if privacy.is_in_flight(conn, messages):
        raise Refused("in-flight")
    provider_ids = privacy.provider_ids(conn, messages)
    counts = wipe(conn, services, person_id, keep_certificates=keep_certificates, by=actor)
    counts["dead_letters"] = privacy.drop_letters(conn, told.dead_letters)
    for row_id in told.refused_lines:
        privacy.empty_refused_line(conn, row_id, services.sealer.seal(_REFUSED_LINE, row_id, '""'))
    counts["refused_lines"] = len(told.refused_lines)
    at = services.clock.now()
    erased.add(conn, marks, erasure=new_id(), at=at)
    return Erasure(counts, provider_ids, told.unreadable, keep_certificates, at)


def _hold(conn: Connection, services: Services, person_id: str) -> set[bytes]:
    """Keeps everything about the person from changing, in the order that events keep: doses and ids, then the row. The
    marks to be left."""
    row, shots = privacy.find(conn, person_id), privacy.doses_of(conn, person_id)
    if row is None:
        raise NotFound("there is no such person")
    if row.erased_at is not None:
        raise Refused("already-erased")
    keys = {locks.dose_key(services.sealer, shot.source_id) for shot in shots}
    keys |= {index for index in (row.source_index, row.nik_index) if index is not None}
    locks.hold(conn, *keys)
    now = privacy.find(conn, person_id, lock=True)
    if now is None or now != row or privacy.doses_of(conn, person_id) != shots:
        raise Conflict("somebody recorded about this person meanwhile; run it again")
    return {erased.mark_of(services.sealer, key) for key in keys}


def _messages(conn: Connection, services: Services, person_id: str) -> list[str]:
    """Every message about the person, or to a number that is forgotten with them."""
    row = privacy.find(conn, person_id)
    if row is None:
        return []
    subjects = privacy.subjects_of(conn, row, born=_born(conn, services, person_id))
    numbers = privacy.numbers_of(conn, row)
    return [*privacy.messages_of(conn, person_id), *privacy.messages_to(conn, numbers, subjects)]


def _traces(services: Services, person_id: str) -> Traces:
    """Where else the person stands; nowhere where nobody can open who it is."""
    try:
        with services.db.read() as conn:
            person = persons.load(conn, services.sealer, [person_id]).get(person_id)
    except SealBroken:
        return Traces(unreadable=1)
    return traces(services, person) if person is not None and person.name else Traces()
