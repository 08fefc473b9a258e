"""Attempts (append-only; the outcome is filled once) and the delivery receipts that came for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.store.bulk import insert_rows
from notifier.store.each import update_each
from notifier.store.events import insert_new
from notifier.store.sealed import Sealer
from notifier.store.tables import attempt, notification, receipt

_NOTIFICATION_OF = (
    sa.select(notification)
    .join(attempt, attempt.c.notification_id == notification.c.id)
    .where(attempt.c.reference == sa.bindparam("reference"))
)


def insert_many(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Adds attempts; to be committed before the first byte leaves."""
    insert_rows(conn, attempt, rows)


def finish_many(conn: Connection, changes: Sequence[dict[str, Any]]) -> None:
    """Fills the outcome of attempts by `row_id`: evidence that is kept even when the lease is gone."""
    update_each(conn, attempt, changes, attempt.c.finished_at.is_(None))


def of_notification(conn: Connection, notification_id: str) -> list[sa.Row[Any]]:
    """The attempts of one notification, oldest first."""
    statement = sa.select(attempt).where(attempt.c.notification_id == notification_id)
    return list(conn.execute(statement.order_by(attempt.c.number, attempt.c.started_at)))


def find_notification(conn: Connection, attempt_reference: str) -> sa.Row[Any] | None:
    """The notification that an attempt was made for."""
    return conn.execute(_NOTIFICATION_OF, {"reference": attempt_reference}).first()


def is_newest(conn: Connection, attempt_reference: str, notification_id: str) -> bool:
    """Whether no later attempt was made for the notification."""
    newest = sa.select(attempt.c.reference).where(attempt.c.notification_id == notification_id)
    return conn.scalar(newest.order_by(attempt.c.id.desc()).limit(1)) == attempt_reference


def add_receipt(
    conn: Connection,
    sealer: Sealer,
    *,
    attempt_reference: str,
    provider_sid: str,
    provider_word: str,
    provider_code: str | None,
    raw: bytes,
    at: datetime,
    applied: bool = False,
) -> str | None:
    """Keeps a receipt, raw and sealed; its id, or None where the very same came before."""
    row_id = new_id()
    values = {
        "id": row_id,
        "attempt_reference": attempt_reference,
        "provider_sid": provider_sid,
        "provider_word": provider_word,
        "provider_code": provider_code or "",
        "received_at": at,
        "raw_sealed": sealer.seal("receipt:raw", row_id, raw),
        "applied": applied,
    }
    key = ("attempt_reference", "provider_sid", "provider_word", "provider_code")
    return row_id if insert_new(conn, receipt, values, *key) else None


def mark_not_applied(conn: Connection, receipt_id: str) -> None:
    """The receipt did not move its notification after all."""
    conn.execute(receipt.update().where(receipt.c.id == receipt_id).values(applied=False))


def receipts_of(conn: Connection, attempt_references: Sequence[str]) -> list[sa.Row[Any]]:
    """The receipts of some attempts, in the order they came."""
    statement = sa.select(receipt).where(receipt.c.attempt_reference.in_(list(attempt_references)))
    return list(conn.execute(statement.order_by(receipt.c.received_at, receipt.c.id)))
