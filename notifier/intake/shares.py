"""Who records which line: lines that have something in common stay together, and in their order."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from notifier.core.identity import BadNik, read_nik
from notifier.intake.files import RawLine
from notifier.services import Services
from notifier.store import doses, persons

#: lines with their numbers
Share = list[tuple[int, bytes]]


class _Groups:
    """Union-find over the things that lines are about."""

    def __init__(self) -> None:
        self._next: dict[Hashable, Hashable] = {}

    def of(self, thing: Hashable) -> Hashable:
        while (following := self._next.get(thing, thing)) != thing:
            self._next[thing] = self._next.get(following, following)
            thing = following
        return thing

    def join(self, one: Hashable, other: Hashable) -> None:
        self._next[self.of(other)] = self.of(one)


@dataclass(frozen=True, slots=True)
class Joined:
    """Some lines of a file, and the groups that they make. `heads`: for each, one thing that it is about."""

    lines: list[tuple[RawLine, dict[str, Any]]]
    groups: _Groups
    heads: list[Hashable]


def joined(lines: Sequence[RawLine]) -> Joined:
    """The lines, joined by each event id, dose or person that they have in common."""
    found = [(line, _value(line.text)) for line in lines if line.text]
    groups = _Groups()
    heads = [_head(groups, line.number, value) for line, value in found]
    # what a FHIR resource is about takes its whole reader to tell
    if any("resourceType" in value for _, value in found):
        for head in heads:
            groups.join(heads[0], head)
    return Joined(found, groups, heads)


def tie(services: Services, window: Joined) -> None:
    """Joins the lines that have to do with each other through what the database knows: the person of a dose, or one
    known by a NIK; and those that call a new facility by several names, since the first one counts."""
    groups = window.groups
    values = [value for _, value in window.lines]
    ids = {dose_id for value in values if (dose_id := _id(_part(value, "dose").get("id")))}
    people = [_part(value, "person") for value in values]
    loose = {nik for person in people if not _id(person.get("id")) and (nik := _nik(_id(person.get("nik"))))}
    names = _facility_names(values)
    disputed = {facility_id for facility_id, called in names.items() if len(called) > 1}
    by_nik = {persons.nik_index(services.sealer, nik) for nik in loose}
    with services.db.read() as conn:
        owners = {dose_id: row.person_id for dose_id, row in doses.find_each(conn, ids).items() if row.person_id}
        rows = [*persons.load_indexes(conn, set(owners.values())), *persons.find_each_by_nik(conn, by_nik).values()]
        disputed -= doses.find_facilities(conn, disputed).keys()
    for dose_id, person_id in owners.items():
        groups.join(("row", person_id), ("dose", dose_id))
    if rows:
        _tie_people(services, groups, people, rows)
    for value, head in zip(values, window.heads, strict=True):
        if (facility_id := _id(_part(value, "dose").get("facility_id"))) in disputed:
            groups.join(("facility", facility_id), head)


def _tie_people(services: Services, groups: _Groups, people: Sequence[dict[str, Any]], rows: Sequence[Any]) -> None:
    sealer = services.sealer
    ids = {text for person in people if (text := _id(person.get("id")))}
    niks = {text for person in people if (text := _nik(_id(person.get("nik"))))}
    by_source = {persons.source_index(sealer, text): ("person", text) for text in ids}
    by_nik = {persons.nik_index(sealer, text): ("nik", text) for text in niks}
    for row in rows:
        for thing in (by_source.get(row.source_index), by_nik.get(row.nik_index)):
            if thing is not None:
                groups.join(("row", row.id), thing)


def dealt(window: Joined, count: int) -> list[Share]:
    """The lines in `count` parts of about the same size, each in the file's order; no group is cut."""
    found = [window.groups.of(head) for head in window.heads]
    sizes = Counter(found)
    owner: dict[Hashable, int] = {}
    load = [0] * count
    parts: list[Share] = [[] for _ in range(count)]
    for group, (line, _) in zip(found, window.lines, strict=True):
        if group not in owner:
            owner[group] = load.index(min(load))
            load[owner[group]] += sizes[group]
        parts[owner[group]].append((line.number, line.text))
    return parts


def _value(text: bytes) -> dict[str, Any]:
    """The line as an object; an empty one where it is none: the reader refuses such a line, and writes nothing."""
    try:
        value = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _part(value: dict[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _id(value: object) -> str:
    """As the reader cleans an id; empty where there is none."""
    return value.strip() if isinstance(value, str) else ""


def _head(groups: _Groups, number: int, value: dict[str, Any]) -> Hashable:
    """Joins what the line is about; one of these things, or the line itself where it is about nothing."""
    person = _part(value, "person")
    things = (
        ("event", _id(value.get("event_id"))),
        ("dose", _id(_part(value, "dose").get("id"))),
        ("person", _id(person.get("id"))),
        ("nik", _nik(_id(person.get("nik")))),
    )
    present = [thing for thing in things if thing[1]]
    if not present:
        return number
    for thing in present[1:]:
        groups.join(present[0], thing)
    return present[0]


def _nik(text: str) -> str:
    if len(text) == 16 and text.isascii():
        return text
    try:
        return read_nik(text) if text else ""
    except BadNik:
        return ""


def _facility_names(values: Sequence[dict[str, Any]]) -> dict[str, set[str]]:
    names: defaultdict[str, set[str]] = defaultdict(set)
    for value in values:
        dose = _part(value, "dose")
        if facility_id := _id(dose.get("facility_id")):
            names[facility_id].add(_id(dose.get("facility")))
    return names
