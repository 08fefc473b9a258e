"""A file that several processes record is what one process makes of it."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from notifier.faults import KILL, FaultPoint, arm
from notifier.intake import readers
from notifier.intake.bulk import RefusedRow, Tally, record_rows
from notifier.intake.files import RawLine, holds_event_lines
from notifier.intake.parallel import ImporterGone, record_lines
from notifier.intake.shares import Share, dealt, joined, tie
from notifier.services import Services
from notifier.store import tables
from tests.builders import event_json
from tests.conftest import Build
from tests.databases import postgres_database
from tests.intake.same_rows import snapshot
from tests.requirements import require

ACTOR = "door:import"


def line(number: int, *, person: int | None = None, dose: int | None = None, **changes: object) -> bytes:
    """One event; its own person and dose unless said otherwise."""
    whose, of = (number if value is None else value for value in (person, dose))
    base = event_json(
        event_id=f"e-{number}",
        person={"id": f"p-{whose}", "nik": None, "phone": f"08123{whose:07d}"},
        dose={"id": f"d-{of}"},
    )
    return json.dumps(base | changes).encode()


def messy() -> bytes:
    """Persons with several doses, doses told twice, withdrawals, conflicts, and lines that cannot be read."""
    lines: list[bytes] = []
    for number in range(120):
        lines.append(line(number, person=number % 50))
        if number % 10 == 3:
            lines.append(line(1000 + number, person=number % 50, dose=number, event_type="corrected"))
        if number % 10 == 4:
            lines.append(line(number, person=number % 50, dose=number + 500))  # another event of the same id
        if number % 10 == 5:
            lines.append(line(number, person=number % 50))
        if number % 10 == 6:
            lines.append(line(2000 + number, dose=number, event_type="entered_in_error"))
        if number % 10 == 7:
            lines += [b"{broken", b"[]", line(3000 + number, event_type="never"), b" "]
    return b"\n".join(lines) + b"\n"


def raw(*texts: bytes) -> list[RawLine]:
    return [RawLine(number, text, "", (), 0) for number, text in enumerate(texts, start=1)]


def shares(lines: list[RawLine], parts: int) -> list[Share]:
    return dealt(joined(lines), parts)


def count(services: Services) -> int:
    with services.db.read() as conn:
        return len(conn.execute(tables.event.select()).all())


def by_one(services: Services, path: Path) -> tuple[Tally, list[RefusedRow]]:
    rows: list[RefusedRow] = []
    found = readers.from_file(services, path)
    tally = record_rows(services, found, actor=ACTOR, rehearse=False, refused=rows.append, progress=lambda _bytes: None)
    return tally, rows


def by_several(services: Services, path: Path) -> tuple[Tally, list[RefusedRow]]:
    rows: list[RefusedRow] = []
    tally = record_lines(
        services, path, actor=ACTOR, refused=rows.append, progress=lambda _bytes: None, window_lines=60
    )
    return tally, rows


@pytest.fixture
def pair(build_services: Build) -> Iterator[tuple[Services, Services]]:
    require("postgres")
    with ExitStack() as stack:
        first, second = (stack.enter_context(postgres_database()) for _ in range(2))
        yield build_services(database_url=first), build_services(database_url=second)


def test_several_processes_give_the_answers_and_rows_of_one(pair: tuple[Services, Services], tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(messy())
    assert holds_event_lines(path)
    one, several = pair
    first, second = by_one(one, path), by_several(several, path)
    assert first[0].refused > 0
    assert len(first[0].outcomes) > 3
    assert first == second
    rows = snapshot(several)
    for name, expected in snapshot(one).items():
        assert rows[name] == expected, name
    assert multiprocessing.active_children() == []


def test_a_killed_worker_ends_the_import_and_the_next_one_finishes_it(build_services: Build, tmp_path: Path) -> None:
    require("postgres")
    path, orders = tmp_path / "events.ndjson", tmp_path / "orders"
    orders.mkdir()
    path.write_bytes(b"\n".join(line(number) for number in range(200)))
    arm(orders, FaultPoint.INTAKE_BEFORE_COMMIT, KILL)
    with postgres_database() as url:
        services = build_services(database_url=url, test_fault_points=orders)
        with pytest.raises(ImporterGone, match="run the import again"):
            by_several(services, path)
        assert multiprocessing.active_children() == []
        assert count(services) % 30 == 0  # a window's share is one batch
        assert count(services) < 200
        tally, rows = by_several(services, path)
        assert (tally.rows, rows, count(services)) == (200, [], 200)
        services.db.close()


def test_lines_that_share_a_thing_through_a_third_stay_together_in_order() -> None:
    texts = [line(1, person=1), line(2), line(3, person=1, dose=7), line(4), line(5, dose=7), line(6)]
    parts = shares(raw(*texts), 2)
    assert [1, 3, 5] in [[number for number, _ in part] for part in parts]
    assert sorted(number for part in parts for number, _ in part) == [1, 2, 3, 4, 5, 6]


def test_lines_that_share_a_known_person_stay_together(services: Services, tmp_path: Path) -> None:
    known = tmp_path / "known.ndjson"
    known.write_bytes(line(1) + b"\n" + line(2))
    by_one(services, known)
    # a withdrawal names no person: the database knows whose dose it is
    withdrawal = json.dumps({"event_id": "w", "event_type": "entered_in_error", "dose": {"id": "d-1"}}).encode()
    window = joined(raw(withdrawal, line(3), line(4, person=1), line(5)))
    tie(services, window)
    assert [1, 3] in [[number for number, _ in part] for part in dealt(window, 2)]


def test_a_new_facility_of_several_names_is_named_by_one_worker(services: Services) -> None:
    def of(number: int, name: str) -> bytes:
        value = json.loads(line(number))
        return json.dumps(value | {"dose": value["dose"] | {"facility_id": "new", "facility": name}}).encode()

    window = joined(raw(of(1, "A"), line(2), of(3, "B")))
    tie(services, window)
    assert [1, 3] in [[number for number, _ in part] for part in dealt(window, 2)]


def test_a_nik_joins_however_it_is_written() -> None:
    def of(number: int, nik: str) -> bytes:
        value = json.loads(line(number))
        return json.dumps(value | {"person": value["person"] | {"nik": nik}}).encode()

    parts = shares(raw(of(1, "3174031002890009"), of(2, " 3174.0310.0289.0009 "), line(3), line(4)), 2)
    assert [1, 2] in [[number for number, _ in part] for part in parts]


def test_a_window_with_a_fhir_resource_is_recorded_by_one() -> None:
    parts = shares(raw(line(1), b'{"resourceType": "Immunization"}', line(2)), 2)
    assert [[number for number, _ in part] for part in parts] == [[1, 2, 3], []]


@pytest.mark.parametrize("text", [b"name,nik\n", b'[{"event_id": 1}]', b'{"resourceType": "Bundle"}\n', b"", b"{\n}\n"])
def test_other_files_are_left_to_one_process(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "file.dat"
    path.write_bytes(text)
    assert not holds_event_lines(path)
