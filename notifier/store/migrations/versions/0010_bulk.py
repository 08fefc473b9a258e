"""Bulk resends, the doses in them, and the schedules that make one a day."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0010"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_schedule()
    _create_bulk()
    _create_item()
    op.add_column("notification", sa.Column("bulk_id", RowId))
    _index_where("ix_notification_bulk", "notification", ["bulk_id", "status", "id"], "bulk_id IS NOT NULL")
    _index_where("ix_link_opened", "link", ["certificate_id"], "opened_at IS NOT NULL")


def _create_schedule() -> None:
    op.create_table(
        "bulk_schedule",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("time_of_day", sa.String(5), nullable=False),
        sa.Column("most_per_person", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("made_by", sa.String(140), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("approved_by", sa.String(140)),
        sa.Column("approved_at", Moment()),
        sa.Column("next_at", Moment()),
        sa.Column("ended_at", Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_schedule")),
        sa.UniqueConstraint("reference", name=op.f("uq_bulk_schedule_reference")),
    )
    op.create_index("ix_bulk_schedule_created_at", "bulk_schedule", ["created_at"])
    _index_where("ix_bulk_schedule_next", "bulk_schedule", ["next_at"], "state = 'active'")


def _create_bulk() -> None:
    op.create_table(
        "bulk",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("made_by", sa.String(140), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("approved_by", sa.String(140)),
        sa.Column("approved_at", Moment()),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("schedule_id", RowId),
        sa.Column("schedule_day", sa.Date()),
        sa.Column("note", sa.String(40)),
        sa.Column("cursor", RowId),
        sa.Column("gathered_at", Moment()),
        sa.Column("ended_at", Moment()),
        sa.Column("look_at", Moment(), nullable=False),
        sa.Column("lease_token", RowId),
        sa.Column("lease_until", Moment()),
        sa.ForeignKeyConstraint(["schedule_id"], ["bulk_schedule.id"], name=op.f("fk_bulk_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk")),
        sa.UniqueConstraint("reference", name=op.f("uq_bulk_reference")),
        sa.UniqueConstraint("schedule_id", "schedule_day", name=op.f("uq_bulk_schedule_id_schedule_day")),
    )
    op.create_index("ix_bulk_created_at", "bulk", ["created_at"])
    _index_where("ix_bulk_running", "bulk", ["look_at"], "state = 'running'")


def _create_item() -> None:
    op.create_table(
        "bulk_item",
        sa.Column("bulk_id", RowId, nullable=False),
        sa.Column("dose_id", RowId, nullable=False),
        sa.Column("notification_id", RowId, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(40)),
        sa.Column("not_before", Moment(), nullable=False),
        sa.Column("new_notification_id", RowId),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk.id"], name=op.f("fk_bulk_item_bulk_id")),
        sa.PrimaryKeyConstraint("bulk_id", "dose_id", name=op.f("pk_bulk_item")),
    )
    op.create_index("ix_bulk_item_state", "bulk_item", ["bulk_id", "state", "reason", "dose_id"])
    _index_where("ix_bulk_item_waiting", "bulk_item", ["bulk_id", "not_before", "dose_id"], "state = 'waiting'")


def _index_where(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
