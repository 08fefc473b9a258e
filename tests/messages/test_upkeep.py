"""The tick, the kill switch, and a worker that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from notifier.access import api_keys
from notifier.access.api_keys import KeyKind, Scope
from notifier.certificates.codes.ahead import make_ahead
from notifier.core.states import State
from notifier.gateways import Receipt
from notifier.intake.record import Door, PlanOptions
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store import audit, audit_chain
from notifier.store.tables import idempotency as answers
from notifier.store.tables import test_notification
from notifier.support import api_desk, idempotency
from notifier.support.resend import hold, release
from tests.builders import an_event
from tests.desk import Desk
from tests.fakes import FakeClock, FakeGateway

ROOT = Path(__file__).parents[2]


def test_one_worker_a_second_is_elected(each_desk: Desk, clock: FakeClock) -> None:
    each_desk.record()
    assert [tick(each_desk.services).elected for _ in range(3)] == [True, False, False]
    clock.tick(seconds=1)
    assert tick(each_desk.services).elected


def test_a_tick_wakes_as_many_batches_as_are_due(each_desk: Desk, clock: FakeClock) -> None:
    assert tick(each_desk.services).wake_ups == 0
    each_desk.record()
    clock.tick(seconds=1)
    assert tick(each_desk.services).wake_ups == 1


def test_a_clock_that_was_set_back_does_not_stop_the_ticks(desk: Desk, clock: FakeClock) -> None:
    tick(desk.services)
    clock.tick(hours=-3)
    assert tick(desk.services).elected


def test_the_kill_switch_stops_everything_until_it_is_released(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    hold(each_desk.services, reason="restored a copy", actor="system")
    assert tick(each_desk.services).wake_ups == 0
    assert each_desk.send().claimed == 0

    release(each_desk.services, reason="looked at it", actor="system")
    each_desk.send()
    assert each_desk.state(recorded.reference) == State.ACCEPTED


def test_a_tick_says_when_codes_are_to_be_made_ahead(each_desk: Desk, clock: FakeClock) -> None:
    each_desk.record()
    each_desk.send()
    clock.tick(seconds=20)
    assert tick(each_desk.services).codes
    make_ahead(each_desk.services)
    clock.tick(seconds=20)
    assert not tick(each_desk.services).codes


def test_ticks_chain_the_audit_rows(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    clock.tick(seconds=5)
    tick(each_desk.services)
    with each_desk.services.db.read() as conn:
        assert audit_chain.verify(conn, each_desk.services.sealer).broken_at is None
        rows = audit.of_subjects(conn, [each_desk.row(recorded.reference).dose_id])
    assert [row.position for row in rows] == [1]


def test_ticks_sign_where_the_audit_stands(each_desk: Desk, clock: FakeClock) -> None:
    each_desk.record()
    for _ in range(2):  # what one chains, the next may sign
        clock.tick(minutes=1)
        tick(each_desk.services)
    with each_desk.services.db.read() as conn:
        seen = audit_chain.overview(conn)
    assert (seen.signed_position, seen.broken_at) == (seen.position, None)
    assert seen.signed_position >= 1


def test_ticks_forget_kept_answers_and_test_messages_whose_time_is_over(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    made = api_keys.add(services, name="a", scopes=list(Scope), kind=KeyKind.TEST, actor="test")
    key = api_keys.check(services, made.text)
    assert key is not None
    api_desk.take(services, key, an_event(), Door.API)
    idempotency.begin(services, key, "k", b"request")
    for hours, left in ((2, (1, 1)), (26, (0, 1)), (31 * 24, (0, 0))):
        clock.tick(hours=hours)
        tick(services)
        with services.db.read() as conn:
            kept = [
                conn.scalar(sa.select(sa.func.count()).select_from(table)) for table in (answers, test_notification)
            ]
        assert tuple(kept) == left


@pytest.fixture
def real_time(clock: FakeClock) -> FakeClock:
    """The killed worker is a real process, so leases must be measured on one clock: the fake one stands at now."""
    clock.set(datetime.now(UTC))
    return clock


def kill_at(services: Services, point: str) -> None:
    """Runs a real worker process on the same database that kills itself with SIGKILL at `point`."""
    environment = {**os.environ, "KILL_AT": point, "KILL_DATABASE": services.settings.database_url}
    command = [sys.executable, "-m", "tests.messages.killed_worker"]
    done = subprocess.run(command, env=environment, cwd=ROOT, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


def test_killed_between_claim_and_send_it_goes_out_once(real_time: FakeClock, each_services: Services) -> None:
    desk = Desk(each_services)
    recorded = desk.record(PlanOptions(any_hour=True))
    kill_at(each_services, "claimed")
    assert desk.state(recorded.reference) == State.CLAIMED
    desk.send()
    assert desk.gateway.sent == []  # the dead worker's lease still runs

    real_time.tick(seconds=120)
    tick(each_services)
    desk.send()
    assert desk.state(recorded.reference) == State.ACCEPTED
    assert len(desk.gateway.sent) == 1


def test_killed_after_sending_began_it_is_unknown_and_never_sent_again(
    real_time: FakeClock, each_services: Services
) -> None:
    desk = Desk(each_services)
    recorded = desk.record(PlanOptions(any_hour=True))
    kill_at(each_services, "sending")
    assert desk.state(recorded.reference) == State.SENDING
    for _ in range(3):
        real_time.tick(seconds=120)
        tick(each_services)
        desk.send()
    assert desk.state(recorded.reference) == State.UNKNOWN
    assert desk.gateway.sent == []


class Faulty(FakeGateway):
    """Its receipts cannot be fetched."""

    def waiting_receipts(self, limit: int) -> list[Receipt]:
        raise RuntimeError("a fault of the gateway")


def test_a_chore_that_fails_keeps_no_message_waiting(services: Services) -> None:
    faulty = replace(services, gateway=Faulty())
    Desk(services).record()
    assert tick(faulty).wake_ups == 1


def test_the_gateway_is_ready_before_anything_is_claimed(desk: Desk) -> None:
    recorded = desk.record()
    seen: list[str] = []
    desk.gateway.warm = lambda: seen.append(desk.state(recorded.reference))  # type: ignore[method-assign]  # a fake
    desk.send()
    desk.send()
    assert seen == [State.SCHEDULED]
