"""Personal data: who was erased, marks by which they are known again, and what the sweeps are found by."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("erased_at", Moment()))
    op.create_table(
        "erased_mark",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("erasure", RowId, nullable=False),
        sa.Column("erased_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_erased_mark")),
    )
    op.create_index(op.f("ix_erased_mark_erasure"), "erased_mark", ["erasure"])
    op.create_index("ix_receipt_received_at", "receipt", ["received_at"])
    _partial("ix_follow_up_done", "follow_up", "done_at")
    _partial("ix_dead_letter_settled", "dead_letter", "settled_at")


def _partial(name: str, table: str, column: str) -> None:
    there = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, table, [column], sqlite_where=there, postgresql_where=there)
