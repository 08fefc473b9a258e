"""A worker process that is killed with -9 in the middle of a bulk resend: another goes on, each dose once, each number
exact."""

from __future__ import annotations

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
from notifier.support import bulk_resend, resend
from notifier.support.bulk_run import CHUNK
from tests.builders import an_event
from tests.installation import Installation, an_installation
from tests.polling import eventually

#: more than a chunk
PEOPLE = 250


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


def _caught(services: Services) -> list[Any]:
    with services.db.read() as conn:
        return list(caught.newest(conn, services.sealer, 10 * PEOPLE))


@pytest.mark.parametrize("pair", ["sqlite+embedded", "postgres+redis"])
def test_a_bulk_killed_half_way_goes_on_without_a_double(pair: str, tmp_path: Path) -> None:
    with an_installation(pair, tmp_path, BULK_COOLDOWN_HOURS="0", LEASE_SECONDS="10") as installed:
        services = installed.services
        _failed(services)
        # a killed sender's messages have an unknown outcome, which is not this test's matter: none goes out till then
        resend.hold(services, reason="test", actor="test")
        row = _approved(services)
        _killed_at(installed, FaultPoint.BULK_AFTER_COMMIT)
        assert _tally(services, row) == ({("waiting", None): PEOPLE}, {})  # gathered
        _killed_at(installed, FaultPoint.BULK_AFTER_COMMIT)
        _is_half_way(services, row)
        _killed_at(installed, FaultPoint.BULK_BEFORE_COMMIT)
        _is_half_way(services, row)

        resend.release(services, reason="test", actor="test")
        installed.start("worker")
        eventually(lambda: bulk_resend.find(services, row.reference).state == BulkState.DONE, seconds=60)
        assert _tally(services, row)[0] == {("planned", None): PEOPLE}
        sent = _of_bulk(services)
        assert len(sent) == len({one.dose_id for one in sent}) == PEOPLE
        eventually(lambda: len(_caught(services)) >= PEOPLE, 20)
        messages = _caught(services)
        assert len(messages) == len({one.to for one in messages}) == PEOPLE
        seen = bulk_resend.progress(services, bulk_resend.find(services, row.reference))
        assert (seen.total, seen.left, seen.planned, seen.undecided, seen.excluded) == (PEOPLE, PEOPLE, 0, 0, {})


def _approved(services: Services) -> bulks.Row:
    maker, other = (f"staff:{one}" for one in new_ids(2))
    row = bulk_resend.create(services, ResendFilter(Wanted.FAILED), at=None, reason="test", actor=maker)
    return bulk_resend.approve(services, row.reference, actor=other, confirmed=PEOPLE)


def _is_half_way(services: Services, row: bulks.Row) -> None:
    """One whole chunk is planned, and nothing of another."""
    items, messages = _tally(services, row)
    assert items == {("planned", None): CHUNK, ("waiting", None): PEOPLE - CHUNK}
    assert sum(messages.values()) == CHUNK


def _killed_at(installed: Installation, point: FaultPoint) -> None:
    """A worker process that goes on with the bulk until it dies at the point."""
    orders = installed.settings.data_folder / f"orders-{len(list(installed.settings.data_folder.glob('orders-*')))}"
    orders.mkdir()
    arm(orders, point, KILL)
    worker = installed.start("worker", TEST_FAULT_POINTS=str(orders))
    eventually(lambda: any(orders.glob("*.taken-*")), seconds=30)
    installed.kill(worker)  # with a pool of processes only the child has died
