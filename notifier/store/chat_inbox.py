"""A message that came is kept: once, sealed, counted against floods, and its conversation marked as waiting.

It is what a provider's webhook waits for, so on PostgreSQL all of it is one statement, with no transaction around it;
on SQLite, whose statements cost no way anywhere, it is three in one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import Channel, Said
from notifier.store.conversations import LIFE
from notifier.store.engine import Database
from notifier.store.hot import HotRead
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import chat_message, conversation, suppression
from notifier.store.types import Moment, RowId

_MINUTE = timedelta(minutes=1)


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


@dataclass(frozen=True, slots=True)
class Came:
    """A message as it came. `phone`: E.164."""

    phone: str = field(repr=False)
    provider_sid: str
    kind: Said
    text: str = field(repr=False)
    at: datetime


def receive(db: Database, sealer: Sealer, came: Came, flood: Flood) -> Kept:
    """Keeps a message under the provider's id, and marks its conversation as waiting. When it returns, it is
    committed."""
    values = _values(sealer, came)
    if db.is_sqlite:
        with db.write() as conn:
            return _in_three(conn, values, flood)
    [found] = _IN_ONE.rows(db, **values, most_in_minute=flood.in_minute, most_in_day=flood.in_day)
    return _kept(found.is_known, found.is_stopped, found.kept > 0, found.over or 0)


def _values(sealer: Sealer, came: Came) -> dict[str, Any]:
    """The parameters of each statement here; a message too many is kept without its text, so both are sealed."""
    talk_id, row_id = new_id(), new_id()
    return {
        "sid": came.provider_sid,
        "number": phone_index(sealer, came.phone),
        "talk_id": talk_id,
        "phone_sealed": sealer.seal("conversation:phone", talk_id, came.phone),
        "row_id": row_id,
        "kind": came.kind.value,
        "text_sealed": sealer.seal("chat_message:text", row_id, came.text),
        "no_text_sealed": sealer.seal("chat_message:text", row_id, ""),
        "at": came.at,
        "ends_at": came.at + LIFE,
        "minute": came.at - _MINUTE,
        "day": came.at - LIFE,
    }


def _in_three(conn: Connection, values: dict[str, Any], flood: Flood) -> Kept:
    known, stopped = conn.execute(_KNOWN, values).one()
    if known or stopped:
        return _kept(known, stopped, False, 0)
    talk = conn.execute(_FOUND_OR_MADE, values).one()
    over = max(talk.in_minute - flood.in_minute, talk.in_day - flood.in_day)
    if over > 1:
        return Kept.FLOOD
    message = values | {"conversation_id": talk.id}
    if over == 1:
        message |= {"kind": Said.FLOOD.value, "text_sealed": values["no_text_sealed"]}
    kept = conn.execute(_KEPT_ONCE, message).first()
    return _kept(False, False, kept is not None, over)


def _kept(known: bool, stopped: bool, kept: bool, over: int) -> Kept:
    if known or stopped:
        return Kept.REPEATED if known else Kept.STOPPED
    if over > 1:
        return Kept.FLOOD
    return Kept.KEPT if kept else Kept.REPEATED


def _bound(name: str, kind: Any) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=kind)


_AT = _bound("at", Moment)
_TALK: dict[str, Any] = {
    "id": _bound("talk_id", RowId),
    "phone_index": _bound("number", sa.LargeBinary),
    "phone_sealed": _bound("phone_sealed", sa.LargeBinary),
    "last_inbound_at": _AT,
    "waits_since": _AT,
    "ends_at": _bound("ends_at", Moment),
    "minute_at": _AT,
    "day_at": _AT,
    "in_minute": sa.literal_column("1", sa.Integer),
    "in_day": sa.literal_column("1", sa.Integer),
    "created_at": _AT,
}
_MESSAGE: dict[str, Any] = {
    "id": _bound("row_id", RowId),
    "provider_sid": _bound("sid", sa.String),
    "kind": _bound("kind", sa.String),
    "text_sealed": _bound("text_sealed", sa.LargeBinary),
    "received_at": _AT,
    "failures": sa.literal_column("0", sa.Integer),
}
_IS_KNOWN = sa.exists().where(chat_message.c.provider_sid == _MESSAGE["provider_sid"])
_IS_STOPPED = sa.exists().where(
    suppression.c.phone_index == _TALK["phone_index"],
    suppression.c.channel == sa.literal_column(f"'{Channel.WHATSAPP.value}'", sa.String),
    suppression.c.lifted_at.is_(None),
)
_KNOWN = sa.select(_IS_KNOWN.label("is_known"), _IS_STOPPED.label("is_stopped"))


def _talk(new: Any) -> Any:
    """Finds or makes a number's conversation, marks it as waiting, and counts in its windows."""
    c, came = conversation.c, new.excluded
    new_minute, new_day = c.minute_at <= _bound("minute", Moment), c.day_at <= _bound("day", Moment)
    again = {
        "waits_since": sa.func.coalesce(c.waits_since, came.waits_since),
        "last_inbound_at": came.last_inbound_at,
        "ends_at": came.ends_at,
        "in_minute": sa.case((new_minute, 1), else_=c.in_minute + 1),
        "minute_at": sa.case((new_minute, came.minute_at), else_=c.minute_at),
        "in_day": sa.case((new_day, 1), else_=c.in_day + 1),
        "day_at": sa.case((new_day, came.day_at), else_=c.day_at),
    }
    upsert = new.on_conflict_do_update(index_elements=["phone_index"], set_=again)
    return upsert.returning(c.id, c.in_minute, c.in_day)


def _once(new: Any) -> Any:
    """Keeps a message, unless the provider's id is known; a copy at the same moment is waited for."""
    return new.on_conflict_do_nothing(index_elements=["provider_sid"]).returning(sa.literal_column("1").label("one"))


def _whole() -> sa.Select[Any]:
    """The three in one: each goes on with what the one before found. PostgreSQL runs them all, each once."""
    known = _KNOWN.cte("known")
    wanted = sa.select(*_TALK.values()).select_from(known).where(~known.c.is_known, ~known.c.is_stopped)
    talk = _talk(postgresql.insert(conversation).from_select(list(_TALK), wanted)).cte("talk")
    over = sa.func.greatest(
        talk.c.in_minute - _bound("most_in_minute", sa.Integer), talk.c.in_day - _bound("most_in_day", sa.Integer)
    )
    message = _MESSAGE | {
        "conversation_id": talk.c.id,
        "kind": sa.case((over == 1, Said.FLOOD.value), else_=_MESSAGE["kind"]),
        "text_sealed": sa.case((over == 1, _bound("no_text_sealed", sa.LargeBinary)), else_=_MESSAGE["text_sealed"]),
    }
    new = sa.select(*message.values()).select_from(talk).where(over <= 1)
    kept = _once(postgresql.insert(chat_message).from_select(list(message), new)).cte("kept")
    return sa.select(
        known.c.is_known,
        known.c.is_stopped,
        sa.select(over).select_from(talk).scalar_subquery().label("over"),
        sa.select(sa.func.count()).select_from(kept).scalar_subquery().label("kept"),
    )


_FOUND_OR_MADE = _talk(sqlite.insert(conversation).values(_TALK))
_KEPT_ONCE = _once(sqlite.insert(chat_message).values(_MESSAGE | {"conversation_id": _bound("conversation_id", RowId)}))
_IN_ONE = HotRead(_whole())
