"""A message that was taken and did not arrive: tried again on days 1, 3 and 7, or not, by the class of its code."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.core.states import Reason, State
from notifier.gateways import ErrorMeaning, OutcomeClass
from notifier.messages import retries
from notifier.store import suppressions
from tests.desk import Desk
from tests.fakes import FakeClock


def means(desk: Desk, kind: OutcomeClass) -> None:
    meaning = ErrorMeaning("30003", kind, "meaning", "advice", "page")
    desk.gateway.explain = lambda code: meaning  # type: ignore[method-assign]  # a hand-made fake


def test_an_unreachable_phone_is_tried_again_on_days_one_three_and_seven(each_desk: Desk, clock: FakeClock) -> None:
    means(each_desk, OutcomeClass.TRY_LATER)
    began = clock.now()
    each_desk.record()
    for _ in range(10):
        if each_desk.send().posted:
            each_desk.receive("undelivered", code="30003")
        clock.tick(days=1)
    rows = sorted(each_desk.rows(), key=lambda row: row.generation)
    assert [(row.due_at - began).days for row in rows] == [0, 1, 3, 7]
    assert {(row.status, row.reason) for row in rows} == {(State.UNDELIVERED, Reason.UNREACHABLE)}
    assert len({row.link_id for row in rows}) == 4  # always a new link
    assert [row.retries for row in rows] == [0, 1, 2, 3]


def test_a_phone_that_answers_on_day_one_is_not_tried_again(desk: Desk, clock: FakeClock) -> None:
    means(desk, OutcomeClass.TRY_LATER)
    desk.record()
    desk.send()
    desk.receive("undelivered", code="30003")
    clock.tick(days=1)
    desk.send()
    desk.receive("delivered")
    clock.tick(days=10)
    assert desk.send().claimed == 0
    assert sorted(row.status for row in desk.rows()) == [State.DELIVERED, State.UNDELIVERED]


@pytest.mark.parametrize(
    "kind", [OutcomeClass.PERMANENT, OutcomeClass.NUMBER_BAD, OutcomeClass.OPTED_OUT, OutcomeClass.HOLD]
)
def test_what_is_refused_for_good_is_not_tried_again(each_desk: Desk, kind: OutcomeClass) -> None:
    means(each_desk, kind)
    each_desk.record()
    each_desk.send()
    each_desk.receive("undelivered", code="30003")
    assert len(each_desk.rows()) == 1
    with each_desk.services.db.read() as conn:
        stopped = suppressions.suppressed(conn, [each_desk.rows()[0].phone_index])
    assert bool(stopped) is (kind is OutcomeClass.OPTED_OUT)


@pytest.mark.parametrize("kind", [OutcomeClass.RATE_LIMITED, OutcomeClass.SENDER_MISCONFIGURED])
def test_what_the_carrier_had_no_room_for_is_tried_again_soon(desk: Desk, clock: FakeClock, kind: OutcomeClass) -> None:
    means(desk, kind)
    desk.record()
    desk.send()
    desk.receive("undelivered", code="30022")
    [again] = [row for row in desk.rows() if row.generation == 2]
    assert again.due_at - clock.now() == timedelta(minutes=30)


def test_an_unknown_code_in_a_receipt_asks_somebody(desk: Desk) -> None:
    reference = desk.record().reference
    desk.send()
    desk.receive("undelivered", code="99999")
    assert "provider.unknown-code" in desk.audit(desk.row(reference).id)


def test_no_retry_after_the_dose_was_withdrawn_or_the_phone_is_gone(desk: Desk) -> None:
    means(desk, OutcomeClass.TRY_LATER)
    desk.record()
    desk.send()
    desk.record(event_id="e2", event_type="entered_in_error")
    desk.receive("undelivered", code="30003")
    assert len(desk.rows()) == 1


def test_a_retry_is_taken_back_with_its_dose(each_desk: Desk, clock: FakeClock) -> None:
    means(each_desk, OutcomeClass.TRY_LATER)
    each_desk.record()
    each_desk.send()
    each_desk.receive("undelivered", code="30003")
    each_desk.record(event_id="e2", event_type="entered_in_error")
    clock.tick(days=2)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    assert sorted(row.status for row in each_desk.rows()) == [State.CANCELLED, State.UNDELIVERED]


def test_a_copy_of_the_receipt_plans_no_second_retry(each_desk: Desk) -> None:
    means(each_desk, OutcomeClass.TRY_LATER)
    each_desk.record()
    each_desk.send()
    for _ in range(3):
        each_desk.receive("undelivered", code="30003")
        each_desk.receive("failed", code="30003")
    assert len(each_desk.rows()) == 2


def test_every_wait_belongs_to_a_class_that_may_be_tried_again() -> None:
    final = {OutcomeClass.PERMANENT, OutcomeClass.NUMBER_BAD, OutcomeClass.OPTED_OUT, OutcomeClass.ACCEPTED}
    assert not final & set(retries.WAITS)
    assert sum(retries.WAITS[OutcomeClass.TRY_LATER], timedelta(0)) == timedelta(days=7)
