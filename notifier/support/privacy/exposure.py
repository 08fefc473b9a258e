"""A breach: whose data a leaked link, a stranger's number or a span of time exposed, which data, since when.

Nothing is sent or changed; that somebody looked is in the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, BadToken, NotFound, Refused, SealBroken
from notifier.core.ids import new_id, new_reference
from notifier.core.link_tokens import trimmed
from notifier.core.reasons import read_reason
from notifier.services import Services
from notifier.store import audit, exposure, persons
from notifier.store.persons import Person
from notifier.support.privacy.find import read_phone_index

#: UU 27/2022, article 46: in writing, to the person and the authority
DUE_AFTER = timedelta(hours=3 * 24)
#: a wider span is asked for in parts
MOST = 20_000
_PAGE = 500


class How(StrEnum):
    """What leaked."""

    LINK = "link"
    NUMBER = "number"
    SPAN = "span"


class Datum(StrEnum):
    """A kind of data that somebody saw, or may have seen."""

    SMS = "sms"  #: an SMS: the first letter of the name, and that there is a certificate
    NAME = "name"
    BIRTH_DATE = "birth-date"  #: whoever opened the page knew it; it stands on the certificate
    NIK = "nik"  #: masked, as the page and the certificate show it
    VACCINE = "vaccine"  #: vaccine, lot, day and place of every dose of the series


@dataclass(frozen=True, slots=True)
class Deeds:
    """What was done. `seen`: pages and files that people got; `robots`: that programs got; `wrong`: birth dates that
    were wrong; `sent`: messages."""

    seen: int = 0
    robots: int = 0
    wrong: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Exposed:
    """One person. `certain`: somebody had the certificate before the eyes; else the data lay open to whoever had the
    link or the number. `person` is None where nobody can say any more who it was (erased, or sealed by another key)."""

    person_id: str
    reference: str | None  #: of the newest message
    person: Person | None = field(repr=False)
    certain: bool
    data: tuple[Datum, ...]
    since: datetime
    until: datetime
    deeds: Deeds


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was found. `incident`: a reference for the notices; `found_at`: from then the 72 hours count."""

    incident: str
    how: How
    found_at: datetime
    due_at: datetime
    people: list[Exposed]
    still_theirs: int = 0  #: of a number: persons who have it now, and of whom nobody said otherwise


def by_link(services: Services, typed: str, *, found_at: datetime | None, reason: str, actor: str) -> Exposure:
    """Whose data a link shows to whoever has it. Raises BadInput where there is no link of ours in `typed`."""
    now = services.clock.now()
    public_id = _public_id(services, typed)
    with services.db.read() as conn:
        row = exposure.find_link(conn, public_id)
        if row is None:
            raise NotFound("there is no link of this token")
        deeds = exposure.deeds_at_link(conn, row.id)
        until = min(moment for moment in (row.revoked_at, row.expires_at, now) if moment is not None)
        since = row.left_at or row.printed_at or row.created_at
        # a page that stayed open in a browser is seen no longer than that; what was done later shows in the deeds
        span = (min(since, deeds.first_at or since), max(until, deeds.last_at or until, since))
        found = _people(conn, services, [(row.person_id, _deeds(deeds, sent=1), *span)])
    return _kept(services, How.LINK, found, found_at, reason, actor)


def by_number(services: Services, typed: str, *, found_at: datetime | None, reason: str, actor: str) -> Exposure:
    """Whose messages went to a number that is not theirs: it was said or found to be a stranger's, or another one is
    theirs now. Raises BadInput."""
    index = read_phone_index(services, typed)
    now = services.clock.now()
    with services.db.read() as conn:
        rows = exposure.sent_to(conn, index, MOST + 1)
        _check_width(len(rows), MOST)
        strange = [row for row in rows if not row.is_theirs or row.said_at is not None]
        entries = []
        for row in strange:
            deeds = exposure.deeds_under_number(conn, row.person_id, index)
            until = max(moment for moment in (row.last_at, deeds.last_at) if moment is not None)
            entries.append((row.person_id, _deeds(deeds, sent=1), row.first_at, min(until, now)))
        found = _people(conn, services, entries)
    return _kept(services, How.NUMBER, found, found_at, reason, actor, still_theirs=len(rows) - len(strange))


def by_span(
    services: Services,
    start: datetime,
    end: datetime,
    *,
    found_at: datetime | None,
    reason: str,
    actor: str,
    most: int = MOST,
) -> Exposure:
    """Whose certificates were opened, and to whom messages left, from a moment until before another. Raises BadInput,
    and Refused (`span-too-wide`) beyond `most` persons."""
    if start >= end:
        raise BadInput.of("--to", "before-from", "the end comes after the start")
    with services.db.read() as conn:
        opened = {row.person_id: row for row in exposure.opened_between(conn, start, end, most + 1)}
        sent = {row.person_id: row for row in exposure.sent_between(conn, start, end, most + 1)}
        _check_width(len(opened.keys() | sent.keys()), most)
        entries = [_entry(one, opened.get(one), sent.get(one)) for one in sorted(opened.keys() | sent.keys())]
        found = _people(conn, services, entries)
    return _kept(services, How.SPAN, found, found_at, reason, actor)


_Entry = tuple[str, Deeds, datetime, datetime]


def _entry(person_id: str, opened: Any, sent: Any) -> _Entry:
    rows = [row for row in (opened, sent) if row is not None]
    deeds = _deeds(opened, sent=sent.sent if sent is not None else 0)
    return person_id, deeds, min(row.first_at for row in rows), max(row.last_at for row in rows)


def _deeds(row: Any, *, sent: int) -> Deeds:
    if row is None:
        return Deeds(sent=sent)
    return Deeds(int(row.seen), int(row.robots), int(row.wrong), sent)


def _public_id(services: Services, typed: str) -> str:
    found = services.links.find_in(typed)
    if found is not None:
        return found
    try:
        return services.links.read(trimmed(typed.strip()))
    except BadToken:
        raise BadInput.of("--token", "token", "this is no link of ours; paste the whole address") from None


def _check_width(people: int, most: int) -> None:
    if people > most:
        raise Refused("span-too-wide")


def _people(conn: Connection, services: Services, entries: Sequence[_Entry]) -> list[Exposed]:
    return [one for start in range(0, len(entries), _PAGE) for one in _page(conn, services, entries[start:][:_PAGE])]


def _page(conn: Connection, services: Services, entries: Sequence[_Entry]) -> Iterator[Exposed]:
    ids = [entry[0] for entry in entries]
    rows, references = exposure.sealed_persons(conn, ids), exposure.references(conn, ids)
    for person_id, deeds, since, until in entries:
        person = _opened(services, rows.get(person_id))
        certain = bool(deeds.seen or deeds.robots)
        data = _data(rows.get(person_id), deeds)
        yield Exposed(person_id, references.get(person_id), person, certain, data, since, until, deeds)


def _opened(services: Services, row: Any) -> Person | None:
    if row is None or row.erased_at is not None:
        return None
    try:
        return persons.opened(services.sealer, row._mapping)
    except SealBroken:
        return None


def _data(row: Any, deeds: Deeds) -> tuple[Datum, ...]:
    """What was seen: who has the SMS alone knows an initial; a wrong birth date showed nothing."""
    data = [Datum.SMS] if deeds.sent else []
    if deeds.seen or deeds.robots:
        data += [Datum.NAME, Datum.VACCINE]
        if row is None or row.birth_date_sealed is not None:
            data.append(Datum.BIRTH_DATE)
        if row is None or row.nik_sealed is not None:
            data.append(Datum.NIK)
    return tuple(sorted(data, key=list(Datum).index))


def _kept(
    services: Services,
    how: How,
    people: list[Exposed],
    found_at: datetime | None,
    reason: str,
    actor: str,
    still_theirs: int = 0,
) -> Exposure:
    now = services.clock.now()
    found_at = found_at or now
    incident, reason = new_reference(), read_reason(reason)
    with services.db.write() as conn:
        audit.write(
            conn,
            at=now,
            actor=actor,
            action="exposure.looked-up",
            subject="exposure",
            subject_id=incident,
            reason=reason,
            how=how.value,
            people=len(people),
            certain=sum(one.certain for one in people),
        )
        audit.write_many(conn, [_told(one, now, actor, incident) for one in people])
    return Exposure(incident, how, found_at, found_at + DUE_AFTER, people, still_theirs)


def _told(one: Exposed, at: datetime, actor: str, incident: str) -> dict[str, Any]:
    """So that the person, asking who looked, is told of it."""
    return audit.new_row(
        row_id=new_id(),
        at=at,
        actor=actor,
        action="exposure.found",
        subject="person",
        subject_id=one.person_id,
        detail={"incident": incident},
    )
