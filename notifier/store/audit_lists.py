"""The audit as a list: newest first, by cursor, narrowed in the query."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.tables import audit
from notifier.store.tables.upkeep import IS_DEED

Row = sa.Row[Any]
_OF_EVERY_EVENT = "event.accepted"
_IS_DEED = sa.text(f"audit.{IS_DEED}")


def page(
    conn: Connection,
    *,
    actor: str | None,
    action: str | None,
    subject_ids: Collection[str] | None,
    since: datetime | None,
    until: datetime | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Row]:
    """Rows of the audit; `until` is the moment before which they were written; `after`: only those older than this
    (moment, id)."""
    statement = sa.select(audit).order_by(audit.c.at.desc(), audit.c.id.desc())
    if actor is not None:
        statement = statement.where(audit.c.actor == actor)
    if action is not None:
        statement = statement.where(audit.c.action == action, *([] if action == _OF_EVERY_EVENT else [_IS_DEED]))
    if subject_ids is not None:
        statement = statement.where(audit.c.subject_id.in_(list(subject_ids)))
    if since is not None:
        statement = statement.where(audit.c.at >= since)
    if until is not None:
        statement = statement.where(audit.c.at < until)
    if after is not None:
        mark = sa.tuple_(sa.literal(after[0], audit.c.at.type), sa.literal(after[1], audit.c.id.type))
        statement = statement.where(sa.tuple_(audit.c.at, audit.c.id) < mark)
    return list(conn.execute(statement.limit(limit)))


def actions(conn: Connection) -> list[str]:
    """Every kind of deed that was ever done, by name: one look into the index for each."""
    first = sa.select(sa.func.min(audit.c.action).label("action")).where(_IS_DEED).cte("deeds", recursive=True)
    following = sa.select(sa.func.min(audit.c.action)).where(_IS_DEED, audit.c.action > first.c.action)
    found = first.union_all(sa.select(following.scalar_subquery()).where(first.c.action.is_not(None)))
    deeds = list(conn.scalars(sa.select(found.c.action).where(found.c.action.is_not(None))))
    accepted = sa.select(audit.c.action).where(audit.c.action == _OF_EVERY_EVENT)
    newest = conn.scalars(accepted.order_by(audit.c.at.desc(), audit.c.id.desc()).limit(1)).first()
    return sorted([*deeds, newest] if newest else deeds)
