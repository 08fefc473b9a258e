"""Access: a second factor with recovery codes, first passwords, sessions that are half-way in."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("staff", sa.Column("first_password_until", Moment()))
    op.add_column("staff", sa.Column("totp_sealed", sa.LargeBinary()))
    op.add_column("staff", sa.Column("totp_step", sa.BigInteger()))
    op.add_column("staff", sa.Column("totp_at", Moment()))
    op.add_column("staff", sa.Column("revision", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_staff_role_username", "staff", ["role", "username"])
    op.create_index("ix_staff_facility_id_username", "staff", ["facility_id", "username"])
    op.add_column("session", sa.Column("stage", sa.String(20), nullable=False, server_default="full"))
    op.add_column("session", sa.Column("device", sa.String(20)))
    op.add_column("session", sa.Column("totp_new_sealed", sa.LargeBinary()))
    op.create_table(
        "recovery_code",
        sa.Column("id", RowId, nullable=False),
        sa.Column("staff_id", RowId, nullable=False),
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("used_at", Moment()),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_recovery_code_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("staff_id", "code_index", name=op.f("uq_recovery_code_staff_id_code_index")),
    )
