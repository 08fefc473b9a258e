"""The dry run: what would become of each row, found out by reading alone, piece by piece.

Nothing is written but what was found, so that a check of a large list keeps no other writer waiting. What a piece has
found is committed together with how far the check has come: whoever goes on after a crash counts no row twice.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import Problem, SealBroken
from notifier.intake import erased, people
from notifier.intake.batch import Seen, look_up
from notifier.intake.event import Event, EventType
from notifier.intake.one import Item, item_of
from notifier.intake.plain import match
from notifier.intake.uploads import pieces
from notifier.intake.uploads.pieces import OTHER_FACILITY, ReadLine
from notifier.messages.plan import unreachable
from notifier.services import Services
from notifier.store import events, persons, uploads
from notifier.store.persons import Person
from notifier.store.uploads import Row, UploadStatus

_KEY = struct.Struct(">8s8sI")
_CONFLICT = Problem("event_id", "conflict", "this event_id came before with other content")
_ERASED = replace(erased.PROBLEM, field="person_id")
_DIFFERS = Problem("person_id", "person-differs", "this person is known with other data; correct one thing at a time")


class Verdict(StrEnum):
    """What would become of a row: the counts of a check. GOOD, BAD, DUPLICATE and KNOWN add up to all rows."""

    GOOD = "good"
    BAD = "bad"
    DUPLICATE = "duplicate"  #: says the same as an earlier row of this file
    KNOWN = "known"  #: the very same was recorded before
    # of the good ones
    CHANGE = "change"  #: of a dose that we know: it is corrected where it differs
    NO_PHONE = "no-phone"
    BAD_PHONE = "bad-phone"


@dataclass(frozen=True, slots=True)
class _Key:
    dose: bytes
    content: bytes
    line: int


class Memory:
    """The doses of the rows before, by keyed hash: against these later rows are held."""

    def __init__(self, packed: Sequence[bytes] = ()) -> None:
        self._seen: dict[bytes, _Key] = {}
        for block in packed:
            for dose, content, line in _KEY.iter_unpack(block):
                self._seen[dose] = _Key(dose, content, line)

    def earlier(self, item: Item) -> _Key | None:
        """The last row of the same dose."""
        return self._seen.get(item.dose[:8])

    def note(self, item: Item, line: int) -> bytes:
        """Remembers a row; its key, to be kept."""
        key = _Key(item.dose[:8], item.content[:8], line)
        self._seen[key.dose] = key
        return _KEY.pack(key.dose, key.content, key.line)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a piece holds."""

    counts: Counter[str]
    rules: Counter[str]
    refused: list[dict[str, Any]]
    keys: bytes
    rows: int


class Checker:
    """Checks the pieces of one list, in their order."""

    def __init__(self, services: Services, upload: Row) -> None:
        self._services, self._upload = services, upload
        with services.db.read() as conn:
            self._memory = Memory(uploads.keys_below(conn, upload.id, upload.next_chunk))

    def step(self, number: int, token: str) -> Row | None:
        """Checks one piece; the list as it stands then, or None where it is not ours to go on with."""
        services, upload_id = self._services, self._upload.id
        with services.db.read() as conn:
            chunk = uploads.chunk(conn, upload_id, number)
        if chunk is None or chunk.body_sealed is None:
            return None
        found = self._looked_at(pieces.read_piece(services, self._upload, chunk))
        with services.db.write() as conn:
            row = uploads.hold(conn, upload_id, token)
            if row is None or row.next_chunk != number or row.status != UploadStatus.CHECKING:
                return None
            uploads.add_refusals(conn, found.refused)
            uploads.update_chunk(conn, upload_id, number, dose_keys=found.keys)
            return self._moved_on(conn, row, found)

    def _moved_on(self, conn: Connection, row: Row, found: _Found) -> Row | None:
        is_last = row.next_chunk + 1 >= row.chunks
        counts = Counter(row.checked.get("counts", {})) + found.counts
        rules = Counter(row.checked.get("rules", {})) + found.rules
        uploads.update(
            conn,
            row.id,
            status=(UploadStatus.CHECKED if is_last else UploadStatus.CHECKING).value,
            checked={"counts": dict(counts), "rules": dict(rules)},
            next_chunk=row.next_chunk + 1,
            rows_done=row.rows_done + found.rows,
            attempts=0,
            lease_until=self._services.db.lease(pieces.lease_length(self._services)).until,
        )
        return None if is_last else row

    def _looked_at(self, rows: Sequence[ReadLine]) -> _Found:
        items = {row.line: item_of(self._services, row.event) for row in rows if row.event is not None}
        known = _Known(self._services, list(items.values()))
        counts: Counter[str] = Counter()
        rules: Counter[str] = Counter()
        refused, keys = [], []
        for row in rows:
            item = items.get(row.line)
            verdicts, problems = (set[Verdict](), row.problems) if item is None else self._judged(item, known)
            if problems or item is None:
                counts[Verdict.BAD] += 1
                rules[f"{problems[0].field} {problems[0].rule}"] += 1
                refused.append(pieces.refusal(self._services, self._upload.id, row, problems))
                continue
            counts.update(verdicts)
            keys.append(self._memory.note(item, row.line))
        return _Found(counts, rules, refused, b"".join(keys), len(rows))

    def _judged(self, item: Item, known: _Known) -> tuple[set[Verdict], tuple[Problem, ...]]:
        earlier = self._memory.earlier(item)
        if earlier is not None and earlier.content == item.content[:8]:
            return {Verdict.DUPLICATE}, ()
        if earlier is not None and item.event.event_type is EventType.RECORDED:
            told = f"line {earlier.line} says something else about this dose; keep one of them"
            return set(), (Problem("dose_id", "dose-twice", told),)
        return known.judged(item, self._upload.facility_id)


class _Known:
    """What the database knows about the rows of one piece."""

    def __init__(self, services: Services, items: Sequence[Item]) -> None:
        self._services = services
        with services.db.read() as conn:
            before = events.find_each(conn, {item.event.event_id for item in items}) if items else {}
            self._seen: Seen = look_up(conn, services, items, before)
            whose = {row.person_id for row in self._seen.doses.values() if row.person_id}
            self._persons = _opened(conn, services, whose)

    def judged(self, item: Item, own_facility: str | None) -> tuple[set[Verdict], tuple[Problem, ...]]:
        """What would become of a row, or its problems. `own_facility`: whose doses alone it may touch; None: any."""
        earlier = self._seen.events.get(item.event.event_id)
        if earlier is not None:
            return ({Verdict.KNOWN}, ()) if earlier.content_index == item.content else (set(), (_CONFLICT,))
        if self._seen.erased & erased.marks(self._services, item.locks):
            return set(), (_ERASED,)
        dose = self._seen.doses.get(item.event.dose.id)
        if is_elsewhere(dose, own_facility):
            return set(), (OTHER_FACILITY,)
        verdicts = {Verdict.GOOD} if dose is None else {Verdict.GOOD, Verdict.CHANGE}
        if item.event.event_type is EventType.ENTERED_IN_ERROR or item.event.person is None:
            return verdicts, ()
        person = self._person(item, dose)
        if person is not None and people.contradicts(person, item.event.person):
            return set(), (_DIFFERS,)
        return verdicts | self._reached(item.event, person), ()

    def _person(self, item: Item, dose: Any) -> Person | None:
        """The person as we know them; None for somebody new."""
        if dose is not None and dose.person_id in self._persons:
            return self._persons[dose.person_id]
        if item.event.person is None:
            return None
        try:
            return match(self._services, item, item.event.person, self._seen.by_source, self._seen.by_nik)[0]
        except SealBroken:
            return None

    def _reached(self, event: Event, known: Person | None) -> set[Verdict]:
        """Why no SMS would go out, where none would."""
        if event.person is None:
            return set()
        at = event.recorded_at
        if known is None:
            then = people.fresh(self._services, event.person, at)
        else:
            then = people.merged(self._services, known, event.person, at)
        if unreachable(then) is None:
            return set()
        return {Verdict.NO_PHONE if then.phone is None else Verdict.BAD_PHONE}


def is_elsewhere(dose: Any, own_facility: str | None) -> bool:
    """Whether a dose that we know is none of the facility that uploads."""
    return dose is not None and own_facility is not None and dose.facility_id != own_facility


def _opened(conn: Connection, services: Services, ids: set[str]) -> dict[str, Person]:
    try:
        return persons.load(conn, services.sealer, ids) if ids else {}
    except SealBroken:
        return {}  # the row's own recording will say so
