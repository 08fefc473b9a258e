"""What people ask to have corrected of their own data: sealed values, and where each request stands.

`facility_id` None means every facility; the narrowing is in the query, so that no page can forget it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.own_corrections import OPEN, Field, How, RequestState
from notifier.store.sealed import Sealer
from notifier.store.tables import correction_request

Row = sa.Row[Any]
MOST_COUNTED = 5_000
_IS_OPEN = sa.text("decided_at IS NULL")  # literal: a bound parameter would not match the partial index
_VALUE, _OLD = "correction_request:value", "correction_request:old"
_CLAIM, _EVIDENCE = "correction_request:claim", "correction_request:evidence"


@dataclass(frozen=True, slots=True)
class Values:
    """What a request holds about somebody. `value`, `old`: a name, 16 digits, YYYY-MM-DD or E.164; None where nothing
    is recorded, or it was taken away in time. `claim`: who they said they are, where nothing proved it."""

    value: str | None = field(repr=False)
    old: str | None = field(repr=False)
    claim: dict[str, str] = field(repr=False)


def insert_new(conn: Connection, sealer: Sealer, values: Values, *, row_id: str, **columns: Any) -> Row | None:
    """Adds a request; None where one about the same field of the same person is open. A concurrent one is waited
    for."""
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    sealed = {
        "value_sealed": _sealed(sealer, _VALUE, row_id, values.value),
        "old_sealed": _sealed(sealer, _OLD, row_id, values.old),
        "claim_sealed": _sealed(sealer, _CLAIM, row_id, json.dumps(values.claim) if values.claim else None),
    }
    statement = build(correction_request).values(id=row_id, **sealed, **columns)
    return conn.execute(statement.on_conflict_do_nothing().returning(correction_request)).first()


def values_of(sealer: Sealer, row: Row) -> Values:
    """A request, opened. Raises SealBroken."""
    claim = _opened(sealer, _CLAIM, row.id, row.claim_sealed)
    return Values(
        value=_opened(sealer, _VALUE, row.id, row.value_sealed),
        old=_opened(sealer, _OLD, row.id, row.old_sealed),
        claim=json.loads(claim) if claim else {},
    )


def get(conn: Connection, row_id: str, *, lock: bool = False) -> Row | None:
    """A request by its row. `lock`: kept from changing until the transaction ends."""
    return _one(conn, sa.select(correction_request).where(correction_request.c.id == row_id), lock)


def find(conn: Connection, reference: str, facility_id: str | None, *, lock: bool = False) -> Row | None:
    """The request with a reference, as far as the facility's staff may see it."""
    statement = sa.select(correction_request).where(correction_request.c.reference == reference)
    return _one(conn, _narrowed(statement, facility_id), lock)


def find_objection(conn: Connection, objection_id: str) -> Row | None:
    """The request whose notice to the old number bears this public id."""
    return _one(conn, sa.select(correction_request).where(correction_request.c.objection_id == objection_id), False)


def objection_ids(conn: Connection, row_ids: Collection[str]) -> dict[str, str]:
    """The public ids by which old numbers object, by request."""
    statement = sa.select(correction_request.c.id, correction_request.c.objection_id)
    rows = conn.execute(statement.where(correction_request.c.id.in_(list(row_ids))))
    return {row.id: row.objection_id for row in rows if row.objection_id}


def of_person(conn: Connection, person_id: str, limit: int = 20) -> list[Row]:
    """A person's requests, newest first."""
    statement = sa.select(correction_request).where(correction_request.c.person_id == person_id)
    newest = statement.order_by(correction_request.c.asked_at.desc(), correction_request.c.id.desc())
    return list(conn.execute(newest.limit(limit)))


def asked_since(conn: Connection, person_id: str, since: datetime) -> list[datetime]:
    """When a person asked, since a moment, oldest first."""
    statement = sa.select(correction_request.c.asked_at).where(
        correction_request.c.person_id == person_id, correction_request.c.asked_at > since
    )
    return list(conn.scalars(statement.order_by(correction_request.c.asked_at)))


def count_open(conn: Connection, person_id: str) -> int:
    """How many of a person's requests are open."""
    mine = correction_request.c.person_id == person_id
    return conn.scalar(sa.select(sa.func.count()).select_from(correction_request).where(mine, _IS_OPEN)) or 0


def last_how(conn: Connection, person_id: str, about: Field) -> How | None:
    """By what a field of a person was last corrected at their own wish."""
    statement = sa.select(correction_request.c.decided_how).where(
        correction_request.c.person_id == person_id,
        correction_request.c.field == about.value,
        correction_request.c.state == RequestState.DONE.value,
    )
    newest = statement.order_by(correction_request.c.decided_at.desc(), correction_request.c.id.desc())
    found = conn.scalar(newest.limit(1))
    return How(found) if found else None


def move(conn: Connection, row_id: str, new: RequestState, *, old: Collection[RequestState], **columns: Any) -> bool:
    """Moves a request on, by compare-and-set; False where it stood elsewhere."""
    statement = correction_request.update().where(
        correction_request.c.id == row_id, correction_request.c.state.in_([state.value for state in old])
    )
    return conn.execute(statement.values(state=new.value, **columns)).rowcount == 1


def note(conn: Connection, row_id: str, **columns: Any) -> None:
    """Writes down something about a request that does not move it."""
    conn.execute(correction_request.update().where(correction_request.c.id == row_id).values(**columns))


def keep_old(conn: Connection, sealer: Sealer, row_id: str, old: str | None) -> None:
    """What is on file, of a request whose person was not known when it was asked."""
    note(conn, row_id, old_sealed=_sealed(sealer, _OLD, row_id, old))


def is_waited_for(conn: Connection, number_index: bytes) -> bool:
    """Whether a request waits for this new number's code."""
    statement = sa.select(correction_request.c.id).where(
        correction_request.c.number_index == number_index,
        correction_request.c.state == RequestState.NUMBER.value,
    )
    return conn.execute(statement.limit(1)).first() is not None


def follow_number(conn: Connection, person_id: str, *, old: bytes, new: bytes) -> None:
    """The open requests of a person that were asked from one number (blind indexes) are from another one now."""
    mine = sa.and_(correction_request.c.person_id == person_id, correction_request.c.field != Field.PHONE.value)
    statement = correction_request.update().where(mine, _IS_OPEN, correction_request.c.number_index == old)
    conn.execute(statement.values(number_index=new))


def seal_evidence(sealer: Sealer, row_id: str, picture: bytes) -> bytes:
    """The picture of a card as it is kept."""
    return sealer.seal(_EVIDENCE, row_id, picture)


def evidence_of(sealer: Sealer, row: Row) -> bytes | None:
    """The picture again; None where there is none. Raises SealBroken."""
    return sealer.open_bytes(_EVIDENCE, row.id, row.evidence_sealed) if row.evidence_sealed is not None else None


def listed(
    conn: Connection, *, state: RequestState | None, facility_id: str | None, limit: int, after: str | None = None
) -> list[Row]:
    """Open requests, or those of one state, that wait longest first; of an end, the newest first. `after`: only those
    that follow this reference."""
    table = correction_request.c
    is_ended = state is not None and state not in OPEN
    statement = _narrowed(sa.select(correction_request), facility_id)
    statement = statement.where(table.state == state.value) if state else statement.where(_IS_OPEN)
    moment = table.decided_at if is_ended else table.asked_at
    if after is not None:
        mark = sa.select(moment, table.id).where(table.reference == after).cte()
        at, row_id = (sa.select(mark.c[index]).scalar_subquery() for index in (0, 1))
        past, tie = (moment < at, table.id < row_id) if is_ended else (moment > at, table.id > row_id)
        statement = statement.where(sa.or_(past, sa.and_(moment == at, tie)))
    order = (moment.desc(), table.id.desc()) if is_ended else (moment, table.id)
    return list(conn.execute(statement.order_by(*order).limit(limit)))


def waiting(conn: Connection, facility_id: str | None, states: Collection[RequestState]) -> tuple[int, datetime | None]:
    """(how many requests wait for staff, counted no further than MOST_COUNTED; since when the oldest does)."""
    open_ones = sa.select(correction_request.c.asked_at).where(
        _IS_OPEN, correction_request.c.state.in_([state.value for state in states])
    )
    some = _narrowed(open_ones, facility_id).order_by(correction_request.c.asked_at).limit(MOST_COUNTED).subquery()
    count, oldest = conn.execute(sa.select(sa.func.count(), sa.func.min(some.c.asked_at)).select_from(some)).one()
    return count, oldest


def ended(at: datetime, by: str, **more: Any) -> Mapping[str, Any]:
    """The columns of an end: nothing waits any more, and no picture is kept."""
    return {"decided_at": at, "decided_by": by, "evidence_sealed": None, "number_index": None, **more}


def _one(conn: Connection, statement: sa.Select[Any], lock: bool) -> Row | None:
    return conn.execute(statement.with_for_update() if lock else statement).first()


def _narrowed(statement: sa.Select[Any], facility_id: str | None) -> sa.Select[Any]:
    return statement if facility_id is None else statement.where(correction_request.c.facility_id == facility_id)


def _sealed(sealer: Sealer, place: str, row_id: str, value: str | None) -> bytes | None:
    return None if value is None else sealer.seal(place, row_id, value)


def _opened(sealer: Sealer, place: str, row_id: str, sealed: bytes | None) -> str | None:
    return None if sealed is None else sealer.open(place, row_id, sealed)
