"""A batch of events in a handful of statements, with the outcome that one after the other would have.

Events that have nothing in common may be done in any order, so a batch is cut into rounds: no two events of one round
have to do with each other, by an event id, a dose or a person, not even through a third. In each round the plain events
(a new dose, of somebody new or as we know them) are written as sets; every other event goes its own way, one by one, as
does a round that the database refused.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.errors import Conflict
from notifier.intake import erased, plain
from notifier.intake.one import Answer, Item, Job, guarded, repeated
from notifier.services import Services
from notifier.store import doses, events, locks, notifications, persons
from notifier.store import erased as marks

_FEW = 4  # fewer plain events than this are done sooner one by one


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database knew about some events before they were recorded."""

    events: dict[str, Any]  #: by event id
    notifications: dict[str, Any]  #: of those events, by row id
    doses: dict[str, Any]  #: by the source's id
    by_source: dict[bytes, Any]  #: persons
    by_nik: dict[bytes, Any]  #: persons, the oldest of each NIK
    facilities: dict[str, str | None]  #: the zones of those that are known
    erased: set[bytes]  #: marks of persons who were erased


def record_items(conn: Connection, job: Job, items: Sequence[Item]) -> list[Answer]:
    """Records the events; their answers, in their order."""
    seen = look_up(conn, job.services, items, _locked(conn, items))
    answers: dict[int, Answer] = {}
    for number, places in enumerate(_rounds(items, seen)):
        if number:
            part = [items[place] for place in places]
            known = events.find_each(conn, {item.event.event_id for item in part})
            seen = look_up(conn, job.services, part, known)
        answers |= _round(conn, job, {place: items[place] for place in places}, seen)
    return [answers[place] for place in range(len(items))]


def _locked(conn: Connection, items: Sequence[Item]) -> dict[str, Any]:
    """The events that came before, by event id. Whatever the others are about is ours until the transaction ends; the
    locks are taken all at once, in the one order that everybody keeps."""
    known = events.find_each(conn, {item.event.event_id for item in items})
    fresh = [item for item in items if item.event.event_id not in known]
    if fresh:
        locks.hold(conn, *(key for item in fresh for key in item.locks))
        known |= events.find_each(conn, {item.event.event_id for item in fresh})  # somebody may have been before us
    return known


def look_up(conn: Connection, services: Services, items: Sequence[Item], known: dict[str, Any]) -> Seen:
    """What the database knows about the items; `known`: the events that came before, by event id."""
    fresh = [item for item in items if item.event.event_id not in known]
    by_source = persons.find_each_by_source(conn, {item.source for item in fresh if item.source is not None})
    return Seen(
        events=known,
        notifications=notifications.load_each(
            conn, {row.notification_id for row in known.values() if row.notification_id}
        ),
        doses=doses.find_each(conn, {item.event.dose.id for item in fresh}) if fresh else {},
        by_source=by_source,
        by_nik=persons.find_each_by_nik(conn, {item.nik for item in fresh if item.nik is not None}),
        facilities=doses.find_facilities(conn, {name for item in fresh if (name := item.event.dose.facility_id)}),
        erased=marks.among_marks(conn, erased.marks(services, {key for item in fresh for key in item.locks})),
    )


def _rounds(items: Sequence[Item], seen: Seen) -> list[list[int]]:
    """The places of the items, by round: the items of one group stand in line, one a round."""
    groups = _Groups()
    disputed = _disputed_facilities(items, seen)
    ids = [groups.joined(_things(item, seen, disputed)) for item in items]
    length: Counter[Hashable] = Counter()
    rounds: defaultdict[int, list[int]] = defaultdict(list)
    for place, thing in enumerate(ids):
        group = groups.of(thing)
        rounds[length[group]].append(place)
        length[group] += 1
    return [rounds[number] for number in sorted(rounds)]


class _Groups:
    """Things that have to do with each other, directly or through others: an event joins all that it is about."""

    def __init__(self) -> None:
        self._next: dict[Hashable, Hashable] = {}

    def of(self, thing: Hashable) -> Hashable:
        """The thing that stands for its whole group."""
        while (following := self._next.get(thing, thing)) != thing:
            self._next[thing] = self._next.get(following, following)
            thing = following
        return thing

    def joined(self, things: Sequence[Hashable]) -> Hashable:
        """Makes one group of these; one of them."""
        head = self.of(things[0])
        for thing in things[1:]:
            self._next[self.of(thing)] = head
        return head


def _things(item: Item, seen: Seen, disputed: set[str]) -> list[Hashable]:
    """What an event may read or change, as far as another event of the batch may as well."""
    event = item.event
    things: list[Hashable] = [("event", event.event_id), ("dose", event.dose.id)]
    things += [key for key in (item.source, item.nik) if key is not None]
    by_source, by_nik = seen.by_source.get(item.source or b""), seen.by_nik.get(item.nik or b"")
    things += [("person", row.id) for row in (by_source, by_nik) if row is not None]
    dose = seen.doses.get(event.dose.id)
    if dose is not None and dose.person_id:
        things.append(("person", dose.person_id))
    if event.dose.facility_id in disputed:
        things.append(("facility", event.dose.facility_id))
    return things


def _disputed_facilities(items: Iterable[Item], seen: Seen) -> set[str]:
    """New facilities that the batch calls by several names: the first one counts."""
    names: defaultdict[str, set[str | None]] = defaultdict(set)
    for item in items:
        facility_id = item.event.dose.facility_id
        if facility_id is not None and facility_id not in seen.facilities:
            names[facility_id].add(item.event.dose.facility)
    return {facility_id for facility_id, called in names.items() if len(called) > 1}


def _round(conn: Connection, job: Job, items: dict[int, Item], seen: Seen) -> dict[int, Answer]:
    answers: dict[int, Answer] = {}
    shots: dict[int, plain.Shot] = {}
    for place, item in items.items():
        earlier = seen.events.get(item.event.event_id)
        if earlier is not None:
            answers[place] = _repeated(item, earlier, seen)
        elif item.event.dose.id not in seen.doses and not (seen.erased & erased.marks(job.services, item.locks)):
            shot = plain.shot_of(job, item, seen.by_source, seen.by_nik)
            if shot is not None:
                shots[place] = shot
    answers |= _set(conn, job, shots, seen)
    for place, item in items.items():
        if place not in answers:
            answers[place] = guarded(conn, job, item)
    return answers


def _repeated(item: Item, earlier: Any, seen: Seen) -> Answer:
    try:
        return repeated(item, earlier, seen.notifications.get(earlier.notification_id))
    except Conflict as error:
        return error


def _set(conn: Connection, job: Job, shots: dict[int, plain.Shot], seen: Seen) -> dict[int, Answer]:
    """The answers to the plain events; none where the database refuses one of them, since then nobody knows which."""
    if len(shots) < _FEW:
        return {}
    try:
        with conn.begin_nested():
            told = plain.write(conn, job, list(shots.values()), seen.facilities)
    except (sa.exc.IntegrityError, sa.exc.DataError):
        return {}
    return dict(zip(shots, told, strict=True))
