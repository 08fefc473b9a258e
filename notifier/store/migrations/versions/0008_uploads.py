"""Lists that staff upload, in sealed pieces, with the rows that were refused and how their columns were read."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_upload()
    op.create_table(
        "upload_chunk",
        sa.Column("id", RowId, nullable=False),
        sa.Column("upload_id", RowId, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary()),
        sa.Column("dose_keys", sa.LargeBinary()),
        sa.Column("results", sa.JSON()),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_upload_chunk_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_chunk")),
        sa.UniqueConstraint("upload_id", "number", name=op.f("uq_upload_chunk_upload_id_number")),
    )
    op.create_table(
        "upload_refusal",
        sa.Column("id", RowId, nullable=False),
        sa.Column("upload_id", RowId, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("fk_upload_refusal_upload_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_refusal")),
        sa.UniqueConstraint("upload_id", "line", name=op.f("uq_upload_refusal_upload_id_line")),
    )
    op.create_table(
        "upload_mapping",
        sa.Column("facility_id", sa.String(200), nullable=False),
        sa.Column("header_index", sa.LargeBinary(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("updated_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("facility_id", "header_index", name=op.f("pk_upload_mapping")),
    )


def _create_upload() -> None:
    op.create_table(
        "upload",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("facility_id", sa.String(200)),
        sa.Column("staff_id", RowId, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("headings_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("header_index", sa.LargeBinary(), nullable=False),
        sa.Column("encoding", sa.String(20), nullable=False),
        sa.Column("delimiter", sa.String(1), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("paused_at", Moment()),
        sa.Column("is_stuck", sa.Boolean(), nullable=False),
        sa.Column("next_chunk", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("rows_done", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("worked_at", Moment(), nullable=False),
        sa.Column("lease_token", sa.String(40)),
        sa.Column("lease_until", Moment()),
        sa.Column("checked", sa.JSON(), nullable=False),
        sa.Column("recorded", sa.JSON(), nullable=False),
        sa.Column("started_by", RowId),
        sa.Column("ended_at", Moment()),
        sa.Column("emptied_at", Moment()),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_upload_staff_id")),
        sa.ForeignKeyConstraint(["started_by"], ["staff.id"], name=op.f("fk_upload_started_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("reference", name=op.f("uq_upload_reference")),
    )
    op.create_index("ix_upload_list", "upload", ["facility_id", "created_at", "id"])
    op.create_index("ix_upload_created_at", "upload", ["created_at", "id"])
    _index_where("ix_upload_work", ["worked_at"], "status IN ('checking', 'recording') AND paused_at IS NULL")
    _index_where("ix_upload_kept", ["created_at"], "emptied_at IS NULL")


def _index_where(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "upload", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
