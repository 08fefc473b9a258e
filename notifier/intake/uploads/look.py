"""What staff see of lists: all of them, one with what was found, its refused rows, and these as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from notifier.core.errors import BadInput, NotFound, SealBroken
from notifier.core.ids import read_reference
from notifier.intake.cells import harmless, without_mark
from notifier.intake.rows import cells_of
from notifier.intake.uploads import columns, pieces
from notifier.intake.uploads.columns import Column
from notifier.intake.uploads.receive import Uploader
from notifier.services import Services
from notifier.store import audit, staff, uploads
from notifier.store.uploads import Row

PAGE = 50
_AT_ONCE = 500
_BYTE_ORDER_MARK = "\ufeff"

Explain = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Seen:
    """A list, its file's name, and who brought it."""

    row: Row
    name: str
    by: str


def listed(services: Services, *, only_facility: str | None, before: str | None) -> tuple[list[Seen], bool]:
    """Up to PAGE lists, newest first, and whether older ones follow."""
    with services.db.read() as conn:
        rows = uploads.listed(
            conn, facility_id=only_facility, limit=PAGE + 1, before=read_reference(before) if before else None
        )
        names = staff.names(conn, {row.staff_id for row in rows})
    seen = [Seen(row, _name(services, row), names.get(row.staff_id, "–")) for row in rows[:PAGE]]
    return seen, len(rows) > PAGE


def find(services: Services, reference: str, *, only_facility: str | None) -> Seen:
    """The list with a reference, as typed. Raises NotFound, also for another facility's."""
    with services.db.read() as conn:
        row = uploads.find_visible(conn, read_reference(reference), only_facility)
        if row is None:
            raise NotFound("there is no upload with this reference")
        names = staff.names(conn, {row.staff_id})
    return Seen(row, _name(services, row), names.get(row.staff_id, "–"))


def _name(services: Services, row: Row) -> str:
    try:
        return pieces.name_of(services, row)
    except SealBroken:
        return "–"


def columns_of(services: Services, row: Row) -> list[Column]:
    """The columns of a list whose file is still there, with masked samples."""
    with services.db.read() as conn:
        chunk = uploads.chunk(conn, row.id, 0)
    lines = pieces.lines_of(services, chunk) if chunk is not None and chunk.body_sealed else []
    texts = [text for _, text in lines[: columns.SAMPLES] if text is not None]
    return columns.described(row, pieces.headings_of(services, row), texts)


def refusals(services: Services, row: Row, *, after: int) -> tuple[list[Row], bool]:
    """Up to PAGE refused rows behind the line `after`, and whether more follow. Nothing of their content."""
    with services.db.read() as conn:
        found = uploads.refusals(conn, row.id, after=after, limit=PAGE + 1)
    return found[:PAGE], len(found) > PAGE


def results(services: Services, row: Row, part: int) -> list[list[Any]]:
    """What became of the rows of one piece: line, outcome, reason, reference of the message."""
    with services.db.read() as conn:
        chunk = uploads.chunk(conn, row.id, part)
    found: list[list[Any]] = chunk.results if chunk is not None and chunk.results else []
    return found


def refused_file(services: Services, row: Row, *, heading: str, explain: Explain, by: Uploader) -> Iterator[str]:
    """The refused rows as a CSV that can be put right and uploaded again alone, in parts: the reason in the first
    column, then what stood in the file. The audit knows who took it."""
    with services.db.write() as conn:
        audit.write(
            conn,
            at=services.clock.now(),
            actor=by.actor,
            action="upload.refused-rows-taken",
            subject="upload",
            subject_id=row.id,
            reference=row.reference,
        )
    headings = pieces.headings_of(services, row)
    ours = {place for place, text in enumerate(headings) if columns.is_reason(text)}
    return _written(services, row, [heading, *_without(headings, ours)], ours, explain)


def _written(services: Services, row: Row, first: list[str], ours: set[int], explain: Explain) -> Iterator[str]:
    yield _BYTE_ORDER_MARK + _csv([first], row.delimiter)
    after = 0
    while True:
        with services.db.read() as conn:
            page = uploads.refusals(conn, row.id, after=after, limit=_AT_ONCE)
        if not page:
            return
        after = page[-1].line
        yield _csv([_line(services, row, refused, ours, explain) for refused in page], row.delimiter)


def _line(services: Services, row: Row, refused: Row, ours: set[int], explain: Explain) -> list[str]:
    reasons = "; ".join(explain(problem["field"], problem["rule"]) for problem in refused.problems)
    text = pieces.refused_text(services, refused)
    try:
        cells = _without(cells_of(text, row.delimiter), ours)
    except BadInput:
        cells = [text]  # no cells can be told apart in it
    return [f"{refused.line}: {reasons}", *cells]


def _without(cells: list[str], places: set[int]) -> list[str]:
    return [cell for place, cell in enumerate(cells) if place not in places]


def _csv(rows: list[list[str]], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_printable(harmless(without_mark(cell))) for cell in row])
    return text.getvalue()


def _printable(cell: str) -> str:
    """What a spreadsheet and UTF-8 can hold; a line end inside a cell would be a row to us."""
    return cell.replace("\0", "\ufffd").replace("\r", " ").replace("\n", " ").encode("utf-8", "replace").decode()
