"""What goes out besides the messages about a certificate: reminders of a next dose, and what the registry is told."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

# one next dose of one person; kept after its SMS, so that nobody is reminded of a dose twice
reminder = sa.Table(
    "reminder",
    metadata,
    id_column(),
    sa.Column("person_id", RowId, row_of("person"), nullable=False),
    sa.Column("series", sa.String(40), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("dose_id", RowId, row_of("dose"), nullable=False, index=True),  # the last one that counts
    sa.Column("due_at", Moment, nullable=False),  # the beginning of the first day on which it may be had
    sa.Column("notification_id", RowId),  # the SMS; none: not planned yet
    sa.Column("made_at", Moment, nullable=False),
    sa.UniqueConstraint("person_id", "series", "number"),
    sa.Index(
        "ix_reminder_due",
        "due_at",
        "person_id",
        sqlite_where=sa.text("notification_id IS NULL"),
        postgresql_where=sa.text("notification_id IS NULL"),
    ),
    sa.Index("ix_reminder_due_at", "due_at", "id"),
)

# how far the events were looked at for doses that ask for a reminder: one row
reminder_mark = sa.Table(
    "reminder_mark",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("seen_id", RowId, nullable=False),
)

# what the registry is still to be told, and was told: ids and names of fields, never a value
registry_outbox = sa.Table(
    "registry_outbox",
    metadata,
    id_column(),  # the event's id, by which the registry knows a copy
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("subject_id", RowId, nullable=False),
    sa.Column("fields", sa.JSON, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),  # the next try; while one is made, when it counts as lost
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("queued_at", Moment),  # the broker has it
    sa.Column("posted_at", Moment),  # the webhook took it
    sa.Column("done_at", Moment),
    sa.Column("problem", sa.String(40)),  # of the last try
    sa.Column("stuck_at", Moment),  # refused for good: an operator must look
    sa.Column("alarmed_at", Moment),
    sa.Index(
        "ix_registry_outbox_due",
        "due_at",
        "id",
        sqlite_where=sa.text("done_at IS NULL AND stuck_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL AND stuck_at IS NULL"),
    ),
    sa.Index(
        "ix_registry_outbox_trouble",
        "created_at",
        "id",
        sqlite_where=sa.text("done_at IS NULL AND alarmed_at IS NOT NULL"),
        postgresql_where=sa.text("done_at IS NULL AND alarmed_at IS NOT NULL"),
    ),
    sa.Index(
        "ix_registry_outbox_done",
        "done_at",
        sqlite_where=sa.text("done_at IS NOT NULL"),
        postgresql_where=sa.text("done_at IS NOT NULL"),
    ),
    sa.Index("ix_registry_outbox_subject_id", "subject_id"),
)
