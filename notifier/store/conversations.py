"""Conversations and the messages that wait in them. Whoever reads one's messages holds its row until the answers are
committed, so that they are read in order, each once, however many workers there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.ids import new_id
from notifier.core.states import Channel, Said
from notifier.store.bulk import among
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import chat_message, chat_reply, conversation, suppression
from notifier.store.types import Moment

#: how long a conversation is kept after the last message that came
LIFE = timedelta(hours=24)
_ASIDE = timedelta(hours=1)  # until one that cannot be opened is looked at again
_WAITS = sa.text("waits_since IS NOT NULL")  # literal: a bound parameter would not match the partial index
_UNREAD = sa.text("taken_at IS NULL")


_MINUTE = timedelta(minutes=1)
#: written once, as is what follows: SQLAlchemy takes longer to build a statement than to send it
_KNOWN = sa.select(
    sa.exists().where(chat_message.c.provider_sid == sa.bindparam("sid")),
    sa.exists().where(
        suppression.c.phone_index == sa.bindparam("number"),
        suppression.c.channel == Channel.WHATSAPP.value,
        suppression.c.lifted_at.is_(None),
    ),
)
_ANY = (
    sa.select(sa.literal(1)).select_from(conversation).where(_WAITS, conversation.c.waits_since <= sa.bindparam("now"))
).limit(1)


_HELD = sa.exists().where(chat_reply.c.conversation_id == conversation.c.id, chat_reply.c.status == "held")
_TAKE = (
    sa.select(conversation, _HELD.label("has_held"))
    .where(_WAITS, conversation.c.waits_since <= sa.bindparam("now"))
    .order_by(conversation.c.waits_since)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=conversation)
)
_UNREAD_OF = (
    sa.select(chat_message)
    .where(_UNREAD, chat_message.c.conversation_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(chat_message.c.received_at, chat_message.c.id)
)
_SETTLE = (
    conversation.update()
    .where(conversation.c.id == sa.bindparam("row_id"))
    .values(state_sealed=sa.bindparam("state"), waits_since=None)
)
_READ = (
    chat_message.update()
    .where(chat_message.c.id.in_(sa.bindparam("ids", expanding=True)))
    .values(taken_at=sa.bindparam("at", type_=Moment), text_sealed=None)
)


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation, opened. `state`: None before the first answer, and after its life."""

    id: str
    phone: str = field(repr=False)
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


class Kept(StrEnum):
    """What became of a message that came."""

    KEPT = "kept"
    REPEATED = "repeated"
    FLOOD = "flood"  #: too many; it is not kept
    STOPPED = "stopped"  #: its number told us to stop


@dataclass(frozen=True, slots=True)
class Flood:
    """How many messages of one number are kept; the first beyond is kept as Said.FLOOD, so that it is answered."""

    in_minute: int
    in_day: int


def receive(
    conn: Connection,
    sealer: Sealer,
    *,
    phone: str,
    provider_sid: str,
    kind: Said,
    text: str,
    at: datetime,
    flood: Flood,
) -> Kept:
    """Keeps a message, sealed, under the provider's id, and marks its conversation as waiting. Three statements: it is
    what a webhook waits for."""
    number = phone_index(sealer, phone)
    known, stopped = conn.execute(_KNOWN, {"sid": provider_sid, "number": number}).one()
    if known or stopped:
        return Kept.REPEATED if known else Kept.STOPPED
    row_id = new_id()
    values = {
        "id": row_id,
        "phone_index": number,
        "phone_sealed": sealer.seal("conversation:phone", row_id, phone),
        "at": at,
        "ends_at": at + LIFE,
        "minute": at - _MINUTE,
        "day": at - LIFE,
    }
    talk = conn.execute(_upsert(conn.dialect.name), values).one()
    over_minute, over_day = talk.in_minute - flood.in_minute, talk.in_day - flood.in_day
    if max(over_minute, over_day) > 1:
        return Kept.FLOOD
    if max(over_minute, over_day) == 1:
        kind, text = Said.FLOOD, ""
    return Kept.KEPT if _insert(conn, sealer, talk.id, provider_sid, kind, text, at) else Kept.REPEATED


def _insert(
    conn: Connection, sealer: Sealer, conversation_id: str, provider_sid: str, kind: Said, text: str, at: datetime
) -> bool:
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
    return conn.execute(_new_message(conn.dialect.name), values).first() is not None


@cache
def _new_message(dialect: str) -> Any:
    """Keeps a message, unless the provider's id is known; a copy at the same moment is waited for."""
    build = sqlite.insert if dialect == "sqlite" else postgresql.insert
    columns = ("id", "conversation_id", "provider_sid", "kind", "text_sealed", "received_at", "failures")
    values = {name: sa.bindparam(name, type_=chat_message.c[name].type) for name in columns}
    statement = build(chat_message).values(**values).on_conflict_do_nothing(index_elements=["provider_sid"])
    return statement.returning(sa.literal(1))


@cache
def _upsert(dialect: str) -> Any:
    """Finds or makes a number's conversation, marks it as waiting, and counts in its windows."""
    build = sqlite.insert if dialect == "sqlite" else postgresql.insert
    c, at = conversation.c, sa.bindparam("at", type_=Moment)
    statement = build(conversation).values(
        id=sa.bindparam("id"),
        phone_index=sa.bindparam("phone_index"),
        phone_sealed=sa.bindparam("phone_sealed"),
        last_inbound_at=at,
        waits_since=at,
        ends_at=sa.bindparam("ends_at", type_=Moment),
        minute_at=at,
        day_at=at,
        in_minute=1,
        in_day=1,
        created_at=at,
    )
    new_minute, new_day = (
        c.minute_at <= sa.bindparam("minute", type_=Moment),
        c.day_at <= sa.bindparam("day", type_=Moment),
    )
    again = {
        "waits_since": sa.func.coalesce(c.waits_since, statement.excluded.waits_since),
        "last_inbound_at": statement.excluded.last_inbound_at,
        "ends_at": statement.excluded.ends_at,
        "in_minute": sa.case((new_minute, 1), else_=c.in_minute + 1),
        "minute_at": sa.case((new_minute, statement.excluded.minute_at), else_=c.minute_at),
        "in_day": sa.case((new_day, 1), else_=c.in_day + 1),
        "day_at": sa.case((new_day, statement.excluded.day_at), else_=c.day_at),
    }
    statement = statement.on_conflict_do_update(index_elements=["phone_index"], set_=again)
    return statement.returning(c.id, c.in_minute, c.in_day)


def waiting(now: datetime) -> sa.Select[Any]:
    """What waits to be read now, as a question (`several.any_of`)."""
    return sa.select(conversation.c.id).where(_WAITS, conversation.c.waits_since <= now)


def is_any_waiting(conn: Connection, now: datetime) -> bool:
    """Whether anything waits to be read now."""
    return conn.execute(_ANY, {"now": now}).first() is not None


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
        state=None if row.state_sealed is None else sealer.open("conversation:state", row.id, row.state_sealed),
        last_inbound_at=row.last_inbound_at,
        has_held=row.has_held,
    )


def unread(conn: Connection, sealer: Sealer, ids: Collection[str]) -> dict[str, list[Message]]:
    """The unread messages of some conversations, in the order in which they came."""
    found: dict[str, list[Message]] = {one: [] for one in ids}
    for row in conn.execute(_UNREAD_OF, {"ids": list(ids)}):
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
        {"row_id": row_id, "state": sealer.seal("conversation:state", row_id, text)} for row_id, text in states.items()
    ]
    if sealed:
        conn.execute(_SETTLE, sealed)
    if read:
        conn.execute(_READ, {"ids": list(read), "at": at})


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
    ids = list(conn.scalars(sa.select(conversation.c.id).where(conversation.c.phone_index.in_(list(indexes)))))
    _delete(conn, ids)
    return len(ids)


def _delete(conn: Connection, ids: Sequence[str]) -> None:
    if not ids:
        return
    conn.execute(chat_reply.delete().where(among(conn, chat_reply.c.conversation_id, ids)))
    conn.execute(chat_message.delete().where(among(conn, chat_message.c.conversation_id, ids)))
    conn.execute(conversation.delete().where(among(conn, conversation.c.id, ids)))
