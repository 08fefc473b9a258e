"""Lists that staff upload: the file in sealed pieces, what was found wrong with its rows, how far the work has come."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

#: what a worker may take up; the same words in every query, or the partial index is not used
WAITS_FOR_WORK = "status IN ('checking', 'recording') AND paused_at IS NULL"
#: what still holds something that a person wrote
HOLDS_ROWS = "emptied_at IS NULL"

upload = sa.Table(
    "upload",
    metadata,
    id_column(),
    sa.Column("reference", sa.String(20), nullable=False, unique=True),
    sa.Column("facility_id", sa.String(200)),  # whose list it is; null: of somebody who serves every facility
    sa.Column("staff_id", RowId, row_of("staff"), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("name_sealed", sa.LargeBinary, nullable=False),  # of the file
    sa.Column("headings_sealed", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("header_index", sa.LargeBinary, nullable=False),
    sa.Column("encoding", sa.String(20), nullable=False),
    sa.Column("delimiter", sa.String(1), nullable=False),
    sa.Column("columns", sa.JSON, nullable=False),  # our column in each place of the file; "": not used
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("chunks", sa.Integer, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("paused_at", Moment),
    sa.Column("is_stuck", sa.Boolean, nullable=False),  # paused by us: one piece failed again and again
    # of the step under way
    sa.Column("next_chunk", sa.Integer, nullable=False, server_default="0"),
    sa.Column("rows_done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),  # without progress, in a row
    sa.Column("worked_at", Moment, nullable=False),
    sa.Column("lease_token", sa.String(40)),
    sa.Column("lease_until", Moment),
    # what was found and done
    sa.Column("checked", sa.JSON, nullable=False),
    sa.Column("recorded", sa.JSON, nullable=False),
    sa.Column("started_by", RowId, row_of("staff")),
    sa.Column("ended_at", Moment),
    sa.Column("emptied_at", Moment),
    sa.Index("ix_upload_list", "facility_id", "created_at", "id"),
    sa.Index("ix_upload_created_at", "created_at", "id"),
    sa.Index(
        "ix_upload_work",
        "worked_at",
        sqlite_where=sa.text(WAITS_FOR_WORK),
        postgresql_where=sa.text(WAITS_FOR_WORK),
    ),
    sa.Index(
        "ix_upload_kept",
        "created_at",
        sqlite_where=sa.text(HOLDS_ROWS),
        postgresql_where=sa.text(HOLDS_ROWS),
    ),
)

upload_chunk = sa.Table(
    "upload_chunk",
    metadata,
    id_column(),
    sa.Column("upload_id", RowId, row_of("upload"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("body_sealed", sa.LargeBinary),  # JSON: line numbers and lines; gone once the list is recorded
    sa.Column("dose_keys", sa.LargeBinary),  # keyed hashes of its doses, against which later rows are held
    sa.Column("results", sa.JSON),  # of each row that was recorded: line, outcome, reason, reference
    sa.UniqueConstraint("upload_id", "number"),
)

upload_refusal = sa.Table(
    "upload_refusal",
    metadata,
    id_column(),
    sa.Column("upload_id", RowId, row_of("upload"), nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("problems", sa.JSON, nullable=False),  # field, rule, detail; never a value
    sa.Column("body_sealed", sa.LargeBinary, nullable=False),  # the line, to be handed back
    sa.UniqueConstraint("upload_id", "line"),
)

# how a facility's files of one header were read the last time
upload_mapping = sa.Table(
    "upload_mapping",
    metadata,
    sa.Column("facility_id", sa.String(200), primary_key=True),  # "": of those who serve every facility
    sa.Column("header_index", sa.LargeBinary, primary_key=True),
    sa.Column("columns", sa.JSON, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)
