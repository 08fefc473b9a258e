"""Outcomes that nobody knows: their look-ups, the operators' list, and what is doubted after a restore. What moves them
on is evidence (messages.evidence), through notifications.move."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import Reason, State
from notifier.store.notifications import NO_LEASE, Row, check_moves
from notifier.store.tables import notification

#: what stands at an outcome that somebody has decided about
DECIDED = (Reason.SENT_AGAIN.value, Reason.LEFT_ALONE.value)


def hint_evidence(conn: Connection, ids: Collection[str], *, at: datetime) -> None:
    """The attempts of these rows know more than their state: the reconciler looks at those that are `unknown` next."""
    conn.execute(
        notification.update()
        .where(notification.c.id.in_(list(ids)), notification.c.status == State.UNKNOWN.value)
        .values(look_up_at=at)
    )


def due_look_ups(at: datetime) -> sa.Select[Any]:
    """The unknown outcomes that are to be looked up now, as a question (`several.any_of`)."""
    return sa.select(notification.c.id).where(
        notification.c.status == sa.literal_column("'unknown'"), notification.c.look_up_at <= at
    )


def take_look_ups(conn: Connection, *, at: datetime, until: datetime, limit: int) -> list[Row]:
    """Unknown outcomes whose look-up is due, longest waiting first, put off to `until` so that nobody else looks."""
    due = (
        sa.select(notification.c.id)
        .where(notification.c.status == sa.literal_column("'unknown'"), notification.c.look_up_at <= at)
        .order_by(notification.c.look_up_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        notification.update()
        .where(notification.c.id.in_(sa.select(due.c.id)), notification.c.status == State.UNKNOWN.value)
        .values(look_up_at=until)
        .returning(notification)
    )
    return list(conn.execute(statement))


def others_to_number(conn: Connection, row: Row) -> list[Row]:
    """The other notifications of the same kind that went, or may have gone, to the same number."""
    return list(
        conn.execute(
            sa.select(notification).where(
                notification.c.phone_index == row.phone_index,
                notification.c.kind == row.kind,
                notification.c.id != row.id,
                notification.c.left_at.is_not(None),
            )
        )
    )


def looked_up(conn: Connection, row_id: str, *, look_ups: int, look_up_at: datetime | None) -> bool:
    """Writes that a look-up settled nothing; False where something else settled it meanwhile."""
    statement = (
        notification.update()
        .where(notification.c.id == row_id, notification.c.status == State.UNKNOWN.value)
        .values(look_ups=look_ups, look_up_at=look_up_at)
    )
    return conn.execute(statement).rowcount == 1


def unknown_for_good(conn: Connection, limit: int) -> list[Row]:
    """The operators' list: outcomes that no look-up settled and nobody has decided about, oldest first."""
    statement = (
        sa.select(notification)
        .where(notification.c.status == sa.literal_column("'unknown'"), notification.c.look_up_at.is_(None))
        .where(notification.c.reason.not_in(DECIDED))
        .order_by(notification.c.updated_at)
        .limit(limit)
    )
    return list(conn.execute(statement))


def count_unknown_for_good(conn: Connection) -> int:
    """How many outcomes wait for somebody's decision."""
    statement = sa.select(sa.func.count()).where(
        notification.c.status == sa.literal_column("'unknown'"),
        notification.c.look_up_at.is_(None),
        notification.c.reason.not_in(DECIDED),
    )
    return conn.scalar(statement) or 0


def decide_unknown(
    conn: Connection, row_id: str, *, reason: Reason, at: datetime, only_undecided: bool = False
) -> bool:
    """Somebody, or the policy, has decided about an unknown outcome: it stays `unknown`, off the list; look-ups to come
    go on. False where it is not unknown any more; `only_undecided`: or somebody has decided before."""
    statement = notification.update().where(notification.c.id == row_id, notification.c.status == State.UNKNOWN.value)
    if only_undecided:
        statement = statement.where(notification.c.reason.not_in(DECIDED))
    return conn.execute(statement.values(reason=reason.value, updated_at=at)).rowcount == 1


def supersede(conn: Connection, dose_id: str, *, at: datetime) -> int:
    """An event has changed what there is to say about a dose: whether its older messages were accepted is no operators'
    question any more. How many were one."""
    undecided = notification.c.reason.not_in(DECIDED)
    statement = (
        notification.update()
        .where(notification.c.dose_id == dose_id, notification.c.status == State.UNKNOWN.value, undecided)
        .where(notification.c.link_id.is_not(None))
        .values(reason=Reason.LEFT_ALONE.value, updated_at=at)
    )
    return conn.execute(statement).rowcount


def doubt_all_due(conn: Connection, *, now: Any, at: datetime, look_up_at: datetime) -> int:
    """After an older copy was restored: whatever was due by now may have left since the copy was made. How many."""
    check_moves([State.SCHEDULED, State.CLAIMED, State.SENDING, State.HELD], State.UNKNOWN)
    due = sa.and_(notification.c.status.in_([State.SCHEDULED.value, State.CLAIMED.value]), notification.c.due_at <= now)
    # what is held may have been released, and sent, since; its due time says nothing, a refusal may have put it off
    left = notification.c.status.in_([State.SENDING.value, State.HELD.value])
    doubt = {"reason": Reason.DB_RESTORED.value, "look_ups": 0, "look_up_at": look_up_at, "updated_at": at}
    statement = (
        notification.update()
        .where(sa.or_(due, left))
        .values(status=State.UNKNOWN.value, left_at=at, **doubt, **NO_LEASE)
    )
    # what was unknown already may have been settled, and sent again, since: its old answers prove nothing either
    undecided = notification.c.reason.not_in(DECIDED)
    conn.execute(notification.update().where(notification.c.status == State.UNKNOWN.value, undecided).values(**doubt))
    return conn.execute(statement).rowcount
