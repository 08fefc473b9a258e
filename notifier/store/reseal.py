"""Sealed columns after a change of DATA_KEYS: what an older key sealed is sealed anew with the newest.

Every column that ends in `_sealed` counts, by the name of its table and its own: that is the place in its AAD, too. The
row in the AAD is the one column of the primary key, in hexadecimal where that is bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from notifier.core.errors import SealBroken
from notifier.store.engine import Database
from notifier.store.sealed import Sealer
from notifier.store.tables import metadata

_SUFFIX = "_sealed"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Resealed:
    """What became of one column: how many values were sealed anew, and how many no key of ours opens."""

    place: str
    done: int
    broken: int


def sealed_columns() -> list[sa.Column[Any]]:
    """Every sealed column there is."""
    return [column for table in metadata.sorted_tables for column in table.columns if column.name.endswith(_SUFFIX)]


def reseal(db: Database, sealer: Sealer) -> Iterator[Resealed]:
    """Seals each column anew, some hundred rows a transaction, while everything else goes on; safe to run again. A row
    that changed meanwhile was sealed with the newest key by whoever changed it."""
    for column in sealed_columns():
        done, broken = 0, 0
        for rows in _stale(db, sealer, column):
            changes = [_anew(sealer, column, row) for row in rows]
            broken += changes.count(None)
            done += _write(db, column, [one for one in changes if one is not None])
        yield Resealed(place_of(column), done, broken)


def count_stale(db: Database, sealer: Sealer) -> int:
    """How many values an older key sealed, or a key that we do not have: 0, and the older keys may go."""
    return sum(len(rows) for column in sealed_columns() for rows in _stale(db, sealer, column))


def place_of(column: sa.Column[Any]) -> str:
    """`table:column`, as the sealer is told."""
    return f"{column.table.name}:{column.name.removesuffix(_SUFFIX)}"


def _stale(db: Database, sealer: Sealer, column: sa.Column[Any]) -> Iterator[Sequence[Any]]:
    """(id, value) of what the newest key did not seal, in the order of ids, so that nothing is looked at twice."""
    key, after = _key_of(column), None
    while True:
        page = sa.select(key.label("id"), column.label("value")).where(column.is_not(None))
        if after is not None:
            page = page.where(key > after)
        with db.read() as conn:
            rows = conn.execute(page.order_by(key).limit(_BATCH)).all()
        if not rows:
            return
        after = rows[-1].id
        stale = [row for row in rows if not sealer.sealed_with_newest(row.value)]
        if stale:
            yield stale


def _key_of(column: sa.Column[Any]) -> sa.Column[Any]:
    (key,) = column.table.primary_key.columns
    return key


def _anew(sealer: Sealer, column: sa.Column[Any], row: sa.Row[Any]) -> dict[str, Any] | None:
    place, name = place_of(column), row.id.hex() if isinstance(row.id, bytes) else row.id
    try:
        value = sealer.open_bytes(place, name, row.value)
    except SealBroken:
        return None
    return {"row_id": row.id, "old_value": row.value, "new_value": sealer.seal(place, name, value)}


def _write(db: Database, column: sa.Column[Any], changes: list[dict[str, Any]]) -> int:
    table = column.table
    statement = (
        table.update()
        .where(_key_of(column) == sa.bindparam("row_id"), column == sa.bindparam("old_value", type_=sa.LargeBinary))
        .values({column.name: sa.bindparam("new_value")})
    )
    done = 0
    with db.write() as conn:
        for change in changes:
            done += conn.execute(statement, change).rowcount
    return done
