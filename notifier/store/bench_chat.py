"""Conversations for a measurement: many at once, where real ones would have proved who they are one by one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.ids import new_id, new_ids
from notifier.core.states import Said, State
from notifier.store.bulk import insert_rows
from notifier.store.conversations import LIFE
from notifier.store.persons import phone_index
from notifier.store.sealed import Sealer
from notifier.store.tables import chat_message, chat_reply, conversation


def add_conversations(conn: Connection, sealer: Sealer, talks: Iterable[tuple[str, str]], *, at: datetime) -> None:
    """Adds (number, state) as conversations in which nothing waits."""
    insert_rows(conn, conversation, [_talk(sealer, phone, state, at) for phone, state in talks])


def add_history(conn: Connection, sealer: Sealer, phones: Iterable[str], each: int, *, at: datetime) -> None:
    """Adds conversations of which all was read and answered: as many messages `each`, and a reply to every one. Without
    them PostgreSQL would take the tables for empty ones, and read them from end to end."""
    talks = [_talk(sealer, phone, "{}", at) for phone in phones]
    messages, replies = list[dict[str, Any]](), list[dict[str, Any]]()
    for talk in talks:
        for message_id, reply_id in zip(new_ids(each), new_ids(each), strict=True):
            row = {"conversation_id": talk["id"]}
            messages.append(row | _read(message_id, at))
            replies.append(row | _accepted(reply_id, message_id, at))
    insert_rows(conn, conversation, talks)
    insert_rows(conn, chat_message, messages)
    insert_rows(conn, chat_reply, replies)


def _talk(sealer: Sealer, phone: str, state: str, at: datetime) -> dict[str, Any]:
    row_id = new_id()
    return {
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


def _read(row_id: str, at: datetime) -> dict[str, Any]:
    return {
        "id": row_id,
        "provider_sid": f"SM{row_id}",
        "kind": Said.TEXT.value,
        "received_at": at,
        "taken_at": at,
    }


def _accepted(row_id: str, message_id: str, at: datetime) -> dict[str, Any]:
    return {
        "id": row_id,
        "message_id": message_id,
        "place": 0,
        "status": State.ACCEPTED.value,
        "is_plain": False,
        "attempts": 1,
        "due_at": at,
        "created_at": at,
        "updated_at": at,
    }
