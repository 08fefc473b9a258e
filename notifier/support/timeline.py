"""The timeline of one notification: everything that happened to it, from the rows that say so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound
from notifier.core.ids import read_reference
from notifier.core.states import Kind, Reason, State
from notifier.messages.gather import addressee
from notifier.services import Services
from notifier.store import attempts, audit, certificates, desk, doses, notifications, openings, staff
from notifier.store.desk import Row
from notifier.store.persons import Person

#: states that no attempt, receipt or audit row tells of by itself
_OWN_ENTRY = frozenset(
    {State.CANCELLED, State.SUPPRESSED, State.EXPIRED, State.HELD, State.FAILED, State.UNKNOWN, State.CLAIMED}
)


#: what the audit says of a person to everybody who sees them
LOCK_DEEDS = frozenset({"person-locked", "person.unlock"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `what` is a stable kebab-case code; `detail` holds words and numbers of ours, and the
    provider's code with its `meaning` and `advice`. `reference`, `dose_id`: of the message and dose that it is about,
    where there is one; `note`: what somebody typed about a call."""

    at: datetime
    what: str
    detail: dict[str, str] = field(default_factory=dict)
    due_at: datetime | None = None  #: for `planned` and `replanned`
    reference: str | None = None
    dose_id: str | None = None
    note: str = field(default="", repr=False)


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
            *_deeds_about(conn, row),
            *story_of(row, _requesters(conn, [row])),
            *_tried(conn, services, row),
            *_opened(conn, row),
            *stands(row),
        ]
        return Timeline(
            notification=row,
            person=addressee(conn, services, row),
            dose=shot,
            link=certificates.load_links(conn, [row.link_id]).get(row.link_id) if row.link_id else None,
            facility=_facility(conn, shot),
            entries=sorted(entries, key=attrgetter("at")),
            others=others,
        )


def _facility(conn: Connection, shot: Row | None) -> str | None:
    if shot is None:
        return None
    return shot.facility or (desk.facility_name(conn, shot.facility_id) if shot.facility_id else None)


def _requesters(conn: Connection, rows: Sequence[Row]) -> dict[str, str]:
    ids = {row.requested_by for row in rows if row.requested_by}
    return staff.names(conn, ids) if ids else {}


def story_of(row: Row, names: Mapping[str, str]) -> Iterator[Entry]:
    """What a message's own row tells of its beginning. `names`: of colleagues, by id."""
    about = {"reference": row.reference, "dose_id": row.dose_id}
    # who wanted a resend: the audit says it at the message before
    if row.kind == Kind.RENEWAL and row.request_reason is None:
        yield Entry(row.created_at, "renewal-asked", **about)
    elif row.parent_id is not None:
        said = _said(reason=row.request_reason, actor=names.get(row.requested_by), actor_kind="staff")
        yield Entry(row.created_at, "notification-resend", said, **about)
    yield Entry(row.created_at, "planned", {"generation": str(row.generation)}, due_at=row.planned_for, **about)
    if row.due_at != row.planned_for:
        yield Entry(row.updated_at, "replanned", _said(reason=row.reason), due_at=row.due_at, **about)


def _tried(conn: Connection, services: Services, row: Row) -> Iterator[Entry]:
    made = attempts.of_notification(conn, row.id)
    came = attempts.receipts_of(conn, [one.reference for one in made])
    return tried(services, made, came, {row.id: row})


def tried(services: Services, made: Sequence[Row], came: Sequence[Row], about: Mapping[str, Row]) -> Iterator[Entry]:
    """Attempts, the provider's answers and its receipts. `about`: the messages, by id."""
    of_attempt = {one.reference: about[one.notification_id] for one in made}
    for one in made:
        row = about[one.notification_id]
        where = {"reference": row.reference, "dose_id": row.dose_id}
        yield Entry(one.started_at, "attempt", _said(number=one.number, gateway=one.gateway), **where)
        if one.finished_at is not None:
            said = _said(
                number=one.number,
                outcome=one.outcome,
                code=one.provider_code,
                http_status=one.http_status,
                sid=one.provider_sid,
            )
            yield Entry(one.finished_at, "answer", said | _explained(services, one.provider_code), **where)
    for receipt in came:
        row = of_attempt[receipt.attempt_reference]
        said = _said(word=receipt.provider_word, code=receipt.provider_code or None)
        if not receipt.applied:
            said["applied"] = "no"
        said |= _explained(services, receipt.provider_code)
        yield Entry(receipt.received_at, "receipt", said, reference=row.reference, dose_id=row.dose_id)


def _explained(services: Services, code: str | None) -> dict[str, str]:
    meaning = services.gateway.explain(code) if code else None
    return {"meaning": meaning.meaning, "advice": meaning.advice} if meaning else {}


def _opened(conn: Connection, row: Row) -> Iterator[Entry]:
    found = openings.of_link(conn, row.link_id) if row.link_id else []
    if row.certificate_id:
        found += openings.checks_of(conn, row.person_id, row.certificate_id)
    for one in found:
        yield Entry(one.at, one.kind, _said(device=one.device))


def _deeds_about(conn: Connection, row: Row) -> Iterator[Entry]:
    """What the audit says about the notification, its dose, and the person's lock."""
    rows = audit.of_subjects(conn, [subject for subject in (row.id, row.dose_id) if subject])
    rows += [
        one for one in audit.of_subjects(conn, [row.person_id] if row.person_id else []) if one.action in LOCK_DEEDS
    ]
    return deeds(conn, rows, {})


def deeds(conn: Connection, rows: Sequence[Row], about: Mapping[str, Mapping[str, Any]]) -> Iterator[Entry]:
    """Rows of the audit. `about`: what else is known of a subject, by id, as fields of an Entry."""
    ids = [one.actor.removeprefix("staff:") for one in rows if one.actor.startswith("staff:")]
    names = staff.names(conn, ids) if ids else {}
    for one in rows:
        kind, _, name = one.actor.partition(":")
        who = names.get(name, "?") if kind == "staff" else name or kind
        detail = {key: str(value) for key, value in one.detail.items()}
        more = about.get(one.subject_id, {})
        yield Entry(one.at, one.action.replace(".", "-"), {**detail, "actor": who, "actor_kind": kind}, **more)


def stands(row: Row) -> Iterator[Entry]:
    """Where a message ended, if nothing else tells of it."""
    told = row.status == State.CANCELLED and row.reason == Reason.OPERATOR  # by the audit, with who and why
    if State(row.status) in _OWN_ENTRY and not told:
        said = _said(reason=row.reason, code=row.provider_code)
        yield Entry(row.ended_at or row.updated_at, row.status, said, reference=row.reference, dose_id=row.dose_id)


def _said(**values: object) -> dict[str, str]:
    return {key: str(value) for key, value in values.items() if value is not None}
