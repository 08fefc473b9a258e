"""`sertilink worker` with a deliberate fault, to show that `sertilink prove` finds it: `python -m
tests.faults.broken_build VARIANT`.

unfenced         a lease means nothing: whoever once held a row may write it, and a row that was being sent when its
                 lease ran out is simply sent again
unknown-retried  an outcome that nobody knows is taken for "not sent" and tried again
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from notifier.cli import main
from notifier.core.states import State
from notifier.messages import outcomes
from notifier.store import notifications
from notifier.store.engine import Lease
from notifier.store.tables import notification


def unfenced() -> None:
    """Takes the fences down."""
    real_move, real_each = notifications.move, notifications.move_each

    def begin_sending(
        conn: Connection, ids: Collection[str], *, token: str, lease: Lease, at: datetime
    ) -> list[notifications.Row]:
        statement = (
            notification.update()
            .where(notification.c.id.in_(list(ids)))
            .values(
                status=State.SENDING.value,
                lease_token=token,
                lease_until=lease.until,
                attempts=notification.c.attempts + 1,
                updated_at=at,
            )
            .returning(notification)
        )
        return list(conn.execute(statement))

    def move(conn: Connection, ids: Collection[str], new: State, **more: Any) -> list[str]:
        return real_move(conn, ids, new, **{**more, "token": None})

    def move_each(conn: Connection, changes: Sequence[dict[str, Any]], new: State, **more: Any) -> int:
        ids = [change["row_id"] for change in changes]
        conn.execute(notification.update().where(notification.c.id.in_(ids)).values(lease_token=more["token"]))
        return real_each(conn, changes, new, **more)

    def free_expired_leases(conn: Connection, *, now: Any, at: datetime, **_more: Any) -> tuple[int, int]:
        held = notification.c.status.in_([State.CLAIMED.value, State.SENDING.value])
        freed = conn.execute(
            notification.update()
            .where(held, notification.c.lease_until < now)
            .values(status=State.SCHEDULED.value, lease_token=None, lease_until=None, updated_at=at)
        )
        return freed.rowcount, 0

    _put(notifications, begin_sending, move, move_each, free_expired_leases)


def unknown_retried() -> None:
    """Tries again whatever got no clear answer."""

    def _unknown(
        conn: Connection, group: Sequence[outcomes.Settled], at: datetime, token: str, look_ups: Sequence[timedelta]
    ) -> int:
        changes = [{"row_id": one.row.id, "new_due_at": at + timedelta(seconds=1)} for one in group]
        return notifications.move_each(conn, changes, State.SCHEDULED, old=[State.SENDING], at=at, token=token)

    _put(outcomes, _unknown)


def _put(module: Any, *functions: Callable[..., Any]) -> None:
    for function in functions:
        if not hasattr(module, function.__name__):
            raise SystemExit(f"{module.__name__} has no {function.__name__} any more: this build is not broken")
        setattr(module, function.__name__, function)


VARIANTS = {"unfenced": unfenced, "unknown-retried": unknown_retried}

if __name__ == "__main__":
    VARIANTS[sys.argv[1]]()
    sys.argv = ["sertilink", "worker"]
    main()
