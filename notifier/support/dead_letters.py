"""Dead letters: events that could not be taken. Somebody opens one for a reason, corrects it and has it taken, or
discards it; the original stays, sealed, as evidence.

Replaying settles the letter and records the event in one transaction: of two who replay one wins, and a crash in
between leaves the letter where it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.errors import BadInput, Conflict, NotFound, Refused
from notifier.core.ids import new_ids, read_row_id
from notifier.core.states import DeadLetterStatus
from notifier.intake import readers
from notifier.intake.json_text import read_json
from notifier.intake.record import Door, Recorded, record_after
from notifier.services import Services
from notifier.store import audit, dead_letters, staff
from notifier.store.dead_letters import Row
from notifier.support.resend import read_reason

PAGE = 50
#: what a form can bring back; an event has a thousandth of it
MOST_EDITED = 40_000
_COMMONEST = 8
_BATCH, _MOST_AT_ONCE = 500, 20


@dataclass(frozen=True, slots=True)
class Alike:
    """Open letters with the same problems. `newest`: when the last of them came."""

    key: str
    problems: list[dict[str, str]]
    count: int
    newest: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A letter's body as text. `is_exact`: the bytes are that text; `is_short`: it fits a form."""

    text: str = field(repr=False)
    is_exact: bool
    is_short: bool


def listed(
    services: Services, *, status: DeadLetterStatus = DeadLetterStatus.OPEN, key: str | None = None, after: str | None
) -> tuple[list[Row], bool]:
    """Up to PAGE letters, oldest first, and whether more follow."""
    with services.db.read() as conn:
        rows = dead_letters.listed(
            conn, status=status, limit=PAGE + 1, problem_key=key, after=read_row_id(after) if after else None
        )
    return rows[:PAGE], len(rows) > PAGE


def commonest(services: Services) -> list[Alike]:
    """The problems that most open letters have."""
    with services.db.read() as conn:
        groups = dead_letters.commonest(conn, _COMMONEST)
        problems = {row.problem_key: dead_letters.problems_of(conn, row.problem_key) for row in groups}
    return [Alike(row.problem_key, problems[row.problem_key], row.letters, row.newest) for row in groups]


def find(services: Services, row_id: str) -> tuple[Row, str | None]:
    """A letter without its body, and what the colleague who settled it is called. Raises NotFound."""
    with services.db.read() as conn:
        row = _find(conn, row_id)
        by = row.settled_by or ""
        names = staff.names(conn, [by.removeprefix("staff:")]) if by.startswith("staff:") else {}
    return row, next(iter(names.values()), None)


def show(services: Services, row_id: str, *, reason: str, actor: str) -> Opened:
    """What came, once the audit says who looked and why. Raises NotFound, BadInput, SealBroken."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        row = _find(conn, row_id)
        body = dead_letters.body(conn, services.sealer, row.id)
        _audit(conn, services, row.id, "dead-letter.revealed", actor, reason=reason)
    return _readable(body)


def replay(services: Services, row_id: str, text: str, *, reason: str, actor: str) -> Recorded:
    """Has the event taken as it stands in `text`, through the door at which it came. Raises NotFound, BadInput (of the
    event's fields, of `event_id` where it came before with other content, of `reason`), Refused (`settled-meanwhile`);
    nothing was written then."""
    reason = read_reason(reason)
    with services.db.read() as conn:
        row = _find(conn, row_id)
    if len(text) > MOST_EDITED:
        raise BadInput.of("body", "too-large", f"write at most {MOST_EDITED} characters")
    event = readers.from_json(services, text.encode())

    def settle(conn: Connection) -> None:
        _settle(conn, services, row.id, DeadLetterStatus.ACCEPTED, actor)
        dead_letters.note_event(conn, row.id, event.event_id)
        _audit(conn, services, row.id, "dead-letter.replayed", actor, reason=reason)

    try:
        return record_after(services, event, settle, door=Door(row.door), actor=actor)
    except Conflict:
        conflict = ("event_id", "conflict", "this event id came before with other content; write another one")
    raise BadInput.of(*conflict)


def discard(services: Services, row_id: str, *, reason: str, actor: str) -> None:
    """Nothing is to be taken from it. Raises NotFound, BadInput, Refused (`settled-meanwhile`)."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        row = _find(conn, row_id)
        _settle(conn, services, row.id, DeadLetterStatus.DISCARDED, actor)
        _audit(conn, services, row.id, "dead-letter.discarded", actor, reason=reason)


def discard_alike(services: Services, key: str, *, received_until: datetime, reason: str, actor: str) -> int:
    """Discards the open letters with the same problems that had come by a moment, in batches; how many. Raises
    BadInput."""
    reason, done = read_reason(reason), 0
    for _ in range(_MOST_AT_ONCE):
        with services.db.write() as conn:
            ids = dead_letters.settle_alike(
                conn,
                key,
                DeadLetterStatus.DISCARDED,
                received_until=received_until,
                by=actor,
                at=services.clock.now(),
                limit=_BATCH,
            )
            _audit_many(conn, services, ids, actor, reason)
        done += len(ids)
        if len(ids) < _BATCH:
            break
    return done


def _find(conn: Connection, row_id: str) -> Row:
    known = read_row_id(row_id)
    row = dead_letters.find(conn, known) if known else None
    if row is None:
        raise NotFound("there is no such dead letter")
    return row


def _settle(conn: Connection, services: Services, row_id: str, status: DeadLetterStatus, actor: str) -> None:
    if not dead_letters.settle(conn, row_id, status, by=actor, at=services.clock.now()):
        raise Refused("settled-meanwhile")


def _readable(body: bytes) -> Opened:
    try:
        text, is_exact = body.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        text, is_exact = body.decode("utf-8", "replace"), False
    # only what reads one way is laid out anew: of a key that stands twice one would be lost
    with suppress(BadInput):
        text = json.dumps(read_json(body, limit=MOST_EDITED), ensure_ascii=False, indent=2)
    return Opened(text[:MOST_EDITED], is_exact, len(text) <= MOST_EDITED)


def _audit(conn: Connection, services: Services, row_id: str, action: str, actor: str, **detail: str) -> None:
    audit.write(
        conn,
        at=services.clock.now(),
        actor=actor,
        action=action,
        subject="dead-letter",
        subject_id=row_id,
        **detail,
    )


def _audit_many(conn: Connection, services: Services, ids: Sequence[str], actor: str, reason: str) -> None:
    at = services.clock.now()
    detail: dict[str, str | int | None] = {"reason": reason, "alike": len(ids)}
    about: dict[str, str] = {"actor": actor, "action": "dead-letter.discarded", "subject": "dead-letter"}
    rows = [
        audit.new_row(row_id=new, at=at, subject_id=one, detail=detail, **about)
        for one, new in zip(ids, new_ids(len(ids)), strict=True)
    ]
    audit.write_many(conn, rows)
