"""What waits for staff: cases on a facility's or the operators' list, and numbers said to be a stranger's."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

# `case` alone is a word of SQL
support_case = sa.Table(
    "support_case",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("person_id", RowId, row_of("person")),
    sa.Column("link_id", RowId, row_of("link")),
    sa.Column("facility_id", sa.String(200)),  # none: the operators' alone
    sa.Column("phone_index", sa.LargeBinary),  # the number that it is about, where it is about one
    sa.Column("status", sa.String(20), nullable=False),  # open, closed
    sa.Column("outcome", sa.String(40)),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("closed_at", Moment),
    sa.Column("closed_by", sa.String(140)),  # an actor of the audit
    sa.Index("ix_support_case_list", "facility_id", "status", "opened_at"),
    sa.Index("ix_support_case_person_id", "person_id"),
    # one open case a person and kind; a case about a number: one a number
    sa.Index(
        "uq_support_case_open",
        "person_id",
        "kind",
        unique=True,
        sqlite_where=sa.text("status = 'open' AND phone_index IS NULL"),
        postgresql_where=sa.text("status = 'open' AND phone_index IS NULL"),
    ),
    sa.Index(
        "uq_support_case_open_number",
        "person_id",
        "kind",
        "phone_index",
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    ),
)

# a number that gets no SMS about one person, until it is lifted
number_pause = sa.Table(
    "number_pause",
    metadata,
    id_column(),
    sa.Column("person_id", RowId, row_of("person"), nullable=False),
    sa.Column("phone_index", sa.LargeBinary, nullable=False),
    sa.Column("case_id", RowId, row_of("support_case"), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("confirmed_at", Moment),  # staff made sure: the number is a stranger's for good
    sa.Column("lifted_at", Moment),
    sa.Index(
        "uq_number_pause_open",
        "person_id",
        "phone_index",
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    ),
)

# a call with a person, noted by whoever had it; what was typed is sealed
person_call = sa.Table(
    "person_call",
    metadata,
    id_column(),
    sa.Column("person_id", RowId, row_of("person"), nullable=False, index=True),
    sa.Column("facility_id", sa.String(200)),  # whose staff had it; none: the operators'
    sa.Column("noted_by", RowId, row_of("staff"), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("note_sealed", sa.LargeBinary),
    sa.Column("at", Moment, nullable=False),
)
