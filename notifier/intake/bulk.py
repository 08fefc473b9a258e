"""A whole file through `record_items`, batch by batch, with a tally that accounts for every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from notifier.core.errors import BadInput, Conflict, Problem
from notifier.intake.files import ReadRow
from notifier.intake.one import item_of
from notifier.intake.record import Door, Recorded, record_items
from notifier.services import Services
from notifier.store.rehearsal import Rehearsal

BATCH = 500


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """Where a row stands, and what is wrong with it; never its content."""

    position: int
    label: str
    problems: tuple[Problem, ...]


@dataclass
class Tally:
    """What became of the rows: `rows` is the sum of all outcomes and of the refused ones."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  #: of the suppressed ones
    rules: Counter[str] = field(default_factory=Counter)  #: the first rule that each refused row breaks
    refused: int = 0
    warnings: int = 0

    def count(self, answer: Recorded) -> None:
        self.rows += 1
        self.outcomes[answer.outcome.value] += 1
        self.warnings += len(answer.warnings)
        if answer.outcome == "suppressed" and answer.reason is not None:
            self.reasons[answer.reason.value] += 1

    def refuse(self, problems: tuple[Problem, ...]) -> None:
        self.rows += 1
        self.refused += 1
        self.rules[problems[0].rule] += 1

    def add(self, other: Tally) -> None:
        """Counts what another tally counted."""
        self.rows += other.rows
        self.outcomes += other.outcomes
        self.reasons += other.reasons
        self.rules += other.rules
        self.refused += other.refused
        self.warnings += other.warnings


def record_rows(
    services: Services,
    rows: Iterable[ReadRow],
    *,
    actor: str,
    rehearse: bool,
    refused: Callable[[RefusedRow], None],
    progress: Callable[[int], None],
) -> Tally:
    """Records every good row, tells `refused` of every bad one, in their order; `progress` hears after each
    batch how many bytes of the file are behind us.

    With `rehearse` each batch runs for real and is rolled back: its outcomes are those of the run to come, except that
    a row does not know what an earlier batch of the same file would have written.
    """
    if rehearse:
        services = replace(services, db=Rehearsal(services.db))
    tally = Tally()
    for batch in _batches(rows):
        items = [row.item or item_of(services, row.event) for row in batch if row.event is not None]
        answers = iter(record_items(services, items, door=Door.IMPORT, actor=actor))
        for row in batch:
            problems = row.problems if row.event is None else _answer(next(answers), tally)
            if problems:
                tally.refuse(problems)
                refused(RefusedRow(row.position, row.label, problems))
        progress(batch[-1].bytes_read)
    return tally


def _answer(answer: Recorded | BadInput | Conflict, tally: Tally) -> tuple[Problem, ...]:
    """Counts what was recorded; the problems of what was not."""
    if isinstance(answer, Recorded):
        tally.count(answer)
        return ()
    return problems_of(answer)


def problems_of(error: BadInput | Conflict) -> tuple[Problem, ...]:
    """A refusal as problems, whichever kind it is."""
    if isinstance(error, BadInput):
        return error.problems
    return (Problem("event_id", "conflict", str(error)),)


def _batches(rows: Iterable[ReadRow]) -> Iterator[list[ReadRow]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch
