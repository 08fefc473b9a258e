"""Verifiable codes: what was signed for a certificate, sealed, and the public name by which it is revoked."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code",
        sa.Column("id", RowId, nullable=False),
        sa.Column("certificate_id", RowId, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("key_id", sa.String(64), nullable=True),
        sa.Column("revocation_id", sa.String(64), nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_code_certificate_id_certificate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code")),
        sa.UniqueConstraint("revocation_id", name=op.f("uq_code_revocation_id")),
    )
    _partial_index("uq_code_current", "code", ["certificate_id", "kind"], "ended_at IS NULL", unique=True)
    _partial_index("ix_code_ended", "code", ["ended_at"], "ended_at IS NOT NULL")
    _partial_index("ix_certificate_ended", "certificate", ["ended_at"], "status <> 'valid'")
    _partial_index("ix_notification_left", "notification", ["left_at"], "left_at IS NOT NULL")


def _partial_index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
