"""A file of any kind we read -> events, one by one, in constant memory.

CSV, ndjson (our event or a FHIR resource on each line), a JSON document (one of these, or a list of them), each also as
gzip. The kind is told by the content: gzip's magic bytes, then the first character, then whether the first line is a
whole JSON value; a name in .ndjson or .jsonl settles the last. What was read before a fault stays read.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from pathlib import Path
from typing import TypeVar

from notifier.core.errors import BadInput, Problem
from notifier.intake.event import MAX_EVENT_BYTES, Event, read_event
from notifier.intake.fhir import JAKARTA, read_fhir
from notifier.intake.json_text import read_json
from notifier.intake.one import Item
from notifier.intake.rows import Layout, read_header, read_row

MAX_LINE_BYTES = 10_000_000
#: a JSON document has to be held whole; larger deliveries come as ndjson
MAX_DOCUMENT_BYTES = 32_000_000
_SKIPPED_AT_ONCE = 1 << 16
_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_LINE_SUFFIXES = frozenset({".ndjson", ".jsonl"})
_FILE = "file"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One dose of the file: an event, or its problems. `position` counts lines, or a document's entries, from 1 (0: the
    file as a whole); `label` says where it stands, without content: `line 5, entry 3`. `bytes_read` of `bytes_total`
    are behind us, as they lie in the file (packed, where it is gzip). `item`: the event made ready, where somebody did
    so already."""

    position: int
    label: str
    event: Event | None
    problems: tuple[Problem, ...]
    bytes_read: int
    bytes_total: int
    item: Item | None = None


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line that nobody has read yet, or what is wrong with the place where it stands: then `text` is empty."""

    number: int
    text: bytes
    label: str
    problems: tuple[Problem, ...]
    bytes_read: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A ReadRow before the progress is known."""

    position: int
    label: str
    event: Event | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """`text` is None where the line was too long to be loaded."""

    number: int
    text: bytes | None


@dataclass(frozen=True, slots=True)
class _Terms:
    today: date
    hash_key: bytes
    require_birth_date: bool
    zone: tzinfo


def _file_problem(rule: str, detail: str, position: int = 0) -> _Found:
    return _Found(position, _FILE if position == 0 else f"line {position}", problems=(Problem(_FILE, rule, detail),))


class _Lines:
    """The lines of a stream, blank ones left out; remembers how far it came."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self.number = 0

    def next(self) -> _Line | None:
        """None at the end."""
        while text := self._stream.readline(MAX_LINE_BYTES + 1):
            self.number += 1
            if len(text) > MAX_LINE_BYTES:
                self._skip_rest(text)
                return _Line(self.number, None)
            if self.number == 1:
                text = text.removeprefix(_BYTE_ORDER_MARK)
            if text.strip():
                return _Line(self.number, text)
        return None

    def _skip_rest(self, text: bytes) -> None:
        while text and not text.endswith(b"\n"):
            text = self._stream.readline(_SKIPPED_AT_ONCE)

    def document(self, first: bytes) -> bytes | None:
        """Everything from the first line on; None where it is too long."""
        rest = self._stream.read(MAX_DOCUMENT_BYTES - len(first) + 1)
        whole = first + rest
        return whole if len(whole) <= MAX_DOCUMENT_BYTES else None


def _is_document(first: bytes, path: Path) -> bool:
    """Whether a JSON value goes on after the first line."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if suffixes and suffixes[-1] in _LINE_SUFFIXES:
        return False
    if first.lstrip().startswith(b"["):
        return True
    try:
        read_json(first, limit=MAX_LINE_BYTES)
    except BadInput as error:
        return error.problems[0].rule == "json"
    return False


def _from_value(value: object, position: int, label: str, terms: _Terms) -> Iterator[_Found]:
    """The doses in one JSON value."""
    try:
        if not (isinstance(value, dict) and "resourceType" in value):
            event = read_event(value, today=terms.today, require_birth_date=terms.require_birth_date)
            yield _Found(position, label, event=event)
            return
        results = read_fhir(
            value,
            today=terms.today,
            hash_key=terms.hash_key,
            require_birth_date=terms.require_birth_date,
            zone=terms.zone,
        )
    except BadInput as error:
        yield _Found(position, label, problems=error.problems)
        return
    in_bundle = value["resourceType"] == "Bundle"
    for result in results:
        where = f"{label}, entry {result.position}" if in_bundle else label
        yield _Found(position, where, result.event, result.problems)


def _from_json_lines(line: _Line | None, lines: _Lines, terms: _Terms) -> Iterator[_Found]:
    while line is not None:
        yield from _from_json_line(line, terms)
        line = lines.next()


def _too_long(number: int) -> _Found:
    return _file_problem("line-too-long", f"a line has at most {MAX_LINE_BYTES} bytes", number)


def _from_json_line(line: _Line, terms: _Terms) -> Iterator[_Found]:
    if line.text is None:
        yield _too_long(line.number)
        return
    label = f"line {line.number}"
    try:
        value = read_json(line.text, limit=MAX_LINE_BYTES)
        if len(line.text) > MAX_EVENT_BYTES and not (isinstance(value, dict) and "resourceType" in value):
            raise BadInput.of("body", "too-large", f"an event has at most {MAX_EVENT_BYTES} bytes")
    except BadInput as error:
        yield _Found(line.number, label, problems=error.problems)
        return
    yield from _from_value(value, line.number, label, terms)


def _from_document(first: bytes, lines: _Lines, terms: _Terms) -> Iterator[_Found]:
    body = lines.document(first)
    if body is None:
        yield _file_problem("too-large", f"a JSON document has at most {MAX_DOCUMENT_BYTES} bytes; send ndjson")
        return
    try:
        value = read_json(body, limit=MAX_DOCUMENT_BYTES)
    except BadInput as error:
        yield _Found(0, _FILE, problems=error.problems)
        return
    if not isinstance(value, list):
        yield from _from_value(value, 1, "document", terms)
        return
    for position, item in enumerate(value, start=1):
        yield from _from_value(item, position, f"item {position}", terms)


def _decoded(text: bytes) -> str:
    """With a surrogate for each byte that is not UTF-8, so that only the rows that have some are refused."""
    return text.decode("utf-8", "surrogateescape")


def _from_csv(first: _Line, lines: _Lines, terms: _Terms) -> Iterator[_Found]:
    try:
        if first.text is None:
            raise BadInput.of("header", "line-too-long", f"a line has at most {MAX_LINE_BYTES} bytes")
        layout = read_header(_decoded(first.text), require_birth_date=terms.require_birth_date)
    except BadInput as error:
        yield _Found(0, _FILE, problems=error.problems)
        return
    while (line := lines.next()) is not None:
        found = _too_long(line.number) if line.text is None else _from_row(layout, line.number, line.text, terms)
        if found is not None:
            yield found


def _from_row(layout: Layout, number: int, text: bytes, terms: _Terms) -> _Found | None:
    try:
        event = read_row(
            layout,
            _decoded(text),
            today=terms.today,
            hash_key=terms.hash_key,
            require_birth_date=terms.require_birth_date,
        )
    except BadInput as error:
        return _Found(number, f"line {number}", problems=error.problems)
    return _Found(number, f"line {number}", event=event) if event is not None else None


def _from_any(lines: _Lines, path: Path, terms: _Terms) -> Iterator[_Found]:
    first = lines.next()
    if first is None:
        yield _file_problem("empty-file", "there is nothing in this file")
    elif first.text is None:
        yield _too_long(first.number)
        yield from _from_json_lines(lines.next(), lines, terms)
    elif first.text.startswith(_UTF_16_MARKS):
        yield _file_problem("encoding", "save the file as UTF-8 (in a spreadsheet: CSV UTF-8)")
    elif first.text.lstrip()[:1] not in (b"{", b"["):
        yield from _from_csv(first, lines, terms)
    elif _is_document(first.text, path):
        yield from _from_document(first.text, lines, terms)
    else:
        yield from _from_json_lines(first, lines, terms)


def unpacked(raw: io.BufferedReader) -> io.BufferedIOBase:
    """What is packed in a file, or the file itself."""
    packed = raw.peek(len(_GZIP)).startswith(_GZIP)
    return gzip.GzipFile(fileobj=raw) if packed else raw


def _guarded(lines: _Lines, work: Callable[[_Lines], Iterator[T]]) -> Iterator[T | _Found]:
    """Everything in the file, and at its end what is broken about its packing."""
    try:
        yield from work(lines)
    except EOFError:
        yield _file_problem("gzip-truncated", "the file ends too early; what stands before was read", lines.number + 1)
    except (gzip.BadGzipFile, zlib.error):
        yield _file_problem("gzip-broken", "the file is damaged here; what stands before was read", lines.number + 1)


def holds_event_lines(path: Path) -> bool:
    """Whether the file is ndjson whose first line is an object that is no FHIR resource. Raises OSError."""
    with path.open("rb") as raw:
        try:
            first = _Lines(unpacked(raw)).next()
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return False
    if first is None or first.text is None or first.text.lstrip()[:1] != b"{" or _is_document(first.text, path):
        return False
    try:
        value = read_json(first.text, limit=MAX_LINE_BYTES)
    except BadInput:
        return False
    return isinstance(value, dict) and "resourceType" not in value


def raw_lines(path: Path) -> Iterator[RawLine]:
    """The lines of an ndjson file, unread: for those who share them out. Raises OSError."""
    with path.open("rb") as raw:
        for found in _guarded(_Lines(unpacked(raw)), _each):
            if isinstance(found, _Line) and found.text is not None:
                yield RawLine(found.number, found.text, "", (), raw.tell())
                continue
            wrong = _too_long(found.number) if isinstance(found, _Line) else found
            yield RawLine(wrong.position, b"", wrong.label, wrong.problems, raw.tell())


def lines_of(stream: io.BufferedIOBase) -> Iterator[RawLine]:
    """The lines of any stream, unread, without the blank ones: for those who know what they mean."""
    for found in _guarded(_Lines(stream), _each):
        if isinstance(found, _Line):
            wrong = (Problem(_FILE, "line-too-long", "a line is too long"),) if found.text is None else ()
            yield RawLine(found.number, found.text or b"", f"line {found.number}", wrong, 0)
        else:
            yield RawLine(found.position, b"", found.label, found.problems, 0)


def _each(lines: _Lines) -> Iterator[_Line]:
    while (line := lines.next()) is not None:
        yield line


def read_lines(
    lines: Iterable[tuple[int, bytes]],
    *,
    today: date,
    hash_key: bytes,
    require_birth_date: bool = True,
    zone: tzinfo = JAKARTA,
) -> Iterator[ReadRow]:
    """What `read_file` makes of these lines of an ndjson file, with their numbers; the progress is not known."""
    terms = _Terms(today, hash_key, require_birth_date, zone)
    for number, text in lines:
        for found in _from_json_line(_Line(number, text), terms):
            yield ReadRow(found.position, found.label, found.event, found.problems, 0, 0)


def read_file(
    path: Path, *, today: date, hash_key: bytes, require_birth_date: bool = True, zone: tzinfo = JAKARTA
) -> Iterator[ReadRow]:
    """Each dose in the file, in its order, good or bad; a Bundle without an Immunization gives none.

    Lines and documents are bounded (MAX_LINE_BYTES, MAX_DOCUMENT_BYTES), whatever they unpack to. `today` is the UTC
    date; for `hash_key` and `zone` see `read_fhir` and `read_row`. Raises OSError where the file cannot be opened.
    """
    terms = _Terms(today, hash_key, require_birth_date, zone)
    with path.open("rb") as raw:
        total = path.stat().st_size
        for found in _guarded(_Lines(unpacked(raw)), lambda lines: _from_any(lines, path, terms)):
            yield ReadRow(found.position, found.label, found.event, found.problems, raw.tell(), total)
