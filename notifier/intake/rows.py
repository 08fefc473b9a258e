"""CSV -> events: the first line names the columns, each further line is one dose.

UTF-8 with or without a byte order mark; `,`, `;` or a tab between cells, found from the first line; one line is one
row, so a quotation mark that is not closed spoils its own line only. Columns, in any order (other names in brackets):

    event_id, event_type          may be left out: made from the content; recorded
    person_id (id_orang)          name (nama)                  nik
    birth_date (tanggal_lahir)    phone (telepon, no_hp)       language (bahasa)      time_zone (zona_waktu)
    dose_id (id_dosis)            may be left out where nik or person_id is given: made from person, vaccine and day
    dose_number (dosis_ke)        series_total (jumlah_dosis)  vaccine_code (kode_vaksin)
    vaccine_system (sistem_kode)  product (vaksin)             lot (nomor_batch)
    given_on (tanggal_vaksinasi)  facility (faskes)            facility_id (kode_faskes)
    delay_hours (jeda_jam)

Dates are YYYY-MM-DD or DD/MM/YYYY. An empty cell, or one with a hyphen alone, is null. A cell that a spreadsheet would
run as a formula is refused (intake.cells). Problems name the column by its English name.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from notifier.core.errors import BadInput, Problem
from notifier.intake.cells import begins_formula, without_mark
from notifier.intake.derived import content_event_id, derived_dose_id
from notifier.intake.event import Event, EventType, read_event

DELIMITERS = (",", ";", "\t")

#: column -> the event's field
FIELDS: dict[str, str] = {
    "event_id": "event_id",
    "event_type": "event_type",
    "person_id": "person.id",
    "name": "person.name",
    "nik": "person.nik",
    "birth_date": "person.birth_date",
    "phone": "person.phone",
    "language": "person.language",
    "time_zone": "person.time_zone",
    "dose_id": "dose.id",
    "dose_number": "dose.number",
    "series_total": "dose.series_total",
    "vaccine_code": "dose.vaccine_code",
    "vaccine_system": "dose.vaccine_system",
    "product": "dose.product",
    "lot": "dose.lot",
    "given_on": "dose.given_on",
    "facility": "dose.facility",
    "facility_id": "dose.facility_id",
    "delay_hours": "notify.delay_hours",
}
_COLUMN_OF = {field: column for column, field in FIELDS.items()}

ALIASES: dict[str, str] = {
    "id_kejadian": "event_id",
    "jenis_kejadian": "event_type",
    "id_orang": "person_id",
    "id_pasien": "person_id",
    "nama": "name",
    "nama_lengkap": "name",
    "nama_pasien": "name",
    "nama_peserta": "name",
    "full_name": "name",
    "no_nik": "nik",
    "nomor_nik": "nik",
    "no_ktp": "nik",
    "nomor_induk_kependudukan": "nik",
    "tanggal_lahir": "birth_date",
    "tgl_lahir": "birth_date",
    "date_of_birth": "birth_date",
    "dob": "birth_date",
    "telepon": "phone",
    "nomor_telepon": "phone",
    "no_telepon": "phone",
    "nomor_hp": "phone",
    "no_hp": "phone",
    "hp": "phone",
    "no_telp": "phone",
    "nomor_ponsel": "phone",
    "phone_number": "phone",
    "mobile": "phone",
    "bahasa": "language",
    "zona_waktu": "time_zone",
    "id_dosis": "dose_id",
    "dosis_ke": "dose_number",
    "dosis": "dose_number",
    "dose": "dose_number",
    "jumlah_dosis": "series_total",
    "kode_vaksin": "vaccine_code",
    "sistem_kode": "vaccine_system",
    "vaksin": "product",
    "produk": "product",
    "nama_vaksin": "product",
    "jenis_vaksin": "product",
    "vaccine": "product",
    "nomor_batch": "lot",
    "no_batch": "lot",
    "batch": "lot",
    "batch_number": "lot",
    "lot_number": "lot",
    "tanggal_vaksinasi": "given_on",
    "tanggal_vaksin": "given_on",
    "tgl_vaksinasi": "given_on",
    "tgl_vaksin": "given_on",
    "tanggal_suntik": "given_on",
    "tanggal_suntikan": "given_on",
    "vaccination_date": "given_on",
    "faskes": "facility",
    "fasilitas": "facility",
    "nama_faskes": "facility",
    "nama_fasilitas": "facility",
    "puskesmas": "facility",
    "kode_faskes": "facility_id",
    "kode_fasilitas": "facility_id",
    "jeda_jam": "delay_hours",
}

_COUNTS = frozenset({"dose_number", "series_total"})
_DATES = frozenset({"birth_date", "given_on"})
#: longer ones make a form that nobody can fill in
MOST_COLUMNS = 100
_SURROGATE = re.compile("[\ud800-\udfff]")  # a byte that was not UTF-8
_WHOLE = re.compile(r"[0-9]{1,6}", re.ASCII)
_HOURS = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,6})?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_INTERNATIONAL = re.compile(r"\+[0-9][0-9 ().\-/]*", re.ASCII)
_SHORTENED = re.compile(r"[0-9][.,][0-9]+E\+?[0-9]+", re.ASCII | re.IGNORECASE)  # 3,17E+15: digits are lost
_COLUMN_NAME = re.compile(r"[A-Za-z_]{1,40}", re.ASCII)
#: stands in until the id is made from the content
_NO_ID_YET = "pending"


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line. Raises BadInput `line-end`, `quotes` or `too-long`."""
    line = line.rstrip("\r\n")
    if "\r" in line:
        raise BadInput.of("row", "line-end", "end each line with LF or CRLF, and write none inside a cell")
    try:
        found = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        # the library's words name no content
        rule, detail = ("too-long", "a cell is too long") if "limit" in str(error) else _QUOTES
        found = None
    if found is None:
        raise BadInput.of("row", rule, detail)
    return found


_QUOTES = ("quotes", 'close each quotation mark on its own line; write "" for one inside a cell')


def column_of(header: str) -> str:
    """The column that a heading names, in Indonesian or English; "" for none."""
    name = re.sub(r"[\s\-./]+", "_", header.strip().lower()).strip("_")
    return name if name in FIELDS else ALIASES.get(name, "")


def _shown(header: str, number: int) -> str:
    """A file without headings has a person in its first line, so only what cannot be one is repeated."""
    return header if _COLUMN_NAME.fullmatch(header) else f"column {number}"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the first line says: the delimiter, and the column in each place; "" where it is not used."""

    delimiter: str
    columns: tuple[str, ...]


def read_headings(line: str) -> tuple[str, list[str]]:
    """(delimiter, what is written above each column) of a file with this first line.

    Raises BadInput `encoding`, `quotes`, `line-end`, `too-long` or `too-many-columns`.
    """
    if _SURROGATE.search(line):
        raise BadInput.of("header", "encoding", "save the file as UTF-8 (in a spreadsheet: CSV UTF-8)")
    delimiter = max(DELIMITERS, key=lambda mark: (sum(map(bool, map(column_of, line.split(mark)))), line.count(mark)))
    headings = cells_of(line, delimiter)
    if len(headings) > MOST_COLUMNS:
        raise BadInput.of("header", "too-many-columns", f"a file has at most {MOST_COLUMNS} columns")
    return delimiter, headings


def header_problems(columns: Sequence[str], *, require_birth_date: bool = True) -> list[Problem]:
    """What is wrong with a choice of columns: `duplicate-column` and `column-missing`."""
    twice = [column for column, times in Counter(columns).items() if column and times > 1]
    problems = [Problem(column, "duplicate-column", "keep one column of this meaning") for column in twice]
    if "event_type" not in columns:  # a file of withdrawals needs no more than the doses' ids
        problems += _absent(columns, require_birth_date)
    return problems


def read_header(line: str, *, require_birth_date: bool = True) -> Layout:
    """The layout of a file with this first line (bytes that are not UTF-8 as surrogates).

    Raises BadInput as `read_headings` does, and `header-missing`, `unknown-column`, `duplicate-column` or
    `column-missing`, and names the column; nothing of such a file is read.
    """
    delimiter, headings = read_headings(line)
    columns = [column_of(heading) for heading in headings]
    if not any(columns):
        raise BadInput.of("header", "header-missing", f"name the columns in the first line: {', '.join(FIELDS)}")
    problems = [
        Problem(_shown(heading.strip(), place), "unknown-column", "there is no such column; take it out or rename it")
        for place, (heading, column) in enumerate(zip(headings, columns, strict=True), start=1)
        if not column
    ]
    problems += header_problems(columns, require_birth_date=require_birth_date)
    if problems:
        raise BadInput(problems)
    return Layout(delimiter, tuple(columns))


def _absent(columns: Sequence[str], require_birth_date: bool) -> list[Problem]:
    needed = ["name", "given_on", *(["birth_date"] if require_birth_date else [])]
    absent = [column for column in needed if column not in columns]
    if not {"vaccine_code", "product"} & set(columns):
        absent.append("product")
    if not {"dose_id", "nik", "person_id"} & set(columns):
        absent.append("dose_id")
    return [Problem(column, "column-missing", "add this column") for column in absent]


def _is_formula(column: str, cell: str) -> bool:
    if column == "phone" and _INTERNATIONAL.fullmatch(cell.strip()):
        return False
    return begins_formula(cell)


def _date(text: str) -> str:
    match = _DAY_FIRST.fullmatch(text)
    return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}" if match else text


def _value(column: str, text: str) -> object:
    """A cell as the JSON of an event would have it. Raises BadInput `number`."""
    if column in _DATES:
        return _date(text)
    if column == "phone" and _SHORTENED.fullmatch(text):
        raise BadInput.of(column, "number-shortened", "a spreadsheet cut digits off; format the column as text")
    if column in _COUNTS:
        if not _WHOLE.fullmatch(text):
            raise BadInput.of(column, "number", "write a whole number, in digits")
        return int(text)
    if column == "delay_hours":
        if not _HOURS.fullmatch(text):
            raise BadInput.of(column, "number", "write a number of hours, in digits")
        return float(text.replace(",", "."))
    return text


def _values(layout: Layout, cells: list[str]) -> dict[str, object]:
    """The row's values that are not empty, by column. Raises BadInput with every cell at fault."""
    found: dict[str, object] = {}
    problems: list[Problem] = []
    for column, written in zip(layout.columns, cells, strict=True):
        cell = without_mark(written)
        text = cell.strip(" ")
        if not column or text in ("", "-"):
            continue
        if _is_formula(column, cell):
            problems.append(Problem(column, "formula", "a cell may not begin with = + - @ or a tab"))
            continue
        try:
            found[column] = _value(column, text)
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    return found


def _nested(values: Mapping[str, object]) -> dict[str, Any]:
    parts: dict[str, dict[str, object]] = {"": {}, "person": {}, "dose": {}, "notify": {}}
    for column, value in values.items():
        part, _, field = FIELDS[column].rpartition(".")
        parts[part][field] = value
    data = {name: part for name, part in parts.items() if name and (part or name == "dose")}
    return {"event_id": _NO_ID_YET, "event_type": EventType.RECORDED.value} | parts[""] | data


def _with_ids(event: Event, given: Mapping[str, object], hash_key: bytes) -> Event:
    if "dose_id" not in given:
        made = derived_dose_id(hash_key, event.person, event.dose)
        if made is None:
            raise BadInput.of("dose_id", "required", "write dose_id, or nik or person_id to make it from")
        event = event.model_copy(update={"dose": event.dose.model_copy(update={"id": made})})
    if "event_id" not in given:
        event = event.model_copy(update={"event_id": content_event_id(hash_key, event)})
    return event


def read_row(
    layout: Layout,
    line: str,
    *,
    today: date,
    hash_key: bytes,
    require_birth_date: bool = True,
    otherwise: Mapping[str, object] | None = None,
) -> Event | None:
    """The event in one line of the file; None for a line without content. `hash_key` makes the ids that it lacks, so
    that the same line again is the same event. `otherwise`: what stands for an empty cell, by column. Raises BadInput
    with the columns at fault."""
    if not line.strip("\r\n \t" + layout.delimiter):
        return None
    if _SURROGATE.search(line):
        raise BadInput.of("row", "encoding", "this line is not UTF-8; save the file as UTF-8")
    cells = cells_of(line, layout.delimiter)
    if len(cells) != len(layout.columns):
        rule = "too-few-cells" if len(cells) < len(layout.columns) else "too-many-cells"
        raise BadInput.of(
            "row", rule, f"the first line names {len(layout.columns)} columns, this one has {len(cells)} cells"
        )
    values = {**(otherwise or {}), **_values(layout, cells)}
    data = _nested(values)
    data["dose"].setdefault("id", _NO_ID_YET)
    problems: list[Problem] = []
    try:
        return _with_ids(read_event(data, today=today, require_birth_date=require_birth_date), values, hash_key)
    except BadInput as error:
        problems = [Problem(_COLUMN_OF.get(p.field, p.field), p.rule, p.detail) for p in error.problems]
    raise BadInput(problems)
