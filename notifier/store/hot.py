"""Reads that a page waits for at every request: compiled once, and run by the driver itself.

SQLAlchemy spends some 100 µs on a statement besides what the database needs (its connection, execution context, result
and rows): a third of what the page behind a link took in all. What a column's type makes of a value is the same here.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from notifier.store.engine import Database
from notifier.store.types import RowId, dashed

Row = Any  #: a named tuple of the statement's columns


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement for one kind of database. `placed`: the names of the parameters in order; `fixed`: those among them
    that it brings itself."""

    text: str
    placed: tuple[str, ...]
    fixed: dict[str, Any]
    made: tuple[tuple[int, Callable[[Any], Any]], ...]


class HotRead:
    """One SELECT with parameters by name. Each call sees what is committed, as `Database.read` does."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        self._statement = statement
        self._ready: dict[str, _Ready] = {}

    @cached_property
    def _row(self) -> Callable[[Sequence[Any]], Row]:
        names = [str(column.key) for column in self._statement.selected_columns]
        row: Any = namedtuple("HotRow", names)  # type: ignore[misc]  # the names are known when it runs
        make: Callable[[Sequence[Any]], Row] = row._make
        return make

    def rows(self, db: Database, **parameters: Any) -> list[Row]:
        """What it finds. Raises as `Database.run_hot`."""
        ready = self._ready.get(db.hot_dialect.name) or self._compiled(db.hot_dialect)
        values = ready.fixed | parameters
        found = db.run_hot(ready.text, [values[name] for name in ready.placed])
        return [self._row(_made(ready, raw)) for raw in found]

    def first(self, db: Database, **parameters: Any) -> Row | None:
        """The first row that it finds."""
        return next(iter(self.rows(db, **parameters)), None)

    def _compiled(self, dialect: Dialect) -> _Ready:
        compiled = self._statement.compile(dialect=dialect)
        columns: Any = self._statement.selected_columns
        made = [(place, _maker(column.type, dialect)) for place, column in enumerate(columns)]
        ready = _Ready(
            text=str(compiled),
            placed=tuple(compiled.positiontup or ()),
            fixed={name: value for name, value in compiled.params.items() if value is not None},
            made=tuple((place, make) for place, make in made if make is not None),
        )
        self._ready[dialect.name] = ready
        return ready


def _maker(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    if kind is RowId:
        return dashed if dialect.name == "sqlite" else None  # store.prepared reads it as it is to be
    make: Callable[[Any], Any] | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return make


def _made(ready: _Ready, raw: Sequence[Any]) -> list[Any]:
    values = list(raw)
    for place, make in ready.made:
        if values[place] is not None:
            values[place] = make(values[place])
    return values
