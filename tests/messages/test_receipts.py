"""Delivery receipts: forward only, whatever their order and number."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from notifier.core.states import Reason, State
from notifier.gateways import Outcome, OutcomeClass, OutgoingSms, Receipt, ReceiptState
from notifier.messages import receipts
from notifier.messages.receipts import Applied
from notifier.store import attempts, notifications
from tests.desk import Desk

WORDS = ["accepted", "sent", "delivered"]
ORDERS = sorted({*itertools.permutations(WORDS), *itertools.permutations([*WORDS, "sent", "delivered"], 4)})


@pytest.mark.parametrize("order", [order for order in ORDERS if "delivered" in order])
def test_every_order_of_receipts_ends_delivered(desk: Desk, order: tuple[str, ...]) -> None:
    recorded = desk.record()
    desk.send()
    for word in order:
        desk.receive(word)
    assert desk.state(recorded.reference) == State.DELIVERED


@pytest.mark.parametrize("late", ["accepted", "sent", "undelivered", "failed"])
def test_nothing_comes_after_delivered(each_desk: Desk, late: str) -> None:
    recorded = each_desk.record()
    each_desk.send()
    each_desk.receive("delivered")
    assert each_desk.receive(late) is Applied.NOTHING_NEW
    assert each_desk.state(recorded.reference) == State.DELIVERED


def test_the_same_receipt_again_is_known(each_desk: Desk) -> None:
    each_desk.record()
    each_desk.send()
    assert [each_desk.receive("sent") for _ in range(3)] == [Applied.MOVED, Applied.REPEATED, Applied.REPEATED]


def test_a_receipt_that_overtakes_the_answer_finds_its_row(each_desk: Desk) -> None:
    recorded = each_desk.record()

    def overtaken(message: OutgoingSms) -> Outcome:
        receipt = Receipt(message.attempt_reference, "SM1", ReceiptState.DELIVERED, "delivered")
        assert receipts.apply(each_desk.services, receipt) is Applied.MOVED
        return Outcome(OutcomeClass.ACCEPTED, provider_sid="SM1", http_status=201)

    each_desk.gateway.answer = overtaken
    each_desk.send()
    row = each_desk.row(recorded.reference)
    assert (row.status, row.provider_sid) == (State.DELIVERED, "SM1")
    assert row.left_at is not None
    [attempt] = each_desk.attempts(recorded.reference)
    assert attempt.outcome == OutcomeClass.ACCEPTED


@pytest.mark.parametrize("word", ["accepted", "sent", "delivered", "undelivered", "failed"])
def test_a_receipt_settles_an_unknown_outcome(desk: Desk, word: str) -> None:
    recorded = desk.record()
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.UNKNOWN)
    desk.send()
    desk.receive(word)
    assert desk.state(recorded.reference) == word


def test_a_failure_by_receipt_keeps_code_and_reason(desk: Desk) -> None:
    recorded = desk.record()
    desk.send()
    desk.receive("undelivered", code="30003")
    row = desk.row(recorded.reference)
    assert (row.status, row.reason, row.provider_code) == (State.UNDELIVERED, Reason.REFUSED, "30003")


def test_a_receipt_for_no_attempt_of_ours_is_kept_and_moves_nothing(desk: Desk) -> None:
    recorded = desk.record()
    desk.send()
    stray = Receipt("nobodys-reference", "SM2", ReceiptState.FAILED, "failed", raw=b"form")
    assert receipts.apply(desk.services, stray) is Applied.UNMATCHED
    assert desk.state(recorded.reference) == State.ACCEPTED
    with desk.services.db.read() as conn:
        [kept] = attempts.receipts_of(conn, ["nobodys-reference"])
    assert desk.services.sealer.open("receipt:raw", kept.id, kept.raw_sealed) == "form"


def test_receipts_that_the_gateway_holds_are_fetched(desk: Desk) -> None:
    recorded = desk.record()
    desk.send()
    reference = desk.gateway.sent[0].attempt_reference
    desk.gateway.receipts = [Receipt(reference, "SM1", ReceiptState.DELIVERED, "delivered")]
    assert receipts.collect(desk.services) == 1
    assert desk.state(recorded.reference) == State.DELIVERED


def test_a_late_failure_of_an_earlier_attempt_does_not_end_a_later_one(each_desk: Desk) -> None:
    recorded = each_desk.record()
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.UNKNOWN)
    each_desk.send()
    services = each_desk.services
    with services.db.write() as conn:  # an operator sends it again
        row = each_desk.row(recorded.reference)
        at = services.clock.now()
        notifications.move(conn, [row.id], State.SCHEDULED, old=[State.UNKNOWN], at=at)
    each_desk.gateway.answer = each_desk.gateway.accept
    each_desk.send()

    assert each_desk.receive("failed", which=0) is Applied.NOTHING_NEW
    assert each_desk.state(recorded.reference) == State.ACCEPTED
    assert each_desk.receive("delivered", which=1) is Applied.MOVED
    assert each_desk.state(recorded.reference) == State.DELIVERED


def test_a_word_that_says_nothing_about_delivery_still_proves_that_it_was_taken(each_desk: Desk) -> None:
    recorded = each_desk.record()
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.UNKNOWN)
    each_desk.send()
    reference = each_desk.gateway.sent[0].attempt_reference
    strange = Receipt(reference, "SM1", None, "a-new-word", raw=b"form")
    assert receipts.apply(each_desk.services, strange) is Applied.MOVED
    assert (each_desk.state(recorded.reference), each_desk.row(recorded.reference).provider_sid) == ("accepted", "SM1")
    assert each_desk.receive("delivered") is Applied.MOVED
    assert receipts.apply(each_desk.services, replace(strange, provider_word="another")) is Applied.NOTHING_NEW
    assert each_desk.state(recorded.reference) == State.DELIVERED
