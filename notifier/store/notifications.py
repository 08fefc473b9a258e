"""Notifications: the schedule itself. Every change of `status` is a compare-and-set UPDATE whose old states come from
core.states.MOVES."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id, new_reference
from notifier.core.states import FINAL, KIND_RULES, NOT_LEFT, Channel, Kind, Lane, Reason, State, may_move
from notifier.store.bulk import among, insert_rows
from notifier.store.each import update_each
from notifier.store.engine import Lease
from notifier.store.tables import dose, notification

Row = sa.Row[Any]
NO_LEASE = {"lease_token": None, "lease_until": None}


def insert(conn: Connection, *, kind: Kind, status: State, lane: Lane, at: datetime, **values: Any) -> Row:
    """Adds a notification and answers its row. `values`: the other columns of the table."""
    return insert_row(conn, new_row(kind=kind, status=status, lane=lane, at=at, **({"id": new_id()} | values)))


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


def lock(conn: Connection, row_id: str) -> Row:
    """A notification, kept from moving until the caller's transaction ends."""
    return conn.execute(sa.select(notification).where(notification.c.id == row_id).with_for_update()).one()


def lock_newest(conn: Connection, dose_id: str) -> Row | None:
    """The newest notification that bears a link to a dose's certificate, kept from moving until the caller's
    transaction ends: a sender that has read the old facts waits for it, and then finds its lease gone (`unclaim`)."""
    statement = sa.select(notification).where(notification.c.dose_id == dose_id, notification.c.link_id.is_not(None))
    newest_first = statement.order_by(notification.c.created_at.desc(), notification.c.id.desc()).limit(1)
    return conn.execute(newest_first.with_for_update()).first()


def unclaim(conn: Connection, row_id: str, *, at: datetime) -> None:
    """Takes a claimed row from its worker, who may have read what has just changed; the next tick gives it out."""
    move(conn, [row_id], State.SCHEDULED, old=[State.CLAIMED], at=at)


def unclaim_person(conn: Connection, person_id: str, *, at: datetime) -> None:
    """The same for everything about a person: a sender that is just moving one on is waited for."""
    check_moves([State.CLAIMED], State.SCHEDULED)
    conn.execute(
        notification.update()
        .where(notification.c.person_id == person_id, notification.c.status == State.CLAIMED.value)
        .values(status=State.SCHEDULED.value, reason=None, updated_at=at, **NO_LEASE)
    )


def of_dose(conn: Connection, dose_id: str, *, with_link: bool = True) -> list[Row]:
    """The notifications about a dose, newest first: those that bear a link to its certificate, or all."""
    statement = sa.select(notification).where(notification.c.dose_id == dose_id)
    if with_link:
        statement = statement.where(notification.c.link_id.is_not(None))
    return list(conn.execute(statement.order_by(notification.c.created_at.desc(), notification.c.id.desc())))


def of_person(
    conn: Connection, person_id: str, *, kind: Kind | None = None, since: datetime | None = None
) -> list[Row]:
    """The notifications about a person, newest first: of one kind or all, added since a moment or ever."""
    statement = sa.select(notification).where(notification.c.person_id == person_id)
    if kind is not None:
        statement = statement.where(notification.c.kind == kind.value)
    if since is not None:
        statement = statement.where(notification.c.created_at >= since)
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
        .where(among(conn, notification.c.id, ids), notification.c.status == State.CLAIMED.value)
        .where(notification.c.lease_token == token, notification.c.lease_until > lease.now)
        .values(
            status=State.SENDING.value,
            lease_until=lease.until,
            attempts=notification.c.attempts + 1,
            left_at=at,  # from here on it may have left, and counts towards the daily cap
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
    check_moves(old, new)
    statement = (
        notification.update()
        .where(notification.c.id.in_(list(ids)), notification.c.status.in_([state.value for state in old]))
        .values(
            status=new.value,
            reason=reason.value if reason else None,
            updated_at=at,
            ended_at=at if new in FINAL else None,
            **{**NO_LEASE, **values},
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
    check_moves(old, new)
    return update_each(
        conn,
        notification,
        changes,
        notification.c.lease_token == token,
        # not IN: its expanding parameter cannot be used in a statement that runs for many rows at once
        sa.or_(*(notification.c.status == state.value for state in old)),
        same={"status": new.value, "updated_at": at, "ended_at": at if new in FINAL else None, **NO_LEASE},
    )


def check_moves(old: Collection[State], new: State) -> None:
    """Raises ValueError for a pair that the table of moves does not allow."""
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


def free_expired_leases(
    conn: Connection, *, now: Any, at: datetime, look_up_at: datetime, farthest: Any = None
) -> tuple[int, int]:
    """Leases that ran out: `claimed` was never sent and waits again; `sending` is `unknown`, and looked up at
    `look_up_at`. How many of each. A lease beyond `farthest` was written before the clock was set back."""
    # the index's own predicate: SQLite does not see that one of the two states implies it, and would read the table
    leased = sa.text("notification.status IN ('claimed', 'sending')")
    ran_out = notification.c.lease_until < now
    if farthest is not None:
        ran_out = sa.or_(ran_out, notification.c.lease_until > farthest)
    freed = conn.execute(
        notification.update()
        .where(notification.c.status == sa.literal_column("'claimed'"), leased, ran_out)
        .values(status=State.SCHEDULED.value, reason=Reason.LEASE_RAN_OUT.value, updated_at=at, **NO_LEASE)
    )
    doubtful = conn.execute(
        notification.update()
        .where(notification.c.status == sa.literal_column("'sending'"), leased, ran_out)
        .values(
            status=State.UNKNOWN.value,
            reason=Reason.LEASE_RAN_OUT.value,
            provider_code=None,  # of an earlier try
            look_ups=0,
            look_up_at=look_up_at,
            updated_at=at,
            **NO_LEASE,
        )
    )
    return freed.rowcount, doubtful.rowcount


def take_back(conn: Connection, dose_id: str, *, new: State, reason: Reason, at: datetime) -> list[str]:
    """Cancels (or suppresses) whatever bears a link to a dose's certificate and has not left yet; which."""
    of_dose = sa.select(notification.c.id).where(notification.c.dose_id == dose_id, notification.c.link_id.is_not(None))
    ids = list(conn.scalars(of_dose))
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


def is_any_due(conn: Connection, before: datetime) -> bool:
    """Whether something of the lanes that nobody waits in front of fell due before a moment."""
    due = (
        sa.select(sa.literal(1))
        .where(notification.c.status == sa.literal_column("'scheduled'"), notification.c.due_at <= before)
        .where(notification.c.lane.in_([Lane.NORMAL.value, Lane.BULK.value]))
        .limit(1)
    )
    return conn.execute(due).first() is not None


def oldest_due(conn: Connection) -> datetime | None:
    """The due time of the row that has waited longest, due or not; None where none waits."""
    statement = sa.select(sa.func.min(notification.c.due_at)).where(
        notification.c.status == sa.literal_column("'scheduled'")
    )
    oldest: datetime | None = conn.scalar(statement)
    return oldest


def left_since(
    conn: Connection, person_ids: Collection[str], since: datetime, *, token: str, now: datetime
) -> list[tuple[str, datetime]]:
    """(person id, when) of what left, or may have left, for some persons since a moment: for the daily cap, so only
    the kinds that count towards it. What another worker claimed before `token` counts too, as of now: it is decided at
    this moment as well (tokens are ordered by time)."""
    counting = [kind.value for kind, rules in KIND_RULES.items() if rules.daily_cap]
    claimed_before = sa.and_(notification.c.status == State.CLAIMED.value, notification.c.lease_token < token)
    statement = sa.select(notification.c.person_id, notification.c.left_at).where(
        among(conn, notification.c.person_id, person_ids),
        sa.or_(notification.c.left_at >= since, claimed_before),
        notification.c.kind.in_(counting),
    )
    return [(row.person_id, row.left_at or now) for row in conn.execute(statement)]


def count_at_risk(conn: Connection) -> int:
    """How many messages still wait of which somebody was told that their promise is about to break."""
    waiting = [State.SCHEDULED, State.CLAIMED, State.HELD, State.UNKNOWN]
    statement = sa.select(sa.func.count()).where(
        notification.c.alarmed_at.is_not(None), notification.c.status.in_([state.value for state in waiting])
    )
    return conn.scalar(statement) or 0


def children(conn: Connection, row: Row) -> list[Row]:
    """The generations that followed directly from one."""
    statement = sa.select(notification).where(
        notification.c.dose_id == row.dose_id, notification.c.kind == row.kind, notification.c.parent_id == row.id
    )
    return list(conn.execute(statement))


def at_risk(conn: Connection, *, accepted_before: datetime, due_before: datetime, limit: int) -> list[Row]:
    """First messages about an event that still wait though their promise is about to break, and nobody was told."""
    promised = (
        notification.c.accepted_at <= accepted_before,
        notification.c.planned_for <= due_before,  # an operator may have asked for a later day
        notification.c.alarmed_at.is_(None),
        notification.c.retries == 0,
    )
    # each statement by its own partial index: the one on due rows, the one on what asks for attention
    overdue = sa.select(notification).where(
        notification.c.status == sa.literal_column("'scheduled'"),
        notification.c.lane.in_([lane.value for lane in Lane]),
        notification.c.due_at <= due_before,
        *promised,
    )
    stuck = sa.select(notification).where(notification.c.status.in_(_attention()), *promised)
    rows = list(conn.execute(overdue.limit(limit)))
    return rows + list(conn.execute(stuck.limit(limit)))


def _attention() -> list[sa.ColumnElement[str]]:
    return [sa.literal_column("'unknown'"), sa.literal_column("'held'")]


def alarmed(conn: Connection, ids: Collection[str], at: datetime) -> None:
    """Somebody was told about these."""
    conn.execute(notification.update().where(notification.c.id.in_(list(ids))).values(alarmed_at=at))


def new_row(*, kind: Kind, status: State, lane: Lane, at: datetime, **values: Any) -> dict[str, Any]:
    """A notification, to be inserted. `values`: its id and the other columns of the table."""
    return {
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


def insert_row(conn: Connection, row: Mapping[str, Any]) -> Row:
    """Adds a notification (`new_row`) and answers it as it stands."""
    return conn.execute(notification.insert().returning(notification), dict(row)).one()


def insert_many(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds notifications (`new_row`) that all have the same columns."""
    insert_rows(conn, notification, rows)


def load_each(conn: Connection, ids: Collection[str]) -> dict[str, Row]:
    """Notifications by id."""
    if not ids:
        return {}
    return {row.id: row for row in conn.execute(sa.select(notification).where(among(conn, notification.c.id, ids)))}
