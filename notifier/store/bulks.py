"""Bulk resends: their rows, the doses in them, and what became of those. Every change of a bulk's state is a
compare-and-set, so that of two at once one wins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.bulks import BulkState, ItemState
from notifier.core.ids import new_id, new_reference
from notifier.core.states import NOT_LEFT, Reason, State
from notifier.store.bulk import among, insert_rows
from notifier.store.engine import Lease
from notifier.store.notifications import NO_LEASE, check_moves
from notifier.store.tables import bulk, bulk_item, bulk_schedule, notification

Row = sa.Row[Any]
_RUNNING = sa.text("bulk.state = 'running'")  # literal: a bound parameter would not match the partial index
_UNDECIDED = sa.text("bulk_item.state = 'waiting'")


def add(conn: Connection, *, state: BulkState, at: datetime, **values: Any) -> Row | None:
    """Adds a bulk; None where its reference is taken, or its schedule has one for the day."""
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    row = {"id": new_id(), "reference": new_reference(), "state": state.value, "created_at": at, **values}
    statement = build(bulk).values(**row).on_conflict_do_nothing()
    return conn.execute(statement.returning(bulk)).first()


def find(conn: Connection, reference: str) -> Row | None:
    """The bulk with a reference, with its schedule's as `schedule_reference`."""
    return conn.execute(_with_schedule().where(bulk.c.reference == reference)).first()


def listed(conn: Connection, *, limit: int, before: str | None = None, schedule_id: str | None = None) -> list[Row]:
    """Bulks, newest first; `before`: only those older than this reference."""
    statement = _with_schedule().order_by(bulk.c.created_at.desc(), bulk.c.id.desc())
    if schedule_id is not None:
        statement = statement.where(bulk.c.schedule_id == schedule_id)
    if before is not None:
        mark = sa.select(bulk.c.created_at, bulk.c.id).where(bulk.c.reference == before).cte()
        key = sa.tuple_(sa.select(mark.c.created_at).scalar_subquery(), sa.select(mark.c.id).scalar_subquery())
        statement = statement.where(sa.tuple_(bulk.c.created_at, bulk.c.id) < key)
    return list(conn.execute(statement.limit(limit)))


def count_asked(conn: Connection) -> int:
    """How many wait for a second person."""
    statement = sa.select(sa.func.count()).select_from(bulk).where(bulk.c.state == BulkState.ASKED.value)
    return conn.scalar(statement) or 0


def move(conn: Connection, bulk_id: str, new: BulkState, *, old: Collection[BulkState], **values: Any) -> bool:
    """`old -> new` where it still stands in one of `old`. A worker that has it finds its lease gone."""
    statement = bulk.update().where(bulk.c.id == bulk_id, bulk.c.state.in_([state.value for state in old]))
    changed = conn.execute(statement.values(state=new.value, **NO_LEASE, **values))
    return changed.rowcount == 1


def states_of(conn: Connection, ids: Collection[str]) -> dict[str, str]:
    """The states of some bulks, by id."""
    statement = sa.select(bulk.c.id, bulk.c.state).where(bulk.c.id.in_(list(ids)))
    return {row.id: row.state for row in conn.execute(statement)}


def due(at: datetime, now: Any) -> sa.Select[Any]:
    """The bulks that wait for a worker, as a question (`several.any_of`). `now`: what leases are measured by."""
    return sa.select(bulk.c.id).where(_RUNNING, bulk.c.look_at <= at, _is_free(now))


def due_days(at: datetime) -> sa.Select[Any]:
    """The schedules of which a day's bulk is to be made."""
    return sa.select(bulk_schedule.c.id).where(sa.text("bulk_schedule.state = 'active'"), bulk_schedule.c.next_at <= at)


def claim(conn: Connection, *, at: datetime, token: str, lease: Lease) -> Row | None:
    """Takes the bulk that has waited longest under a lease; no bulk goes to two workers."""
    due = (
        sa.select(bulk.c.id)
        .where(_RUNNING, bulk.c.look_at <= at, _is_free(lease.now))
        .order_by(bulk.c.look_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = bulk.update().where(bulk.c.id.in_(sa.select(due.c.id)), _RUNNING)
    return conn.execute(statement.values(lease_token=token, lease_until=lease.until).returning(bulk)).first()


def renew(conn: Connection, bulk_id: str, *, token: str, lease: Lease) -> Row | None:
    """The bulk, with a fresh lease, kept from changing until the transaction ends; None where it is not ours any more,
    or was paused or cancelled."""
    statement = bulk.update().where(bulk.c.id == bulk_id, _RUNNING, bulk.c.lease_token == token)
    return conn.execute(statement.values(lease_until=lease.until).returning(bulk)).first()


def let_go(conn: Connection, bulk_id: str, *, token: str, look_at: datetime) -> None:
    """Gives a bulk back until `look_at`."""
    statement = bulk.update().where(bulk.c.id == bulk_id, bulk.c.lease_token == token)
    conn.execute(statement.values(look_at=look_at, **NO_LEASE))


def note_gathered(conn: Connection, bulk_id: str, *, cursor: str | None, gathered_at: datetime | None) -> None:
    """How far the gathering has come; `gathered_at`: it is through."""
    conn.execute(bulk.update().where(bulk.c.id == bulk_id).values(cursor=cursor, gathered_at=gathered_at))


def add_items(conn: Connection, bulk_id: str, rows: Sequence[Row], *, not_before: datetime) -> None:
    """Adds doses (`bulk_facts.gathered`)."""
    insert_rows(
        conn,
        bulk_item,
        [
            {
                "bulk_id": bulk_id,
                "dose_id": row.dose_id,
                "notification_id": row.id,
                "state": (ItemState.EXCLUDED if row.reason else ItemState.WAITING).value,
                "reason": row.reason,
                "not_before": not_before,
            }
            for row in rows
        ],
    )


def next_items(conn: Connection, bulk_id: str, *, at: datetime, limit: int) -> list[Row]:
    """The doses that are to be decided about now, those that have waited longest first."""
    statement = sa.select(bulk_item).where(bulk_item.c.bulk_id == bulk_id, _UNDECIDED, bulk_item.c.not_before <= at)
    return list(conn.execute(statement.order_by(bulk_item.c.not_before, bulk_item.c.dose_id).limit(limit)))


def next_moment(conn: Connection, bulk_id: str) -> datetime | None:
    """When the next dose may be decided about; None where all are."""
    statement = sa.select(bulk_item.c.not_before).where(bulk_item.c.bulk_id == bulk_id, _UNDECIDED)
    found: datetime | None = conn.scalar(statement.order_by(bulk_item.c.not_before).limit(1))
    return found


def settle_items(conn: Connection, bulk_id: str, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes what was decided, by dose: columns of the item. The caller holds the bulk (`renew`)."""
    for columns in {tuple(sorted(values)) for values in changes.values()}:
        group = [(dose_id, values) for dose_id, values in changes.items() if tuple(sorted(values)) == columns]
        statement = bulk_item.update().where(
            bulk_item.c.bulk_id == bulk_id, bulk_item.c.dose_id == sa.bindparam("of_dose"), _UNDECIDED
        )
        conn.execute(
            statement.values({name: sa.bindparam(f"new_{name}") for name in columns}),
            [{"of_dose": dose_id, **{f"new_{name}": values[name] for name in columns}} for dose_id, values in group],
        )


def count_messages(conn: Connection, bulk_id: str, states: Collection[State]) -> int:
    """How many of a bulk's new messages stand in some states."""
    statement = sa.select(sa.func.count()).where(
        notification.c.bulk_id == bulk_id, notification.c.status.in_([state.value for state in states])
    )
    return conn.scalar(statement) or 0


def persons_with_message(conn: Connection, bulk_id: str, person_ids: Collection[str], *, since: datetime) -> set[str]:
    """Those of some persons to whom a message of the bulk waits, or has left since a moment and may be there."""
    waits = notification.c.status.in_([state.value for state in (*NOT_LEFT, State.SENDING)])
    never_came = notification.c.status.in_([State.UNDELIVERED.value, State.FAILED.value])
    statement = sa.select(notification.c.person_id).where(
        notification.c.bulk_id == bulk_id,
        among(conn, notification.c.person_id, list(person_ids)),
        sa.or_(waits, sa.and_(~never_came, notification.c.left_at >= since)),
    )
    return set(conn.scalars(statement))


def tally(conn: Connection, bulk_id: str) -> tuple[dict[tuple[str, str | None], int], dict[str, int]]:
    """How many doses stand where: (item state, reason) of all, and the message states of those that were planned."""
    items = sa.select(bulk_item.c.state, bulk_item.c.reason, sa.func.count()).where(bulk_item.c.bulk_id == bulk_id)
    messages = sa.select(notification.c.status, sa.func.count()).where(notification.c.bulk_id == bulk_id)
    return (
        {
            (state, reason): count
            for state, reason, count in conn.execute(items.group_by(bulk_item.c.state, bulk_item.c.reason))
        },
        {status: count for status, count in conn.execute(messages.group_by(notification.c.status))},
    )


def move_messages(
    conn: Connection,
    bulk_id: str,
    new: State,
    *,
    old: Collection[State],
    at: datetime,
    reason: Reason | None,
    only: Reason | None = None,
    **values: Any,
) -> int:
    """`old -> new` for those of a bulk's messages that still stand in one of `old` (with the reason `only`); how many.
    What a worker has claimed is taken from it. Raises ValueError for a pair that the table of moves does not allow."""
    check_moves(old, new)
    statement = notification.update().where(
        notification.c.bulk_id == bulk_id, notification.c.status.in_([state.value for state in old])
    )
    if only is not None:
        statement = statement.where(notification.c.reason == only.value)
    changed = conn.execute(
        statement.values(
            status=new.value,
            reason=reason.value if reason else None,
            updated_at=at,
            ended_at=at if new is State.CANCELLED else None,
            **NO_LEASE,
            **values,
        )
    )
    return changed.rowcount


def messages(
    conn: Connection, bulk_id: str, states: Collection[State], *, limit: int, after: str | None = None
) -> list[Row]:
    """A bulk's new messages in some states, in the order in which they were planned; `after`: past this reference."""
    statement = sa.select(notification).where(
        notification.c.bulk_id == bulk_id, notification.c.status.in_([state.value for state in states])
    )
    if after is not None:
        mark = sa.select(notification.c.id).where(notification.c.reference == after).scalar_subquery()
        statement = statement.where(notification.c.id > mark)
    return list(conn.execute(statement.order_by(notification.c.id).limit(limit)))


def items(
    conn: Connection,
    bulk_id: str,
    *,
    limit: int,
    state: ItemState | None = None,
    reason: str | None = None,
    after: str | None = None,
) -> list[Row]:
    """A bulk's doses in the order of their ids, of one state and reason or all: `dose_id`, `state`, `reason`, the
    `reference` of the message that is answered, and `new_reference`, `new_status`, `new_reason` of the new one."""
    old, new = notification.alias("old"), notification.alias("new")
    statement = (
        sa.select(
            bulk_item.c.dose_id,
            bulk_item.c.state,
            bulk_item.c.reason,
            old.c.reference,
            new.c.reference.label("new_reference"),
            new.c.status.label("new_status"),
            new.c.reason.label("new_reason"),
        )
        .outerjoin(old, old.c.id == bulk_item.c.notification_id)
        .outerjoin(new, new.c.id == bulk_item.c.new_notification_id)
        .where(bulk_item.c.bulk_id == bulk_id)
    )
    for column, value in ((bulk_item.c.state, state), (bulk_item.c.reason, reason)):
        statement = statement.where(column == value) if value is not None else statement
    if after is not None:
        statement = statement.where(bulk_item.c.dose_id > after)
    return list(conn.execute(statement.order_by(bulk_item.c.dose_id).limit(limit)))


def _with_schedule() -> sa.Select[Any]:
    schedule = bulk_schedule.c.reference.label("schedule_reference")
    return sa.select(bulk, schedule).outerjoin(bulk_schedule, bulk_schedule.c.id == bulk.c.schedule_id)


def _is_free(now: Any) -> sa.ColumnElement[bool]:
    return sa.or_(bulk.c.lease_until.is_(None), bulk.c.lease_until <= now)
