"""The API and the audit: kinds, ends and facilities of keys; answers to be replayed; test messages; checkpoints."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _extend_api_key()
    _create_idempotency()
    _create_test_notification()
    op.create_table(
        "audit_checkpoint",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("checked_at", Moment(), nullable=False),
        sa.Column("broken_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_checkpoint")),
    )
    op.create_index(op.f("ix_audit_checkpoint_checked_at"), "audit_checkpoint", ["checked_at"])
    op.create_index("ix_audit_at", "audit", ["at", "id"])
    op.create_index("ix_audit_actor_at", "audit", ["actor", "at", "id"])
    op.create_index("ix_audit_action_at", "audit", ["action", "at", "id"])


def _extend_api_key() -> None:
    op.add_column("api_key", sa.Column("kind", sa.String(10), nullable=False, server_default="live"))
    op.add_column("api_key", sa.Column("facility_id", sa.String(200)))
    op.add_column("api_key", sa.Column("expires_at", Moment()))
    op.add_column("api_key", sa.Column("successor_id", RowId))
    op.add_column("api_key", sa.Column("created_by", sa.String(140)))
    op.add_column("api_key", sa.Column("revoked_by", sa.String(140)))
    op.add_column("api_key", sa.Column("revoke_reason", sa.String(300)))


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("id", RowId, nullable=False),
        sa.Column("key_index", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("worker", RowId, nullable=False),
        sa.Column("busy_until", Moment(), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency")),
        sa.UniqueConstraint("key_index", name=op.f("uq_idempotency_key_index")),
        sa.UniqueConstraint("worker", name=op.f("uq_idempotency_worker")),
    )
    op.create_index(op.f("ix_idempotency_expires_at"), "idempotency", ["expires_at"])


def _create_test_notification() -> None:
    op.create_table(
        "test_notification",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("api_key_id", RowId, nullable=False),
        sa.Column("event_index", sa.LargeBinary(), nullable=False),
        sa.Column("content_index", sa.LargeBinary(), nullable=False),
        sa.Column("dose_index", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("script", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("accepted_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("cancelled_at", Moment(), nullable=True),
        sa.Column("cancel_reason", sa.String(40), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_key.id"], name=op.f("fk_test_notification_api_key_id_api_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_notification")),
        sa.UniqueConstraint("reference", name=op.f("uq_test_notification_reference")),
        sa.UniqueConstraint(
            "api_key_id",
            "event_index",
            "generation",
            name=op.f("uq_test_notification_api_key_id_event_index_generation"),
        ),
    )
    op.create_index("ix_test_notification_dose_index", "test_notification", ["api_key_id", "dose_index"])
    op.create_index("ix_test_notification_created_at", "test_notification", ["api_key_id", "created_at", "id"])
    op.create_index(op.f("ix_test_notification_expires_at"), "test_notification", ["expires_at"])
