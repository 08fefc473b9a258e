"""What is left of an erasure: keyed marks, by which the same person is known again if a registry sends them anew."""

from __future__ import annotations

import sqlalchemy as sa

from notifier.store.tables.base import metadata
from notifier.store.types import Moment, RowId

erased_mark = sa.Table(
    "erased_mark",
    metadata,
    sa.Column("mark", sa.LargeBinary, primary_key=True),  # a keyed index of a registry's id, a NIK or a dose's id
    sa.Column("erasure", RowId, nullable=False, index=True),  # shared by the marks of one erasure; leads to no row
    sa.Column("erased_at", Moment, nullable=False),
)
