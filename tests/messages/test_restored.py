"""An older copy of the database is put back: what may have left since is looked up, never sent again blindly."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from notifier.core.states import Reason, State
from notifier.gateways import FoundMessage, ReceiptState
from notifier.messages.reconcile import reconcile
from notifier.messages.restored import restored
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store.memory import Memory
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock


def copy(source: str, target: str) -> None:
    """A consistent copy, as `sqlite3 .backup` makes it."""
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)


@pytest.fixture
def put_back(build_services: Build, clock: FakeClock, tmp_path: Path) -> Desk:
    """Three were due; a copy was made; all three were sent; the copy was put back and a new worker starts."""
    desk = Desk(build_services())
    for n in range(3):
        desk.record(event_id=f"e{n}", dose={"id": f"d{n}"}, person={"id": f"p{n}", "nik": None})
    tick(desk.services)
    copy(f"{tmp_path}/sertilink.db", f"{tmp_path}/copy.db")
    clock.tick(seconds=1)
    tick(desk.services)
    desk.send()
    assert len(desk.gateway.sent) == 3
    clock.tick(hours=5)
    tick(desk.services)
    desk.services.db.close()
    for leftover in tmp_path.glob("sertilink.db*"):
        leftover.unlink()
    copy(f"{tmp_path}/copy.db", f"{tmp_path}/sertilink.db")
    return Desk(build_services())


def test_a_worker_that_remembers_sends_nothing_again(put_back: Desk, clock: FakeClock) -> None:
    assert put_back.send().claimed == 0  # even before the first tick
    tick(put_back.services)
    assert put_back.send().claimed == 0
    assert {(row.status, row.reason) for row in put_back.rows()} == {(State.UNKNOWN, Reason.DB_RESTORED)}
    assert len(put_back.gateway.sent) == 3


def test_what_the_provider_has_is_settled(put_back: Desk, clock: FakeClock) -> None:
    for sms in put_back.gateway.sent:
        put_back.gateway.found.setdefault(sms.to, []).append(FoundMessage("SM", ReceiptState.DELIVERED, sms.text))
    tick(put_back.services)
    clock.tick(seconds=2)
    assert reconcile(put_back.services).settled == 3
    assert {row.status for row in put_back.rows()} == {State.DELIVERED}


def test_it_is_noticed_once_and_the_queue_goes_on(put_back: Desk, clock: FakeClock) -> None:
    tick(put_back.services)
    recorded = put_back.record(event_id="e9", dose={"id": "d9"}, person={"id": "p9", "nik": None})
    clock.tick(seconds=1)
    tick(put_back.services)
    assert put_back.send().posted == 1
    assert put_back.state(recorded.reference) == State.ACCEPTED


def test_an_operator_says_it_where_no_worker_remembers(each_desk: Desk, clock: FakeClock) -> None:
    waiting = each_desk.record().reference
    done = restored(each_desk.services, reason="new machine", actor="door:command")
    assert done.doubted == 1
    assert each_desk.state(waiting) == State.UNKNOWN
    later = each_desk.record(event_id="e2", dose={"id": "d2"}).reference
    each_desk.send()
    assert each_desk.state(later) == State.ACCEPTED


def test_what_is_due_later_is_not_doubted(each_desk: Desk, clock: FakeClock) -> None:
    later = each_desk.record(event_id="e2", notify={"delay_hours": 24}).reference
    assert restored(each_desk.services, reason="drill", actor="door:command").doubted == 0
    assert each_desk.state(later) == State.SCHEDULED


def test_another_installation_is_not_taken_for_a_copy(services: Services, tmp_path: Path) -> None:
    (tmp_path / "epoch.json").write_text('{"installation": "another", "mark": 99}')
    desk = Desk(services)
    desk.record()
    tick(services)
    assert desk.send().posted == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"mark": "x"}', '{"installation": null, "mark": null}'])
def test_a_spoilt_memory_is_no_memory(tmp_path: Path, content: str) -> None:
    (tmp_path / "epoch.json").write_text(content)
    assert Memory(tmp_path).mark == 0


def test_the_memory_survives_a_restart(desk: Desk, tmp_path: Path, clock: FakeClock) -> None:
    for _ in range(5):
        clock.tick(seconds=1)
        tick(desk.services)
    assert Memory(tmp_path).mark == 5
