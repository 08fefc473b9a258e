"""What auditors look up: who did what, when, to which message, case, key or account; and whether the chain holds.

The audit holds no personal data of those who were vaccinated, so an auditor sees all of it and still not to whom.
"""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from notifier.core.csv_cells import harmless
from notifier.core.errors import BadInput, Problem
from notifier.core.ids import read_reference
from notifier.services import Services
from notifier.store import api_keys, audit, audit_chain, audit_lists, cases, notifications, staff

PAGE = 50
MOST_EXPORTED = 100_000
_CHUNK = 1000
_ACTION = re.compile(r"[a-z0-9.-]{1,60}", re.ASCII)
_ACTOR = re.compile(r"system|(?:staff|key|door|command):[!-~]{1,130}", re.ASCII)
_COLUMNS = ("at", "actor", "name", "action", "subject", "subject_id", "detail", "position")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which deeds are looked for. `actor` and `action` as the audit names them; `subject`: as it was typed; the days
    are the reader's, both included."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """One row. `who`: the name of a staff member, else what follows the colon; `kind`: what stands before it."""

    row: audit_lists.Row
    kind: str
    who: str

    @property
    def detail(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.row.detail.items()}

    @property
    def word(self) -> str:
        """The deed as the tables of words name it."""
        return str(self.row.action).replace(".", "-")


def read_filter(services: Services, told: dict[str, str]) -> Filter:
    """What somebody typed: `actor` is a user name, an API key's prefix or an actor of the audit. Raises BadInput with
    each field at fault."""
    problems: list[Problem] = []
    found: dict[str, Any] = {}
    with services.db.read() as conn:
        readers = {"actor": _actor, "action": _action, "subject": _subject, "since": _day, "until": _day}
        for name, reader in readers.items():
            text = told.get(name, "").strip()
            try:
                found[name] = reader(conn, name, text) if text else None
            except BadInput as bad:
                problems += bad.problems
    if not problems and found["since"] and found["until"] and found["until"] < found["since"]:
        problems.append(Problem("until", "before-since", "choose a day that is not before the first one"))
    if problems:
        raise BadInput(problems)
    return Filter(**found)


def listed(
    services: Services, wanted: Filter, zone: ZoneInfo, *, after: tuple[datetime, str] | None, limit: int = PAGE
) -> tuple[list[Deed], bool]:
    """Up to `limit` deeds, newest first, and whether older ones follow."""
    with services.db.read() as conn:
        ids = _ids(conn, wanted.subject) if wanted.subject else None
        rows = audit_lists.page(
            conn,
            actor=wanted.actor,
            action=wanted.action,
            subject_ids=ids,
            since=_start(wanted.since, zone),
            until=_start(wanted.until, zone, days=1),
            after=after,
            limit=limit + 1,
        )
        return _named(conn, rows[:limit]), len(rows) > limit


def actions(services: Services) -> list[str]:
    """Every kind of deed that was ever done, as the audit names it."""
    with services.db.read() as conn:
        return audit_lists.actions(conn)


def chain(services: Services) -> audit_chain.Overview:
    """Whether the chain holds, as far as upkeep has checked."""
    with services.db.read() as conn:
        return audit_chain.overview(conn)


def actor_text(services: Services, actor: str | None) -> str:
    """An actor as it is typed: a staff member's user name, else as the audit has it."""
    kind, _, name = (actor or "").partition(":")
    if kind != "staff" or not _is_id(name):
        return actor or ""
    with services.db.read() as conn:
        row = staff.get(conn, name)
    return row.username if row else actor or ""


def export(services: Services, wanted: Filter, zone: ZoneInfo, *, by: str) -> Iterator[bytes]:
    """The deeds as CSV, oldest last, at most MOST_EXPORTED; the export itself is a deed. Formulas are made harmless."""
    with services.db.write() as conn:
        audit.write(
            conn, at=services.clock.now(), actor=by, action="audit.exported", subject="audit", subject_id="audit"
        )
    return _lines(services, wanted, zone)


def _lines(services: Services, wanted: Filter, zone: ZoneInfo) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + _line(_COLUMNS)
    after, left = None, MOST_EXPORTED
    while left > 0:
        deeds, more = listed(services, wanted, zone, after=after, limit=min(_CHUNK, left))
        yield b"".join(_line(_cells(deed)) for deed in deeds)
        if not more:
            return
        left -= len(deeds)
        after = (deeds[-1].row.at, deeds[-1].row.id)
    yield _line(("", "", "", f"only the newest {MOST_EXPORTED} rows are here: narrow the days", "", "", "", ""))


def _cells(deed: Deed) -> Sequence[str]:
    row = deed.row
    detail = json.dumps(row.detail, ensure_ascii=False, sort_keys=True)
    place = str(row.position) if row.position is not None else ""
    return (row.at.isoformat(), row.actor, deed.who, row.action, row.subject, row.subject_id, detail, place)


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return text.getvalue().encode()


def _named(conn: Connection, rows: Sequence[audit_lists.Row]) -> list[Deed]:
    actors = {row.actor for row in rows}
    ids = {actor.removeprefix("staff:") for actor in actors if actor.startswith("staff:")}
    names = staff.names(conn, [one for one in ids if _is_id(one)]) if ids else {}
    deeds = []
    for row in rows:
        kind, _, name = row.actor.partition(":")
        deeds.append(Deed(row, kind, names.get(name, name) if kind == "staff" else name))
    return deeds


def _ids(conn: Connection, subject: str) -> list[str]:
    """What the audit may call the thing that somebody named."""
    message = notifications.find(conn, read_reference(subject))
    if message is not None:
        return [one for one in (message.id, message.dose_id) if one]
    case = cases.find_visible(conn, read_reference(subject), None)
    if case is not None:
        return [case.id]
    key = api_keys.find(conn, subject)
    if key is not None:
        return [key.id]
    person = staff.find(conn, subject.casefold())
    if person is not None:
        return [person.id]
    return [str(uuid.UUID(subject))] if _is_id(subject) else []


def _subject(conn: Connection, field: str, text: str) -> str:
    if len(text) <= 100 and text.isprintable() and _ids(conn, text):
        return text
    raise BadInput.of(field, "unknown-subject", "write a reference, a key's first letters or a user name")


def _actor(conn: Connection, field: str, text: str) -> str:
    if len(text) <= 140 and text.isprintable():
        person = staff.find(conn, text.casefold()) or _called(conn, text)
        if person is not None:
            return f"staff:{person.id}"
        key = api_keys.find(conn, text)
        if key is not None:
            return f"key:{key.prefix}"
        if _ACTOR.fullmatch(text):
            return text
    raise BadInput.of(field, "unknown-actor", "write the name of somebody of the staff, or a key's first letters")


def _called(conn: Connection, name: str) -> Any:
    """Whom colleagues call so, where it is one person alone."""
    same = [row for row in staff.everyone(conn) if row.display_name.casefold() == name.casefold()]
    return same[0] if len(same) == 1 else None


def _action(_conn: Connection, field: str, text: str) -> str:
    if _ACTION.fullmatch(text):
        return text
    raise BadInput.of(field, "choice", "choose one of the deeds")


def _day(_conn: Connection, field: str, text: str) -> date:
    try:
        found = date.fromisoformat(text)
        if date(2000, 1, 1) <= found <= date(9000, 1, 1):
            return found
    except ValueError:
        pass
    raise BadInput.of(field, "day", "choose a day")


def _start(day: date | None, zone: ZoneInfo, days: int = 0) -> datetime | None:
    return datetime.combine(day + timedelta(days=days), time.min, zone) if day else None


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
