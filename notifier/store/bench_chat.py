"""Conversations for a measurement: many at once, where real ones would have proved who they are one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.store.bulk import insert_rows
from notifier.store.conversations import LIFE
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import conversation


def add_conversations(conn: Connection, sealer: Sealer, talks: Iterable[tuple[str, str]], *, at: datetime) -> None:
    """Adds (number, state) as conversations in which nothing waits."""
    rows = []
    for phone, state in talks:
        row_id = new_id()
        rows.append(
            {
                "id": row_id,
                "phone_index": phone_index(sealer, phone),
                "phone_sealed": sealer.seal("conversation:phone", row_id, phone),
                "state_sealed": sealer.seal("conversation:state", row_id, state),
                "last_inbound_at": at,
                "ends_at": at + LIFE,
                "minute_at": at,
                "day_at": at,
                "created_at": at,
            }
        )
    insert_rows(conn, conversation, rows)
