"""Reminders of a next dose, and what the registry is told."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("series", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("dose_id", RowId, nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("notification_id", RowId),
        sa.Column("made_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reminder_person_id")),
        sa.ForeignKeyConstraint(["dose_id"], ["dose.id"], name=op.f("fk_reminder_dose_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("person_id", "series", "number", name=op.f("uq_reminder_person_id_series_number")),
    )
    op.create_index(op.f("ix_reminder_dose_id"), "reminder", ["dose_id"])
    op.create_index("ix_reminder_due_at", "reminder", ["due_at", "id"])
    _partial("ix_reminder_due", "reminder", ["due_at", "person_id"], "notification_id IS NULL")
    op.create_table(
        "reminder_mark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("seen_id", RowId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_mark")),
    )
    op.create_table(
        "registry_outbox",
        sa.Column("id", RowId, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject_id", RowId, nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("queued_at", Moment()),
        sa.Column("posted_at", Moment()),
        sa.Column("done_at", Moment()),
        sa.Column("problem", sa.String(40)),
        sa.Column("stuck_at", Moment()),
        sa.Column("alarmed_at", Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_outbox")),
    )
    op.create_index("ix_registry_outbox_subject_id", "registry_outbox", ["subject_id"])
    _partial("ix_registry_outbox_due", "registry_outbox", ["due_at", "id"], "done_at IS NULL AND stuck_at IS NULL")
    trouble = "done_at IS NULL AND alarmed_at IS NOT NULL"
    _partial("ix_registry_outbox_trouble", "registry_outbox", ["created_at", "id"], trouble)
    _partial("ix_registry_outbox_done", "registry_outbox", ["done_at"], "done_at IS NOT NULL")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    there = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=there, postgresql_where=there)
