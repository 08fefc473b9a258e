"""The walk: cases on a facility's list, numbers that are said to be a stranger's, links that pause."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("link", sa.Column("paused_at", Moment()))
    with op.batch_alter_table("opening") as opening:  # a check of a certificate's number is at no link
        opening.alter_column("link_id", existing_type=RowId, nullable=True)
    _create_support_case()
    _create_number_pause()


def _create_support_case() -> None:
    op.create_table(
        "support_case",
        sa.Column("id", RowId, nullable=False),
        sa.Column("reference", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("person_id", RowId),
        sa.Column("link_id", RowId),
        sa.Column("facility_id", sa.String(200)),
        sa.Column("phone_index", sa.LargeBinary()),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(40)),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("closed_at", Moment()),
        sa.Column("closed_by", sa.String(140)),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_support_case_person_id")),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], name=op.f("fk_support_case_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_case")),
        sa.UniqueConstraint("reference", name=op.f("uq_support_case_reference")),
    )
    op.create_index("ix_support_case_list", "support_case", ["facility_id", "status", "opened_at"])
    op.create_index(op.f("ix_support_case_person_id"), "support_case", ["person_id"])
    _unique_where(
        "uq_support_case_open", "support_case", ["person_id", "kind"], "status = 'open' AND phone_index IS NULL"
    )
    _unique_where(
        "uq_support_case_open_number", "support_case", ["person_id", "kind", "phone_index"], "status = 'open'"
    )


def _create_number_pause() -> None:
    op.create_table(
        "number_pause",
        sa.Column("id", RowId, nullable=False),
        sa.Column("person_id", RowId, nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", RowId, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("confirmed_at", Moment()),
        sa.Column("lifted_at", Moment()),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_number_pause_person_id")),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_number_pause_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_pause")),
    )
    _unique_where("uq_number_pause_open", "number_pause", ["person_id", "phone_index"], "lifted_at IS NULL")


def _unique_where(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, unique=True, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
