"""Requests with an Idempotency-Key: one of them works, the others get its answer. Answers are sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.store.events import insert_new
from notifier.store.sealed import Sealer
from notifier.store.tables import idempotency

Row = sa.Row[Any]
_PLACE = "idempotency:answer"


def begin(
    conn: Connection, key_index: bytes, fingerprint: bytes, *, worker: str, busy_until: datetime, expires_at: datetime
) -> bool:
    """Takes a key that nobody has used; whether it is the caller's now. A concurrent taker is waited for."""
    values = {
        "id": new_id(),
        "key_index": key_index,
        "fingerprint": fingerprint,
        "worker": worker,
        "busy_until": busy_until,
        "expires_at": expires_at,
    }
    return insert_new(conn, idempotency, values, "key_index")


def find(conn: Connection, key_index: bytes) -> Row | None:
    return conn.execute(sa.select(idempotency).where(idempotency.c.key_index == key_index)).first()


def take_over(
    conn: Connection, row: Row, fingerprint: bytes, *, worker: str, busy_until: datetime, expires_at: datetime
) -> bool:
    """Goes on with a key whose worker is gone, or whose time is over; False where somebody else did so first."""
    statement = idempotency.update().where(idempotency.c.id == row.id, idempotency.c.worker == row.worker)
    values = {"fingerprint": fingerprint, "worker": worker, "busy_until": busy_until, "expires_at": expires_at}
    return conn.execute(statement.values(**values, answer_sealed=None)).rowcount == 1


def answer(conn: Connection, sealer: Sealer, worker: str, text: bytes) -> bool:
    """Keeps the answer to the request of a worker; False where it is not its to give any more."""
    row_id = conn.scalar(sa.select(idempotency.c.id).where(idempotency.c.worker == worker))
    if row_id is None:
        return False
    sealed = sealer.seal(_PLACE, row_id, text)
    mine = idempotency.update().where(idempotency.c.id == row_id, idempotency.c.worker == worker)
    return conn.execute(mine.values(answer_sealed=sealed)).rowcount == 1


def opened(sealer: Sealer, row: Row) -> bytes:
    """The kept answer. Raises SealBroken."""
    return sealer.open_bytes(_PLACE, row.id, row.answer_sealed)


def give_up(conn: Connection, worker: str) -> None:
    """Frees the key of a request that came to nothing: the next one does the work."""
    conn.execute(idempotency.delete().where(idempotency.c.worker == worker))


def forget(conn: Connection, before: datetime) -> int:
    """Drops what is not replayed any more."""
    return conn.execute(idempotency.delete().where(idempotency.c.expires_at < before)).rowcount
