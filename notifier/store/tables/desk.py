"""The agents' desk: who was asked for three facts, and how that ended. Nothing of what was said."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata, row_of
from notifier.store.types import Moment, RowId, id_column

caller_check = sa.Table(
    "caller_check",
    metadata,
    id_column(),
    sa.Column("case_id", RowId, sa.ForeignKey("support_case.id", ondelete="CASCADE"), index=True),
    sa.Column("person_id", RowId, row_of("person"), index=True),  # none: wrong, or nobody like this
    sa.Column("staff_id", RowId, row_of("staff"), nullable=False),
    sa.Column("is_right", sa.Boolean, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
)
