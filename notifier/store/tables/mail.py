"""Letters by e-mail: those that came, which of the mailbox's we have, and those that go out."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata
from notifier.store.types import Moment, RowId, id_column

_WITH_CASE = sa.text("case_id IS NOT NULL")


def _its_case(*, nullable: bool = False) -> sa.Column[str]:
    """The case that a letter goes with, and ends with."""
    return sa.Column("case_id", RowId, sa.ForeignKey("support_case.id", ondelete="CASCADE"), nullable=nullable)


mail_in = sa.Table(
    "mail_in",
    metadata,
    id_column(),
    sa.Column("identity_index", sa.LargeBinary, nullable=False, unique=True),  # two copies of a letter are one
    sa.Column("kind", sa.String(20), nullable=False),  # LetterKind
    _its_case(nullable=True),
    sa.Column("received_at", Moment, nullable=False, index=True),
    sa.Column("sender_index", sa.LargeBinary),
    sa.Column("sender_sealed", sa.LargeBinary),
    sa.Column("subject_sealed", sa.LargeBinary),
    sa.Column("text_sealed", sa.LargeBinary),
    sa.Column("facts_sealed", sa.LargeBinary),  # JSON: what was understood of it
    sa.Column("message_id_sealed", sa.LargeBinary),
    sa.Column("nik_index", sa.LargeBinary),
    sa.Column("photos", sa.Integer, nullable=False, server_default="0"),  # left at the mail server, unread
    sa.Column("files", sa.Integer, nullable=False, server_default="0"),
    sa.Column("is_cut", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("is_unreadable", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Index("ix_mail_in_case_id", "case_id", sqlite_where=_WITH_CASE, postgresql_where=_WITH_CASE),
    sa.Index("ix_mail_in_sender_index", "sender_index"),
    sa.Index("ix_mail_in_nik_index", "nik_index"),
)

# what was taken out of the mailbox, or waits there; outlives the letters' rows, or one that still lies there would be
# taken again
mail_taken = sa.Table(
    "mail_taken",
    metadata,
    sa.Column("uid_validity", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("uid", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("taken_at", Moment, nullable=False),
    sa.Column("stays", sa.Boolean, nullable=False, server_default=sa.false()),  # somebody must look at it there
    sa.Column("deferred_until", Moment),  # not taken: too many cases at once; looked at again then
)

mail_out = sa.Table(
    "mail_out",
    metadata,
    id_column(),
    sa.Column("message_id", sa.String(320), nullable=False, unique=True),  # fixed before anything is sent
    _its_case(),
    sa.Column("status", sa.String(20), nullable=False),  # LetterState
    sa.Column("written_by", sa.String(140), nullable=False),  # of the audit; `system`: answered by itself
    sa.Column("to_sealed", sa.LargeBinary),
    sa.Column("subject_sealed", sa.LargeBinary),
    sa.Column("body_sealed", sa.LargeBinary),
    sa.Column("answers_sealed", sa.LargeBinary),  # the message id that it answers to
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("lease_until", Moment),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("code", sa.Integer),  # the mail server's
    sa.Column("ended_at", Moment),
    sa.Column("returned_at", Moment),  # it came back
    sa.Index("ix_mail_out_case_id", "case_id"),
    sa.Index(
        "ix_mail_out_due",
        "due_at",
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    ),
    sa.Index(
        "ix_mail_out_lease",
        "lease_until",
        sqlite_where=sa.text("status = 'sending'"),
        postgresql_where=sa.text("status = 'sending'"),
    ),
)
