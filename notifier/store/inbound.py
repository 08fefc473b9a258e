"""What people wrote to our sender: that they did, and what it meant; never the text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.opt_out_words import Meaning
from notifier.core.states import Channel
from notifier.store.events import insert_new
from notifier.store.tables import inbound_sms

Row = sa.Row[Any]


def insert(
    conn: Connection, *, provider_sid: str, phone_index: bytes, channel: Channel, meaning: Meaning, at: datetime
) -> bool:
    """Keeps a message under the provider's id; False where it came before. A concurrent copy is waited for."""
    values = {
        "id": new_id(),
        "provider_sid": provider_sid,
        "phone_index": phone_index,
        "channel": channel.value,
        "meaning": meaning.value,
        "received_at": at,
    }
    return insert_new(conn, inbound_sms, values, "provider_sid")


def get(conn: Connection, provider_sid: str) -> Row:
    """The message that was kept under the provider's id."""
    return conn.execute(sa.select(inbound_sms).where(inbound_sms.c.provider_sid == provider_sid)).one()


def count_answerable(conn: Connection, phone_index: bytes, *, after: datetime, until: datetime) -> int:
    """How many messages that call for an answer came from a number after one moment and until another, inclusive."""
    statement = (
        sa.select(sa.func.count())
        .select_from(inbound_sms)
        .where(
            inbound_sms.c.phone_index == phone_index,
            inbound_sms.c.meaning != Meaning.OTHER.value,
            inbound_sms.c.received_at > after,
            inbound_sms.c.received_at <= until,
        )
    )
    return conn.scalar(statement) or 0
