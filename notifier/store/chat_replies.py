"""Replies of a chat: a small outbox. Each is written with the step that it answers, sent in the order of its
conversation, and never again where its outcome is not known. Every move names a pair of core.states.REPLY_MOVES."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.ids import new_ids, new_secret_id
from notifier.core.states import REPLY_MOVES, Channel, Reason, State
from notifier.store import counters
from notifier.store.bulk import among, insert_rows, listed
from notifier.store.each import update_each
from notifier.store.events import insert_new
from notifier.store.sealed import Sealer
from notifier.store.tables import chat_reply, conversation, suppression, switch
from notifier.store.types import Moment, RowId

#: what stands before the reference in a callback's address, so that it is told from an SMS's
REFERENCE = "chat-"
#: where the one template stands that asks a person to write again, so that it is there once
_REOPENING = 1000
_OVER = (State.ACCEPTED, State.FAILED, State.UNKNOWN, State.SUPPRESSED, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply that may go now, opened."""

    id: str
    conversation_id: str
    phone: str = field(repr=False)
    phone_index: bytes = field(repr=False)
    body: str = field(repr=False)
    is_plain: bool
    attempts: int
    created_at: datetime
    last_inbound_at: datetime
    is_stopped: bool  #: the number told us to stop


@dataclass(frozen=True, slots=True)
class Added:
    """A reply that was just written, and what its first attempt is called."""

    id: str
    reference: str


def add(conn: Connection, sealer: Sealer, replies: Sequence[tuple[str, str, str]], *, at: datetime) -> list[Added]:
    """Adds (conversation, message that it answers, body), in this order in each conversation."""
    places: dict[str, int] = {}
    rows, added = [], []
    for row_id, (conversation_id, message_id, body) in zip(new_ids(len(replies)), replies, strict=True):
        place = places[conversation_id] = places.get(conversation_id, -1) + 1
        added.append(Added(row_id, new_reference()))
        row = _new_row(sealer, row_id, conversation_id, message_id, place, body, at)
        rows.append(row | {"attempt_reference": added[-1].reference})
    insert_rows(conn, chat_reply, rows)
    return added


def new_reference() -> str:
    """The name of an attempt, in the address that the provider reports to."""
    return REFERENCE + new_secret_id()


def add_reopening(conn: Connection, sealer: Sealer, held: Reply, body: str, *, at: datetime) -> bool:
    """The template that asks the person to write again; once for each reply that is held."""
    row = _new_row(sealer, new_ids(1)[0], held.conversation_id, held.id, _REOPENING, body, at)
    return insert_new(conn, chat_reply, row, "message_id", "place")


def _new_row(
    sealer: Sealer, row_id: str, conversation_id: str, message_id: str, place: int, body: str, at: datetime
) -> dict[str, Any]:
    return {
        "id": row_id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "place": place,
        "status": State.SCHEDULED.value,
        "body_sealed": sealer.seal("chat_reply:body", row_id, body),
        "is_plain": False,
        "attempts": 0,
        "due_at": at,
        "created_at": at,
        "updated_at": at,
    }


def due(now: datetime) -> sa.Select[Any]:
    """What waits to be sent now, as a question (`several.any_of`)."""
    return sa.select(chat_reply.c.id).where(_is(State.SCHEDULED), chat_reply.c.due_at <= now)


def doubtful(now: Any) -> sa.Select[Any]:
    """What was being sent by somebody who has been silent for too long, as a question."""
    return sa.select(chat_reply.c.id).where(_is(State.SENDING), chat_reply.c.lease_until < now)


def _is(state: State) -> sa.ColumnElement[bool]:
    # literal: a bound parameter would not match the partial index
    return chat_reply.c.status == sa.literal_column(f"'{state.value}'", sa.String)


_other = chat_reply.alias("other")
#: an earlier reply of the same conversation that has not left, or one that is leaving
_IN_LINE = sa.exists().where(
    _other.c.conversation_id == chat_reply.c.conversation_id,
    _other.c.id != chat_reply.c.id,
    sa.or_(
        _other.c.status == State.SENDING.value,
        sa.and_(
            _other.c.status == State.SCHEDULED.value,
            sa.or_(
                _other.c.created_at < chat_reply.c.created_at,
                sa.and_(_other.c.created_at == chat_reply.c.created_at, _other.c.place < chat_reply.c.place),
            ),
        ),
    ),
)

#: the kill switch
_IS_HELD = sa.exists().where(switch.c.name == counters.HOLD, switch.c.is_on.is_(True))

#: written once: SQLAlchemy takes longer to build it than to send it
_CLAIM = (
    sa.select(
        chat_reply,
        conversation.c.phone_sealed,
        conversation.c.phone_index,
        conversation.c.last_inbound_at,
        sa.exists()
        .where(
            suppression.c.phone_index == conversation.c.phone_index,
            suppression.c.channel == Channel.WHATSAPP.value,
            suppression.c.lifted_at.is_(None),
        )
        .label("is_stopped"),
    )
    .join(conversation, conversation.c.id == chat_reply.c.conversation_id)
    .where(
        _is(State.SCHEDULED),
        chat_reply.c.due_at <= sa.bindparam("now", type_=Moment),
        ~_IN_LINE,
        ~_IS_HELD,
    )
    .order_by(chat_reply.c.due_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=chat_reply)
)
_BEGIN = (
    chat_reply.update()
    .where(chat_reply.c.id == sa.bindparam("row_id"))
    .values(
        status=State.SENDING.value,
        attempt_reference=sa.bindparam("reference"),
        attempts=chat_reply.c.attempts + 1,
        lease_token=sa.bindparam("token", type_=RowId),
        lease_until=sa.bindparam("until", type_=Moment),
        updated_at=sa.bindparam("at", type_=Moment),
    )
)


@cache
def _begin_fresh(dialect: str) -> Any:
    is_stopped = sa.exists().where(
        conversation.c.id == chat_reply.c.conversation_id,
        suppression.c.phone_index == conversation.c.phone_index,
        suppression.c.channel == Channel.WHATSAPP.value,
        suppression.c.lifted_at.is_(None),
    )
    # without an attempt nobody was faster: it still has the reference that it was written with
    is_fresh = sa.and_(listed(dialect, chat_reply.c.id), _is(State.SCHEDULED), chat_reply.c.attempts == 0)
    statement = chat_reply.update().where(is_fresh, ~_IN_LINE, ~is_stopped, ~_IS_HELD)
    return statement.values(
        status=State.SENDING.value,
        attempts=1,
        lease_token=sa.bindparam("token", type_=RowId),
        lease_until=sa.bindparam("until", type_=Moment),
        updated_at=sa.bindparam("at", type_=Moment),
    ).returning(chat_reply.c.id)


def claim(conn: Connection, sealer: Sealer, now: datetime, limit: int) -> list[Reply]:
    """The first waiting reply of each conversation, held until the caller's transaction ends; none while the kill
    switch is on."""
    replies, shut = [], []
    for row in conn.execute(_CLAIM, {"now": now, "most": limit}).all():
        try:
            replies.append(_opened(sealer, row))
        except SealBroken:  # none of our keys opens it: the others must not wait behind it
            shut.append(row.id)
    stop(conn, shut, State.EXPIRED, Reason.UNREADABLE, at=now)
    return replies


def _opened(sealer: Sealer, row: sa.Row[Any]) -> Reply:
    return Reply(
        id=row.id,
        conversation_id=row.conversation_id,
        phone=sealer.open("conversation:phone", row.conversation_id, row.phone_sealed),
        phone_index=row.phone_index,
        body=sealer.open("chat_reply:body", row.id, row.body_sealed),
        is_plain=row.is_plain,
        attempts=row.attempts,
        created_at=row.created_at,
        last_inbound_at=row.last_inbound_at,
        is_stopped=row.is_stopped,
    )


def begin(conn: Connection, references: Mapping[str, str], *, token: str, until: datetime, at: datetime) -> None:
    """Marks claimed replies as being sent, each under the reference of its attempt: before any byte leaves."""
    more = {"token": token, "until": until, "at": at}
    rows = [{"row_id": row_id, "reference": reference} | more for row_id, reference in references.items()]
    if rows:
        conn.execute(_BEGIN, rows)


def begin_fresh(conn: Connection, ids: Collection[str], *, token: str, until: datetime, at: datetime) -> set[str]:
    """Marks replies as being sent that the caller has just added, under the references that they were added with;
    which. Not those that somebody else has begun, or that must wait: for an earlier one, for the kill switch, for good
    where their number told us to stop."""
    values = {"ids": list(ids), "token": token, "until": until, "at": at}
    return set(conn.scalars(_begin_fresh(conn.dialect.name), values))


def finish(conn: Connection, row_id: str, state: State, *, token: str, at: datetime, **values: Any) -> bool:
    """Writes what came of an attempt; False where it is not ours any more (a receipt was faster, or it is doubted)."""
    if state not in REPLY_MOVES[State.SENDING]:
        raise ValueError(f"sending -> {state}: no such move")
    mine = sa.and_(chat_reply.c.id == row_id, chat_reply.c.lease_token == token, _is(State.SENDING))
    return conn.execute(chat_reply.update().where(mine).values(**_moved(state, at), **values)).rowcount == 1


def accept_many(conn: Connection, sids: Mapping[str, str], *, token: str, at: datetime) -> None:
    """`finish` for those that the provider took, by row id."""
    changes = [{"row_id": row_id, "new_provider_sid": sid} for row_id, sid in sids.items()]
    mine = sa.and_(chat_reply.c.lease_token == token, _is(State.SENDING))
    update_each(conn, chat_reply, changes, mine, same=_moved(State.ACCEPTED, at))


def stop(conn: Connection, ids: Collection[str], state: State, reason: Reason, *, at: datetime) -> None:
    """Moves claimed replies to where they are not sent."""
    if state not in REPLY_MOVES[State.SCHEDULED]:
        raise ValueError(f"scheduled -> {state}: no such move")
    if ids:
        these = sa.and_(chat_reply.c.id.in_(list(ids)), _is(State.SCHEDULED))
        conn.execute(chat_reply.update().where(these).values(**_moved(state, at), reason=reason.value))


def let_go(conn: Connection, conversation_ids: Collection[str], *, at: datetime) -> int:
    """The persons have written again: what was held for them may be sent."""
    held = sa.and_(among(conn, chat_reply.c.conversation_id, conversation_ids), _is(State.HELD))
    return conn.execute(chat_reply.update().where(held).values(**_moved(State.SCHEDULED, at), due_at=at)).rowcount


def doubt(conn: Connection, now: Any, *, at: datetime) -> int:
    """Whoever was sending these died, or lost the line: nobody knows what became of them, nobody sends them again."""
    lost = sa.and_(_is(State.SENDING), chat_reply.c.lease_until < now)
    values = {**_moved(State.UNKNOWN, at), "reason": Reason.LEASE_RAN_OUT.value}
    return conn.execute(chat_reply.update().where(lost).values(**values)).rowcount


def note(conn: Connection, reference: str, state: State, sid: str, code: str | None, *, at: datetime) -> bool:
    """What a receipt says of an attempt, forward only; False where it says nothing new."""
    froms = [old.value for old, moves in REPLY_MOVES.items() if state in moves]
    row = sa.and_(chat_reply.c.attempt_reference == reference, chat_reply.c.status.in_(froms))
    values = {**_moved(state, at), "provider_sid": sid, "provider_code": code}
    return conn.execute(chat_reply.update().where(row).values(**values)).rowcount == 1


def _moved(state: State, at: datetime) -> dict[str, Any]:
    """The columns of a move. A text that will not be sent (again) goes."""
    moved: dict[str, Any] = {"status": state.value, "updated_at": at}
    if state in _OVER or state not in (State.SCHEDULED, State.SENDING, State.HELD):
        moved["body_sealed"] = None
    return moved


def of_conversation(conn: Connection, conversation_id: str) -> list[sa.Row[Any]]:
    """Its replies in order, sealed."""
    statement = sa.select(chat_reply).where(chat_reply.c.conversation_id == conversation_id)
    return list(conn.execute(statement.order_by(chat_reply.c.created_at, chat_reply.c.place)))
