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
        sa.Column("key_id", sa.String(64), nullable=False),
        sa.Column("revocation_id", sa.String(64), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["certificate.id"], name=op.f("fk_code_certificate_id_certificate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code")),
        sa.UniqueConstraint("certificate_id", "kind", name=op.f("uq_code_certificate_id_kind")),
        sa.UniqueConstraint("revocation_id", name=op.f("uq_code_revocation_id")),
    )
