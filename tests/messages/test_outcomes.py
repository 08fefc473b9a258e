"""Each outcome class of the provider ends in the right state, with reason, due time and attempts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from notifier.core.states import Reason, State
from notifier.gateways import Outcome, OutcomeClass, OutgoingSms
from notifier.messages.claim import claim
from notifier.messages.send import Sender
from notifier.messages.upkeep import tick
from notifier.store import notifications, persons, suppressions
from tests.desk import Desk
from tests.fakes import FakeClock


def answer(desk: Desk, kind: OutcomeClass, code: str | None = None, retry_after_s: float | None = None) -> None:
    desk.gateway.answer = lambda _: Outcome(kind, http_status=400, code=code, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("kind", "state", "reason"),
    [
        (OutcomeClass.NOT_SENT, State.SCHEDULED, Reason.NOT_SENT),
        (OutcomeClass.TRY_LATER, State.SCHEDULED, Reason.NOT_SENT),
        (OutcomeClass.RATE_LIMITED, State.SCHEDULED, Reason.RATE_LIMITED),
        (OutcomeClass.SENDER_MISCONFIGURED, State.SCHEDULED, Reason.SENDER_MISCONFIGURED),
        (OutcomeClass.PERMANENT, State.FAILED, Reason.REFUSED),
        (OutcomeClass.NUMBER_BAD, State.FAILED, Reason.BAD_PHONE),
        (OutcomeClass.OPTED_OUT, State.FAILED, Reason.OPTED_OUT),
        (OutcomeClass.HOLD, State.HELD, Reason.REFUSED),
        (OutcomeClass.UNKNOWN, State.UNKNOWN, Reason.OUTCOME_UNKNOWN),
    ],
)
def test_each_outcome_class_has_its_state(each_desk: Desk, kind: OutcomeClass, state: State, reason: Reason) -> None:
    references = [each_desk.record(event_id=f"e{n}", dose={"id": f"d{n}"}).reference for n in range(3)]
    answer(each_desk, kind, code="21211")
    each_desk.send()
    for reference in references:
        row = each_desk.row(reference)
        assert (row.status, row.reason, row.provider_code) == (state, reason, "21211")
        [attempt] = each_desk.attempts(reference)
        assert (attempt.outcome, attempt.http_status, attempt.provider_code) == (kind, 400, "21211")


def test_every_outcome_class_is_handled() -> None:
    from notifier.messages import outcomes

    handled = {OutcomeClass.ACCEPTED, OutcomeClass.UNKNOWN, *outcomes._ENDINGS, *outcomes._RETRIES}
    assert handled == set(OutcomeClass)


@pytest.mark.parametrize(
    ("kind", "burnt"),
    [(OutcomeClass.NOT_SENT, 1), (OutcomeClass.RATE_LIMITED, 0), (OutcomeClass.SENDER_MISCONFIGURED, 0)],
)
def test_what_was_not_sent_is_tried_again_and_a_rate_limit_burns_no_attempt(
    desk: Desk, clock: FakeClock, kind: OutcomeClass, burnt: int
) -> None:
    recorded = desk.record()
    answer(desk, kind)
    desk.send()
    row = desk.row(recorded.reference)
    assert row.attempts == burnt
    assert row.due_at > clock.now()

    desk.send()
    assert len(desk.gateway.sent) == 1  # not before it is due
    desk.gateway.answer = desk.gateway.accept
    clock.set(row.due_at)
    desk.send()
    assert desk.state(recorded.reference) == State.ACCEPTED


def test_the_provider_s_own_waiting_time_is_obeyed(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    answer(desk, OutcomeClass.RATE_LIMITED, retry_after_s=42)
    desk.send()
    assert desk.row(recorded.reference).due_at == clock.now() + timedelta(seconds=42)


def test_waiting_times_grow_to_an_hour(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    answer(desk, OutcomeClass.NOT_SENT)
    waits = []
    for _ in range(9):
        desk.send()
        due_at = desk.row(recorded.reference).due_at
        waits.append((due_at - clock.now()).total_seconds())
        clock.set(due_at)
    assert waits[0] <= 36
    assert waits[8] >= 2880
    assert max(waits) <= 4320


def test_a_person_who_told_the_provider_to_stop_is_suppressed(desk: Desk) -> None:
    desk.record()
    answer(desk, OutcomeClass.OPTED_OUT, code="21610")
    desk.send()
    services = desk.services
    index = persons.phone_index(services.sealer, "+6281234567890")
    with services.db.read() as conn:
        assert suppressions.suppressed(conn, [index]) == {index}


def test_an_unknown_code_is_held_with_an_alarm(desk: Desk) -> None:
    recorded = desk.record()
    answer(desk, OutcomeClass.HOLD, code="99999")
    desk.send()
    assert "provider.unknown-code" in desk.audit(desk.row(recorded.reference).id)


def test_an_unknown_outcome_is_never_sent_again_by_itself(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()
    answer(desk, OutcomeClass.UNKNOWN)
    desk.send()
    for _ in range(5):
        clock.tick(hours=7)
        tick(desk.services)
        desk.send()
    assert desk.state(recorded.reference) == State.UNKNOWN
    assert len(desk.gateway.sent) == 1


def test_a_gateway_that_raises_leaves_the_outcome_unknown(desk: Desk) -> None:
    recorded = desk.record()

    def fall(_: OutgoingSms) -> Outcome:
        raise RuntimeError("a fault of ours")

    desk.gateway.answer = fall
    desk.send()
    assert desk.state(recorded.reference) == State.UNKNOWN


def test_a_large_batch_with_mixed_answers_ends_right(each_desk: Desk) -> None:
    kinds = [OutcomeClass.ACCEPTED, OutcomeClass.PERMANENT, OutcomeClass.NOT_SENT, OutcomeClass.UNKNOWN]
    for number in range(240):
        each_desk.record(
            event_id=f"e{number}",
            dose={"id": f"d{number}"},
            person={"id": f"p{number}", "nik": None, "phone": f"0812000{number:05d}"},
        )
    each_desk.gateway.answer = lambda sms: Outcome(kinds[int(sms.to[-5:]) % 4], f"SM{sms.to[-5:]:0>32}")
    report = each_desk.send()
    assert (report.claimed, report.posted) == (240, 240)
    counts = {state: sum(row.status == state for row in each_desk.rows()) for state in State}
    assert {state: count for state, count in counts.items() if count} == {
        State.ACCEPTED: 60,
        State.FAILED: 60,
        State.SCHEDULED: 60,
        State.UNKNOWN: 60,
    }


def test_two_workers_never_send_one_message_twice(each_desk: Desk) -> None:
    for number in range(60):
        each_desk.record(event_id=f"e{number}", dose={"id": f"d{number}"}, person={"id": f"p{number}", "nik": None})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Sender(each_desk.services).send_batch(20), range(6)))
    assert len(each_desk.gateway.sent) == 60
    assert {row.status for row in each_desk.rows()} == {State.ACCEPTED}


def test_a_worker_whose_lease_ran_out_before_sending_sends_nothing(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    slow = Sender(each_desk.services)
    batch = claim(each_desk.services, 10)
    clock.tick(seconds=61)
    tick(each_desk.services)
    assert each_desk.state(recorded.reference) == State.SCHEDULED

    each_desk.send()
    slow.send_claimed(batch)  # it wakes up
    assert len(each_desk.gateway.sent) == 1
    assert len(each_desk.attempts(recorded.reference)) == 1


def test_an_answer_after_the_lease_changes_no_state_but_is_kept(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()

    def slowly(message: OutgoingSms) -> Outcome:
        clock.tick(seconds=61)
        tick(each_desk.services)  # another worker finds the lease run out
        return each_desk.gateway.accept(message)

    each_desk.gateway.answer = slowly
    each_desk.send()
    assert each_desk.state(recorded.reference) == State.UNKNOWN
    [attempt] = each_desk.attempts(recorded.reference)
    assert attempt.outcome == OutcomeClass.ACCEPTED
    assert attempt.provider_sid == each_desk.row(recorded.reference).provider_sid


def test_a_refusal_after_the_lease_does_not_hold_what_is_somebody_else_s(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    row = each_desk.row(recorded.reference)

    def slowly(_: OutgoingSms) -> Outcome:
        clock.tick(seconds=61)
        tick(each_desk.services)
        with each_desk.services.db.write() as conn:  # an operator sends it again
            notifications.move(conn, [row.id], State.SCHEDULED, old=[State.UNKNOWN], at=clock.now())
        return Outcome(OutcomeClass.HOLD, http_status=400, code="99999")

    each_desk.gateway.answer = slowly
    each_desk.send()
    assert each_desk.state(recorded.reference) == State.SCHEDULED
    assert "provider.unknown-code" not in each_desk.audit(row.id)
