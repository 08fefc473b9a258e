"""Corrections that meet a message on its way: a resend that waits, a worker that has read the old facts, an answer
that is out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from notifier.core.states import Kind, Reason, State
from notifier.gateways import Outcome, OutgoingSms
from notifier.intake.record import PlanOptions, RecordOutcome
from notifier.messages.send import Sender
from notifier.support.resend import cancel, resend
from tests.conftest import Build
from tests.databases import postgres_database
from tests.desk import Desk
from tests.requirements import require

ACTOR = "staff:00000000-0000-7000-8000-000000000001"
OLD, NEW = "+6281234567890", "+6281299998888"
OTHER_NUMBER = {"person": {"phone": "0812-9999-8888"}}


def delivered(desk: Desk) -> str:
    """An SMS that arrived; its reference."""
    recorded = desk.record()
    desk.send()
    desk.receive("delivered")
    assert recorded.reference is not None
    return recorded.reference


def correct(desk: Desk, number: int = 2, **changes: Any) -> Any:
    return desk.record(event_id=f"event-{number}", event_type="corrected", **changes)


def test_a_correction_while_a_resend_waits_takes_its_place(each_desk: Desk) -> None:
    first = delivered(each_desk)
    later = each_desk.services.clock.now() + timedelta(hours=3)
    waiting = resend(each_desk.services, first, at=later, reason="asked for it", actor=ACTOR)

    corrected = correct(each_desk, dose={"lot": "LOT-8"})

    assert corrected.outcome is RecordOutcome.CORRECTED
    assert each_desk.link(first).revoked_at is not None
    row = each_desk.row(waiting.reference)
    assert (row.status, row.reason) == (State.CANCELLED, Reason.SUPERSEDED)
    assert each_desk.certificate(first).status == "replaced"
    each_desk.services.clock.tick(hours=4)  # type: ignore[attr-defined]
    each_desk.send()
    assert len(each_desk.gateway.sent) == 2
    assert each_desk.row(corrected.reference).kind == Kind.CORRECTION


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_number_corrected_after_a_resend_was_asked_for_kills_the_link_at_the_old_number(
    each_desk: Desk, taken_back: bool
) -> None:
    first = delivered(each_desk)
    later = each_desk.services.clock.now() + timedelta(hours=3)
    again = resend(each_desk.services, first, at=later, reason="asked for it", actor=ACTOR)
    if taken_back:
        cancel(each_desk.services, again.reference, reason="not needed", actor=ACTOR)

    correct(each_desk, **OTHER_NUMBER)

    assert each_desk.link(first).revoke_reason == Reason.NUMBER_CHANGED
    each_desk.services.clock.tick(hours=4)  # type: ignore[attr-defined]
    each_desk.send()
    assert [sms.to for sms in each_desk.gateway.sent] == [OLD, NEW]


def test_two_corrections_before_the_correction_leaves_are_one_sms(desk: Desk) -> None:
    delivered(desk)
    slowly = PlanOptions(delay=timedelta(hours=1))
    first = desk.record(event_id="e2", event_type="corrected", dose={"lot": "LOT-8"}, options=slowly)
    second = desk.record(event_id="e3", event_type="corrected", dose={"lot": "LOT-9"}, options=slowly)
    assert (first.outcome, second.outcome) == (RecordOutcome.CORRECTED, RecordOutcome.UPDATED)
    assert first.reference == second.reference
    desk.services.clock.tick(hours=2)  # type: ignore[attr-defined]
    desk.send()
    assert len(desk.gateway.sent) == 2


def test_a_number_corrected_while_the_sms_leaves_kills_the_link_at_the_old_number(each_desk: Desk) -> None:
    recorded = each_desk.record()

    def meanwhile(sms: OutgoingSms) -> Outcome:
        each_desk.gateway.answer = each_desk.gateway.accept
        assert correct(each_desk, **OTHER_NUMBER).outcome is RecordOutcome.CORRECTED
        return each_desk.gateway.accept(sms)

    each_desk.gateway.answer = meanwhile
    each_desk.send()
    each_desk.send()
    assert each_desk.link(recorded.reference).revoke_reason == Reason.NUMBER_CHANGED
    assert [sms.to for sms in each_desk.gateway.sent] == [OLD, NEW]


class Interrupted(Sender):
    """A correction is committed by another process after this worker has read the facts, and before it says so."""

    desk: Desk

    def _begin(self, *arguments: Any) -> Any:
        with ThreadPoolExecutor(1) as other:
            other.submit(correct, self.desk, **OTHER_NUMBER).result(timeout=20)
        return super()._begin(*arguments)


@pytest.fixture
def postgres_desk(build_services: Build) -> Iterator[Desk]:
    require("postgres")
    with postgres_database() as url:
        yield Desk(build_services(database_url=url))


def test_a_worker_that_has_read_the_old_number_does_not_send_to_it(postgres_desk: Desk) -> None:
    recorded = postgres_desk.record()
    worker = Interrupted(postgres_desk.services)
    worker.desk = postgres_desk
    worker.send_batch(10)
    assert postgres_desk.gateway.sent == []
    assert postgres_desk.attempts(recorded.reference) == []

    postgres_desk.send()
    assert [sms.to for sms in postgres_desk.gateway.sent] == [NEW]
    assert postgres_desk.state(recorded.reference) == State.ACCEPTED


def test_a_withdrawal_told_twice_is_not_undone_by_a_word_from_in_between(desk: Desk) -> None:
    desk.record(recorded_at="2026-11-23T01:00:00Z")
    for number, hour in ((2, 1), (4, 3)):
        withdrawn = {"event_type": "entered_in_error", "recorded_at": f"2026-11-23T0{hour}:00:00Z"}
        desk.record(event_id=f"e{number}", **withdrawn)
    late = desk.record(event_id="e3", recorded_at="2026-11-23T02:00:00Z")
    assert late.outcome is RecordOutcome.STALE
    desk.send()
    assert desk.gateway.sent == []
