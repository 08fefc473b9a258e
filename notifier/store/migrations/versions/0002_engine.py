"""The engine: look-ups of unknown outcomes, retries, the circuit, the epoch, what people wrote to us."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notification", sa.Column("retries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("notification", sa.Column("look_ups", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("notification", sa.Column("look_up_at", Moment()))
    op.add_column("notification", sa.Column("alarmed_at", Moment()))
    _partial_index("ix_notification_look_up", "notification", ["look_up_at"], "status = 'unknown'")
    _partial_index("ix_notification_alarmed", "notification", ["status"], "alarmed_at IS NOT NULL")
    op.drop_index("ix_notification_provider_sid", "notification")  # nobody searched by it, and every move paid for it
    _partial_index("ix_event_pending", "event", ["accepted_at"], "outcome = 'pending'")
    # what an earlier version left: one open row a number and channel is enough
    op.execute(
        "UPDATE suppression SET lifted_at = created_at WHERE lifted_at IS NULL AND EXISTS (SELECT 1 FROM suppression"
        " AS other WHERE other.phone_index = suppression.phone_index AND other.channel = suppression.channel"
        " AND other.lifted_at IS NULL AND other.id < suppression.id)"
    )
    _partial_index(
        "uq_suppression_phone_index_channel",
        "suppression",
        ["phone_index", "channel"],
        "lifted_at IS NULL",
        unique=True,
    )
    # outcomes that were unknown before there was a reconciler: looked up at once
    op.execute("UPDATE notification SET look_up_at = updated_at WHERE status = 'unknown'")
    _create_inbound_sms()
    _create_circuit()
    _create_epoch()
    _create_reconciliation()


def _partial_index(name: str, table: str, columns: list[str], where: str, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _create_inbound_sms() -> None:
    op.create_table(
        "inbound_sms",
        sa.Column("id", RowId, nullable=False),
        sa.Column("provider_sid", sa.String(64), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("meaning", sa.String(20), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_sms")),
        sa.UniqueConstraint("provider_sid", name=op.f("uq_inbound_sms_provider_sid")),
    )
    op.create_index(op.f("ix_inbound_sms_phone_index"), "inbound_sms", ["phone_index"])


def _create_circuit() -> None:
    op.create_table(
        "circuit",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("mode", sa.String(20), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("openings", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("probe_at", Moment()),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("changed_by", sa.String(140), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_circuit")),
    )


def _create_epoch() -> None:
    op.create_table(
        "epoch",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("installation", sa.String(40), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("marked_at", Moment(), nullable=False),
        sa.Column("restored_at", Moment()),
        sa.Column("restored_from", Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epoch")),
    )


def _create_reconciliation() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("looked_at", sa.BigInteger(), nullable=False),
        sa.Column("unaccounted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reconciliation")),
    )
