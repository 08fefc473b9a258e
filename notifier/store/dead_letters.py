"""Dead letters: events that could not be taken, listed, opened and settled. `store.events` adds them.

Whatever settles one is a compare-and-set on `open`, so that of two who settle it at once one wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.states import DeadLetterStatus
from notifier.store.sealed import Sealer
from notifier.store.tables import dead_letter

Row = sa.Row[Any]
_OPEN = sa.text("dead_letter.status = 'open'")  # literal: a bound parameter would not match the partial index
#: everything but the body, which is opened for a reason alone
_SHOWN = [column for column in dead_letter.c if column.name not in {"body_sealed", "body_index"}]


def listed(
    conn: Connection, *, status: DeadLetterStatus, limit: int, problem_key: str | None = None, after: str | None = None
) -> list[Row]:
    """Dead letters, oldest first, of one problem or all; `after`: only those that follow this row id."""
    statement = sa.select(*_SHOWN).where(_is(status))
    if problem_key is not None:
        statement = statement.where(dead_letter.c.problem_key == problem_key)
    if after is not None:
        at = sa.select(dead_letter.c.received_at).where(dead_letter.c.id == after).scalar_subquery()
        same_moment = sa.and_(dead_letter.c.received_at == at, dead_letter.c.id > after)
        statement = statement.where(sa.or_(dead_letter.c.received_at > at, same_moment))
    return list(conn.execute(statement.order_by(dead_letter.c.received_at, dead_letter.c.id).limit(limit)))


def find(conn: Connection, row_id: str) -> Row | None:
    """One dead letter, without its body."""
    return conn.execute(sa.select(*_SHOWN).where(dead_letter.c.id == row_id)).first()


def body(conn: Connection, sealer: Sealer, row_id: str) -> bytes:
    """What came, as it came. Raises SealBroken."""
    sealed: bytes = conn.scalars(sa.select(dead_letter.c.body_sealed).where(dead_letter.c.id == row_id)).one()
    return sealer.open_bytes("dead_letter:body", row_id, sealed)


def settle(conn: Connection, row_id: str, status: DeadLetterStatus, *, by: str, at: datetime) -> bool:
    """Takes an open dead letter off the list; False where it is not open any more. A concurrent one is waited for."""
    statement = dead_letter.update().where(dead_letter.c.id == row_id, _OPEN)
    return conn.execute(statement.values(status=status.value, settled_at=at, settled_by=by)).rowcount == 1


def note_event(conn: Connection, row_id: str, event_id: str) -> None:
    """Which event it became."""
    conn.execute(dead_letter.update().where(dead_letter.c.id == row_id).values(event_id=event_id))


def settle_alike(
    conn: Connection,
    problem_key: str,
    status: DeadLetterStatus,
    *,
    received_until: datetime,
    by: str,
    at: datetime,
    limit: int,
) -> list[str]:
    """Takes up to `limit` open ones with the same problems off the list, none that came after a moment; which."""
    chosen = (
        sa.select(dead_letter.c.id)
        .where(_OPEN, dead_letter.c.problem_key == problem_key, dead_letter.c.received_at <= received_until)
        .limit(limit)
    )
    statement = dead_letter.update().where(dead_letter.c.id.in_(chosen), _OPEN)
    values = {"status": status.value, "settled_at": at, "settled_by": by}
    return list(conn.scalars(statement.values(**values).returning(dead_letter.c.id)))


def problems_of(conn: Connection, problem_key: str) -> list[dict[str, str]]:
    """The problems that the open ones with a key have, as one of them has them."""
    statement = sa.select(dead_letter.c.problems).where(_OPEN, dead_letter.c.problem_key == problem_key)
    return conn.scalar(statement.limit(1)) or []


def waiting(conn: Connection, most: int) -> tuple[int, datetime | None]:
    """(how many wait for somebody, counted no further than `most`; when the oldest came)."""
    oldest: datetime | None = conn.scalar(sa.select(sa.func.min(dead_letter.c.received_at)).where(_OPEN))
    some = sa.select(sa.literal(1)).select_from(dead_letter).where(_OPEN).limit(most).subquery()
    return conn.scalar(sa.select(sa.func.count()).select_from(some)) or 0, oldest


def commonest(conn: Connection, limit: int) -> Sequence[Row]:
    """The commonest problems among the open ones: `problem_key`, `letters`, `newest` (of `received_at`)."""
    letters = sa.func.count().label("letters")
    newest = sa.func.max(dead_letter.c.received_at).label("newest")
    statement = sa.select(dead_letter.c.problem_key, letters, newest).where(_OPEN)
    return conn.execute(statement.group_by(dead_letter.c.problem_key).order_by(letters.desc()).limit(limit)).all()


def _is(status: DeadLetterStatus) -> sa.ColumnElement[bool] | sa.TextClause:
    return _OPEN if status is DeadLetterStatus.OPEN else dead_letter.c.status == status.value
