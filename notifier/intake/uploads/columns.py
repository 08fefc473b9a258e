"""What the columns of a list mean: guessed by their names, remembered from the last time, shown with masked samples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from notifier.core.errors import BadInput
from notifier.intake.cells import without_mark
from notifier.intake.rows import cells_of, column_of
from notifier.services import Services
from notifier.store.uploads import Row

#: the first column of the file of refused rows; it comes back with the corrected file and means nothing
REASON_HEADINGS = ("alasan ditolak", "reason for refusal")
SAMPLES = 3
_SAMPLE_LENGTH = 40
_RUN = re.compile(r"[^\W_]+")
_LONG = 10
_DATA = re.compile(r"\d{6,}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file: its heading, what it is taken for ("": nothing), and masked values of its first rows."""

    place: int
    heading: str
    meaning: str
    samples: tuple[str, ...]


def guessed(headings: Sequence[str]) -> list[str]:
    """Our column in each place, by its heading; of two headings with one meaning the first counts."""
    found: list[str] = []
    for heading in headings:
        column = column_of(heading)
        found.append(column if column not in found else "")
    return found


def looks_like_data(headings: Sequence[str]) -> bool:
    """Whether the first line is a person, not the names of columns."""
    return not any(guessed(headings)) and any(_DATA.search(heading) for heading in headings)


def is_reason(heading: str) -> bool:
    """Whether a column is ours, of refused rows that we handed back."""
    return heading.strip().casefold() in REASON_HEADINGS


def header_index(services: Services, headings: Sequence[str]) -> bytes:
    """What files of one header share; a reason column that we added does not count."""
    names = [heading.strip().casefold() for heading in headings if not is_reason(heading)]
    return services.sealer.index("upload.header", "\x1f".join(names))


def to_keep(headings: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The columns as they are remembered: without the place of our reason column."""
    return [column for heading, column in zip(headings, columns, strict=True) if not is_reason(heading)]


def remembered(headings: Sequence[str], kept: Sequence[str]) -> list[str] | None:
    """The columns of a file whose like was read before; None where they do not fit."""
    left = list(kept)
    found = ["" if is_reason(heading) else left.pop(0) if left else None for heading in headings]
    fits = not left and all(column is not None for column in found)
    return [column or "" for column in found] if fits else None


def described(upload: Row, headings: Sequence[str], lines: Sequence[str]) -> list[Column]:
    """The columns of a file, with samples from its first lines. Nothing whole of anybody is in them."""
    rows = []
    for line in lines[:SAMPLES]:
        try:
            rows.append(cells_of(line, upload.delimiter))
        except BadInput:
            continue
    return [
        Column(place, heading, meaning, tuple(masked(row[place]) for row in rows if place < len(row)))
        for place, (heading, meaning) in enumerate(zip(headings, upload.columns, strict=True))
    ]


def masked(cell: str) -> str:
    """The shape of a value: enough to tell a name from a date, too little to know whose it is."""
    return _RUN.sub(_hidden, without_mark(cell).strip()[:_SAMPLE_LENGTH])


def _hidden(run: re.Match[str]) -> str:
    text = run.group()
    shown = 2 if text.isdigit() and len(text) >= _LONG else 1 if not text.isdigit() else 0
    return text[:shown] + "•" * (len(text) - shown)
