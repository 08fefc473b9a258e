"""Conversations by WhatsApp: what was written to us and waits, where each dialogue stands, what we answer.

All of it lives a day. A text is sealed, and gone as soon as it was read, or taken by the provider.
"""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

# literal predicates: a bound parameter cannot use a partial index in a generic plan
_WAITS = sa.text("waits_since IS NOT NULL")
_UNREAD = sa.text("taken_at IS NULL")
_OPEN = sa.text("status IN ('scheduled', 'sending', 'held')")

conversation = sa.Table(
    "conversation",
    metadata,
    id_column(),
    sa.Column("phone_index", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("phone_sealed", sa.LargeBinary, nullable=False),
    sa.Column("state_sealed", sa.LargeBinary),  # where the dialogue stands; none before the first answer
    sa.Column("last_inbound_at", Moment, nullable=False),  # free text may be sent for 24 hours from here
    sa.Column("waits_since", Moment),  # when the oldest message came that nobody has read
    sa.Column("ends_at", Moment, nullable=False, index=True),
    # how many messages came in the windows that begin here, against floods; counted in the statement that keeps one
    sa.Column("minute_at", Moment, nullable=False),
    sa.Column("in_minute", sa.Integer, nullable=False, server_default="1"),
    sa.Column("day_at", Moment, nullable=False),
    sa.Column("in_day", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("ix_conversation_waits", "waits_since", sqlite_where=_WAITS, postgresql_where=_WAITS),
)

chat_message = sa.Table(
    "chat_message",
    metadata,
    id_column(),
    sa.Column("conversation_id", RowId, row_of("conversation"), nullable=False),
    sa.Column("provider_sid", sa.String(64), nullable=False, unique=True),
    sa.Column("kind", sa.String(20), nullable=False),  # core/states.py: Said
    sa.Column("text_sealed", sa.LargeBinary),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("taken_at", Moment),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_chat_message_conversation_id", "conversation_id"),
    sa.Index(
        "ix_chat_message_unread",
        "conversation_id",
        "received_at",
        "id",
        sqlite_where=_UNREAD,
        postgresql_where=_UNREAD,
    ),
)

chat_reply = sa.Table(
    "chat_reply",
    metadata,
    id_column(),
    sa.Column("conversation_id", RowId, row_of("conversation"), nullable=False, index=True),
    sa.Column("message_id", RowId, nullable=False),  # what it answers
    sa.Column("place", sa.Integer, nullable=False),  # among the answers to one message
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("reason", sa.String(40)),
    sa.Column("provider_code", sa.String(40)),
    sa.Column("body_sealed", sa.LargeBinary),
    sa.Column("is_plain", sa.Boolean, nullable=False),  # buttons were refused: numbers instead
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("attempt_reference", sa.String(40), unique=True),  # in the callback address; of the newest attempt
    sa.Column("lease_token", RowId),
    sa.Column("lease_until", Moment),
    sa.Column("provider_sid", sa.String(64)),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("message_id", "place"),  # a message that is read twice is answered once
    sa.Index("ix_chat_reply_open", "status", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
)

# a certificate's PDF for the provider to fetch: it falls with the link that it belongs to
chat_file = sa.Table(
    "chat_file",
    metadata,
    id_column(),
    sa.Column("public_id", sa.String(20), nullable=False, unique=True),
    sa.Column("link_id", RowId, row_of("link"), nullable=False, index=True),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.Column("fetches", sa.Integer, nullable=False, server_default="0"),
    sa.Column("revoked_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
)

# the catcher's telephones: what was typed on them, and what arrived; local only
caught_chat = sa.Table(
    "caught_chat",
    metadata,
    id_column(),
    sa.Column("to_index", sa.LargeBinary, nullable=False, index=True),
    sa.Column("to_sealed", sa.LargeBinary, nullable=False),
    sa.Column("is_ours", sa.Boolean, nullable=False),
    sa.Column("body_sealed", sa.LargeBinary, nullable=False),
    sa.Column("caught_at", Moment, nullable=False, index=True),
)
