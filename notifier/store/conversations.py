"""Conversations and the messages that wait in them. Whoever reads one's messages holds its row until the answers are
committed, so that they are read in order, each once, however many workers there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.ids import new_id
from notifier.core.states import Said
from notifier.store.bulk import among
from notifier.store.events import insert_new
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import chat_message, chat_reply, conversation

#: how long a conversation is kept after the last message that came
LIFE = timedelta(hours=24)
_ASIDE = timedelta(hours=1)  # until one that cannot be opened is looked at again
_WAITS = sa.text("waits_since IS NOT NULL")  # literal: a bound parameter would not match the partial index
_UNREAD = sa.text("taken_at IS NULL")


#: written once: it is asked many times a second
_ANY = (
    sa.select(sa.literal(1)).select_from(conversation).where(_WAITS, conversation.c.waits_since <= sa.bindparam("now"))
).limit(1)


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation, opened. `state`: None before the first answer, and after its life."""

    id: str
    phone: str = field(repr=False)
    state: str | None = field(repr=False)
    last_inbound_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A message that nobody has read, opened."""

    id: str
    conversation_id: str
    kind: Said
    text: str = field(repr=False)
    received_at: datetime
    failures: int


def is_known(conn: Connection, provider_sid: str) -> bool:
    """Whether a message of the provider's came before."""
    statement = sa.select(chat_message.c.id).where(chat_message.c.provider_sid == provider_sid)
    return conn.execute(statement).first() is not None


def receive(
    conn: Connection, sealer: Sealer, *, phone: str, provider_sid: str, kind: Said, text: str, at: datetime
) -> bool:
    """Keeps a message, sealed, under the provider's id, and marks its conversation as waiting; False where it came
    before. A copy at the same moment is waited for."""
    if is_known(conn, provider_sid):
        return False
    conversation_id = _waiting_conversation(conn, sealer, phone, at)
    row_id = new_id()
    values = {
        "id": row_id,
        "conversation_id": conversation_id,
        "provider_sid": provider_sid,
        "kind": kind.value,
        "text_sealed": sealer.seal("chat_message:text", row_id, text),
        "received_at": at,
        "failures": 0,
    }
    return insert_new(conn, chat_message, values, "provider_sid")


def _waiting_conversation(conn: Connection, sealer: Sealer, phone: str, at: datetime) -> str:
    row_id = new_id()
    build = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
    statement = build(conversation).values(
        id=row_id,
        phone_index=phone_index(sealer, phone),
        phone_sealed=sealer.seal("conversation:phone", row_id, phone),
        last_inbound_at=at,
        waits_since=at,
        ends_at=at + LIFE,
        created_at=at,
    )
    since = sa.func.coalesce(conversation.c.waits_since, statement.excluded.waits_since)
    again = {"waits_since": since, "last_inbound_at": at, "ends_at": at + LIFE}
    statement = statement.on_conflict_do_update(index_elements=["phone_index"], set_=again)
    return str(conn.execute(statement.returning(conversation.c.id)).scalar_one())


def waiting(now: datetime) -> sa.Select[Any]:
    """What waits to be read now, as a question (`several.any_of`)."""
    return sa.select(conversation.c.id).where(_WAITS, conversation.c.waits_since <= now)


def is_any_waiting(conn: Connection, now: datetime) -> bool:
    """Whether anything waits to be read now."""
    return conn.execute(_ANY, {"now": now}).first() is not None


def take(conn: Connection, sealer: Sealer, now: datetime, limit: int) -> list[Talk]:
    """Conversations with messages that wait, held until the caller's transaction ends; other workers pass them by. A
    caller that dies lets go of them."""
    statement = (
        sa.select(conversation)
        .where(_WAITS, conversation.c.waits_since <= now)
        .order_by(conversation.c.waits_since)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    talks, shut = [], []
    for row in conn.execute(statement).all():
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
        state=None if row.state_sealed is None else sealer.open("conversation:state", row.id, row.state_sealed),
        last_inbound_at=row.last_inbound_at,
    )


def unread(conn: Connection, sealer: Sealer, ids: Collection[str]) -> dict[str, list[Message]]:
    """The unread messages of some conversations, in the order in which they came."""
    statement = sa.select(chat_message).where(_UNREAD, among(conn, chat_message.c.conversation_id, ids))
    found: dict[str, list[Message]] = {one: [] for one in ids}
    for row in conn.execute(statement.order_by(chat_message.c.received_at, chat_message.c.id)):
        text = "" if row.text_sealed is None else sealer.open("chat_message:text", row.id, row.text_sealed)
        found[row.conversation_id].append(
            Message(row.id, row.conversation_id, Said(row.kind), text, row.received_at, row.failures)
        )
    return found


def settle(conn: Connection, sealer: Sealer, states: Mapping[str, str], read: Sequence[str], at: datetime) -> None:
    """Writes the new states by conversation, and that these messages were read: their texts go."""
    sealed = [
        {"row_id": row_id, "state": sealer.seal("conversation:state", row_id, text)} for row_id, text in states.items()
    ]
    if sealed:
        statement = conversation.update().where(conversation.c.id == sa.bindparam("row_id"))
        conn.execute(statement.values(state_sealed=sa.bindparam("state"), waits_since=None), sealed)
    if read:
        done = chat_message.update().where(among(conn, chat_message.c.id, read))
        conn.execute(done.values(taken_at=at, text_sealed=None))


def put_off(conn: Connection, conversation_id: str, message_id: str, until: datetime) -> None:
    """Counts a failure at a conversation's first unread message, and tries again later."""
    statement = chat_message.update().where(chat_message.c.id == message_id)
    conn.execute(statement.values(failures=chat_message.c.failures + 1))
    conn.execute(conversation.update().where(conversation.c.id == conversation_id).values(waits_since=until))


def forget(conn: Connection, now: datetime, limit: int) -> int:
    """Takes away conversations whose life is over, with all that was said; how many. What still waits is not over."""
    held = sa.exists().where(chat_reply.c.conversation_id == conversation.c.id, chat_reply.c.status == "held")
    over = sa.or_(conversation.c.ends_at < now - 7 * LIFE, sa.and_(conversation.c.ends_at < now, ~held))
    statement = sa.select(conversation.c.id).where(over, conversation.c.waits_since.is_(None)).limit(limit)
    ids = list(conn.scalars(statement.with_for_update(skip_locked=True, of=conversation)))
    _delete(conn, ids)
    return len(ids)


def forget_numbers(conn: Connection, indexes: Collection[bytes]) -> int:
    """Takes away the conversations with some numbers; how many."""
    ids = list(conn.scalars(sa.select(conversation.c.id).where(conversation.c.phone_index.in_(list(indexes)))))
    _delete(conn, ids)
    return len(ids)


def _delete(conn: Connection, ids: Sequence[str]) -> None:
    if not ids:
        return
    conn.execute(chat_reply.delete().where(among(conn, chat_reply.c.conversation_id, ids)))
    conn.execute(chat_message.delete().where(among(conn, chat_message.c.conversation_id, ids)))
    conn.execute(conversation.delete().where(among(conn, conversation.c.id, ids)))
