"""Every order of the receipts of one message, with copies, before and after our own record of the answer and where the
answer was lost: the same state in the end, and the same number of further tries."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from notifier.core.states import FINAL, State
from notifier.gateways import ErrorMeaning, Outcome, OutcomeClass, OutgoingSms, Receipt
from notifier.gateways.twilio.statuses import state_of
from notifier.messages import circuit, receipts
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store import notifications
from notifier.store.circuits import CircuitMode
from tests.desk import Desk
from tests.fakes import FakeClock, FakeGateway

UNREACHABLE = "30003"


@dataclass(frozen=True)
class Said:
    """A provider's word, with its code."""

    word: str
    code: str | None = None


QUEUED, SENDING, SENT, DELIVERED = (Said(word) for word in ("queued", "sending", "sent", "delivered"))
UNDELIVERED = Said("undelivered", UNREACHABLE)
FAILED = Said("failed", "30034")

#: the words of one message's life, the state that they end in, and how many tries follow
LIVES: dict[str, tuple[tuple[Said, ...], State, int]] = {
    "delivered": ((QUEUED, SENDING, SENT, DELIVERED), State.DELIVERED, 0),
    "unreachable": ((QUEUED, SENT, UNDELIVERED), State.UNDELIVERED, 1),
    "failed": ((SENT, FAILED), State.FAILED, 0),
}


class Known(FakeGateway):
    """Knows what an unreachable phone is."""

    def explain(self, code: str) -> ErrorMeaning | None:
        kind = OutcomeClass.TRY_LATER if code == UNREACHABLE else OutcomeClass.PERMANENT
        return ErrorMeaning(code, kind, "meaning", "advice", "source")


@pytest.fixture
def gateway() -> Known:
    return Known()


def orders(words: Sequence[Said]) -> list[tuple[Said, ...]]:
    """Every permutation, bare; with each word twice in a row; and followed by every word once more, backwards."""
    bare = list(itertools.permutations(words))
    doubled = [tuple(word for word in order for _ in range(2)) for order in bare]
    repeated = [(*order, *reversed(order)) for order in bare]
    return [*bare, *doubled, *repeated]


def give(services: Services, message: OutgoingSms, order: Sequence[Said]) -> None:
    for said in order:
        receipt = Receipt(message.attempt_reference, "SM" + "1" * 32, state_of(said.word), said.word, said.code)
        receipts.apply(services, receipt)


def accepted(_: OutgoingSms) -> Outcome:
    return Outcome(OutcomeClass.ACCEPTED, provider_sid="SM" + "1" * 32, http_status=201)


def lost(_: OutgoingSms) -> Outcome:
    return Outcome(OutcomeClass.UNKNOWN)


Moment = Callable[[Desk, Sequence[Said]], None]


def after_our_record(desk: Desk, order: Sequence[Said]) -> None:
    desk.gateway.answer = accepted
    desk.send()
    give(desk.services, desk.gateway.sent[-1], order)


def before_our_record(desk: Desk, order: Sequence[Said]) -> None:
    def overtaken(message: OutgoingSms) -> Outcome:
        give(desk.services, message, order)
        return accepted(message)

    desk.gateway.answer = overtaken
    desk.send()


def around_our_record(desk: Desk, order: Sequence[Said]) -> None:
    """The first before, the others after."""

    def overtaken(message: OutgoingSms) -> Outcome:
        give(desk.services, message, order[:1])
        return accepted(message)

    desk.gateway.answer = overtaken
    desk.send()
    give(desk.services, desk.gateway.sent[-1], order[1:])


def while_unknown(desk: Desk, order: Sequence[Said]) -> None:
    desk.gateway.answer = lost
    desk.send()
    give(desk.services, desk.gateway.sent[-1], order)


def before_an_answer_that_is_lost(desk: Desk, order: Sequence[Said]) -> None:
    def overtaken(message: OutgoingSms) -> Outcome:
        give(desk.services, message, order)
        return lost(message)

    desk.gateway.answer = overtaken
    desk.send()


MOMENTS: list[Moment] = [
    after_our_record,
    before_our_record,
    around_our_record,
    while_unknown,
    before_an_answer_that_is_lost,
]


def one_more(desk: Desk, number: int) -> str:
    recorded = desk.record(
        event_id=f"e{number}",
        dose={"id": f"d{number}"},
        person={"id": f"p{number}", "nik": None, "phone": f"0812{number:08d}"},
    )
    assert recorded.reference is not None
    return recorded.reference


def of_dose(desk: Desk, dose_id: str) -> list[notifications.Row]:
    with desk.services.db.read() as conn:
        return notifications.of_dose(conn, dose_id)


def check(desk: Desk, life: str, moment: Moment, chosen: Sequence[tuple[Said, ...]]) -> None:
    _, state, further = LIVES[life]
    # ten lost answers in a row would open it, which is not what is asked here
    circuit.pin(desk.services, CircuitMode.CLOSED, reason="a test of receipts", actor="system")
    for number, order in enumerate(chosen):
        reference = one_more(desk, number)
        moment(desk, order)
        row = desk.row(reference)
        family = of_dose(desk, row.dose_id)
        words = [said.word for said in order]
        assert row.status == state, words
        assert State(row.status) in FINAL
        assert row.provider_sid == "SM" + "1" * 32, words
        assert row.left_at is not None
        assert len(family) == 1 + further, words
        assert [other.retries for other in family if other.id != row.id] == [1] * further


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
@pytest.mark.parametrize("life", LIVES)
def test_every_order_of_receipts_ends_the_same(desk: Desk, life: str, moment: Moment) -> None:
    check(desk, life, moment, orders(LIVES[life][0]))


@pytest.mark.parametrize("moment", [before_our_record, while_unknown], ids=lambda moment: moment.__name__)
@pytest.mark.parametrize("life", LIVES)
def test_some_orders_of_receipts_end_the_same_on_both_databases(each_desk: Desk, life: str, moment: Moment) -> None:
    words = LIVES[life][0]
    check(each_desk, life, moment, [words, tuple(reversed(words)), (*words, *words), (*reversed(words), *words)])


def test_an_unreachable_phone_is_tried_on_days_one_three_and_seven_however_often_it_is_said(
    desk: Desk, clock: FakeClock
) -> None:
    reference = one_more(desk, 1)
    started = clock.now()
    sent_on = []
    for _ in range(10 * 4):
        desk.gateway.answer = accepted
        before = len(desk.gateway.sent)
        desk.send()
        if len(desk.gateway.sent) > before:
            sent_on.append((clock.now() - started).days)
            for order in (
                (UNDELIVERED, SENT, UNDELIVERED, QUEUED),
                (UNDELIVERED, Said("failed", UNREACHABLE), SENT),
            ):
                give(desk.services, desk.gateway.sent[-1], order)
        clock.tick(hours=6)
        tick(desk.services)
    assert sent_on == [0, 1, 3, 7]
    rows = of_dose(desk, desk.row(reference).dose_id)
    assert sorted(row.generation for row in rows) == [1, 2, 3, 4]
    assert {row.status for row in rows} == {State.UNDELIVERED}


def test_copies_of_a_receipt_that_come_at_once_make_one_further_try(each_desk: Desk) -> None:
    references = [one_more(each_desk, number) for number in range(6)]
    each_desk.gateway.answer = accepted
    each_desk.send()
    words = [UNDELIVERED, Said("failed", UNREACHABLE), SENT, UNDELIVERED]
    work = [(message, said) for said in words for message in each_desk.gateway.sent]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: give(each_desk.services, one[0], [one[1]]), work))
    for reference in references:
        row = each_desk.row(reference)
        assert row.status in {State.UNDELIVERED, State.FAILED}
        assert len(of_dose(each_desk, row.dose_id)) == 2
