"""Dose entry: links that were handed over on paper, and what somebody typed last."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("link", sa.Column("printed_at", Moment()))
    where = sa.text("entered_by IS NOT NULL")  # what registries send has none
    op.create_index(
        "ix_dose_entered_by_created_at",
        "dose",
        ["entered_by", "created_at"],
        sqlite_where=where,
        postgresql_where=where,
    )
