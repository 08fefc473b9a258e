"""The numbers that must get no message on a channel: opt-outs, and what providers told us.

A row is never changed but to be lifted, so that the rows of a number are its history. At most one row a number and
channel is open: the partial unique index says so, whoever comes at once.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import Channel, Reason
from notifier.store.tables import notification, suppression

Row = sa.Row[Any]
_OPEN = "lifted_at IS NULL"  # literal: a bound parameter would not match the partial index


class Source(StrEnum):
    """Through what a number came onto the list."""

    LINK_PAGE = "link-page"  #: whoever holds a link pressed the button
    INBOUND = "inbound"  #: the number itself wrote STOP to our sender
    PROVIDER = "provider"  #: the provider refused, since it was told to stop
    OPERATOR = "operator"
    ACCOUNT = "account"  #: whoever proved the number by a code, on the web or in a chat


def add(
    conn: Connection,
    phone_index: bytes,
    *,
    reason: Reason,
    source: str,
    at: datetime,
    channel: Channel = Channel.SMS,
) -> bool:
    """Suppresses a number on a channel; False where it was suppressed already. A concurrent one is waited for."""
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = build(suppression).values(
        id=new_id(),
        phone_index=phone_index,
        channel=channel.value,
        reason=reason.value,
        source=source,
        created_at=at,
    )
    statement = statement.on_conflict_do_nothing(index_elements=["phone_index", "channel"], index_where=sa.text(_OPEN))
    return conn.execute(statement.returning(sa.literal(1))).first() is not None


def suppressed(conn: Connection, phone_indexes: Collection[bytes], *, channel: Channel = Channel.SMS) -> set[bytes]:
    """Which of some numbers are suppressed on a channel now."""
    statement = sa.select(suppression.c.phone_index).where(
        suppression.c.phone_index.in_(list(phone_indexes)), suppression.c.channel == channel.value, sa.text(_OPEN)
    )
    return set(conn.scalars(statement))


def standing(conn: Connection, phone_index: bytes, *, channel: Channel = Channel.SMS) -> Row | None:
    """The open suppression of a number on a channel; None where it may be written to."""
    statement = sa.select(suppression).where(
        suppression.c.phone_index == phone_index, suppression.c.channel == channel.value, sa.text(_OPEN)
    )
    return conn.execute(statement).first()


def lift(
    conn: Connection,
    phone_index: bytes,
    at: datetime,
    *,
    channel: Channel = Channel.SMS,
    source: str | None = None,
) -> bool:
    """Takes a suppression away, where `source` is given only one of that source; False where there was none."""
    statement = suppression.update().where(
        suppression.c.phone_index == phone_index, suppression.c.channel == channel.value, sa.text(_OPEN)
    )
    if source is not None:
        statement = statement.where(suppression.c.source == source)
    return conn.execute(statement.values(lifted_at=at)).rowcount > 0


def lift_row(conn: Connection, row_id: str, at: datetime) -> Row | None:
    """Takes one suppression away; its row, None where it is not open any more."""
    statement = suppression.update().where(suppression.c.id == row_id, sa.text(_OPEN))
    return conn.execute(statement.values(lifted_at=at).returning(suppression)).first()


def history(conn: Connection, phone_index: bytes, limit: int = 50) -> list[Row]:
    """Every time that a number was suppressed, on any channel, newest first."""
    statement = sa.select(suppression).where(suppression.c.phone_index == phone_index)
    return list(conn.execute(statement.order_by(suppression.c.created_at.desc(), suppression.c.id.desc()).limit(limit)))


def number_of_link(conn: Connection, *, person_id: str, link_id: str) -> bytes | None:
    """The blind index of the number that a link's message went to; None where no message bore the link. `person_id` is
    the link's, since notifications are found by person."""
    statement = sa.select(notification.c.phone_index).where(
        notification.c.person_id == person_id, notification.c.link_id == link_id
    )
    index: bytes | None = conn.scalar(statement.order_by(notification.c.created_at.desc()).limit(1))
    return index
