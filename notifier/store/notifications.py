"""Notifications: the schedule itself. Every change of `status` is a compare-and-set UPDATE whose old states come from
core.states.MOVES."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id, new_reference
from notifier.core.states import FINAL, KIND_RULES, NOT_LEFT, Channel, Kind, Lane, Reason, State, may_move
from notifier.store.engine import Lease
from notifier.store.tables import dose, notification

Row = sa.Row[Any]
_NO_LEASE = {"lease_token": None, "lease_until": None}


def insert(conn: Connection, *, kind: Kind, status: State, lane: Lane, at: datetime, **values: Any) -> Row:
    """Adds a notification and answers its row. `values`: the other columns of the table."""
    row = {
        "id": new_id(),
        "reference": new_reference(),
        "kind": kind.value,
        "channel": Channel.SMS.value,
        "status": status.value,
        "lane": lane.value,
        "created_at": at,
        "updated_at": at,
        "ended_at": at if status in FINAL else None,
        "planned_for": values["due_at"],
        **values,
    }
    return conn.execute(notification.insert().returning(notification), row).one()


def next_generation(conn: Connection, dose_id: str, kind: Kind) -> int:
    """1 for the first message of its kind about a dose, then one more each time."""
    newest = sa.select(sa.func.max(notification.c.generation)).where(
        notification.c.dose_id == dose_id, notification.c.kind == kind.value
    )
    return (conn.scalar(newest) or 0) + 1


def find(conn: Connection, reference: str) -> Row | None:
    """The notification with a reference."""
    return conn.execute(sa.select(notification).where(notification.c.reference == reference)).first()


def get(conn: Connection, row_id: str) -> Row:
    return conn.execute(sa.select(notification).where(notification.c.id == row_id)).one()


def lock_newest(conn: Connection, dose_id: str) -> Row | None:
    """The newest notification about a dose, kept from moving until the caller's transaction ends: a sender that has
    read the old facts waits for it, and then finds its lease gone (`unclaim`)."""
    statement = sa.select(notification).where(notification.c.dose_id == dose_id)
    newest_first = statement.order_by(notification.c.created_at.desc(), notification.c.id.desc()).limit(1)
    return conn.execute(newest_first.with_for_update()).first()


def unclaim(conn: Connection, row_id: str, *, at: datetime) -> None:
    """Takes a claimed row from its worker, who may have read what has just changed; the next tick gives it out."""
    move(conn, [row_id], State.SCHEDULED, old=[State.CLAIMED], at=at)


def of_dose(conn: Connection, dose_id: str) -> list[Row]:
    """Every notification about a dose, newest first."""
    statement = sa.select(notification).where(notification.c.dose_id == dose_id)
    return list(conn.execute(statement.order_by(notification.c.created_at.desc(), notification.c.id.desc())))


def newest(conn: Connection, limit: int, states: Collection[State] = (), facility_id: str | None = None) -> list[Row]:
    """The newest notifications, of some states or of all, of one facility or of all."""
    statement = (
        sa.select(notification).order_by(notification.c.created_at.desc(), notification.c.id.desc()).limit(limit)
    )
    if states:
        statement = statement.where(notification.c.status.in_([state.value for state in states]))
    if facility_id is not None:
        statement = statement.join(dose, dose.c.id == notification.c.dose_id).where(dose.c.facility_id == facility_id)
    return list(conn.execute(statement))


def count_by_state(conn: Connection) -> dict[str, int]:
    """How many notifications stand in each state."""
    rows = conn.execute(sa.select(notification.c.status, sa.func.count()).group_by(notification.c.status))
    return {status: count for status, count in rows}


def claim(conn: Connection, *, lane: Lane, token: str, lease: Lease, limit: int) -> list[Row]:
    """Takes up to `limit` due rows of one lane under a lease, oldest due first; no row goes to two callers."""
    due = (
        sa.select(notification.c.id)
        # a literal: a bound parameter cannot use the partial index in a generic plan
        .where(notification.c.status == sa.literal_column("'scheduled'"))
        .where(notification.c.lane == lane.value, notification.c.due_at <= lease.now)
        .order_by(notification.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        notification.update()
        .where(notification.c.id.in_(sa.select(due.c.id)), notification.c.status == State.SCHEDULED.value)
        .values(status=State.CLAIMED.value, lease_token=token, lease_until=lease.until)
        .returning(notification)
    )
    return sorted(conn.execute(statement), key=lambda row: (row.due_at, row.id))  # RETURNING promises no order


def begin_sending(conn: Connection, ids: Collection[str], *, token: str, lease: Lease, at: datetime) -> list[Row]:
    """`claimed -> sending` for rows that are still ours, with a fresh lease; those rows. The caller's attempt rows go
    into the same transaction, before the first byte leaves."""
    statement = (
        notification.update()
        .where(notification.c.id.in_(list(ids)), notification.c.status == State.CLAIMED.value)
        .where(notification.c.lease_token == token, notification.c.lease_until > lease.now)
        .values(
            status=State.SENDING.value,
            lease_until=lease.until,
            attempts=notification.c.attempts + 1,
            updated_at=at,
        )
        .returning(notification)
    )
    return list(conn.execute(statement))


def move(
    conn: Connection,
    ids: Collection[str],
    new: State,
    *,
    old: Collection[State],
    at: datetime,
    reason: Reason | None = None,
    token: str | None = None,
    **values: Any,
) -> list[str]:
    """`old -> new` for the rows that still stand in one of `old` (and, with `token`, whose lease is ours); which moved.

    Raises ValueError for a pair that the table does not allow. Any lease ends with the move.
    """
    _check(old, new)
    statement = (
        notification.update()
        .where(notification.c.id.in_(list(ids)), notification.c.status.in_([state.value for state in old]))
        .values(
            status=new.value,
            reason=reason.value if reason else None,
            updated_at=at,
            ended_at=at if new in FINAL else None,
            **{**_NO_LEASE, **values},
        )
        .returning(notification.c.id)
    )
    if token is not None:
        statement = statement.where(notification.c.lease_token == token)
    return list(conn.scalars(statement))


def move_each(
    conn: Connection, changes: Sequence[dict[str, Any]], new: State, *, old: Collection[State], at: datetime, token: str
) -> int:
    """Like `move`, with own values a row: each change has `row_id` and columns prefixed `new_`. How many moved."""
    _check(old, new)
    if not changes:
        return 0
    own: dict[str, Any] = {key[len("new_") :]: sa.bindparam(key) for key in changes[0] if key.startswith("new_")}
    # not IN: its expanding parameter cannot be used in a statement that runs for many rows at once
    stands = sa.or_(*(notification.c.status == state.value for state in old))
    statement = (
        notification.update()
        .where(notification.c.id == sa.bindparam("row_id"), notification.c.lease_token == token)
        .where(stands)
        .values(**{"status": new.value, "updated_at": at, "ended_at": at if new in FINAL else None, **_NO_LEASE, **own})
    )
    return conn.execute(statement, list(changes)).rowcount


def _check(old: Collection[State], new: State) -> None:
    for state in old:
        if not may_move(state, new):
            raise ValueError(f"no move {state} -> {new}")


def remember_sid(conn: Connection, changes: Sequence[dict[str, Any]]) -> None:
    """Keeps the provider's id where it is not known yet, whatever the state: evidence, not a move."""
    statement = notification.update().where(
        notification.c.id == sa.bindparam("row_id"), notification.c.provider_sid.is_(None)
    )
    if changes:
        conn.execute(statement.values(provider_sid=sa.bindparam("new_provider_sid")), list(changes))


def note_number(conn: Connection, row_id: str, phone_index: bytes | None) -> None:
    """Keeps whom a message really goes to."""
    conn.execute(notification.update().where(notification.c.id == row_id).values(phone_index=phone_index))


def free_expired_leases(conn: Connection, *, now: Any, at: datetime) -> tuple[int, int]:
    """Leases that ran out: `claimed` was never sent and waits again; `sending` is `unknown`. How many of each."""
    ran_out = notification.c.lease_until < now
    freed = conn.execute(
        notification.update()
        .where(notification.c.status == sa.literal_column("'claimed'"), ran_out)
        .values(status=State.SCHEDULED.value, reason=Reason.LEASE_RAN_OUT.value, updated_at=at, **_NO_LEASE)
    )
    doubtful = conn.execute(
        notification.update()
        .where(notification.c.status == sa.literal_column("'sending'"), ran_out)
        .values(
            status=State.UNKNOWN.value,
            reason=Reason.LEASE_RAN_OUT.value,
            left_at=at,  # it may have left: it counts towards the daily cap
            updated_at=at,
            **_NO_LEASE,
        )
    )
    return freed.rowcount, doubtful.rowcount


def take_back(conn: Connection, dose_id: str, *, new: State, reason: Reason, at: datetime) -> list[str]:
    """Cancels (or suppresses) whatever about a dose has not left yet; which."""
    ids = list(conn.scalars(sa.select(notification.c.id).where(notification.c.dose_id == dose_id)))
    old = [state for state in NOT_LEFT if may_move(state, new)]
    return move(conn, ids, new, old=old, at=at, reason=reason)


def reschedule(conn: Connection, row_id: str, *, due_at: datetime, at: datetime, **values: Any) -> bool:
    """Another due time for a row that waits; False where it does not wait any more."""
    statement = (
        notification.update()
        .where(notification.c.id == row_id, notification.c.status == State.SCHEDULED.value)
        .values(due_at=due_at, updated_at=at, **values)
    )
    return conn.execute(statement).rowcount == 1


def count_due(conn: Connection, now: Any, limit: int) -> int:
    """How many rows are due, counted no further than `limit`."""
    due = (
        sa.select(sa.literal(1))
        .where(notification.c.status == sa.literal_column("'scheduled'"), notification.c.due_at <= now)
        .where(notification.c.lane.in_([lane.value for lane in Lane]))
        .limit(limit)
        .subquery()
    )
    return conn.scalar(sa.select(sa.func.count()).select_from(due)) or 0


def oldest_due(conn: Connection) -> datetime | None:
    """The due time of the row that has waited longest, due or not; None where none waits."""
    statement = sa.select(sa.func.min(notification.c.due_at)).where(
        notification.c.status == sa.literal_column("'scheduled'")
    )
    oldest: datetime | None = conn.scalar(statement)
    return oldest


def left_since(conn: Connection, person_ids: Collection[str], since: datetime) -> list[tuple[str, datetime]]:
    """(person id, when) of what left, or may have left, for some persons since a moment: for the daily cap, so only
    the kinds that count towards it."""
    counting = [kind.value for kind, rules in KIND_RULES.items() if rules.daily_cap]
    statement = sa.select(notification.c.person_id, notification.c.left_at).where(
        notification.c.person_id.in_(list(person_ids)),
        notification.c.left_at >= since,
        notification.c.kind.in_(counting),
    )
    return [(row.person_id, row.left_at) for row in conn.execute(statement)]
