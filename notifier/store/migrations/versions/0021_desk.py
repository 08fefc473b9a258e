"""The agents' desk: letters in and out, and checks of callers."""

import sqlalchemy as sa
from alembic import op

from notifier.store.types import Moment, RowId

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _letters_in()
    _letters_out()
    op.create_table(
        "caller_check",
        sa.Column("id", RowId, nullable=False),
        sa.Column("case_id", RowId),
        sa.Column("person_id", RowId),
        sa.Column("staff_id", RowId, nullable=False),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        _its_case("caller_check"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_caller_check_person_id")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_caller_check_staff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caller_check")),
    )
    for column in ("case_id", "person_id", "at"):
        op.create_index(op.f(f"ix_caller_check_{column}"), "caller_check", [column])


def _letters_in() -> None:
    op.create_table(
        "mail_in",
        sa.Column("id", RowId, nullable=False),
        sa.Column("identity_index", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("case_id", RowId),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("sender_index", sa.LargeBinary()),
        sa.Column("sender_sealed", sa.LargeBinary()),
        sa.Column("subject_sealed", sa.LargeBinary()),
        sa.Column("text_sealed", sa.LargeBinary()),
        sa.Column("facts_sealed", sa.LargeBinary()),
        sa.Column("message_id_sealed", sa.LargeBinary()),
        sa.Column("nik_index", sa.LargeBinary()),
        sa.Column("photos", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("files", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("is_cut", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("is_unreadable", sa.Boolean(), nullable=False, server_default=sa.false()),
        _its_case("mail_in"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_in")),
        sa.UniqueConstraint("identity_index", name=op.f("uq_mail_in_identity_index")),
    )
    op.create_index(op.f("ix_mail_in_received_at"), "mail_in", ["received_at"])
    _partial("ix_mail_in_case_id", "mail_in", "case_id", "case_id IS NOT NULL")
    op.create_index("ix_mail_in_sender_index", "mail_in", ["sender_index"])
    op.create_index("ix_mail_in_nik_index", "mail_in", ["nik_index"])
    op.create_table(
        "mail_taken",
        sa.Column("uid_validity", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("taken_at", Moment(), nullable=False),
        sa.Column("stays", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("uid_validity", "uid", name=op.f("pk_mail_taken")),
    )


def _letters_out() -> None:
    op.create_table(
        "mail_out",
        sa.Column("id", RowId, nullable=False),
        sa.Column("message_id", sa.String(320), nullable=False),
        sa.Column("case_id", RowId, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("written_by", sa.String(140), nullable=False),
        sa.Column("to_sealed", sa.LargeBinary()),
        sa.Column("subject_sealed", sa.LargeBinary()),
        sa.Column("body_sealed", sa.LargeBinary()),
        sa.Column("answers_sealed", sa.LargeBinary()),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("lease_until", Moment()),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("code", sa.Integer()),
        sa.Column("ended_at", Moment()),
        sa.Column("returned_at", Moment()),
        _its_case("mail_out"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_out")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mail_out_message_id")),
    )
    op.create_index("ix_mail_out_case_id", "mail_out", ["case_id"])
    _partial("ix_mail_out_due", "mail_out", "due_at", "status = 'waiting'")
    _partial("ix_mail_out_lease", "mail_out", "lease_until", "status = 'sending'")


def _its_case(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_case_id")
    return sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=name, ondelete="CASCADE")


def _partial(name: str, table: str, column: str, where: str) -> None:
    there = sa.text(where)
    op.create_index(name, table, [column], sqlite_where=there, postgresql_where=there)
