"""Files of every kind: what is read, what is refused, and that the rest of the file goes on."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifier.intake import files
from notifier.intake.files import ReadRow, read_file
from tests.builders import (
    HASH_KEY,
    SAMPLES,
    TODAY,
    csv_row,
    csv_text,
    event_json,
    fhir_bundle,
    fhir_immunization,
    fhir_patient,
)

CANARY = "K4n4ry-7391"
SYNTHEA = SAMPLES / "fhir" / "synthea-r4-immunizations.jsonl.gz"

Read = Callable[..., list[ReadRow]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes a file of these bytes and reads it."""

    def write_and_read(content: bytes | str, name: str = "doses.dat", **options: Any) -> list[ReadRow]:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read_file(path, today=TODAY, hash_key=HASH_KEY, **options))

    return write_and_read


def told(rows: list[ReadRow]) -> list[tuple[str, str]]:
    """(label, dose id or first rule) of each row."""
    return [(row.label, row.event.dose.id if row.event else row.problems[0].rule) for row in rows]


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def event_line(number: int, **changes: Any) -> dict[str, Any]:
    return event_json(event_id=f"e{number}", dose={"id": f"d{number}"}, **changes)


def test_every_immunization_of_the_synthea_file_is_an_event() -> None:
    rows = list(read_file(SYNTHEA, today=TODAY, hash_key=HASH_KEY))
    assert len(rows) == 7389
    assert all(row.event is not None for row in rows)
    assert len({row.event.event_id for row in rows if row.event}) == 7389
    assert len({row.position for row in rows}) == 615 - sum(1 for _ in _bundles_without_doses())
    progress = [row.bytes_read for row in rows]
    assert progress == sorted(progress)
    assert progress[0] < progress[-1] == rows[-1].bytes_total == SYNTHEA.stat().st_size


def _bundles_without_doses() -> list[bytes]:
    with gzip.open(SYNTHEA) as packed:
        return [line for line in packed if b'"Immunization"' not in line]


def test_ndjson_may_mix_events_and_fhir(read: Read) -> None:
    text = lines(event_line(1), fhir_bundle(), fhir_immunization(id="i2"), fhir_bundle(fhir_patient()), event_line(2))
    assert told(read(text)) == [
        ("line 1", "d1"),
        ("line 2, entry 2", "immunization-1"),
        ("line 3", "i2"),
        ("line 5", "d2"),
    ]


def test_a_bad_line_does_not_spoil_the_others(read: Read) -> None:
    text = lines(event_line(1)) + '{"broken": \n\n' + lines(event_line(2, person={"nik": "1"}), "text", event_line(3))
    assert told(read(text)) == [
        ("line 1", "d1"),
        ("line 2", "json"),
        ("line 4", "nik-length"),
        ("line 5", "object"),
        ("line 6", "d3"),
    ]


def test_a_name_in_ndjson_settles_that_lines_stand_alone(read: Read) -> None:
    text = '{"broken": \n' + lines(event_line(2))
    assert told(read(text, "a.ndjson")) == [("line 1", "json"), ("line 2", "d2")]
    assert told(read(gzip.compress(text.encode()), "a.jsonl.gz")) == [("line 1", "json"), ("line 2", "d2")]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_document_is_one_resource_event_or_list(read: Read, indent: int | None) -> None:
    bundle = fhir_bundle(fhir_patient(), fhir_immunization(), fhir_immunization(id="i2"))
    assert [end for _, end in told(read(json.dumps(bundle, indent=indent)))] == ["immunization-1", "i2"]
    assert [end for _, end in told(read(json.dumps(event_line(1), indent=indent)))] == ["d1"]
    mixed = json.dumps([event_line(1), bundle, 7], indent=indent)
    assert told(read(mixed)) == [
        ("item 1", "d1"),
        ("item 2, entry 2", "immunization-1"),
        ("item 2, entry 3", "i2"),
        ("item 3", "object"),
    ]


def test_a_broken_document_is_refused_whole(read: Read) -> None:
    assert told(read(json.dumps([event_line(1)], indent=1)[:-3])) == [("file", "json")]


def test_a_patient_on_its_own_is_accounted_for(read: Read) -> None:
    assert told(read(lines(fhir_patient(), event_line(1)))) == [("line 1", "resource-type"), ("line 2", "d1")]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_csv_file_is_read_with_and_without_mark_and_packing(
    read: Read, mark: bytes, pack: Callable[[bytes], bytes]
) -> None:
    rows = [csv_row(dose_id="d1"), csv_row(dose_id="d2", name="Zoé")]
    assert told(read(pack(mark + csv_text(rows, ";").encode()))) == [("line 2", "d1"), ("line 3", "d2")]


def test_a_bad_row_does_not_spoil_the_others(read: Read) -> None:
    rows = [csv_row(dose_id=f"d{number}") for number in range(1, 6)]
    rows[1]["name"] = "=1+1"
    rows[3]["phone"] = '08"12'
    text = csv_text(rows).replace('"08""12"', '"0812')
    assert told(read(text)) == [
        ("line 2", "d1"),
        ("line 3", "formula"),
        ("line 4", "d3"),
        ("line 5", "quotes"),
        ("line 6", "d5"),
    ]


def test_rows_in_latin_1_are_refused_by_line(read: Read) -> None:
    rows = [csv_row(dose_id="d1"), csv_row(dose_id="d2", name="José"), csv_row(dose_id="d3")]
    assert told(read(csv_text(rows).encode("latin-1"))) == [
        ("line 2", "d1"),
        ("line 3", "encoding"),
        ("line 4", "d3"),
    ]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty-file"),
        (b" \n\n", "empty-file"),
        (gzip.compress(b"", mtime=0), "empty-file"),
        ("nama\n".encode("utf-16"), "encoding"),
        (b"PK\x03\x04\xff\xfe", "encoding"),
        (b"\x00\x01\x02", "header-missing"),
        (b"name,nik,birth_date,product,given_on,name\n", "duplicate-column"),
        (b"name,nik,birth_date,product,given_on,adress\n", "unknown-column"),
        (b'"name,nik\n', "quotes"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_gives_one_problem(read: Read, content: bytes, rule: str) -> None:
    assert told(read(content)) == [("file", rule)]


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.999])
def test_what_stands_before_a_break_in_gzip_stays_read(read: Read, keep: float) -> None:
    packed = gzip.compress(lines(*[event_line(number) for number in range(3000)]).encode())
    rows = read(packed[: int(len(packed) * keep)])
    good = [row for row in rows if row.event]
    assert len(good) >= 3000 * keep * 0.8
    assert [row.event.dose.id for row in good if row.event] == [f"d{number}" for number in range(len(good))]
    assert [row.problems[0].rule for row in rows[len(good) :]] == ["gzip-truncated"]


def test_damaged_gzip_is_told(read: Read) -> None:
    packed = bytearray(gzip.compress(lines(*[event_line(number) for number in range(500)]).encode()))
    packed[-8] ^= 0xFF  # the checksum
    assert read(bytes(packed))[-1].problems[0].rule == "gzip-broken"
    packed[len(packed) // 2] ^= 0xFF
    rows = read(bytes(packed))
    assert rows[-1].problems[0].rule in {"gzip-broken", "gzip-truncated"}


def test_packed_files_one_after_another_are_one_file(read: Read) -> None:
    content = gzip.compress(lines(event_line(1)).encode()) + gzip.compress(lines(event_line(2)).encode())
    assert told(read(content)) == [("line 1", "d1"), ("line 2", "d2")]


def test_an_endless_line_is_refused_and_the_next_one_read(read: Read) -> None:
    long = b'{"name": "' + b"x" * (files.MAX_LINE_BYTES + 1) + b'"}\n'
    content = gzip.compress(lines(event_line(1)).encode() + long + lines(event_line(2)).encode(), 1)
    assert told(read(content)) == [("line 1", "d1"), ("line 2", "line-too-long"), ("line 3", "d2")]
    assert told(read(long + lines(event_line(2)).encode())) == [("line 1", "line-too-long"), ("line 2", "d2")]


def test_an_event_of_more_than_a_megabyte_is_refused(read: Read) -> None:
    big = json.dumps(event_line(1)) + " " * 1_000_000 + "\n"
    assert told(read(lines(event_line(1)) + big)) == [("line 1", "d1"), ("line 2", "too-large")]


def test_a_document_beyond_the_limit_is_refused(read: Read) -> None:
    blank = b" " * 1_000_000 + b"\n"
    document = b"[\n" + blank * (files.MAX_DOCUMENT_BYTES // len(blank) + 1) + b"]"
    assert told(read(gzip.compress(document, 1))) == [("file", "too-large")]


def test_a_gzip_bomb_takes_no_memory(tmp_path: Path) -> None:
    """150 MB of one line in 150 KB."""
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", 6) as bomb:
        for _ in range(150):
            bomb.write(b"[" + b" " * 999_999)
    tracemalloc.start()
    try:
        rows = list(read_file(path, today=TODAY, hash_key=HASH_KEY))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told(rows) == [("line 1", "line-too-long")]
    assert peak < 4 * files.MAX_LINE_BYTES


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak_of(count: int) -> int:
        path = tmp_path / f"{count}.ndjson"
        path.write_text(lines(*[event_line(number) for number in range(count)]))
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_file(path, today=TODAY, hash_key=HASH_KEY)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak_of(10)  # whatever is loaded at the first use
    assert peak_of(2000) < peak_of(200) + 200_000


def test_a_birth_date_may_be_missing_where_links_do_not_ask_for_it(read: Read) -> None:
    rows = [csv_row(birth_date="", dose_id="d1")]
    assert told(read(csv_text(rows), require_birth_date=False)) == [("line 2", "d1")]


def test_the_file_is_closed_when_the_reader_is_left_early(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(lines(event_line(1), event_line(2)))
    rows = read_file(path, today=TODAY, hash_key=HASH_KEY)
    next(rows)
    rows.close()  # an open file would be a ResourceWarning, an error here


def test_a_file_that_is_not_there_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(read_file(tmp_path / "none.csv", today=TODAY, hash_key=HASH_KEY))


def test_rows_are_given_before_the_file_is_read_to_its_end() -> None:
    first = next(read_file(SYNTHEA, today=TODAY, hash_key=HASH_KEY))
    assert first.bytes_read < first.bytes_total / 2


_good_csv = csv_text([csv_row(name=CANARY)]).encode()
_good_lines = lines(event_line(1, person={"name": CANARY}), fhir_bundle(fhir_patient(name=[{"text": CANARY}]))).encode()


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A good file with some bytes changed, left out or added; packed or not."""
    content = bytearray(draw(st.sampled_from([_good_csv, _good_lines, _good_csv + _good_lines, b""])))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(content)))
        content[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    packed = draw(st.booleans())
    found = gzip.compress(bytes(content), mtime=0) if packed else bytes(content)
    return found[: draw(st.integers(0, len(found)))] if packed and draw(st.booleans()) else found


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_damaged() | st.binary(max_size=100))
def test_any_bytes_are_rows_good_or_bad_and_no_problem_repeats_them(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    rows = list(read_file(path, today=TODAY, hash_key=HASH_KEY))
    for row in rows:
        assert (row.event is None) == bool(row.problems)
        assert CANARY not in row.label + "".join(map(str, row.problems))
        assert 0 <= row.bytes_read <= row.bytes_total == len(content)
