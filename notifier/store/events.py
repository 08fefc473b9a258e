"""The inbox: one row an event id, for ever, and the dead letters beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.errors import Problem
from notifier.core.ids import new_id
from notifier.core.states import DeadLetterStatus
from notifier.store.bulk import among, insert_rows
from notifier.store.sealed import Sealer
from notifier.store.tables import dead_letter, event

PENDING = "pending"


def insert_new(conn: Connection, table: sa.Table, values: dict[str, Any], *key: str) -> bool:
    """INSERT ... ON CONFLICT (key) DO NOTHING; whether the row is new. A concurrent insert of the key is waited for."""
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = build(table).values(**values).on_conflict_do_nothing(index_elements=list(key))
    return conn.execute(statement.returning(sa.literal(1))).first() is not None


def claim_id(
    conn: Connection,
    *,
    event_id: str,
    event_type: str,
    content_index: bytes,
    door: str,
    at: datetime,
    recorded_at: datetime | None,
) -> str | None:
    """Takes an event id for the caller's transaction: the new row's id, or None where the event came before."""
    row_id = new_id()
    values = {
        "id": row_id,
        "event_id": event_id,
        "event_type": event_type,
        "content_index": content_index,
        "door": door,
        "accepted_at": at,
        "recorded_at": recorded_at,
        "outcome": PENDING,
    }
    return row_id if insert_new(conn, event, values, "event_id") else None


def find(conn: Connection, event_id: str) -> sa.Row[Any] | None:
    """The event of that id."""
    return conn.execute(sa.select(event).where(event.c.event_id == event_id)).first()


def count_of_dose(conn: Connection, dose_id: str) -> int:
    """How many events have told of a dose."""
    return conn.scalar(sa.select(sa.func.count()).select_from(event).where(event.c.dose_id == dose_id)) or 0


def settle(
    conn: Connection, row_id: str, *, outcome: str, reason: str | None, dose_id: str, notification_id: str | None
) -> None:
    """Writes what became of an event."""
    conn.execute(
        event.update()
        .where(event.c.id == row_id)
        .values(outcome=outcome, reason=reason, dose_id=dose_id, notification_id=notification_id)
    )


def count_by_outcome(conn: Connection) -> dict[str, int]:
    """How many events ended how."""
    rows = conn.execute(sa.select(event.c.outcome, sa.func.count()).group_by(event.c.outcome))
    return {outcome: count for outcome, count in rows}


def unaccounted(conn: Connection) -> int:
    """Accepted events with neither a notification nor a recorded outcome. Always 0, or something is wrong."""
    return conn.scalar(sa.select(sa.func.count()).select_from(event).where(event.c.outcome == PENDING)) or 0


def add_dead_letter(
    conn: Connection, sealer: Sealer, *, door: str, body: bytes, problems: Sequence[Problem], at: datetime
) -> bool:
    """Keeps what could not be accepted, sealed, with the reasons; whether it is new. The same again raises `times`."""
    row_id, index = new_id(), sealer.index("dead_letter.body", body)
    values = {
        "id": row_id,
        "door": door,
        "received_at": at,
        "problems": [{"field": p.field, "rule": p.rule, "detail": p.detail} for p in problems],
        "body_index": index,
        "body_sealed": sealer.seal("dead_letter:body", row_id, body),
        "status": DeadLetterStatus.OPEN.value,
        "problem_key": problem_key(problems),
    }
    if insert_new(conn, dead_letter, values, "body_index"):
        return True
    again = dead_letter.update().where(dead_letter.c.body_index == index)
    conn.execute(again.values(times=dead_letter.c.times + 1, status=DeadLetterStatus.OPEN.value))
    return False


def problem_key(problems: Sequence[Problem]) -> str:
    """The same for dead letters with the same faults in the same fields."""
    return hashlib.sha256(json.dumps(sorted({(p.field, p.rule) for p in problems})).encode()).hexdigest()


def count_dead_letters(conn: Connection) -> int:
    """Dead letters that wait for somebody."""
    is_open = dead_letter.c.status == sa.literal_column("'open'")  # a parameter would not match the partial index
    return conn.scalar(sa.select(sa.func.count()).select_from(dead_letter).where(is_open)) or 0


def insert_settled(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds events with their final outcome. Raises IntegrityError where an event id came before."""
    insert_rows(conn, event, rows)


def find_each(conn: Connection, event_ids: Collection[str]) -> dict[str, sa.Row[Any]]:
    """Those of the events that came before, by event id."""
    return {row.event_id: row for row in conn.execute(sa.select(event).where(among(conn, event.c.event_id, event_ids)))}
