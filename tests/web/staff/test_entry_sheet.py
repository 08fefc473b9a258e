"""Without a network: the sheet for the hand, and the CSV file that intake reads afterwards."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from linkserver.staff.entry_sheet import COLUMNS, ROWS
from notifier.access.roles import Role
from notifier.intake.files import read_file
from notifier.intake.rows import ALIASES, DELIMITERS, FIELDS, read_header
from tests.builders import HASH_KEY, NIK, TODAY
from tests.web.staff.conftest import Desk, NewDesk

VALUES = {
    "nik": NIK, "name": "Siti Aminah", "birth_date": "10/02/1989", "phone": "081234567890", "product": "Influenza",
    "lot": "LOT-7", "dose_number": "1", "series_total": "2", "given_on": "22/11/2026", "facility": "Puskesmas",
    "facility_id": "pkm-1", "delay_hours": "1,5", "language": "id",
}  # fmt: skip


def template(desk: Desk) -> bytes:
    response = desk.get("/doses/template.csv")
    assert response.status_code == 200
    assert response.mimetype == "text/csv"
    assert "attachment" in response.headers["Content-Disposition"]
    return response.data


def filled(head: bytes, *rows: dict[str, str]) -> bytes:
    """The file with rows typed into it, in the order of its own headings."""
    text = head.decode("utf-8-sig")
    [line] = text.splitlines()
    delimiter = max(DELIMITERS, key=line.count)
    out = io.StringIO()
    for row in rows:
        cells = [row.get(ALIASES.get(name, name), "") for name in line.split(delimiter)]
        csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return head + out.getvalue().encode()


def read(path: Path) -> list[object]:
    return [one.event or one.problems for one in read_file(path, today=TODAY, hash_key=HASH_KEY)]


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_file_is_read_by_intake_and_holds_no_dose_of_its_own(worker: Desk, language: str, tmp_path: Path) -> None:
    worker.get("/account")
    worker.post("/language", {"language": language})
    head = template(worker)
    layout = read_header(head.decode("utf-8-sig"))
    assert layout.columns == tuple(english for _, english in COLUMNS)
    assert set(layout.columns) <= set(FIELDS)
    file = tmp_path / "dosis.csv"
    file.write_bytes(head)
    assert read(file) == []

    baby = VALUES | {"nik": "", "person_id": "pkm-1-0123", "name": "Bayi", "phone": ""}
    file.write_bytes(filled(head, VALUES, baby))
    first, second = read(file)
    assert first.person.nik == NIK  # type: ignore[attr-defined]  # an event
    assert first.dose.facility_id == "pkm-1"  # type: ignore[attr-defined]
    assert second.person.id == "pkm-1-0123"  # type: ignore[attr-defined]
    assert second.person.phone is None  # type: ignore[attr-defined]


def test_every_indonesian_heading_means_its_column(worker: Desk) -> None:
    assert [ALIASES.get(name, name) for name, _ in COLUMNS] == [english for _, english in COLUMNS]


def test_the_sheet_has_ten_rows_with_a_box_for_each_digit(worker: Desk) -> None:
    page = worker.get("/doses/sheet").text
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = body.split("<tr>")[1:]
    assert len(rows) == ROWS == 10
    assert {row.partition("</span>")[0].count("<i") for row in rows} == {16}
    assert "Puskesmas pkm-1" in page


@pytest.mark.parametrize("path", ["/doses/sheet", "/doses/template.csv"])
def test_who_enters_no_doses_needs_no_sheet(new_desk: NewDesk, path: str) -> None:
    assert new_desk("other", Role.AUDITOR, None).get(path).status_code == 403
    assert new_desk("boss", Role.ADMINISTRATOR, None).get(path).status_code == 200
