"""dose add and dose import."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from notifier.services import Services
from notifier.store import events, notifications
from tests.commands.conftest import Run

HEADER = "event_id,name,birth_date,phone,dose_id,dose_number,product,given_on"
ADD = (
    *("dose", "add", "--name", "Sulastri", "--birth-date", "1990-02-03", "--phone", "0812-3456-7890"),
    *("--product", "Pentabio", "--number", "1", "--given-on", "2026-11-23"),
)


def _row(number: int, *, name: str = "Dewi Anggraini", phone: str = "081234567890", day: str = "2026-11-20") -> str:
    return f"e{number},{name},1990-02-03,{phone},d{number},1,Pentabio,{day}"


def _csv(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "doses.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


def _report(run: Run, *arguments: str) -> dict[str, object]:
    result = run("dose", "import", *arguments, "--json")
    assert result.exit_code in (0, 1), result.output
    report: dict[str, object] = json.loads(result.stdout)
    assert report["rows"] == sum(report["outcomes"].values()) + report["refused"]  # type: ignore[attr-defined,operator]
    assert result.exit_code == (1 if report["refused"] else 0)
    return report


def _count(services: Services) -> int:
    with services.db.read() as conn:
        return sum(events.count_by_outcome(conn).values())


def test_an_added_dose_prints_reference_and_due_time(run: Run, services: Services) -> None:
    result = run(*ADD)
    assert result.exit_code == 0, result.output
    with services.db.read() as conn:
        (row,) = notifications.newest(conn, 2)
    assert f"reference {row.reference}" in result.stdout
    assert "SMS scheduled for 23 November 2026 10:00 WIB" in result.stdout
    assert "Sulastri" not in result.output


def test_an_added_dose_answers_json(run: Run) -> None:
    report = json.loads(run(*ADD, "--delay-hours", "24", "--event-id", "mine", "--json").stdout)
    assert (report["outcome"], report["state"], report["event_id"]) == ("planned", "scheduled", "mine")
    assert report["due_at"] == "2026-11-24T03:00:00Z"
    assert json.loads(run(*ADD, "--delay-hours", "24", "--event-id", "mine", "--json").stdout)["outcome"] == "repeated"


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--nik", "123456789012345", "person.nik: a NIK has 16 digits, or null where it is not known [nik-length]"),
        ("--number", "0", "dose.number: write a number from 1 to 99 [dose-range]"),
        ("--delay-hours", "49", "notify.delay_hours: write a delay from 0 to 48 hours [delay-range]"),
        ("--given-on", "2026-02-30", "dose.given_on: write a date of the calendar as YYYY-MM-DD [date]"),
    ],
)
def test_a_bad_field_is_one_line_with_field_and_rule(
    run: Run, services: Services, option: str, value: str, line: str
) -> None:
    result = run(*ADD, option, value)
    assert result.exit_code == 1
    assert result.stderr == f"sertilink: {line}\n"
    assert _count(services) == 0


def test_an_imported_file_accounts_for_every_row(run: Run, services: Services, tmp_path: Path) -> None:
    path = _csv(tmp_path, _row(1), _row(2, phone=""), _row(3, phone="555-978-4581"), _row(4, day="2026-13-01"), _row(1))
    report = _report(run, str(path))
    assert report["rows"] == 5
    assert report["outcomes"] == {"planned": 1, "repeated": 1, "suppressed": 2}
    assert report["suppressed"] == {"bad-phone": 1, "no-phone": 1}
    assert report["rules"] == {"date": 1}
    assert _count(services) == 3


def test_a_second_run_of_an_import_changes_nothing(run: Run, services: Services, tmp_path: Path) -> None:
    path = _csv(tmp_path, _row(1), _row(2, phone=""))
    _report(run, str(path))
    with services.db.read() as conn:
        before = notifications.count_by_state(conn)
    assert _report(run, str(path))["outcomes"] == {"repeated": 2}
    with services.db.read() as conn:
        assert notifications.count_by_state(conn) == before
    assert _count(services) == 2


def test_a_dry_run_tells_the_outcomes_and_keeps_nothing(run: Run, services: Services, tmp_path: Path) -> None:
    path = _csv(tmp_path, _row(1), _row(2, phone=""), _row(3, day="never"))
    report = _report(run, str(path), "--dry-run")
    assert (report["dry_run"], report["outcomes"], report["refused"]) == (True, {"planned": 1, "suppressed": 1}, 1)
    assert _count(services) == 0


def test_an_import_of_more_than_one_batch_is_whole(run: Run, services: Services, tmp_path: Path) -> None:
    report = _report(run, str(_csv(tmp_path, *(_row(number) for number in range(1101)))))
    assert report["outcomes"] == {"planned": 1101}
    assert _count(services) == 1101


def test_the_errors_file_names_place_field_and_rule_but_no_value(run: Run, tmp_path: Path) -> None:
    path = _csv(tmp_path, _row(1), _row(2, name='"=cmd|calc"'), _row(3, day="30/02/2026"))
    _report(run, str(path))
    with (tmp_path / "doses.csv.errors.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["position", "place", "field", "rule", "detail"]
    assert [row[:4] for row in rows[1:]] == [["3", "line 3", "name", "formula"], ["4", "line 4", "given_on", "date"]]
    text = (tmp_path / "doses.csv.errors.csv").read_text()
    assert "calc" not in text
    assert "30/02" not in text
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_a_run_without_errors_leaves_no_stale_errors_file(run: Run, tmp_path: Path) -> None:
    path = _csv(tmp_path, _row(1, day="never"))
    _report(run, str(path))
    errors = tmp_path / "doses.csv.errors.csv"
    assert errors.exists()
    _csv(tmp_path, _row(1))
    _report(run, str(path))
    assert list(tmp_path.glob("*.errors.csv*")) == []


def test_a_byte_order_mark_and_latin_1_are_met_row_by_row(run: Run, services: Services, tmp_path: Path) -> None:
    path = tmp_path / "doses.csv"
    lines = [HEADER, _row(1), _row(2, name="José"), _row(3)]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode("latin-1"))
    report = _report(run, str(path))
    assert report["outcomes"] == {"planned": 2}
    assert report["rules"] == {"encoding": 1}


def test_a_broken_gzip_keeps_what_stands_before_the_break(run: Run, services: Services, tmp_path: Path) -> None:
    text = "\n".join([HEADER, *(_row(number) for number in range(3000))]).encode()
    path = tmp_path / "doses.csv.gz"
    path.write_bytes(gzip.compress(text)[:-2000])
    report = _report(run, str(path))
    assert report["rules"] == {"gzip-truncated": 1}
    assert report["outcomes"] == {"planned": _count(services)}
    assert _count(services) > 0


def test_an_unreadable_errors_place_stops_before_anything_is_read(run: Run, services: Services, tmp_path: Path) -> None:
    result = run("dose", "import", str(_csv(tmp_path, _row(1))), "--errors", str(tmp_path / "no" / "such" / "e.csv"))
    assert result.exit_code == 1
    assert result.stderr.startswith("sertilink: --errors: ")
    assert _count(services) == 0


def test_a_file_that_is_not_there_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    assert run("dose", "import", str(tmp_path / "none.csv")).exit_code == 2


def test_the_same_event_with_other_content_is_a_refused_row(run: Run, tmp_path: Path) -> None:
    _report(run, str(_csv(tmp_path, _row(1))))
    assert _report(run, str(_csv(tmp_path, _row(1, name="Orang Lain"))))["rules"] == {"conflict": 1}


def test_a_large_file_accounts_for_every_row(run: Run, services: Services, tmp_path: Path) -> None:
    wide = [_row(number, name=f"Dewi {'Anggraini ' * 15}{number % 7}") for number in range(5000)]
    path = _csv(tmp_path, *wide, _row(1, name="Orang Lain"), _row(9000, day="never"))
    report = _report(run, str(path))
    assert (report["outcomes"], report["rules"]) == ({"planned": 5000}, {"conflict": 1, "date": 1})
    assert _count(services) == 5000
