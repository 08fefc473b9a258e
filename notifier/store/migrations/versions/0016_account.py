"""Own account on the web: one-time codes, what a number has proved, sessions, and what they have open."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "otp_challenge",
        sa.Column("id", RowId, nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used_at", Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_otp_challenge")),
    )
    op.create_index(op.f("ix_otp_challenge_expires_at"), "otp_challenge", ["expires_at"])
    op.create_index(op.f("ix_otp_challenge_phone_index"), "otp_challenge", ["phone_index"])
    op.create_table(
        "account_proof",
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("proved_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "phone_index", name=op.f("pk_account_proof")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_proof_person_id")),
    )
    op.create_index(op.f("ix_account_proof_phone_index"), "account_proof", ["phone_index"])
    op.create_table(
        "account_session",
        sa.Column("id", RowId, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("last_seen_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_session_token_hash")),
    )
    op.create_index(op.f("ix_account_session_expires_at"), "account_session", ["expires_at"])
    op.create_index(op.f("ix_account_session_phone_index"), "account_session", ["phone_index"])
    op.create_table(
        "account_open",
        sa.Column("session_id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "person_id", name=op.f("pk_account_open")),
        sa.ForeignKeyConstraint(["session_id"], ["account_session.id"], name=op.f("fk_account_open_session_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_account_open_person_id")),
    )
    op.create_index(op.f("ix_account_open_person_id"), "account_open", ["person_id"])
    op.add_column("person", sa.Column("own_language", sa.String(5)))
    op.add_column("link", sa.Column("number_index", sa.LargeBinary()))
    there = sa.text("number_index IS NOT NULL")
    op.create_index("ix_link_number", "link", ["person_id", "number_index"], sqlite_where=there, postgresql_where=there)
