"""What the registry is to be told, written in the transaction that changed it: ids and names of fields, never a value.

A row is told by the queue, by the webhook, or by both, at least once each; its id is the event's, by which a copy is
known. Whoever takes a row moves its next try on by a lease: a worker that dies gives it back when that is over.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import DoseStatus, RegistryEvent
from notifier.store.bulk import among
from notifier.store.tables import dose, registry_outbox

Row = sa.Row[Any]
#: longer than a batch can take, each of it at the webhook's time-out
LEASE = timedelta(minutes=5)
# literal: a bound parameter would not match the partial indexes
_WAITS = sa.text("registry_outbox.done_at IS NULL AND registry_outbox.stuck_at IS NULL")
_TROUBLE = sa.text("registry_outbox.done_at IS NULL AND registry_outbox.alarmed_at IS NOT NULL")


def add(conn: Connection, kind: RegistryEvent, subject_id: str, at: datetime, *, fields: Collection[str] = ()) -> None:
    """Tells the registry, as soon as the caller's transaction is committed, that something was changed here. `fields`:
    names of what changed. What still waits about the same subject, and was not tried yet, takes the names in: one event
    for two changes."""
    same = sa.and_(registry_outbox.c.subject_id == subject_id, registry_outbox.c.kind == kind.value)
    mine = sa.select(registry_outbox).where(same, registry_outbox.c.attempts == 0, _WAITS)
    waiting = conn.execute(mine.with_for_update(skip_locked=True)).first()
    if waiting is not None:
        names = sorted({*waiting.fields, *fields})
        untouched = sa.and_(registry_outbox.c.id == waiting.id, registry_outbox.c.attempts == 0)
        if conn.execute(registry_outbox.update().where(untouched).values(fields=names)).rowcount:
            return
    row = {"id": new_id(), "kind": kind.value, "subject_id": subject_id, "fields": sorted(fields)}
    conn.execute(registry_outbox.insert(), {**row, "created_at": at, "due_at": at, "attempts": 0})


def find(conn: Connection, row_id: str) -> Row | None:
    """One event, told or not."""
    return conn.execute(sa.select(registry_outbox).where(registry_outbox.c.id == row_id)).first()


def due(at: datetime) -> sa.Select[Any]:
    """What is to be told by now, as a question (`several.any_of`)."""
    return sa.select(registry_outbox.c.id).where(_WAITS, registry_outbox.c.due_at <= at)


def take(conn: Connection, at: datetime, limit: int) -> list[Row]:
    """What is due, oldest first, for one try; nobody else is given it until the lease is over."""
    some = (
        due(at)
        .order_by(registry_outbox.c.due_at, registry_outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("some")
    )
    taken = (
        registry_outbox.update()
        .where(registry_outbox.c.id.in_(sa.select(some.c.id)))
        .values(due_at=at + LEASE, attempts=registry_outbox.c.attempts + 1)
        .returning(registry_outbox)
    )
    return sorted(conn.execute(taken), key=lambda row: (row.created_at, row.id))


def told(conn: Connection, row_ids: Collection[str], **moments: datetime) -> None:
    """Keeps that a way (`queued_at`, `posted_at`) took them, or that they are done (`done_at`)."""
    conn.execute(registry_outbox.update().where(among(conn, registry_outbox.c.id, row_ids)).values(**moments))


def put_off(conn: Connection, row_id: str, *, until: datetime, problem: str) -> None:
    """Tries again later."""
    mine = registry_outbox.update().where(registry_outbox.c.id == row_id, registry_outbox.c.done_at.is_(None))
    conn.execute(mine.values(due_at=until, problem=problem))


def stuck(conn: Connection, row_id: str, *, at: datetime, problem: str) -> None:
    """It is refused for good: nobody tries again until an operator says so."""
    mine = registry_outbox.update().where(registry_outbox.c.id == row_id, registry_outbox.c.done_at.is_(None))
    conn.execute(mine.values(stuck_at=at, problem=problem))


def alarmed(conn: Connection, row_id: str, at: datetime) -> bool:
    """Somebody is told about this one; False where somebody was already."""
    quiet = registry_outbox.update().where(registry_outbox.c.id == row_id, registry_outbox.c.alarmed_at.is_(None))
    return conn.execute(quiet.values(alarmed_at=at)).rowcount == 1


def again(conn: Connection, row_ids: Collection[str], at: datetime) -> list[str]:
    """An operator says to try these again at once; which of them still wait."""
    mine = registry_outbox.update().where(
        among(conn, registry_outbox.c.id, row_ids), registry_outbox.c.done_at.is_(None)
    )
    return list(conn.scalars(mine.values(due_at=at, stuck_at=None, alarmed_at=None).returning(registry_outbox.c.id)))


def given_up(conn: Connection, row_ids: Collection[str], at: datetime) -> list[str]:
    """An operator says that the registry was told otherwise; which of them still waited."""
    mine = registry_outbox.update().where(
        among(conn, registry_outbox.c.id, row_ids), registry_outbox.c.done_at.is_(None)
    )
    return list(conn.scalars(mine.values(done_at=at, problem="given-up").returning(registry_outbox.c.id)))


def in_trouble(conn: Connection, limit: int) -> list[Row]:
    """What somebody must look at, oldest first."""
    statement = sa.select(registry_outbox).where(_TROUBLE)
    return list(conn.execute(statement.order_by(registry_outbox.c.created_at, registry_outbox.c.id).limit(limit)))


def count_trouble(conn: Connection, most: int) -> tuple[int, datetime | None]:
    """How much of that there is, counted no further than `most`, and since when the oldest waits."""
    some = sa.select(registry_outbox.c.created_at).where(_TROUBLE).limit(most).subquery()
    count, oldest = conn.execute(sa.select(sa.func.count(), sa.func.min(some.c.created_at)).select_from(some)).one()
    return count, oldest


def doses_of(conn: Connection, rows: Sequence[Row]) -> dict[str, list[str]]:
    """The registry's own ids of the doses that events are about, by the event's subject: a person's, or the dose's own.
    Ids that were wiped are left out."""
    of_person = [row.subject_id for row in rows if row.kind == RegistryEvent.PERSON_CORRECTED]
    of_dose = [row.subject_id for row in rows if row.kind != RegistryEvent.PERSON_CORRECTED]
    given = dose.c.status == DoseStatus.GIVEN.value
    theirs = sa.select(dose.c.person_id.label("subject"), dose.c.source_id, dose.c.created_at).where(given)
    own = sa.select(dose.c.id.label("subject"), dose.c.source_id, dose.c.created_at)
    found: dict[str, list[str]] = {}
    for statement, column, ids in ((theirs, dose.c.person_id, of_person), (own, dose.c.id, of_dose)):
        if ids:
            ordered = statement.where(among(conn, column, ids)).order_by(dose.c.created_at, dose.c.id)
            for row in conn.execute(ordered):
                if not row.source_id.startswith("erased:"):
                    found.setdefault(row.subject, []).append(row.source_id)
    return found


def drop_about(conn: Connection, subject_ids: Collection[str]) -> int:
    """Takes away what was to be told, or was told, about some subjects."""
    return conn.execute(registry_outbox.delete().where(among(conn, registry_outbox.c.subject_id, subject_ids))).rowcount
