"""The circuit: what opens it, that every worker obeys, how a probe closes it, and what an operator pins."""

from __future__ import annotations

import pytest

from notifier.core.states import State
from notifier.gateways import Outcome, OutcomeClass, Receipt, ReceiptState
from notifier.messages import circuit, receipts
from notifier.messages.circuit import MOST_FAILURES
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store import circuits
from notifier.store.circuits import CircuitMode
from tests.desk import Desk
from tests.fakes import FakeClock


def record_many(desk: Desk, count: int, start: int = 0) -> list[str | None]:
    return [
        desk.record(event_id=f"e{n}", dose={"id": f"d{n}"}, person={"id": f"p{n}", "nik": None}).reference
        for n in range(start, start + count)
    ]


def answer(desk: Desk, kind: OutcomeClass, code: str | None = None) -> None:
    desk.gateway.answer = lambda _: Outcome(kind, code=code)


def state(services: Services) -> str | None:
    with services.db.read() as conn:
        row = circuits.get(conn, services.gateway.name)
    return row.state if row else None


def test_one_refusal_of_our_sender_holds_the_queue_and_burns_no_attempt(each_desk: Desk, clock: FakeClock) -> None:
    record_many(each_desk, 3)
    answer(each_desk, OutcomeClass.SENDER_MISCONFIGURED, "21606")
    each_desk.send()
    assert state(each_desk.services) == "open"
    assert {(row.status, row.attempts) for row in each_desk.rows()} == {(State.SCHEDULED, 0)}

    record_many(each_desk, 3, start=10)
    clock.tick(seconds=1)
    assert each_desk.send().claimed == 0
    assert tick(each_desk.services).wake_ups == 0
    row = circuit_row(each_desk.services)
    assert (row.changed_by, "21606" in row.reason) == ("system", True)


def circuit_row(services: Services) -> circuits.Row:
    with services.db.read() as conn:
        row = circuits.get(conn, services.gateway.name)
    assert row is not None
    return row


@pytest.mark.parametrize("kind", sorted(circuit.FAILING))
def test_a_provider_that_fails_ten_times_in_a_row_opens_it(each_desk: Desk, kind: OutcomeClass) -> None:
    answer(each_desk, kind)
    record_many(each_desk, MOST_FAILURES - 1)
    each_desk.send()
    assert state(each_desk.services) == "closed"
    record_many(each_desk, 1, start=50)
    each_desk.send()
    assert state(each_desk.services) == "open"


@pytest.mark.parametrize("kind", [OutcomeClass.ACCEPTED, OutcomeClass.PERMANENT, OutcomeClass.NUMBER_BAD])
def test_an_answer_in_between_starts_the_count_anew(desk: Desk, kind: OutcomeClass) -> None:
    for start in (0, 10, 20):
        answer(desk, OutcomeClass.NOT_SENT)
        record_many(desk, MOST_FAILURES - 1, start=start)
        desk.send()
        answer(desk, kind)
        record_many(desk, 1, start=start + 100)
        desk.send()
    assert state(desk.services) == "closed"


@pytest.mark.parametrize("kind", [OutcomeClass.RATE_LIMITED])
def test_being_asked_to_slow_down_does_not_open_it(desk: Desk, kind: OutcomeClass) -> None:
    answer(desk, kind)
    record_many(desk, MOST_FAILURES * 2)
    desk.send()
    assert state(desk.services) is None


def test_one_message_probes_and_its_success_closes_it(each_desk: Desk, clock: FakeClock) -> None:
    record_many(each_desk, 1)
    answer(each_desk, OutcomeClass.SENDER_MISCONFIGURED, "20003")
    each_desk.send()
    record_many(each_desk, 5, start=10)
    answer(each_desk, OutcomeClass.ACCEPTED)
    clock.tick(seconds=29)
    assert each_desk.send().claimed == 0
    clock.tick(seconds=1)
    assert tick(each_desk.services).wake_ups == 1
    assert each_desk.send(limit=1).posted == 1
    assert state(each_desk.services) == "closed"
    assert each_desk.send().posted == 4
    assert each_desk.audit("fake") == ["circuit.open", "circuit.closed"]


def test_one_worker_probes_while_the_others_wait(each_desk: Desk, clock: FakeClock) -> None:
    from notifier.messages.claim import claim

    record_many(each_desk, 1)
    answer(each_desk, OutcomeClass.SENDER_MISCONFIGURED)
    each_desk.send()
    record_many(each_desk, 5, start=10)
    clock.tick(seconds=30)
    assert [len(claim(each_desk.services, 100).rows) for _ in range(3)] == [1, 0, 0]


def test_a_prober_that_died_is_replaced(each_desk: Desk, clock: FakeClock) -> None:
    from notifier.messages.claim import claim

    record_many(each_desk, 3)
    answer(each_desk, OutcomeClass.SENDER_MISCONFIGURED)
    each_desk.send()
    record_many(each_desk, 3, start=10)
    clock.tick(seconds=30)
    assert len(claim(each_desk.services, 100).rows) == 1
    clock.tick(seconds=61)
    assert len(claim(each_desk.services, 100).rows) == 1


def test_a_probe_that_fails_waits_longer_each_time(desk: Desk, clock: FakeClock) -> None:
    record_many(desk, 1)
    answer(desk, OutcomeClass.SENDER_MISCONFIGURED)
    waits = []
    for number in range(6):
        record_many(desk, 1, start=10 + number)
        desk.send()
        row = circuit_row(desk.services)
        waits.append((row.probe_at - clock.now()).total_seconds())
        clock.set(row.probe_at)
    assert waits == [30, 60, 120, 240, 300, 300]


def test_a_probe_with_nothing_due_waits_for_the_next_message(desk: Desk, clock: FakeClock) -> None:
    record_many(desk, 1)
    answer(desk, OutcomeClass.SENDER_MISCONFIGURED)
    desk.send()
    clock.tick(seconds=31)
    assert desk.send().claimed == 0  # the one that was refused waits five minutes
    answer(desk, OutcomeClass.ACCEPTED)
    record_many(desk, 1, start=10)
    assert desk.send().posted == 1
    assert state(desk.services) == "closed"


def test_an_operator_pauses_and_gives_it_back(each_desk: Desk) -> None:
    services = each_desk.services
    circuit.pin(services, CircuitMode.OPEN, reason="the provider asked us to", actor="staff:1")
    record_many(each_desk, 1)
    assert each_desk.send().claimed == 0
    row = circuit_row(services)
    assert (row.mode, row.changed_by, row.reason) == ("open", "staff:1", "the provider asked us to")
    circuit.pin(services, CircuitMode.AUTO, reason="they are ready", actor="staff:1")
    assert each_desk.send().posted == 1
    assert each_desk.audit("fake") == ["circuit.pin-open", "circuit.pin-auto"]


def test_pinned_closed_it_never_holds_the_queue(desk: Desk) -> None:
    circuit.pin(desk.services, CircuitMode.CLOSED, reason="a drill", actor="staff:1")
    answer(desk, OutcomeClass.NOT_SENT)
    for start in range(0, 60, 20):
        record_many(desk, 20, start=start)
        assert desk.send().posted == 20


def test_a_receipt_that_says_our_sender_is_refused_opens_it(desk: Desk) -> None:
    from notifier.gateways import ErrorMeaning

    meaning = ErrorMeaning("30002", OutcomeClass.SENDER_MISCONFIGURED, "suspended", "look", "page")
    desk.gateway.explain = lambda code: meaning  # type: ignore[method-assign]  # a hand-made fake
    [reference] = record_many(desk, 1)
    desk.send()
    sent = desk.gateway.sent[-1].attempt_reference
    receipts.apply(desk.services, Receipt(sent, "SM1", ReceiptState.UNDELIVERED, "undelivered", "30002"))
    assert state(desk.services) == "open"
    assert desk.state(reference) == State.UNDELIVERED
    [again] = [row for row in desk.rows() if row.generation == 2]
    assert (again.status, again.retries) == (State.SCHEDULED, 1)
