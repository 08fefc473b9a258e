"""A worker process that is killed with -9 in the middle of a bulk resend: another goes on, each dose once, each number
exact."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from notifier.core.bulks import BulkState
from notifier.core.ids import new_ids
from notifier.core.resend_filter import ResendFilter, Wanted
from notifier.core.states import State
from notifier.faults import KILL, FaultPoint, arm
from notifier.intake.record import Door, record
from notifier.services import Services
from notifier.store import bulks, caught, notifications
from notifier.store.tables import notification
from notifier.support import bulk_resend
from tests.builders import an_event
from tests.installation import Installation, an_installation
from tests.polling import until

#: more than two chunks
PEOPLE = 450
POINTS = [FaultPoint.BULK_BEFORE_COMMIT, FaultPoint.BULK_AFTER_COMMIT]


def _failed(services: Services) -> None:
    """So many people's messages that failed, as if the provider had refused them."""
    for place in range(PEOPLE):
        person = {"id": f"p{place}", "nik": None, "phone": f"0812{place:08d}"}
        event = an_event(event_id=f"e{place}", dose={"id": f"d{place}"}, person=person)
        record(services, event, door=Door.API, actor="door:api")
    with services.db.write() as conn:
        conn.execute(notification.update().values(status=State.FAILED.value, reason="refused"))


def _tally(services: Services, row: bulks.Row) -> tuple[Any, Any]:
    with services.db.read() as conn:
        return bulks.tally(conn, row.id)


def _of_bulk(services: Services) -> list[Any]:
    with services.db.read() as conn:
        return [row for row in notifications.newest(conn, 10 * PEOPLE) if row.bulk_id]


@pytest.mark.parametrize("pair", ["sqlite+embedded", "postgres+redis"])
@pytest.mark.parametrize("point", POINTS)
def test_a_bulk_killed_half_way_goes_on_without_a_double(pair: str, point: FaultPoint, tmp_path: Path) -> None:
    orders = tmp_path / "orders"
    orders.mkdir()
    with an_installation(pair, tmp_path, BULK_COOLDOWN_HOURS="0") as installed:
        services = installed.services
        _failed(services)
        wanted = ResendFilter(Wanted.FAILED)
        row = bulk_resend.create(services, wanted, at=None, reason="test", actor="staff:" + new_ids(1)[0])
        row = bulk_resend.approve(services, row.reference, actor="staff:" + new_ids(1)[0], confirmed=PEOPLE)

        killed = _killed_half_way(installed, services, row, orders, point)
        planned = len(_of_bulk(services))
        assert planned in range(1, PEOPLE), f"killed at {planned}"
        assert planned % 200 == 0  # whole chunks
        assert killed == -signal.SIGKILL

        installed.start("worker")
        until(lambda: bulk_resend.find(services, row.reference).state == BulkState.DONE, seconds=120)
        assert _tally(services, row)[0] == {("planned", None): PEOPLE}
        sent = _of_bulk(services)
        assert len(sent) == len({one.dose_id for one in sent}) == PEOPLE
        with services.db.read() as conn:
            messages = caught.newest(conn, services.sealer, 10 * PEOPLE)
        assert len(messages) == len({one.to for one in messages}) == PEOPLE
        seen = bulk_resend.progress(services, bulk_resend.find(services, row.reference))
        assert (seen.total, seen.left, seen.planned, seen.undecided, seen.excluded) == (PEOPLE, PEOPLE, 0, 0, {})


def _killed_half_way(
    installed: Installation, services: Services, row: bulks.Row, orders: Path, point: FaultPoint
) -> int | None:
    """A worker that has planned a chunk, and dies around the commit of the next; how its process ended."""
    worker = installed.start("worker", TEST_FAULT_POINTS=str(orders))
    with services.db.read() as conn:
        until(lambda: bulks.count_messages(conn, row.id, list(State)) >= 200, seconds=60, every=0.01)
    arm(orders, point, KILL)
    until(lambda: any(orders.glob("*.taken-*")), seconds=60)
    if worker.poll() is None:
        installed.kill(worker)  # with a pool of processes only the child died
    return worker.wait()
