"""Marks of persons who were erased: keyed indexes of keyed indexes, so that nothing but the same person's next event
finds them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.store.bulk import among
from notifier.store.events import insert_new
from notifier.store.sealed import Sealer
from notifier.store.tables import erased_mark


def mark_of(sealer: Sealer, index: bytes) -> bytes:
    """The mark of a blind index: a registry's id, a NIK, or a dose's key (store.locks)."""
    return sealer.index("erased", index)


def add(conn: Connection, marks: Iterable[bytes], *, erasure: str, at: datetime) -> None:
    """Leaves the marks of one erasure; one that is there already stays."""
    for mark in marks:
        insert_new(conn, erased_mark, {"mark": mark, "erasure": erasure, "erased_at": at}, "mark")


def among_marks(conn: Connection, marks: Collection[bytes]) -> set[bytes]:
    """Which of some marks are there."""
    if not marks:
        return set()
    return set(conn.scalars(sa.select(erased_mark.c.mark).where(among(conn, erased_mark.c.mark, marks))))


def since(conn: Connection, mark: bytes) -> datetime | None:
    """When whoever bears the mark was erased; None where nobody was."""
    found: datetime | None = conn.scalar(sa.select(erased_mark.c.erased_at).where(erased_mark.c.mark == mark))
    return found


def lift(conn: Connection, mark: bytes) -> int:
    """Takes away every mark of the erasure that left this one; how many."""
    erasure = conn.scalar(sa.select(erased_mark.c.erasure).where(erased_mark.c.mark == mark))
    if erasure is None:
        return 0
    return conn.execute(erased_mark.delete().where(erased_mark.c.erasure == erasure)).rowcount
