"""CSV -> events: headings in two languages, cells, and the ids that a spreadsheet lacks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from notifier.core.errors import BadInput
from notifier.intake.event import Event, EventType
from notifier.intake.rows import Layout, read_header, read_row
from tests.builders import HASH_KEY, NIK, TODAY, csv_row, csv_text
from tests.canaries import stands_in


def lines_of(*rows: dict[str, str], delimiter: str = ",") -> tuple[str, list[str]]:
    first, *rest = csv_text(rows, delimiter).splitlines(keepends=True)
    return first, rest


def read_line(layout: Layout, line: str, **options: Any) -> Event | None:
    return read_row(layout, line, today=TODAY, hash_key=HASH_KEY, **options)


def event_of(**changes: str) -> Event:
    header, (line,) = lines_of(csv_row(**changes))
    event = read_line(read_header(header), line)
    assert event is not None
    return event


def rules(**changes: str) -> set[tuple[str, str]]:
    header, (line,) = lines_of(csv_row(**changes))
    layout = read_header(header)
    with pytest.raises(BadInput) as caught:
        read_line(layout, line)
    return {(problem.field, problem.rule) for problem in caught.value.problems}


def header_rules(line: str, **options: Any) -> set[tuple[str, str]]:
    with pytest.raises(BadInput) as caught:
        read_header(line, **options)
    return {(problem.field, problem.rule) for problem in caught.value.problems}


def test_a_row_is_read_whole() -> None:
    event = event_of(
        event_id="e1", person_id="p1", language="en", time_zone="Asia/Makassar", dose_id="d1", dose_number="2",
        series_total="3", vaccine_code="140", vaccine_system="cvx", lot="L1", facility="RS", facility_id="f1",
        delay_hours="0,5",
    )  # fmt: skip
    assert (event.event_id, event.event_type, event.dose.id) == ("e1", EventType.RECORDED, "d1")
    assert event.person is not None
    assert (event.person.id, event.person.nik, event.person.time_zone) == ("p1", NIK, "Asia/Makassar")
    assert (event.dose.number, event.dose.series_total, event.dose.lot) == (2, 3, "L1")
    assert (event.dose.facility, event.dose.facility_id) == ("RS", "f1")
    assert event.notify.delay_hours == 0.5


def test_indonesian_headings_mean_the_same() -> None:
    layout = read_header("Nama,NIK,Tanggal Lahir,No HP,Vaksin,Dosis ke,Tanggal Vaksinasi\n")
    event = read_line(layout, f"Siti Aminah,{NIK},10/02/1989,081234567890,Influenza,1,22/11/2026\n")
    assert event == event_of()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    header, (line,) = lines_of(csv_row(name="Aminah, Siti; S.Pd."), delimiter=delimiter)
    event = read_line(read_header(header), line)
    assert event is not None
    assert event.person is not None
    assert event.person.name == "Aminah, Siti; S.Pd."


@pytest.mark.parametrize(("text", "day"), [("2026-11-02", 2), ("02/11/2026", 2), ("3/11/2026", 3)])
def test_dates_are_read_in_both_spellings(text: str, day: int) -> None:
    assert event_of(given_on=text).dose.given_on == date(2026, 11, day)


@pytest.mark.parametrize("empty", ["", "  ", "-"])
def test_an_empty_cell_or_a_lone_hyphen_is_null(empty: str) -> None:
    event = event_of(phone=empty, dose_number=empty)
    assert event.person is not None
    assert (event.person.phone, event.dose.number) == (None, None)


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"name": '=HYPERLINK("http://x")'}, "name", "formula"),
        ({"name": "@SUM(1)"}, "name", "formula"),
        ({"product": "+1"}, "product", "formula"),
        ({"product": "-1+1"}, "product", "formula"),
        ({"product": " =1"}, "product", "formula"),
        ({"product": "\t=1"}, "product", "formula"),
        ({"phone": "+62812+cmd|' /C calc'!A0"}, "phone", "formula"),
        ({"phone": "=62812"}, "phone", "formula"),
        ({"name": ""}, "name", "required"),
        ({"nik": "3.17403E+15"}, "nik", "nik-digits"),
        ({"nik": NIK[:-1]}, "nik", "nik-length"),
        ({"birth_date": "02/30/1989"}, "birth_date", "date"),
        ({"birth_date": ""}, "birth_date", "required"),
        ({"given_on": "22 November 2026"}, "given_on", "date"),
        ({"dose_number": "first"}, "dose_number", "number"),
        ({"dose_number": "0"}, "dose_number", "dose-range"),
        ({"delay_hours": "soon"}, "delay_hours", "number"),
        ({"delay_hours": "49"}, "delay_hours", "delay-range"),
        ({"time_zone": "WIB"}, "time_zone", "time-zone"),
        ({"name": "Si\0ti"}, "name", "bad-character"),
        ({"nik": ""}, "dose_id", "required"),
        ({"event_type": "gone"}, "event_type", "event-type"),
    ],
)
def test_a_bad_cell_is_refused_by_column_and_rule(changes: dict[str, str], field: str, rule: str) -> None:
    assert rules(**changes) == {(field, rule)}


def test_every_bad_cell_of_a_row_is_named_at_once() -> None:
    assert rules(name="=1", dose_number="x") == {("name", "formula"), ("dose_number", "number")}


@pytest.mark.parametrize("phone", ["+6281234567890", "+62 812-3456-7890", "081234567890", "81234567890"])
def test_a_phone_may_begin_with_a_plus(phone: str) -> None:
    person = event_of(phone=phone).person
    assert person is not None
    assert person.phone == phone


def test_too_few_and_too_many_cells_are_told_apart() -> None:
    layout = read_header(csv_text([csv_row()]).splitlines()[0])
    for line, rule in (("a,b", "too-few-cells"), ("a," * 9, "too-many-cells")):
        with pytest.raises(BadInput) as caught:
            read_line(layout, line)
        assert [(p.field, p.rule) for p in caught.value.problems] == [("row", rule)]


@pytest.mark.parametrize(("line", "rule"), [('"Siti', "quotes"), ('"Si"ti,x', "quotes"), ("a\rb", "line-end")])
def test_a_broken_line_is_refused(line: str, rule: str) -> None:
    layout = read_header(csv_text([csv_row()]).splitlines()[0])
    with pytest.raises(BadInput) as caught:
        read_line(layout, line)
    assert [p.rule for p in caught.value.problems] == [rule]
    assert "Siti" not in str(caught.value)


def test_a_line_of_delimiters_alone_is_no_row() -> None:
    assert read_line(read_header(csv_text([csv_row()]).splitlines()[0]), ",,,,,,\r\n") is None


def test_unknown_columns_are_refused_by_name() -> None:
    header = csv_text([csv_row()]).splitlines()[0]
    assert header_rules(header + ",colour") == {("colour", "unknown-column")}
    assert header_rules(header + ",08123") == {("column 8", "unknown-column")}


def test_a_column_twice_is_refused_in_any_language() -> None:
    header = csv_text([csv_row()]).splitlines()[0]
    assert header_rules(header + ",nama") == {("name", "duplicate-column")}


def test_missing_columns_are_named() -> None:
    assert header_rules("nama,lot") == {
        ("given_on", "column-missing"),
        ("birth_date", "column-missing"),
        ("product", "column-missing"),
        ("dose_id", "column-missing"),
    }
    assert read_header("nama,nik,vaksin,tanggal_vaksin", require_birth_date=False).columns[0] == "name"


def test_a_file_without_headings_gives_nothing_away() -> None:
    with pytest.raises(BadInput) as caught:
        read_header(f"Suharti,{NIK},1989-02-10")
    assert [p.rule for p in caught.value.problems] == ["header-missing"]
    assert "Suharti" not in str(caught.value)


def test_a_file_of_withdrawals_needs_only_the_doses() -> None:
    event = read_line(read_header("dose_id,event_type"), "d1,entered_in_error")
    assert event is not None
    assert (event.event_type, event.dose.id, event.person) == (EventType.ENTERED_IN_ERROR, "d1", None)


def test_the_same_row_again_is_the_same_event() -> None:
    assert event_of() == event_of()
    assert event_of(birth_date="10/02/1989").event_id == event_of().event_id


def test_a_changed_row_is_another_event_of_the_same_dose() -> None:
    first, corrected = event_of(), event_of(name="Siti Aminnah", dose_number="2")
    assert first.dose.id == corrected.dose.id
    assert first.event_id != corrected.event_id


@pytest.mark.parametrize("changes", [{"product": "Polio"}, {"given_on": "2026-11-21"}, {"nik": "3174031002890010"}])
def test_another_person_vaccine_or_day_is_another_dose(changes: dict[str, str]) -> None:
    assert event_of(**changes).dose.id != event_of().dose.id


def test_made_ids_hold_no_personal_data_and_need_the_key() -> None:
    header, (line,) = lines_of(csv_row())
    other = read_row(read_header(header), line, today=TODAY, hash_key=b"another key")
    assert other is not None
    assert other.dose.id != event_of().dose.id
    assert not any(stands_in(text, event_of().event_id) for text in (NIK, "1989", "Siti", "81234567890"))


def test_a_person_without_nik_needs_an_id_of_the_person_or_dose() -> None:
    assert event_of(nik="", person_id="p1").dose.id != event_of(nik="", person_id="p2").dose.id
    assert event_of(nik="", dose_id="d1").dose.id == "d1"
