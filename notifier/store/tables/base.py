"""What all tables share: one metadata with names for every constraint, and references from row to row."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def row_of(name: str) -> sa.ForeignKey:
    """A reference to a row of the table `name`."""
    return sa.ForeignKey(f"{name}.id")
