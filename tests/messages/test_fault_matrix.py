"""Each point at which a worker may be killed, times each way a provider may fail: the right state in the end, and never
two of one message at the provider.

A real process is killed with SIGKILL at the point. Then time passes, and others tick, send, look up and receive.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier.core.states import State
from notifier.faults import KILL, FaultPoint, arm
from notifier.gateways import Receipt
from notifier.gateways.twilio import TwilioGateway
from notifier.intake.record import Door, PlanOptions, record
from notifier.messages import circuit, receipts
from notifier.messages.reconcile import reconcile
from notifier.messages.send import Sender
from notifier.messages.upkeep import tick
from notifier.services import build
from notifier.store import attempts, notifications
from notifier.store.circuits import CircuitMode
from notifier.store.migrate import upgrade
from tests import twilio_server as twilio
from tests.builders import an_event
from tests.fakes import FakeClock
from tests.messages.killed_worker import Doomed, settings_of, work
from tests.twilio_server import Mode, TakenMessage, TwilioServer


@dataclass(frozen=True)
class Way:
    """A way in which the provider takes a message, or does not. `clear`: its answer tells which."""

    mode: Mode
    clear: bool
    ends: State | None = None  #: where a clear answer that is no yes leads, once the provider is well again

    @property
    def takes(self) -> bool:
        return self.mode.takes


WAYS = {
    "accept": Way(twilio.ACCEPT, clear=True),
    "accept-then-drop": Way(twilio.ACCEPT_THEN_DROP, clear=False),
    "accept-then-hang": Way(twilio.ACCEPT_THEN_HANG, clear=False),
    "500-after-accept": Way(twilio.ACCEPT_THEN_500, clear=False),
    "truncated-201": Way(twilio.TRUNCATED_JSON, clear=False),
    "broken-off-201": Way(twilio.ACCEPT_THEN_BREAK_OFF, clear=False),
    "hang": Way(twilio.HANG, clear=False),
    "drop": Way(twilio.RESET, clear=False),
    "500-before-accept": Way(twilio.ERROR_500, clear=False),
    "429": Way(twilio.BUSY, clear=True, ends=State.ACCEPTED),
    "refused": Way(twilio.refuse(400, 21211), clear=True, ends=State.FAILED),
}

#: (job, point, whether the answer that a post got is lost; None: no post was made and none will be)
POINTS: list[tuple[str, FaultPoint, bool | None]] = [
    ("send", FaultPoint.CLAIM_BEFORE_COMMIT, False),
    ("send", FaultPoint.CLAIM_AFTER_COMMIT, False),
    ("send", FaultPoint.SENDING_BEFORE_COMMIT, False),
    ("send", FaultPoint.SENDING_AFTER_COMMIT, None),
    ("send", FaultPoint.PROVIDER_ANSWERED, True),
    ("send", FaultPoint.OUTCOME_BEFORE_COMMIT, True),
    ("send", FaultPoint.OUTCOME_AFTER_COMMIT, False),
    ("tick", FaultPoint.TICK_BEFORE_COMMIT, True),
    ("tick", FaultPoint.TICK_AFTER_COMMIT, True),
    ("receipts", FaultPoint.RECEIPT_BEFORE_COMMIT, False),
    ("receipts", FaultPoint.RECEIPT_AFTER_COMMIT, False),
    ("reconcile", FaultPoint.LOOKED_UP, False),
    ("reconcile", FaultPoint.LOOK_UP_BEFORE_COMMIT, False),
    ("reconcile", FaultPoint.LOOK_UP_AFTER_COMMIT, False),
]
#: elsewhere, where other tests kill (tests/stream, tests/intake, tests/faults, tests/support/test_registry_out)
ELSEWHERE = {
    FaultPoint.INTAKE_BEFORE_COMMIT,
    FaultPoint.INTAKE_AFTER_COMMIT,
    FaultPoint.STREAM_AFTER_ACK,
    FaultPoint.BULK_BEFORE_COMMIT,
    FaultPoint.BULK_AFTER_COMMIT,
    FaultPoint.CHAT_BEFORE_COMMIT,
    FaultPoint.CHAT_AFTER_COMMIT,
    FaultPoint.REPLY_BEFORE_COMMIT,
    FaultPoint.REPLY_AFTER_COMMIT,
    FaultPoint.REPLY_ANSWERED,
    FaultPoint.REGISTRY_TOLD,
}


def test_every_fault_point_of_the_engine_is_in_the_matrix() -> None:
    assert {point for _, point, _ in POINTS} == set(FaultPoint) - ELSEWHERE


@pytest.fixture(scope="module")
def nursery() -> multiprocessing.context.ForkServerContext:
    """Where processes come from that have loaded everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.messages.killed_worker"])
    return context


@dataclass(frozen=True)
class Case:
    """One person whose messages meet one way. `hears`: receipts come for it; else it is looked up."""

    way: str
    hears: bool
    to: str
    reference: str


class Ward:
    """One installation, its provider, and what is done to them."""

    def __init__(self, folder: Path, clock: FakeClock, context: multiprocessing.context.ForkServerContext) -> None:
        self.folder, self.clock, self._context = folder, clock, context
        self.server = TwilioServer()
        self.services = build(settings_of(folder, self.server.url), clock)
        upgrade(self.services.db)
        circuit.pin(self.services, CircuitMode.CLOSED, reason="many ways fail", actor="system")
        self.cases: list[Case] = []

    def admit(self) -> None:
        """Two people for each way."""
        for number, (way, hears) in enumerate((way, hears) for way in WAYS for hears in (True, False)):
            event = an_event(
                event_id=f"e{number}",
                dose={"id": f"d{number}"},
                person={"id": f"p{number}", "nik": None, "phone": f"0812{number:08d}"},
            )
            recorded = record(self.services, event, door=Door.API, actor="door:api", options=PlanOptions())
            assert recorded.reference is not None
            self.cases.append(Case(way, hears, f"+62812{number:08d}", recorded.reference))
        self.server.mode_to = {case.to: WAYS[case.way].mode for case in self.cases}

    def heal_the_provider(self) -> None:
        self.server.mode_to = {}

    def kill(self, job: str, point: FaultPoint, waiting: tuple[Receipt, ...] = ()) -> None:
        """Runs a process that is killed at the point."""
        orders = self.folder / "orders"
        orders.mkdir()
        arm(orders, point, KILL)
        doomed = Doomed(self.folder, self.server.url, orders, job, waiting)
        process = self._context.Process(target=work, args=(doomed,))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL

    def send(self) -> None:
        Sender(self.services).send_batch(100)

    def send_and_die_inside(self) -> None:
        """As a worker whose posts are answered and that writes nothing of it."""
        sender = Sender(self.services, pause=lambda _: None)
        sender._record = lambda *_: None  # type: ignore[method-assign]  # stands for the worker's death
        sender.send_batch(100)

    def taken(self, case: Case) -> list[TakenMessage]:
        return [message for message in self.server.messages if message.form["To"] == case.to]

    def receipts(self) -> tuple[Receipt, ...]:
        """`delivered` for whatever the provider took from those who hear of it."""
        assert isinstance(self.services.gateway, TwilioGateway)
        found = []
        for case in self.cases:
            for message in self.taken(case) if case.hears else []:
                signed = self.server.receipt(message, "delivered")
                reference = signed.path.rsplit("/", 1)[-1]
                found.append(self.services.gateway.read_receipt(reference, signed.path, signed.form, signed.signature))
        return tuple(found)

    def recover(self) -> None:
        """A lease later: the others take over while the provider still fails, then it is well again."""
        self.clock.set(max(self.clock.now(), datetime.now(UTC)) + timedelta(seconds=70))
        tick(self.services)
        self.send()
        self.heal_the_provider()
        for wait in (timedelta(0), *self.services.settings.reconcile_after, timedelta(hours=1)):
            self.clock.set(self.clock.now() + wait + timedelta(seconds=70))
            tick(self.services)
            self.send()
            for receipt in self.receipts():
                receipts.apply(self.services, receipt)
            reconcile(self.services)

    def row(self, case: Case) -> notifications.Row:
        with self.services.db.read() as conn:
            found = notifications.find(conn, case.reference)
        assert found is not None
        return found

    def close(self) -> None:
        self.services.close()
        self.server.close()


@pytest.fixture
def ward(tmp_path: Path, clock: FakeClock, nursery: multiprocessing.context.ForkServerContext) -> Iterator[Ward]:
    built = Ward(tmp_path, clock, nursery)
    yield built
    built.close()


def expected(case: Case, answer_is_lost: bool | None) -> tuple[State, int]:
    """The state in the end, and how many of the message the provider has."""
    way = WAYS[case.way]
    if answer_is_lost is None:
        return State.UNKNOWN, 0  # no byte left, and nobody can know it
    if way.takes:
        return State.DELIVERED if case.hears else State.ACCEPTED, 1
    if not way.clear or answer_is_lost:
        return State.UNKNOWN, 0
    if way.ends is State.FAILED:
        return State.FAILED, 0
    return State.DELIVERED if case.hears else State.ACCEPTED, 1


def check(ward: Ward, answer_is_lost: bool | None) -> None:
    for case in ward.cases:
        row = ward.row(case)
        state, taken = expected(case, answer_is_lost)
        assert (row.status, len(ward.taken(case))) == (state, taken), case
        assert (row.lease_token, row.lease_until) == (None, None), case
        if state is State.UNKNOWN:
            assert row.look_up_at is None, case  # on the operators' list, and nowhere else
        with ward.services.db.read() as conn:
            tried = attempts.of_notification(conn, row.id)
        assert [one.number for one in tried] == sorted(one.number for one in tried)
        assert len(tried) <= (3 if case.way == "429" else 2), case


@pytest.mark.parametrize(("job", "point", "answer_is_lost"), POINTS, ids=lambda value: str(value))
def test_killed_anywhere_every_message_ends_right(
    ward: Ward, clock: FakeClock, job: str, point: FaultPoint, answer_is_lost: bool | None
) -> None:
    clock.set(datetime.now(UTC) - timedelta(minutes=10))
    ward.admit()
    waiting: tuple[Receipt, ...] = ()
    if job == "tick":
        ward.send_and_die_inside()
    elif job != "send":
        ward.send()
        waiting = ward.receipts()
    ward.kill(job, point, waiting)
    ward.recover()
    check(ward, answer_is_lost)


def test_a_provider_that_refuses_connections_gets_everything_once_it_is_back(
    ward: Ward, clock: FakeClock, tmp_path: Path
) -> None:
    """Killed while nothing could be reached: certainly not sent, so it is tried again."""
    clock.set(datetime.now(UTC) - timedelta(minutes=10))
    ward.admit()
    ward.heal_the_provider()
    away = build(settings_of(tmp_path, "http://127.0.0.1:9"), clock)  # the discard port: nobody listens
    Sender(away).send_batch(100)
    away.close()
    assert {ward.row(case).status for case in ward.cases} == {State.SCHEDULED}
    ward.kill("send", FaultPoint.PROVIDER_ANSWERED)
    ward.recover()
    assert {len(ward.taken(case)) for case in ward.cases} == {1}
    assert {ward.row(case).status for case in ward.cases} == {State.ACCEPTED, State.DELIVERED}
