"""A list is checked and recorded while its workers are killed: each row counts once, each dose is there once."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from notifier.faults import FaultPoint
from notifier.intake.uploads import deeds
from notifier.services import Services
from notifier.store import events, notifications
from notifier.store.uploads import Row, UploadStatus
from tests.databases import new_sqlite, postgres_database
from tests.faults.killed_uploader import services_of
from tests.installation import Installation, an_installation
from tests.polling import eventually
from tests.requirements import require
from tests.uploads import a_list, an_uploader, received, row, seen, work

ROOT = Path(__file__).resolve().parents[2]
KILLS = 3
COUNT = 4_000
#: of every hundred rows one is bad, one says the same as the row before it, one has no number
BAD, TWICE, SILENT = 7, 11, 13


def many(count: int) -> bytes:
    rows = []
    for number in range(count):
        kind = number % 100
        changes = {BAD: {"nik": "1"}, SILENT: {"phone": ""}}.get(kind, {})
        rows.append(row(number - 1 if kind == TWICE else number, **changes))
    return a_list(rows)


def is_exact(services: Services, found: Row, count: int) -> bool:
    """Whether everything that is counted is right, and there."""
    part = count // 100
    planned = count - 3 * part
    assert found.checked["counts"] == {
        "good": planned + part,
        "bad": part,
        "duplicate": part,
        "no-phone": part,
    }
    assert found.recorded == {
        "outcomes": {"planned": planned, "suppressed": part, "repeated": part},
        "reasons": {"no-phone": part},
    }
    with services.db.read() as conn:
        assert events.count_by_outcome(conn) == {"planned": planned, "suppressed": part}
        states = notifications.count_by_state(conn)
    assert sum(states.values()) == planned + part
    return found.rows_done == found.rows == count


@pytest.mark.parametrize("pair", ["sqlite+embedded", "postgres+rabbitmq"])
def test_whichever_worker_is_killed_each_row_of_a_list_counts_once(pair: str, tmp_path: Path) -> None:
    dice = random.Random(pair)
    with an_installation(pair, tmp_path, LEASE_SECONDS="2", UNDO_MINUTES="60") as installation:
        services = installation.services
        by = an_uploader(services)
        reference = received(services, by, many(COUNT))
        deeds.name_columns(services, reference, seen(services, reference).columns, by=by)
        _survive(installation, reference, UploadStatus.CHECKED, dice)
        deeds.record(services, reference, count=seen(services, reference).checked["counts"]["good"], by=by)
        _survive(installation, reference, UploadStatus.DONE, dice)
        assert is_exact(services, seen(services, reference), COUNT)


def _survive(installation: Installation, reference: str, end: UploadStatus, dice: random.Random) -> None:
    """Kills the worker wherever its growth is noticed, and lets the last one end the work."""
    for _ in range(KILLS):
        aim = min(COUNT, seen(installation.services, reference).rows_done + dice.randint(1, 1000))
        worker = installation.start("worker")
        eventually(
            lambda: seen(installation.services, reference).rows_done >= aim,  # noqa: B023
            30,
            "the list does not go on",
        )
        installation.kill(worker)
    worker = installation.start("worker")
    eventually(lambda: seen(installation.services, reference).status == end, 30, "the list does not end")
    installation.kill(worker)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("point", [FaultPoint.INTAKE_BEFORE_COMMIT, FaultPoint.INTAKE_AFTER_COMMIT])
def test_a_worker_that_dies_around_a_commit_leaves_a_piece_whole_or_not_begun(
    kind: str, point: FaultPoint, tmp_path: Path
) -> None:
    if kind == "sqlite":
        _die_once(new_sqlite(tmp_path / "sertilink.db"), point, tmp_path)
        return
    require("postgres")
    with postgres_database() as url:
        _die_once(url, point, tmp_path)


def _die_once(url: str, point: FaultPoint, folder: Path) -> None:
    services = services_of(url, folder)
    by = an_uploader(services)
    count = 1_500
    reference = received(services, by, many(count))
    deeds.name_columns(services, reference, seen(services, reference).columns, by=by)
    work(services)
    deeds.record(services, reference, count=seen(services, reference).checked["counts"]["good"], by=by)
    command = [sys.executable, "-m", "tests.faults.killed_uploader", url, str(folder), point.value, "2"]
    died = subprocess.run(command, cwd=ROOT, timeout=300, check=False)
    assert died.returncode == -9
    done = seen(services, reference).rows_done
    assert done == (500 if point is FaultPoint.INTAKE_BEFORE_COMMIT else 1_000)
    with services.db.read() as conn:
        assert sum(events.count_by_outcome(conn).values()) == done - done // 100 * 2
    # the dead worker's lease runs out
    eventually(lambda: (work(services), seen(services, reference).status)[1] == UploadStatus.DONE, 30)
    assert is_exact(services, seen(services, reference), count)
    services.close()
