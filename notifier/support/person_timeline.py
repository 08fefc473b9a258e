"""One timeline of one person: what was given, planned, decided, tried, answered, opened, said and done, in one order.

A person is named by the reference of any message about them, so that no id of a person stands in an address. Whoever
belongs to a facility sees what is its own: its doses and all that hangs on them, and of the person what the work needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound, SealBroken
from notifier.core.ids import read_reference
from notifier.core.states import CertificateStatus
from notifier.services import Services
from notifier.store import attempts, audit, calls, certificates, desk, person_story, persons, staff, suppressions
from notifier.store.desk import Row
from notifier.store.persons import Person
from notifier.store.suppressions import Source
from notifier.support.opt_out import STOPPED
from notifier.support.timeline import LOCK_DEEDS, Entry, deeds, stands, story_of, tried

_MOST_MESSAGES, _MOST_DOSES, _MOST_OPENINGS, _MOST_DEEDS, _MOST_CASES, _MOST_CALLS = 100, 50, 300, 500, 50, 100
#: what the audit says of a person to every facility that gave them a dose
_FOR_ALL = LOCK_DEEDS | {"link.replaced", "opt-out.stopped", "opt-out.lifted"}


@dataclass(frozen=True, slots=True)
class DoseLine:
    """One dose. `place`: by which it is chosen in the page's address. `message`: the newest about it. `certificate`:
    the number of the valid one."""

    place: int
    dose: Row
    message: Row | None
    certificate: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """A person and all that happened. `person` is None where the row cannot be opened; `stopped`: since when the number
    gets no SMS, and who said so; `is_cut`: there is more than is shown, all of it older."""

    person_id: str
    person: Person | None
    newest: Row  #: the newest message, whose reference is the page's address
    doses: list[DoseLine]
    cases: list[Row]
    stopped: Row | None
    entries: list[Entry]
    is_cut: bool


def story(
    services: Services,
    reference: str,
    *,
    only_facility: str | None = None,
    place: int | None = None,
    oldest_first: bool = False,
) -> Story:
    """The story of the person whom a message is about; `place`: of one dose alone. Raises NotFound, also for another
    facility's."""
    with services.db.read() as conn:
        person_id = person_of(conn, reference, only_facility)
        kept = _Kept.load(conn, person_id, only_facility)
        person = _person(conn, services, person_id)
        stops = _stops(conn, services, person)
        entries = sorted(_entries(conn, services, kept, stops, only_facility), key=attrgetter("at"))
    lines = kept.lines()
    if place is not None:
        chosen = next((line.dose.id for line in lines if line.place == place), None)
        entries = [entry for entry in entries if entry.dose_id == chosen and chosen is not None]
    return Story(
        person_id=person_id,
        person=person,
        newest=kept.messages[0],
        doses=lines,
        cases=kept.cases,
        stopped=next((row for row in stops if row.lifted_at is None), None),
        entries=entries if oldest_first else entries[::-1],
        is_cut=len(kept.messages) == _MOST_MESSAGES or len(kept.openings) == _MOST_OPENINGS,
    )


def person_of(conn: Connection, reference: str, only_facility: str | None) -> str:
    """Whom the message with a reference is about. Raises NotFound, also for another facility's."""
    row = desk.find_visible(conn, read_reference(reference), only_facility)
    if row is None:
        raise NotFound("there is no notification with this reference")
    return str(row.person_id)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The rows about a person that the reader may see."""

    person_id: str
    messages: list[Row]  #: newest first; never empty
    doses: list[Row]
    certificates: list[Row]  #: newest first
    openings: list[Row]
    cases: list[Row]

    @classmethod
    def load(cls, conn: Connection, person_id: str, facility_id: str | None) -> _Kept:
        messages = person_story.messages(conn, person_id, facility_id, _MOST_MESSAGES)
        doses = person_story.doses(conn, person_id, facility_id, _MOST_DOSES)
        # a dose that turned out to be somebody else's: what was sent about it before stays this person's story
        about = {row.dose_id for row in messages if row.dose_id} | {row.id for row in doses}
        papers = person_story.certificates(conn, about)
        openings = person_story.openings(conn, person_id, [row.id for row in papers], _MOST_OPENINGS)
        cases = person_story.cases(conn, person_id, facility_id, _MOST_CASES)
        return cls(person_id, messages, doses, papers, openings, cases)

    def lines(self) -> list[DoseLine]:
        newest = {row.dose_id: row for row in reversed(self.messages)}
        valid = {row.dose_id: row.number for row in self.certificates if row.status == CertificateStatus.VALID}
        return [
            DoseLine(place, shot, newest.get(shot.id), valid.get(shot.id)) for place, shot in enumerate(self.doses, 1)
        ]


def _entries(
    conn: Connection, services: Services, kept: _Kept, stops: list[Row], only_facility: str | None
) -> Iterator[Entry]:
    """One moment often holds several: what was asked for stands before what came of it."""
    names = staff.names(conn, {row.requested_by for row in kept.messages if row.requested_by})
    yield from _deeds(conn, kept, only_facility)
    for row in reversed(kept.messages):
        yield from story_of(row, names)
    by_id = {row.id: row for row in kept.messages}
    made = person_story.attempts(conn, by_id)
    yield from tried(services, made, attempts.receipts_of(conn, [one.reference for one in made]), by_id)
    yield from _seen(kept)
    yield from _ended_links(conn, kept)
    yield from _stopped(conn, stops)
    yield from _called(conn, services, kept.person_id, only_facility)
    for row in reversed(kept.messages):
        yield from stands(row)


def _deeds(conn: Connection, kept: _Kept, only_facility: str | None) -> Iterator[Entry]:
    about: dict[str, Mapping[str, Any]] = {kept.person_id: {}}
    about |= {row.id: {"dose_id": row.id} for row in kept.doses}
    about |= {row.dose_id: {"dose_id": row.dose_id} for row in kept.messages if row.dose_id}
    about |= {row.id: {"reference": row.reference, "dose_id": row.dose_id} for row in kept.messages}
    about |= {row.id: {} for row in kept.cases}
    rows = person_story.deeds(conn, about, _MOST_DEEDS)
    if only_facility is not None:
        rows = [row for row in rows if row.subject_id != kept.person_id or row.action in _FOR_ALL]
    cases = {row.id: row.reference for row in kept.cases}
    said_of = {row.id: row.subject_id for row in rows}
    for row, entry in zip(rows, deeds(conn, rows, about), strict=True):
        if (case := cases.get(said_of[row.id])) is not None:
            entry.detail.setdefault("case_reference", case)
        yield entry


def _seen(kept: _Kept) -> Iterator[Entry]:
    dose_of = {row.id: row.dose_id for row in kept.certificates}
    message_of = {row.link_id: row.reference for row in kept.messages if row.link_id}
    for row in reversed(kept.openings):
        yield Entry(
            row.at,
            row.kind,
            {"device": row.device},
            reference=message_of.get(row.link_id),
            dose_id=dose_of.get(row.certificate_id),
        )


def _ended_links(conn: Connection, kept: _Kept) -> Iterator[Entry]:
    by_link = {row.link_id: row for row in kept.messages if row.link_id}
    for link in certificates.load_links(conn, by_link).values():
        about = {"reference": by_link[link.id].reference, "dose_id": by_link[link.id].dose_id}
        if link.revoked_at is not None:
            said = {"reason": link.revoke_reason} if link.revoke_reason else {}
            yield Entry(link.revoked_at, "link-revoked", said, **about)
        if link.paused_at is not None:
            yield Entry(link.paused_at, "link-paused", **about)


def _stops(conn: Connection, services: Services, person: Person | None) -> list[Row]:
    if person is None or person.mobile is None:
        return []
    return suppressions.history(conn, persons.phone_index(services.sealer, person.mobile))


def _stopped(conn: Connection, stops: list[Row]) -> Iterator[Entry]:
    """What the audit says of the number itself; a stop on the link page it says of the person, and of what a provider
    told us it says nothing."""
    ids: dict[str, Mapping[str, Any]] = {row.id: {} for row in stops}
    said = audit.of_subjects(conn, list(ids))
    told = {row.subject_id for row in said if row.action == STOPPED}
    for row in stops:
        if row.id not in told and row.source != Source.LINK_PAGE:
            yield Entry(row.created_at, "opt-out-stopped", {"source": row.source})
    yield from deeds(conn, said, ids)


def _called(conn: Connection, services: Services, person_id: str, only_facility: str | None) -> Iterator[Entry]:
    rows = calls.of_person(conn, person_id, only_facility, _MOST_CALLS)
    names = staff.names(conn, {row.noted_by for row in rows})
    for row in reversed(rows):
        said = {"call": row.kind, "actor": names.get(row.noted_by, "?"), "actor_kind": "staff"}
        try:
            note = calls.note(services.sealer, row)
        except SealBroken:
            note, said = "", said | {"reason": "unreadable"}
        yield Entry(row.at, "call", said, note=note)


def _person(conn: Connection, services: Services, person_id: str) -> Person | None:
    try:
        return persons.get(conn, services.sealer, person_id)
    except SealBroken:
        return None
