"""Outcomes that nobody knows: what settles them, when they are looked up, and what follows the last look-up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.core.states import Kind, Reason, State
from notifier.gateways import FoundMessage, Outcome, OutcomeClass, OutgoingSms, ReceiptState
from notifier.messages import plan
from notifier.messages.claim import claim
from notifier.messages.plan import PlanOptions, Subject
from notifier.messages.reconcile import Reconciled, reconcile
from notifier.messages.send import Sender
from notifier.messages.upkeep import tick
from notifier.settings import UnknownPolicy
from notifier.store import attempts, notifications, persons
from notifier.store.tables import person
from notifier.support import unknown
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock, FakeGateway

PHONE = "+6281234567890"


def unclear(_: OutgoingSms) -> Outcome:
    return Outcome(OutcomeClass.UNKNOWN)


def an_unknown(desk: Desk, **changes: object) -> str:
    """A message that was posted and whose answer was lost; its reference."""
    desk.gateway.answer = unclear
    recorded = desk.record(**changes)
    desk.send()
    desk.gateway.answer = desk.gateway.accept
    assert recorded.reference is not None
    assert desk.state(recorded.reference) == State.UNKNOWN
    return recorded.reference


def provider_has(desk: Desk, state: ReceiptState | None = ReceiptState.SENT, which: int = -1) -> None:
    """The provider's list holds the message that was posted."""
    sms = desk.gateway.sent[which]
    desk.gateway.found.setdefault(sms.to, []).append(FoundMessage(f"SM{which}", state, sms.text))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (None, State.ACCEPTED),
        (ReceiptState.ACCEPTED, State.ACCEPTED),
        (ReceiptState.SENT, State.SENT),
        (ReceiptState.DELIVERED, State.DELIVERED),
        (ReceiptState.UNDELIVERED, State.UNDELIVERED),
        (ReceiptState.FAILED, State.FAILED),
    ],
)
def test_what_the_provider_lists_settles_it(
    each_desk: Desk, clock: FakeClock, word: ReceiptState | None, state: State
) -> None:
    reference = an_unknown(each_desk)
    provider_has(each_desk, word)
    clock.tick(minutes=1)
    assert reconcile(each_desk.services) == Reconciled(1, 1, 0)
    assert (each_desk.state(reference), each_desk.row(reference).provider_sid) == (state, "SM-1")


def test_it_is_looked_up_after_one_five_fifteen_and_sixty_minutes(each_desk: Desk, clock: FakeClock) -> None:
    reference = an_unknown(each_desk)
    began = clock.now()
    looked_at = []
    for _ in range(70):
        clock.tick(minutes=1)
        if reconcile(each_desk.services).looked_at:
            looked_at.append((clock.now() - began) // timedelta(minutes=1))
    assert looked_at == [1, 5, 15, 60]
    assert each_desk.state(reference) == State.UNKNOWN  # not found proves nothing
    assert [row.reference for row in unknown.listed(each_desk.services)] == [reference]
    assert "outcome.unknown-ask" in each_desk.audit(each_desk.row(reference).id)


def test_nothing_is_sent_again_while_nobody_knows(each_desk: Desk, clock: FakeClock) -> None:
    an_unknown(each_desk)
    for _ in range(30):
        clock.tick(hours=1)
        tick(each_desk.services)
        reconcile(each_desk.services)
        each_desk.send()
    assert len(each_desk.gateway.sent) == 1


def test_a_list_that_cannot_be_read_is_no_look_up(desk: Desk, clock: FakeClock) -> None:
    reference = an_unknown(desk)

    class Away(FakeGateway):
        def look_up(self, to: str) -> list[FoundMessage]:
            raise OSError("away")

    away = Away()
    services = desk.services
    object.__setattr__(services, "gateway", away)
    for _ in range(10):
        clock.tick(minutes=1)
        assert reconcile(services).still_unknown == 1
    row = desk.row(reference)
    assert (row.look_ups, row.look_up_at) == (0, clock.now() + timedelta(minutes=1))


def test_the_right_one_is_found_among_a_familys_messages(each_desk: Desk, clock: FakeClock) -> None:
    mother = an_unknown(each_desk)
    child = an_unknown(each_desk, event_id="e2", dose={"id": "d2"}, person={"id": "p2", "nik": None})
    provider_has(each_desk, ReceiptState.DELIVERED, which=1)
    clock.tick(minutes=1)
    reconcile(each_desk.services)
    assert (each_desk.state(mother), each_desk.state(child)) == (State.UNKNOWN, State.DELIVERED)


def test_a_number_that_changed_meanwhile_is_not_asked_about(each_desk: Desk, clock: FakeClock) -> None:
    reference = an_unknown(each_desk)
    each_desk.record(event_id="e2", event_type="corrected", person={"phone": "081299998888"})
    provider_has(each_desk)
    clock.tick(minutes=1)
    reconcile(each_desk.services)
    assert each_desk.state(reference) == State.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (OutcomeClass.ACCEPTED, State.ACCEPTED),
        (OutcomeClass.NOT_SENT, State.SCHEDULED),
        (OutcomeClass.RATE_LIMITED, State.SCHEDULED),
        (OutcomeClass.SENDER_MISCONFIGURED, State.SCHEDULED),
        (OutcomeClass.PERMANENT, State.FAILED),
        (OutcomeClass.OPTED_OUT, State.FAILED),
        (OutcomeClass.HOLD, State.HELD),
    ],
)
def test_a_worker_that_wakes_too_late_changes_no_state_and_its_evidence_is_used(
    each_desk: Desk, clock: FakeClock, kind: OutcomeClass, state: State
) -> None:
    reference = each_desk.record().reference
    services = each_desk.services

    def fall_asleep(_: OutgoingSms) -> Outcome:
        clock.tick(seconds=61)  # the lease runs out while the provider answers
        tick(services)
        assert each_desk.state(reference) == State.UNKNOWN
        return Outcome(kind, provider_sid="SM1" if kind is OutcomeClass.ACCEPTED else None, code="30007")

    each_desk.gateway.answer = fall_asleep
    each_desk.send()
    assert each_desk.state(reference) == State.UNKNOWN
    assert reconcile(services).settled == 1
    assert each_desk.state(reference) == state


def test_a_worker_whose_lease_ran_out_before_posting_posts_nothing(each_desk: Desk, clock: FakeClock) -> None:
    each_desk.record()
    zombie = Sender(each_desk.services)
    batch = claim(each_desk.services, 10)
    clock.tick(seconds=61)
    tick(each_desk.services)
    each_desk.send()
    assert zombie.send_claimed(batch) == 0
    assert len(each_desk.gateway.sent) == 1


def test_resend_after_sends_one_more_generation_once(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(unknown_policy=UnknownPolicy.RESEND_AFTER))
    reference = an_unknown(desk)
    desk.gateway.answer = unclear
    for _ in range(6 * 60):
        clock.tick(minutes=1)
        tick(desk.services)
        reconcile(desk.services)
        desk.send()
    generations = sorted((row.generation, row.status, row.reason) for row in desk.rows())
    assert generations == [(1, State.UNKNOWN, Reason.SENT_AGAIN), (2, State.UNKNOWN, Reason.OUTCOME_UNKNOWN)]
    assert desk.gateway.sent[0].text != desk.gateway.sent[1].text  # a new link
    assert [row.generation for row in unknown.listed(desk.services)] == [2]  # now somebody is asked
    assert desk.state(reference) == State.UNKNOWN


def test_never_asks_nobody_and_sends_nothing(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(unknown_policy=UnknownPolicy.NEVER))
    reference = an_unknown(desk)
    for _ in range(70):
        clock.tick(minutes=1)
        reconcile(desk.services)
    assert (desk.row(reference).reason, unknown.listed(desk.services)) == (Reason.LEFT_ALONE, [])
    assert len(desk.rows()) == 1


def test_an_operator_sends_again_and_later_evidence_calls_it_off(each_desk: Desk, clock: FakeClock) -> None:
    reference = an_unknown(each_desk)
    first = each_desk.gateway.sent[0].attempt_reference
    again = unknown.send_again(each_desk.services, reference, reason="she waits at the counter", actor="door:command")
    assert (again.generation, each_desk.row(reference).reason) == (2, Reason.SENT_AGAIN)

    each_desk.receive("delivered", which=0)
    assert each_desk.state(reference) == State.DELIVERED
    assert (each_desk.state(again.reference), each_desk.row(again.reference).reason) == (
        State.CANCELLED,
        Reason.HAS_ARRIVED,
    )
    with each_desk.services.db.read() as conn:
        assert attempts.find_notification(conn, first) is not None


def test_an_operator_leaves_it_and_a_receipt_still_settles_it(each_desk: Desk, clock: FakeClock) -> None:
    reference = an_unknown(each_desk)
    unknown.leave(each_desk.services, reference, reason="she has her paper", actor="staff:1")
    clock.tick(hours=2)
    reconcile(each_desk.services)
    assert unknown.listed(each_desk.services) == []
    each_desk.receive("delivered")
    assert each_desk.state(reference) == State.DELIVERED
    assert "notification.leave-unknown" in each_desk.audit(each_desk.row(reference).id)


def test_two_reconcilers_at_once_ask_once(each_desk: Desk, clock: FakeClock) -> None:
    an_unknown(each_desk)
    clock.tick(minutes=1)
    assert [reconcile(each_desk.services).looked_at for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": "corrected", "person": {"phone": "081299998888"}},
        {"event_type": "corrected", "person": {"name": "Siti Aminah Putri"}},
        {"event_type": "corrected", "person": {"id": "p2", "name": "Budi", "nik": None}},
        {"event_type": "entered_in_error"},
    ],
    ids=["number", "name", "person", "withdrawn"],
)
def test_what_an_event_has_overtaken_asks_no_operator_and_evidence_still_settles_it(
    each_desk: Desk, clock: FakeClock, changes: dict[str, object]
) -> None:
    reference = an_unknown(each_desk)
    each_desk.record(event_id="e2", recorded_at="2026-11-23T03:00:01Z", **changes)
    for _ in range(70):
        clock.tick(minutes=1)
        reconcile(each_desk.services)
        each_desk.send()
    sent = len(each_desk.gateway.sent)
    assert unknown.listed(each_desk.services) == []
    assert unknown.decide_all(each_desk.services, again=True, reason="all of them", actor="staff:1").done == 0
    each_desk.send()
    assert len(each_desk.gateway.sent) == sent
    each_desk.receive("delivered", which=0)
    assert each_desk.state(reference) == State.DELIVERED


# kinds without a link


def planned(desk: Desk, kind: Kind, of: str) -> str:
    """A message of another kind about the dose of a notification; its reference."""
    row, services = desk.row(of), desk.services
    now = services.clock.now()
    with services.db.write() as conn:
        conn.execute(person.update().where(person.c.id == row.person_id).values(locked_at=now))
        subject = Subject(
            persons.get(conn, services.sealer, row.person_id), row.dose_id, row.certificate_id, facility_zone=None
        )
        added = plan.add(conn, services, subject, kind, accepted_at=now, options=PlanOptions(), due_at=now)
    return str(added.reference)


def an_unknown_lock(desk: Desk, clock: FakeClock, **changes: object) -> str:
    reference = desk.record(**changes).reference
    desk.send()
    assert reference is not None
    lock = planned(desk, Kind.LOCK, reference)
    desk.gateway.answer = unclear
    desk.send()
    desk.gateway.answer = desk.gateway.accept
    assert desk.state(lock) == State.UNKNOWN
    clock.tick(minutes=1)
    return lock


def provider_has_text(desk: Desk, clock: FakeClock, sid: str, minutes_ago: float = 1) -> None:
    sms = desk.gateway.sent[-1]
    at = clock.now() - timedelta(minutes=minutes_ago)
    desk.gateway.found.setdefault(sms.to, []).append(FoundMessage(sid, ReceiptState.DELIVERED, sms.text, None, at))


def test_a_message_without_a_link_is_found_by_its_words(each_desk: Desk, clock: FakeClock) -> None:
    lock = an_unknown_lock(each_desk, clock)
    provider_has_text(each_desk, clock, "SMlock")
    reconcile(each_desk.services)
    assert (each_desk.state(lock), each_desk.row(lock).provider_sid) == (State.DELIVERED, "SMlock")


@pytest.mark.parametrize("minutes_ago", [60, 60 * 24 * 30])
def test_the_same_words_of_an_earlier_day_settle_nothing(each_desk: Desk, clock: FakeClock, minutes_ago: float) -> None:
    lock = an_unknown_lock(each_desk, clock)
    provider_has_text(each_desk, clock, "SMold", minutes_ago)
    reconcile(each_desk.services)
    assert each_desk.state(lock) == State.UNKNOWN


def test_the_same_words_for_another_of_the_family_settle_nothing(each_desk: Desk, clock: FakeClock) -> None:
    """One that is known to be the other's, and one of two that could be either's."""
    first = an_unknown_lock(each_desk, clock)
    second = an_unknown_lock(each_desk, clock, event_id="e2", dose={"id": "d2"}, person={"id": "p2", "nik": None})
    assert each_desk.gateway.sent[-1].text == each_desk.gateway.sent[1].text
    provider_has_text(each_desk, clock, "SMone")
    reconcile(each_desk.services)
    assert {each_desk.state(first), each_desk.state(second)} == {State.UNKNOWN}

    lock = each_desk.row(first)
    with each_desk.services.db.write() as conn:
        old, at = [State.UNKNOWN], clock.now()
        notifications.move(conn, [lock.id], State.DELIVERED, old=old, at=at, provider_sid="SMone")
    clock.tick(minutes=10)
    reconcile(each_desk.services)
    assert each_desk.state(second) == State.UNKNOWN


def test_what_was_asked_for_an_hour_ago_is_no_operators_question(each_desk: Desk, clock: FakeClock) -> None:
    reference = each_desk.record().reference
    each_desk.send()
    assert reference is not None
    renewal = planned(each_desk, Kind.RENEWAL, reference)
    each_desk.gateway.answer = unclear
    each_desk.send()
    for _ in range(90):
        clock.tick(minutes=1)
        reconcile(each_desk.services)
    assert (each_desk.state(renewal), each_desk.row(renewal).reason) == (State.UNKNOWN, Reason.LEFT_ALONE)
    assert unknown.listed(each_desk.services) == []


def test_one_outcome_that_cannot_be_concluded_keeps_no_other_from_it(
    each_desk: Desk, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    first = an_unknown(each_desk)
    other = {"id": "p2", "nik": None, "phone": "081299998888"}
    second = an_unknown(each_desk, event_id="e2", dose={"id": "d2"}, person=other)
    provider_has(each_desk, ReceiptState.DELIVERED, which=1)
    each_desk.gateway.found[PHONE] = [FoundMessage("SM", ReceiptState.SENT, None)]  # type: ignore[arg-type]  # rubbish
    clock.tick(minutes=1)
    reconcile(each_desk.services)
    assert (each_desk.state(first), each_desk.state(second)) == (State.UNKNOWN, State.DELIVERED)
    assert "look-up not concluded" in caplog.text
