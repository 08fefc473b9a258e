"""Conversations and the messages that wait in them. Whoever reads one's messages holds its row until the answers are
committed, so that they are read in order, each once, however many workers there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.states import Said
from notifier.store.bulk import among, listed
from notifier.store.each import update_each
from notifier.store.engine import Database
from notifier.store.hot import HotRead
from notifier.store.sealed import Sealer
from notifier.store.tables import chat_message, chat_reply, conversation
from notifier.store.types import Moment

#: how long a conversation is kept after the last message that came
LIFE = timedelta(hours=24)
_ASIDE = timedelta(hours=1)  # until one that cannot be opened is looked at again
_WAITS = sa.text("waits_since IS NOT NULL")  # literal: a bound parameter would not match the partial index
_UNREAD = sa.text("taken_at IS NULL")


#: written once, as is what follows: SQLAlchemy takes longer to build a statement than to send it
_ANY = HotRead(
    sa.select(sa.literal_column("1", sa.Integer).label("one"))
    .select_from(conversation)
    .where(_WAITS, conversation.c.waits_since <= sa.bindparam("now", type_=Moment))
    .limit(sa.literal_column("1"))
)
_HELD = sa.exists().where(chat_reply.c.conversation_id == conversation.c.id, chat_reply.c.status == "held")
_TAKE = (
    sa.select(conversation, _HELD.label("has_held"))
    .where(_WAITS, conversation.c.waits_since <= sa.bindparam("now"))
    .order_by(conversation.c.waits_since)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=conversation)
)


@cache
def _unread_of(dialect: str) -> sa.Select[Any]:
    theirs = listed(dialect, chat_message.c.conversation_id)
    return sa.select(chat_message).where(_UNREAD, theirs).order_by(chat_message.c.received_at, chat_message.c.id)


@cache
def _read(dialect: str) -> sa.Update:
    at = sa.bindparam("at", type_=Moment)
    return chat_message.update().where(listed(dialect, chat_message.c.id)).values(taken_at=at, text_sealed=None)


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation, opened. `state`: None before the first answer, and after its life."""

    id: str
    phone: str = field(repr=False)
    phone_index: bytes = field(repr=False)
    state: str | None = field(repr=False)
    last_inbound_at: datetime
    has_held: bool  #: replies wait for the person to write


@dataclass(frozen=True, slots=True)
class Message:
    """A message that nobody has read, opened."""

    id: str
    conversation_id: str
    kind: Said
    text: str = field(repr=False)
    received_at: datetime
    failures: int


def waiting(now: datetime) -> sa.Select[Any]:
    """What waits to be read now, as a question (`several.any_of`)."""
    return sa.select(conversation.c.id).where(_WAITS, conversation.c.waits_since <= now)


def is_any_waiting(db: Database, now: datetime) -> bool:
    """Whether anything waits to be read that has waited since this moment."""
    return _ANY.first(db, now=now) is not None


def take(conn: Connection, sealer: Sealer, now: datetime, limit: int) -> list[Talk]:
    """Conversations with messages that wait, held until the caller's transaction ends; other workers pass them by. A
    caller that dies lets go of them."""
    talks, shut = [], []
    for row in conn.execute(_TAKE, {"now": now, "most": limit}).all():
        try:
            talks.append(_opened(sealer, row))
        except SealBroken:  # none of our keys opens it: the others must not wait behind it
            shut.append(row.id)
    if shut:
        aside = conversation.update().where(conversation.c.id.in_(shut))
        conn.execute(aside.values(waits_since=now + _ASIDE))
    return talks


def _opened(sealer: Sealer, row: sa.Row[Any]) -> Talk:
    return Talk(
        id=row.id,
        phone=sealer.open("conversation:phone", row.id, row.phone_sealed),
        phone_index=row.phone_index,
        state=None if row.state_sealed is None else sealer.open("conversation:state", row.id, row.state_sealed),
        last_inbound_at=row.last_inbound_at,
        has_held=row.has_held,
    )


def unread(conn: Connection, sealer: Sealer, ids: Collection[str]) -> dict[str, list[Message]]:
    """The unread messages of some conversations, in the order in which they came."""
    found: dict[str, list[Message]] = {one: [] for one in ids}
    for row in conn.execute(_unread_of(conn.dialect.name), {"ids": list(ids)}):
        text = _text(sealer, row)
        found[row.conversation_id].append(
            Message(row.id, row.conversation_id, Said(row.kind), text, row.received_at, row.failures)
        )
    return found


def _text(sealer: Sealer, row: sa.Row[Any]) -> str:
    """What was written; nothing where none of our keys opens it: the person is asked again, nobody waits behind it."""
    try:
        return "" if row.text_sealed is None else sealer.open("chat_message:text", row.id, row.text_sealed)
    except SealBroken:
        return ""


def settle(conn: Connection, sealer: Sealer, states: Mapping[str, str], read: Sequence[str], at: datetime) -> None:
    """Writes the new states by conversation, and that these messages were read: their texts go."""
    sealed = [
        {"row_id": row_id, "new_state_sealed": sealer.seal("conversation:state", row_id, text)}
        for row_id, text in states.items()
    ]
    update_each(conn, conversation, sealed, same={"waits_since": None})
    if read:
        conn.execute(_read(conn.dialect.name), {"ids": list(read), "at": at})


def hold(conn: Connection, conversation_id: str) -> None:
    """Keeps anybody else from reading a conversation, and from writing into it, until the caller's transaction ends."""
    conn.execute(sa.select(conversation.c.id).where(conversation.c.id == conversation_id).with_for_update())


def put_off(conn: Connection, conversation_id: str, message_id: str, until: datetime) -> None:
    """Counts a failure at a conversation's first unread message, and tries again later."""
    statement = chat_message.update().where(chat_message.c.id == message_id)
    conn.execute(statement.values(failures=chat_message.c.failures + 1))
    conn.execute(conversation.update().where(conversation.c.id == conversation_id).values(waits_since=until))


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Takes away conversations whose life is over, with all that was said; how many. What still waits is not over."""
    over = sa.or_(conversation.c.ends_at < now - 7 * LIFE, sa.and_(conversation.c.ends_at < now, ~_HELD))
    statement = sa.select(conversation.c.id).where(over, conversation.c.waits_since.is_(None)).limit(limit)
    ids = list(conn.scalars(statement.with_for_update(skip_locked=True, of=conversation)))
    _delete(conn, ids)
    return len(ids)


def forget_numbers(conn: Connection, indexes: Collection[bytes]) -> int:
    """Takes away the conversations with some numbers; how many."""
    theirs = sa.select(conversation.c.id).where(conversation.c.phone_index.in_(list(indexes)))
    # held, or a message could come between what is taken away first and what is taken away last
    ids = list(conn.scalars(theirs.order_by(conversation.c.id).with_for_update()))
    _delete(conn, ids)
    return len(ids)


def _delete(conn: Connection, ids: Sequence[str]) -> None:
    if not ids:
        return
    conn.execute(chat_reply.delete().where(among(conn, chat_reply.c.conversation_id, ids)))
    conn.execute(chat_message.delete().where(among(conn, chat_message.c.conversation_id, ids)))
    conn.execute(conversation.delete().where(among(conn, conversation.c.id, ids)))
