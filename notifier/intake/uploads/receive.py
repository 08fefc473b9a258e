"""A file comes in: told apart from what is no CSV, cut into pieces, sealed, and kept whole or not at all."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any, cast

from notifier.core.errors import BadInput
from notifier.core.ids import new_id, new_reference
from notifier.intake.files import RawLine, lines_of, unpacked
from notifier.intake.rows import read_headings
from notifier.intake.uploads import columns, pieces
from notifier.intake.uploads.encodings import Lines, in_utf_8
from notifier.intake.uploads.pieces import PIECE_ROWS, TOO_LONG, Line
from notifier.services import Services
from notifier.store import audit, uploads
from notifier.store.uploads import UploadStatus

#: of the file as it is sent, and of what it unpacks to
MOST_BYTES = 40 * 1024 * 1024
MOST_ROWS = 200_000
LONGEST_LINE = 64 * 1024
_PIECE_BYTES = 1_000_000
_LONGEST_NAME, _END = 100, 30
#: the first bytes of what people send instead of a CSV
_FOREIGN = {
    b"PK\x03\x04": "spreadsheet-file",  # xlsx, ods, and any ZIP
    b"PK\x05\x06": "spreadsheet-file",
    b"\xd0\xcf\x11\xe0": "spreadsheet-file",  # xls
    b"%PDF": "not-csv",
    b"\x89PNG": "not-csv",
    b"\xff\xd8\xff": "not-csv",
}
_DETAILS = {
    "spreadsheet-file": "open it in the spreadsheet and save it as CSV",
    "not-csv": "send a CSV file",
    "json-file": "send a CSV file; JSON goes to the API",
    "empty-file": "there is nothing in this file",
    "no-rows": "there is no row under the first line",
    "header-missing": "name the columns in the first line",
    "too-large": f"a file has at most {MOST_BYTES // 1024 // 1024} MB",
    "too-many-rows": f"a file has at most {MOST_ROWS} rows",
    "file-damaged": "the file ends too early or is damaged; send it again",
}


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who does something with lists. `facility_id`: the own facility, whose rows alone they may bring; None: any."""

    staff_id: str
    facility_id: str | None

    @property
    def actor(self) -> str:
        """As the audit names them."""
        return f"staff:{self.staff_id}"


@dataclass
class _File:
    """What stands in a file."""

    delimiter: str
    headings: list[str]
    encoding: str
    rows: int = 0
    pieces: list[list[Line]] = field(default_factory=list)


def receive(services: Services, stream: IO[bytes], *, name: str, by: Uploader) -> str:
    """Keeps a file; the reference of its list. Raises BadInput, and then has kept nothing."""
    file = _read(stream)
    at, upload_id, reference = services.clock.now(), new_id(), new_reference()
    header = columns.header_index(services, file.headings)
    rows = [pieces.sealed_piece(services, upload_id, number, lines) for number, lines in enumerate(file.pieces)]
    with services.db.write() as conn:
        kept = uploads.mapping(conn, by.facility_id or "", header)
        meanings = columns.remembered(file.headings, kept) if kept is not None else None
        row: dict[str, Any] = {
            "id": upload_id,
            "reference": reference,
            "facility_id": by.facility_id,
            "staff_id": by.staff_id,
            "created_at": at,
            "worked_at": at,
            "header_index": header,
            "encoding": file.encoding,
            "delimiter": file.delimiter,
            "columns": meanings or columns.guessed(file.headings),
            "rows": file.rows,
            "chunks": len(rows),
            "status": UploadStatus.COLUMNS.value,
            "is_stuck": False,
            "checked": {},
            "recorded": {},
            **pieces.sealed_head(services, upload_id, _tidy(name), file.headings),
        }
        uploads.insert(conn, row, rows)
        audit.write(
            conn,
            at=at,
            actor=by.actor,
            action="upload.received",
            subject="upload",
            subject_id=upload_id,
            reference=reference,
            rows=file.rows,
        )
    return reference


def _tidy(name: str) -> str:
    """The file's own name, without the folders that some browsers send, or letters that hide."""
    last = PurePosixPath(name.replace("\\", "/")).name
    name = "".join(ch for ch in last if ch.isprintable())
    if len(name) > _LONGEST_NAME:  # the date and the ending are what tells it from others
        name = f"{name[: _LONGEST_NAME - _END - 1]}…{name[-_END:]}"
    return name or "-"


def _wrong(rule: str) -> BadInput:
    return BadInput.of("file", rule, _DETAILS[rule])


def _read(stream: IO[bytes]) -> _File:
    raw: Any = io.BufferedReader(cast(io.RawIOBase, stream))  # any stream of bytes will do
    start = raw.peek(8)[:8]
    for magic, rule in _FOREIGN.items():
        if start.startswith(magic):
            raise _wrong(rule)
    try:
        return _unpacked(raw)
    except (OSError, EOFError, zlib.error):  # gzip's, where half of it came
        raise _wrong("file-damaged") from None


def _unpacked(raw: io.BufferedReader) -> _File:
    plain: Any = unpacked(raw)
    recoded, encoding = in_utf_8(plain if plain is raw else io.BufferedReader(plain))
    text = Lines(encoding)
    lines = _bounded(lines_of(recoded))
    file = _head(lines, text)
    _fill(file, lines, text)
    file.encoding = text.encoding
    return file


def _bounded(lines: Iterator[RawLine]) -> Iterator[RawLine]:
    """The lines, as long as the file is neither damaged nor too large; what it unpacks to counts."""
    size = 0
    for line in lines:
        size += len(line.text)
        if size > MOST_BYTES:
            raise _wrong("too-large")
        if line.problems and line.problems[0].rule.startswith("gzip"):
            raise _wrong("file-damaged")
        yield line


def _head(lines: Iterator[RawLine], text: Lines) -> _File:
    first = next(lines, None)
    if first is None:
        raise _wrong("empty-file")
    if b"\0" in first.text or len(first.text) > LONGEST_LINE or first.problems:
        raise _wrong("not-csv")
    if first.text.lstrip()[:1] in (b"{", b"["):
        raise _wrong("json-file")
    delimiter, headings = _headings(text.text(first.text))
    if columns.looks_like_data(headings):
        raise _wrong("header-missing")
    return _File(delimiter, headings, text.encoding)


def _headings(line: str) -> tuple[str, list[str]]:
    try:
        return read_headings(line)
    except BadInput as error:
        [problem] = error.problems
    raise BadInput.of("file", f"header-{problem.rule}", problem.detail)


def _fill(file: _File, lines: Iterator[RawLine], text: Lines) -> None:
    piece: list[Line] = []
    size = 0
    for line in lines:
        is_long = bool(line.problems) or len(line.text) > LONGEST_LINE
        said = TOO_LONG if is_long else text.text(line.text).rstrip("\r\n")
        if said is not None and not said.strip("\r\n \t" + file.delimiter):
            continue
        file.rows += 1
        if file.rows > MOST_ROWS:
            raise _wrong("too-many-rows")
        piece.append((line.number, said))
        size += len(said or "")
        if len(piece) >= PIECE_ROWS or size >= _PIECE_BYTES:
            file.pieces.append(piece)
            piece, size = [], 0
    if piece:
        file.pieces.append(piece)
    if not file.pieces:
        raise _wrong("no-rows")
