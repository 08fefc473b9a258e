"""Corrections that people ask for of their own data."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correction_request",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("person_id", RowId),
        sa.Column("claimed_id", RowId),
        sa.Column("facility_id", sa.String(200)),
        sa.Column("field", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("proof", sa.String(20), nullable=False),
        sa.Column("door", sa.String(20), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("value_sealed", sa.LargeBinary()),
        sa.Column("old_sealed", sa.LargeBinary()),
        sa.Column("claim_sealed", sa.LargeBinary()),
        sa.Column("number_index", sa.LargeBinary()),
        sa.Column("change", sa.String(20)),
        sa.Column("asked_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("reminded_at", Moment()),
        sa.Column("proved_at", Moment()),
        sa.Column("evidence_asked_at", Moment()),
        sa.Column("evidence_at", Moment()),
        sa.Column("evidence_sealed", sa.LargeBinary()),
        sa.Column("decided_at", Moment()),
        sa.Column("decided_by", sa.String(140)),
        sa.Column("decided_how", sa.String(20)),
        sa.Column("refused_why", sa.String(20)),
        sa.Column("objection_id", sa.String(20)),
        sa.Column("objection_until", Moment()),
        sa.Column("objected_at", Moment()),
        sa.ForeignKeyConstraint(["claimed_id"], ["person.id"], name=op.f("fk_correction_request_claimed_id_person")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_correction_request_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction_request")),
        sa.UniqueConstraint("objection_id", name=op.f("uq_correction_request_objection_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_correction_request_reference")),
    )
    _index("uq_correction_request_open", ["person_id", "field"], "decided_at IS NULL", unique=True)
    _index("ix_correction_request_list", ["facility_id", "asked_at", "id"], "decided_at IS NULL")
    _index("ix_correction_request_waits", ["asked_at", "id"], "decided_at IS NULL")
    op.create_index("ix_correction_request_person_id", "correction_request", ["person_id", "asked_at"])
    op.create_index("ix_correction_request_decided_at", "correction_request", ["decided_at"])
    _index("ix_correction_request_claimed_id", ["claimed_id"], "claimed_id IS NOT NULL")
    _index("ix_correction_request_number", ["number_index"], "number_index IS NOT NULL")


def _index(name: str, columns: list[str], predicate: str, *, unique: bool = False) -> None:
    where = sa.text(predicate)
    op.create_index(name, "correction_request", columns, unique=unique, sqlite_where=where, postgresql_where=where)
