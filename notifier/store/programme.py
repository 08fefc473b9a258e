"""What the programme set in the browser: every version ever saved; the newest of a name is in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.events import insert_new
from notifier.store.tables import setting_version

Row = sa.Row[Any]

RULES = "rules"  #: value: the settings that are set here, by name, as text
SMS = "sms/"  #: and language/kind; value: {"text": ...}, or {} for the text that came with the programme


def in_force(conn: Connection) -> dict[str, Row]:
    """The newest version of each name. One short statement: a name for each SMS text, and a few versions of it."""
    newest = (
        sa.select(setting_version.c.name, sa.func.max(setting_version.c.revision).label("revision"))
        .group_by(setting_version.c.name)
        .subquery()
    )
    both = sa.and_(setting_version.c.name == newest.c.name, setting_version.c.revision == newest.c.revision)
    return {row.name: row for row in conn.execute(sa.select(setting_version).join(newest, both))}


def versions(conn: Connection, name: str, limit: int) -> list[Row]:
    """The versions of a name, newest first."""
    statement = sa.select(setting_version).where(setting_version.c.name == name)
    return list(conn.execute(statement.order_by(setting_version.c.revision.desc()).limit(limit)))


def all_texts(conn: Connection) -> list[Row]:
    """Every version of every SMS text."""
    return list(conn.execute(sa.select(setting_version).where(setting_version.c.name.startswith(SMS))))


def save(
    conn: Connection, name: str, value: Mapping[str, str], *, base: int, by: str, reason: str, at: datetime
) -> bool:
    """Adds the version after `base` (0: the first); False where somebody else has saved one meanwhile."""
    newest = conn.scalar(sa.select(sa.func.max(setting_version.c.revision)).where(setting_version.c.name == name))
    if base != (newest or 0):
        return False
    row = {"name": name, "revision": base + 1, "value": dict(value)}
    return insert_new(
        conn, setting_version, row | {"changed_at": at, "changed_by": by, "reason": reason}, "name", "revision"
    )
