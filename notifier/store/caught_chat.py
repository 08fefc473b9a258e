"""The catcher's telephones: what was typed on each, and what arrived there, sealed like everything personal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import caught_chat


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message on a telephone. `file`: the address of what came with it."""

    is_ours: bool
    text: str = field(repr=False)
    options: tuple[str, ...] = field(default=(), repr=False)
    tail: str = ""
    file: str = field(default="", repr=False)
    at: datetime | None = None


def add(conn: Connection, sealer: Sealer, phone: str, bubbles: Sequence[Bubble], *, at: datetime) -> None:
    """Puts messages on a telephone."""
    rows = []
    for bubble in bubbles:
        row_id = new_id()
        said = {"text": bubble.text, "options": bubble.options, "tail": bubble.tail, "file": bubble.file}
        rows.append(
            {
                "id": row_id,
                "to_index": phone_index(sealer, phone),
                "to_sealed": sealer.seal("caught_chat:to", row_id, phone),
                "is_ours": bubble.is_ours,
                "body_sealed": sealer.seal("caught_chat:body", row_id, json.dumps(said)),
                "caught_at": at,
            }
        )
    if rows:
        conn.execute(caught_chat.insert(), rows)


def of_phone(conn: Connection, sealer: Sealer, phone: str, limit: int = 60) -> list[Bubble]:
    """The newest messages on a telephone, oldest first."""
    statement = sa.select(caught_chat).where(caught_chat.c.to_index == phone_index(sealer, phone))
    rows = conn.execute(statement.order_by(caught_chat.c.caught_at.desc(), caught_chat.c.id.desc()).limit(limit))
    return [_opened(sealer, row) for row in reversed(list(rows))]


def phones(conn: Connection, sealer: Sealer, limit: int = 10) -> list[str]:
    """The telephones that were used last."""
    last = sa.func.max(caught_chat.c.caught_at).label("last")
    newest = sa.select(caught_chat.c.to_index, last).group_by(caught_chat.c.to_index).order_by(last.desc()).limit(limit)
    found = []
    for row in conn.execute(newest).all():
        one = sa.select(caught_chat.c.id, caught_chat.c.to_sealed).where(caught_chat.c.to_index == row.to_index)
        kept = conn.execute(one.limit(1)).one()
        found.append(sealer.open("caught_chat:to", kept.id, kept.to_sealed))
    return found


def _opened(sealer: Sealer, row: sa.Row[tuple[object, ...]]) -> Bubble:
    kept = json.loads(sealer.open("caught_chat:body", row.id, row.body_sealed))
    return Bubble(row.is_ours, kept["text"], tuple(kept["options"]), kept["tail"], kept["file"], row.caught_at)
