"""Programme settings with their history, and the counts behind the dashboard."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "setting_version",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("changed_by", sa.String(140), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("name", "revision", name=op.f("pk_setting_version")),
    )
    _create_tallies()
    # one entry in a message's life, at its end: an index on updated_at would cost the sender one a move
    _index_where("ix_notification_ended", "notification", ["ended_at"], "ended_at IS NOT NULL")
    op.create_index(op.f("ix_opening_at"), "opening", ["at"])
    # the rows behind the numbers that are rare among millions, newest first
    rare = "'failed', 'undelivered', 'unknown', 'held', 'cancelled', 'suppressed', 'expired'"
    _index_where("ix_notification_rare", "notification", ["status", "created_at", "id"], f"status IN ({rare})")


def _create_tallies() -> None:
    op.create_table(
        "tally",
        sa.Column("facility_id", sa.String(200), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("facility_id", "day", "what", "reason", name=op.f("pk_tally")),
    )
    op.create_index("ix_tally_what_day", "tally", ["what", "day"])
    op.create_table(
        "tally_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("zone", sa.String(60), nullable=False),
        sa.Column("counted_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_tally_day")),
    )
    op.create_table(
        "tally_run",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next_at", Moment(), nullable=False),
        sa.Column("counted_at", Moment()),
        sa.Column("due", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("left_5_minutes", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("left_hour", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_run")),
    )


def _index_where(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
