"""The timeline of one notification: everything that happened to it, from the rows that say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound, SealBroken
from notifier.core.ids import read_reference
from notifier.core.states import Kind, Reason, State
from notifier.services import Services
from notifier.store import attempts, audit, certificates, desk, doses, notifications, openings, persons, staff
from notifier.store.desk import Row
from notifier.store.persons import Person

#: states that no attempt, receipt or audit row tells of by itself
_OWN_ENTRY = frozenset(
    {State.CANCELLED, State.SUPPRESSED, State.EXPIRED, State.HELD, State.FAILED, State.UNKNOWN, State.CLAIMED}
)


_LOCK_DEEDS = frozenset({"person-locked", "person.unlock"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `what` is a stable kebab-case code; `detail` holds words and numbers of ours, and the
    provider's code with its `meaning` and `advice`."""

    at: datetime
    what: str
    detail: dict[str, str] = field(default_factory=dict)
    due_at: datetime | None = None  #: for `planned` and `replanned`


@dataclass(frozen=True, slots=True)
class Timeline:
    """One notification with whom and what it is about. `person` is None where the row cannot be opened."""

    notification: Row
    person: Person | None
    dose: Row | None
    link: Row | None
    facility: str | None
    entries: list[Entry]
    others: list[Row]  #: the other messages about the same dose, newest first


def timeline(services: Services, reference: str, *, only_facility: str | None = None) -> Timeline:
    """The timeline of a reference, oldest entry first. Raises NotFound, also for another facility's."""
    with services.db.read() as conn:
        row = desk.find_visible(conn, read_reference(reference), only_facility)
        if row is None:
            raise NotFound("there is no notification with this reference")
        shot = doses.get(conn, row.dose_id) if row.dose_id else None
        others = (
            [other for other in notifications.of_dose(conn, row.dose_id, with_link=False) if other.id != row.id]
            if shot
            else []
        )
        # one moment often holds several: what was asked for stands before what came of it
        entries = [
            *_deeds(conn, row),
            *_asked_for(conn, row),
            *_planned(row),
            *_tried(conn, services, row),
            *_opened(conn, row),
            *_stands(row),
        ]
        return Timeline(
            notification=row,
            person=_person(conn, services, row.person_id),
            dose=shot,
            link=certificates.load_links(conn, [row.link_id]).get(row.link_id) if row.link_id else None,
            facility=_facility(conn, shot),
            entries=sorted(entries, key=attrgetter("at")),
            others=others,
        )


def _person(conn: Connection, services: Services, person_id: str) -> Person | None:
    try:
        return persons.get(conn, services.sealer, person_id)
    except SealBroken:
        return None


def _facility(conn: Connection, shot: Row | None) -> str | None:
    if shot is None:
        return None
    return shot.facility or (desk.facility_name(conn, shot.facility_id) if shot.facility_id else None)


def _asked_for(conn: Connection, row: Row) -> Iterator[Entry]:
    """Who wanted a resend: the audit says it at the message before."""
    if row.kind == Kind.RENEWAL and row.request_reason is None:
        yield Entry(row.created_at, "renewal-asked")
    elif row.parent_id is not None:
        names = staff.names(conn, [row.requested_by]) if row.requested_by else {}
        said = _said(reason=row.request_reason, actor=names.get(row.requested_by), actor_kind="staff")
        yield Entry(row.created_at, "notification-resend", said)


def _planned(row: Row) -> Iterator[Entry]:
    yield Entry(row.created_at, "planned", {"generation": str(row.generation)}, due_at=row.planned_for)
    if row.due_at != row.planned_for:
        yield Entry(row.updated_at, "replanned", _said(reason=row.reason), due_at=row.due_at)


def _tried(conn: Connection, services: Services, row: Row) -> Iterator[Entry]:
    made = attempts.of_notification(conn, row.id)
    for one in made:
        yield Entry(one.started_at, "attempt", _said(number=one.number, gateway=one.gateway))
        if one.finished_at is not None:
            said = _said(
                number=one.number,
                outcome=one.outcome,
                code=one.provider_code,
                http_status=one.http_status,
                sid=one.provider_sid,
            )
            yield Entry(one.finished_at, "answer", said | _explained(services, one.provider_code))
    for receipt in attempts.receipts_of(conn, [one.reference for one in made]):
        said = _said(word=receipt.provider_word, code=receipt.provider_code or None)
        if not receipt.applied:
            said["applied"] = "no"
        yield Entry(receipt.received_at, "receipt", said | _explained(services, receipt.provider_code))


def _explained(services: Services, code: str | None) -> dict[str, str]:
    meaning = services.gateway.explain(code) if code else None
    return {"meaning": meaning.meaning, "advice": meaning.advice} if meaning else {}


def _opened(conn: Connection, row: Row) -> Iterator[Entry]:
    found = openings.of_link(conn, row.link_id) if row.link_id else []
    if row.certificate_id:
        found += openings.checks_of(conn, row.person_id, row.certificate_id)
    for one in found:
        yield Entry(one.at, one.kind, _said(device=one.device))


def _deeds(conn: Connection, row: Row) -> Iterator[Entry]:
    """What the audit says about the notification, its dose, and the person's lock."""
    rows = audit.of_subjects(conn, [subject for subject in (row.id, row.dose_id) if subject])
    rows += [one for one in audit.of_subjects(conn, [row.person_id]) if one.action in _LOCK_DEEDS]
    ids = [one.actor.removeprefix("staff:") for one in rows if one.actor.startswith("staff:")]
    names = staff.names(conn, ids) if ids else {}
    for one in rows:
        kind, _, name = one.actor.partition(":")
        who = names.get(name, "?") if kind == "staff" else name or kind
        detail = {key: str(value) for key, value in one.detail.items()}
        yield Entry(one.at, one.action.replace(".", "-"), {**detail, "actor": who, "actor_kind": kind})


def _stands(row: Row) -> Iterator[Entry]:
    told = row.status == State.CANCELLED and row.reason == Reason.OPERATOR  # by the audit, with who and why
    if State(row.status) in _OWN_ENTRY and not told:
        yield Entry(row.ended_at or row.updated_at, row.status, _said(reason=row.reason, code=row.provider_code))


def _said(**values: object) -> dict[str, str]:
    return {key: str(value) for key, value in values.items() if value is not None}
