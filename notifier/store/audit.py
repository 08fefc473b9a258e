"""Who did what: one row in the same transaction as the deed. Never personal data.

One elected sealer chains committed rows by hash afterwards; a chain head held by every writer would put intake and
sending in single file. audit_chain.py checks the chain.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.store.bulk import insert_rows
from notifier.store.tables import audit

SYSTEM = "system"
FIRST = b"\0" * 32  #: what stands before the first row


def write(
    conn: Connection, *, at: Any, actor: str, action: str, subject: str, subject_id: str, **detail: str | int | None
) -> None:
    """Adds a row. `actor` is `system`, `staff:<id>`, `key:<prefix>` or `door:<name>`; `detail` holds words and numbers
    of ours (states, reasons, references), never what a person typed about somebody."""
    conn.execute(
        audit.insert(),
        new_row(
            row_id=new_id(), at=at, actor=actor, action=action, subject=subject, subject_id=subject_id, detail=detail
        ),
    )


def seal(conn: Connection, limit: int = 1000) -> int:
    """Chains the oldest committed rows that are not chained yet; says how many. One caller at a time (the tick)."""
    last = conn.execute(
        sa.select(audit.c.position, audit.c.chain_hash)
        .where(audit.c.position.is_not(None))
        .order_by(audit.c.position.desc())
        .limit(1)
    ).first()
    position, head = (last.position, last.chain_hash) if last else (0, FIRST)
    rows = conn.execute(
        sa.select(audit).where(audit.c.position.is_(None)).order_by(audit.c.at, audit.c.id).limit(limit)
    ).all()
    sealed = []
    for row in rows:
        position += 1
        head = link_hash(head, position, row)
        sealed.append({"row_id": row.id, "new_position": position, "new_hash": head})
    if sealed:
        statement = audit.update().where(audit.c.id == sa.bindparam("row_id"))
        conn.execute(
            statement.values(position=sa.bindparam("new_position"), chain_hash=sa.bindparam("new_hash")), sealed
        )
    return len(sealed)


def link_hash(previous: bytes, position: int, row: sa.Row[Any]) -> bytes:
    """SHA-256 over the hash before and everything that the row says."""
    said = [position, row.id, row.at.isoformat(), row.actor, row.action, row.subject, row.subject_id, row.detail]
    return hashlib.sha256(previous + json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).digest()


def of_subjects(conn: Connection, subject_ids: list[str], limit: int = 200) -> list[sa.Row[Any]]:
    """The rows about some subjects, oldest first."""
    statement = (
        sa.select(audit).where(audit.c.subject_id.in_(subject_ids)).order_by(audit.c.at, audit.c.id).limit(limit)
    )
    return list(conn.execute(statement))


def new_row(
    *,
    row_id: str,
    at: Any,
    actor: str,
    action: str,
    subject: str,
    subject_id: str,
    detail: Mapping[str, str | int | None],
) -> dict[str, Any]:
    """A row, to be inserted; the same words as of `write`."""
    return {
        "id": row_id,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "subject_id": subject_id,
        "detail": {key: value for key, value in detail.items() if value is not None},
    }


def write_many(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows (`new_row`)."""
    insert_rows(conn, audit, rows)
