"""Conversations by WhatsApp: messages that wait, states, replies, files for the provider to fetch, the catcher's phones."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversation",
        sa.Column("id", RowId, nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state_sealed", sa.LargeBinary()),
        sa.Column("last_inbound_at", Moment(), nullable=False),
        sa.Column("waits_since", Moment()),
        sa.Column("ends_at", Moment(), nullable=False),
        sa.Column("minute_at", Moment(), nullable=False),
        sa.Column("in_minute", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("day_at", Moment(), nullable=False),
        sa.Column("in_day", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversation")),
        sa.UniqueConstraint("phone_index", name=op.f("uq_conversation_phone_index")),
    )
    op.create_index(op.f("ix_conversation_ends_at"), "conversation", ["ends_at"])
    _partial("ix_conversation_waits", "conversation", ["waits_since"], "waits_since IS NOT NULL")
    op.create_table(
        "chat_message",
        sa.Column("id", RowId, nullable=False),
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("provider_sid", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary()),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("taken_at", Moment()),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_message")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_chat_message_conversation_id")),
        sa.UniqueConstraint("provider_sid", name=op.f("uq_chat_message_provider_sid")),
    )
    op.create_index("ix_chat_message_conversation_id", "chat_message", ["conversation_id"])
    _partial("ix_chat_message_unread", "chat_message", ["conversation_id", "received_at", "id"], "taken_at IS NULL")
    op.create_table(
        "chat_reply",
        sa.Column("id", RowId, nullable=False),
        sa.Column("conversation_id", RowId, nullable=False),
        sa.Column("message_id", RowId, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("provider_code", sa.String(40)),
        sa.Column("body_sealed", sa.LargeBinary()),
        sa.Column("is_plain", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempt_reference", sa.String(40)),
        sa.Column("lease_token", RowId),
        sa.Column("lease_until", Moment()),
        sa.Column("provider_sid", sa.String(64)),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_reply")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.id"], name=op.f("fk_chat_reply_conversation_id")),
        sa.UniqueConstraint("message_id", "place", name=op.f("uq_chat_reply_message_id_place")),
        sa.UniqueConstraint("attempt_reference", name=op.f("uq_chat_reply_attempt_reference")),
    )
    op.create_index(op.f("ix_chat_reply_conversation_id"), "chat_reply", ["conversation_id"])
    _partial("ix_chat_reply_open", "chat_reply", ["status", "due_at"], "status IN ('scheduled', 'sending', 'held')")
    op.create_table(
        "chat_file",
        sa.Column("id", RowId, nullable=False),
        sa.Column("public_id", sa.String(20), nullable=False),
        sa.Column("link_id", RowId, nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("fetches", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("revoked_at", Moment()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_file")),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_chat_file_link_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_chat_file_public_id")),
    )
    op.create_index(op.f("ix_chat_file_link_id"), "chat_file", ["link_id"])
    op.create_index(op.f("ix_chat_file_expires_at"), "chat_file", ["expires_at"])
    op.create_table(
        "caught_chat",
        sa.Column("id", RowId, nullable=False),
        sa.Column("to_index", sa.LargeBinary(), nullable=False),
        sa.Column("to_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("is_ours", sa.Boolean(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("caught_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caught_chat")),
    )
    op.create_index(op.f("ix_caught_chat_to_index"), "caught_chat", ["to_index"])
    op.create_index(op.f("ix_caught_chat_caught_at"), "caught_chat", ["caught_at"])


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
