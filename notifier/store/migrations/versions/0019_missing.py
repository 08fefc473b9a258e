"""Cases that somebody reports from outside: facts, steps, a picture, a tracker, a promise; and what a desk needs."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_OPEN = "status = 'open'"
_ONE_A_PERSON = f"{_OPEN} AND kind IN ('not-me', 'birth-date-rejected')"


def upgrade() -> None:
    _widen_support_case()
    _index_support_case()
    op.create_table(
        "case_step",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", RowId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("actor", sa.String(140), nullable=False),
        sa.Column("facility_id", sa.String(200)),
        sa.Column("detail", sa.String(60)),
        sa.Column("words_sealed", sa.LargeBinary()),
        _its_case("case_step"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_step")),
    )
    op.create_index("ix_case_step_case_id_at", "case_step", ["case_id", "at"])
    op.create_table(
        "case_picture",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", RowId, nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("picture_sealed", sa.LargeBinary(), nullable=False),
        _its_case("case_picture"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_picture")),
    )
    op.create_index(op.f("ix_case_picture_case_id"), "case_picture", ["case_id"])


def _its_case(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_case_id")
    return sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=name, ondelete="CASCADE")


def _widen_support_case() -> None:
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("source", sa.String(20), nullable=False, server_default="link"),
        sa.Column("contact_id", RowId),
        sa.Column("confirmed_at", Moment()),
        sa.Column("public_id", sa.String(20)),
        sa.Column("language", sa.String(5)),
        sa.Column("facts_sealed", sa.LargeBinary()),
        sa.Column("same_index", sa.LargeBinary()),
        sa.Column("nik_index", sa.LargeBinary()),
        sa.Column("born_index", sa.LargeBinary()),
        sa.Column("cause", sa.String(40)),
        sa.Column("waits_for", sa.String(20)),
        sa.Column("promised_at", Moment()),
        sa.Column("alarmed_at", Moment()),
        sa.Column("reminders", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("claimed_by", RowId),
        sa.Column("claimed_until", Moment()),
        sa.Column("merged_into", RowId),
    )
    for column in columns:
        op.add_column("support_case", column)
    op.create_index("uq_support_case_public_id", "support_case", ["public_id"], unique=True)


def _index_support_case() -> None:
    for name in ("uq_support_case_open", "uq_support_case_open_number"):
        op.drop_index(name, "support_case")
    one = ["person_id", "kind"]
    _index("uq_support_case_open", one, f"{_ONE_A_PERSON} AND phone_index IS NULL", unique=True)
    _index("uq_support_case_open_number", [*one, "phone_index"], _ONE_A_PERSON, unique=True)
    _index("uq_support_case_same", ["kind", "same_index"], _OPEN, unique=True)
    _index("ix_support_case_nik", ["nik_index"], f"{_OPEN} AND nik_index IS NOT NULL")
    _index("ix_support_case_born", ["born_index"], f"{_OPEN} AND born_index IS NOT NULL")
    _index("ix_support_case_number", ["phone_index"], f"{_OPEN} AND phone_index IS NOT NULL")
    _index("ix_support_case_due", ["due_at"], _OPEN)
    _index("ix_support_case_promised", ["promised_at"], f"{_OPEN} AND promised_at IS NOT NULL")
    _index("ix_support_case_contact", ["contact_id"], "contact_id IS NOT NULL")


def _index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    there = sa.text(where)
    op.create_index(name, "support_case", columns, unique=unique, sqlite_where=there, postgresql_where=there)
