"""What comes between: a slow worker that wakes, an operator beside a look-up, two workers at one person, a clock that
jumps. On both databases wherever they could differ."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from notifier.core.ids import new_id, new_reference
from notifier.core.states import Reason, State
from notifier.faults import FaultPoint
from notifier.gateways import FoundMessage, Outcome, OutcomeClass, OutgoingSms, Receipt, ReceiptState
from notifier.intake.record import Door, PlanOptions, record
from notifier.messages import receipts
from notifier.messages.claim import claim
from notifier.messages.reconcile import reconcile
from notifier.messages.send import Sender
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store import persons, suppressions
from notifier.store.tables import notification
from notifier.support import resend as resend_room
from notifier.support import unknown
from notifier.support.resend import resend
from tests.builders import an_event
from tests.conftest import Build
from tests.databases import postgres_database
from tests.desk import Desk
from tests.fakes import FakeClock, FakeGateway
from tests.polling import eventually
from tests.requirements import require

PHONE = "+6281234567890"
ACTOR = "staff:00000000-0000-7000-8000-000000000001"


def unclear(_: OutgoingSms) -> Outcome:
    return Outcome(OutcomeClass.UNKNOWN)


def an_unknown(desk: Desk) -> str:
    desk.gateway.answer = unclear
    recorded = desk.record()
    desk.send()
    desk.gateway.answer = desk.gateway.accept
    assert recorded.reference is not None
    return recorded.reference


def run_down_look_ups(desk: Desk, clock: FakeClock) -> None:
    """Until nobody looks any more."""
    for _ in range(6):
        clock.tick(hours=2)
        tick(desk.services)
        reconcile(desk.services)


class SlowWorker:
    """A second worker whose posts are answered when the test says so."""

    def __init__(self, desk: Desk) -> None:
        self.gateway = FakeGateway()
        self.gateway.sent = desk.gateway.sent  # one provider
        self.services = replace(desk.services, gateway=self.gateway)
        self._sender = Sender(self.services)

    def send(self, limit: int = 500) -> None:
        self._sender.send_batch(limit)


# a worker that wakes


def test_a_worker_that_wakes_before_it_has_begun_sends_nothing(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    zombie = Sender(each_desk.services)
    batch = claim(each_desk.services, 10)
    clock.tick(seconds=61)
    tick(each_desk.services)
    each_desk.send()
    assert zombie.send_claimed(batch) == 0
    assert len(each_desk.gateway.sent) == 1
    assert each_desk.state(recorded.reference) == State.ACCEPTED


def test_a_worker_that_wakes_though_nobody_freed_its_lease_sends_nothing(each_desk: Desk, clock: FakeClock) -> None:
    each_desk.record()
    zombie = Sender(each_desk.services)
    batch = claim(each_desk.services, 10)
    clock.tick(seconds=61)  # and no tick
    assert zombie.send_claimed(batch) == 0
    assert each_desk.gateway.sent == []


class AsleepAt:
    """A worker that falls asleep at a fault point; what happens meanwhile is the test's."""

    def __init__(self, point: FaultPoint, meanwhile: Callable[[], object]) -> None:
        self._point = point
        self._meanwhile = meanwhile

    def reached(self, point: FaultPoint) -> None:
        if point is self._point:
            self._meanwhile()


def test_a_worker_that_wakes_between_its_commit_and_the_first_byte_posts_nothing(
    each_desk: Desk, clock: FakeClock
) -> None:
    """The message is nobody's loss either: that it was never posted is evidence, and it goes out."""
    recorded = each_desk.record()

    def sleep() -> None:
        clock.tick(seconds=61)
        tick(each_desk.services)
        assert each_desk.state(recorded.reference) == State.UNKNOWN

    zombie = Sender(replace(each_desk.services, faults=AsleepAt(FaultPoint.SENDING_AFTER_COMMIT, sleep)))
    assert zombie.send_claimed(claim(each_desk.services, 10)) == 0
    assert each_desk.gateway.sent == []
    assert [one.outcome for one in each_desk.attempts(recorded.reference)] == [OutcomeClass.NOT_BEGUN]
    reconcile(each_desk.services)
    clock.tick(seconds=10)
    each_desk.send()
    assert each_desk.state(recorded.reference) == State.ACCEPTED
    assert len(each_desk.gateway.sent) == 1


def test_the_kill_switch_stops_a_chunk_that_was_claimed_before_it(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    batch = claim(each_desk.services, 10)
    resend_room.hold(each_desk.services, reason="a wrong text", actor=ACTOR)
    assert Sender(each_desk.services).send_claimed(batch) == 0
    assert each_desk.gateway.sent == []
    assert each_desk.state(recorded.reference) == State.SCHEDULED
    resend_room.release(each_desk.services, reason="mended", actor=ACTOR)
    each_desk.send()
    assert each_desk.state(recorded.reference) == State.ACCEPTED


def test_a_second_doubt_is_looked_up_as_often_as_the_first(each_desk: Desk, clock: FakeClock) -> None:
    """An outcome was unknown, turned out not to be sent, and is in doubt again since its worker died."""
    recorded = each_desk.record()

    def late(_: OutgoingSms) -> Outcome:
        run_down_look_ups(each_desk, clock)
        return Outcome(OutcomeClass.NOT_SENT)

    each_desk.gateway.answer = late
    each_desk.send()
    reconcile(each_desk.services)
    assert each_desk.state(recorded.reference) == State.SCHEDULED
    clock.tick(hours=12)  # morning again

    def die(_: OutgoingSms) -> Outcome:
        clock.tick(seconds=61)
        tick(each_desk.services)
        raise SystemExit

    each_desk.gateway.answer = die
    with pytest.raises(SystemExit):
        each_desk.send()
    row = each_desk.row(recorded.reference)
    assert (row.status, row.look_ups, row.provider_code) == (State.UNKNOWN, 0, None)


@pytest.mark.parametrize("kind", [OutcomeClass.NOT_SENT, OutcomeClass.RATE_LIMITED, OutcomeClass.TRY_LATER])
def test_a_late_no_does_not_send_what_an_operator_has_sent_again(
    each_desk: Desk, clock: FakeClock, kind: OutcomeClass
) -> None:
    recorded = each_desk.record()

    def late(message: OutgoingSms) -> Outcome:
        each_desk.gateway.answer = each_desk.gateway.accept
        run_down_look_ups(each_desk, clock)
        clock.tick(hours=14)
        unknown.send_again(each_desk.services, recorded.reference or "", reason="asked for it", actor=ACTOR)
        each_desk.send()
        return Outcome(kind)

    each_desk.gateway.answer = late
    each_desk.send()
    accepted = len(each_desk.gateway.sent) - 1  # the first post was answered with no
    assert accepted == 1
    for _ in range(4):
        clock.tick(hours=2)
        tick(each_desk.services)
        reconcile(each_desk.services)
        each_desk.send()
    assert len(each_desk.gateway.sent) == 2


def test_a_late_no_does_not_send_what_an_operator_left(desk: Desk, clock: FakeClock) -> None:
    recorded = desk.record()

    def late(message: OutgoingSms) -> Outcome:
        run_down_look_ups(desk, clock)
        unknown.leave(desk.services, recorded.reference or "", reason="told by telephone", actor=ACTOR)
        return Outcome(OutcomeClass.NOT_SENT)

    desk.gateway.answer = late
    desk.send()
    desk.gateway.answer = desk.gateway.accept
    for _ in range(24):
        clock.tick(hours=1)
        tick(desk.services)
        reconcile(desk.services)
        desk.send()
    assert len(desk.gateway.sent) == 1  # the one that was answered with no


# an older copy


def put_copy_back(desk: Desk, folder: Path, build_services: Build) -> Desk:
    desk.services.db.close()
    for leftover in folder.glob("sertilink.db*"):
        leftover.unlink()
    make_copy(folder / "copy.db", folder / "sertilink.db")
    return Desk(build_services())


def make_copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)


@pytest.mark.parametrize("kind", [OutcomeClass.RATE_LIMITED, OutcomeClass.NOT_SENT, OutcomeClass.SENDER_MISCONFIGURED])
def test_an_answer_from_before_the_copy_proves_nothing_about_what_left_after_it(
    build_services: Build, clock: FakeClock, tmp_path: Path, kind: OutcomeClass
) -> None:
    desk = Desk(build_services())
    desk.record()
    desk.gateway.answer = lambda _: Outcome(kind)
    tick(desk.services)
    desk.send()
    make_copy(tmp_path / "sertilink.db", tmp_path / "copy.db")
    desk.gateway.answer = desk.gateway.accept
    clock.tick(minutes=10)
    tick(desk.services)
    desk.send()
    assert len(desk.gateway.sent) == 2  # refused once, accepted once

    again = put_copy_back(desk, tmp_path, build_services)
    for _ in range(8):
        clock.tick(minutes=5)
        tick(again.services)
        reconcile(again.services)
        again.send()
    assert len(again.gateway.sent) == 2
    assert {row.status for row in again.rows()} == {State.UNKNOWN}


def test_what_was_released_and_sent_after_the_copy_is_doubted(
    build_services: Build, clock: FakeClock, tmp_path: Path
) -> None:
    desk = Desk(build_services())
    recorded = desk.record()
    clock.tick(hours=73)
    tick(desk.services)
    desk.send()
    assert desk.state(recorded.reference) == State.HELD
    make_copy(tmp_path / "sertilink.db", tmp_path / "copy.db")
    clock.tick(seconds=5)
    tick(desk.services)
    resend(desk.services, recorded.reference or "", reason="still wanted", actor=ACTOR)
    desk.send()
    assert len(desk.gateway.sent) == 1

    again = put_copy_back(desk, tmp_path, build_services)
    clock.tick(seconds=5)
    tick(again.services)
    assert again.state(recorded.reference) == State.UNKNOWN


def test_a_late_no_from_before_the_copy_proves_nothing_about_what_left_after_it(
    build_services: Build, clock: FakeClock, tmp_path: Path
) -> None:
    desk = Desk(build_services())
    recorded = desk.record()
    tick(desk.services)

    def late(_: OutgoingSms) -> Outcome:
        clock.tick(seconds=61)
        tick(desk.services)
        return Outcome(OutcomeClass.NOT_SENT)

    desk.gateway.answer = late
    desk.send()
    assert desk.state(recorded.reference) == State.UNKNOWN
    make_copy(tmp_path / "sertilink.db", tmp_path / "copy.db")
    desk.gateway.answer = desk.gateway.accept
    for _ in range(2):
        clock.tick(minutes=2)
        tick(desk.services)
        reconcile(desk.services)
        desk.send()
    assert len(desk.gateway.sent) == 2  # refused once, accepted once

    again = put_copy_back(desk, tmp_path, build_services)
    for _ in range(8):
        clock.tick(minutes=5)
        tick(again.services)
        reconcile(again.services)
        again.send()
    assert len(again.gateway.sent) == 2


def test_what_was_released_and_sent_at_once_after_the_copy_is_doubted(
    build_services: Build, clock: FakeClock, tmp_path: Path
) -> None:
    desk = Desk(build_services())
    recorded = desk.record()
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.HOLD, code="99999")
    tick(desk.services)
    desk.send()
    assert desk.state(recorded.reference) == State.HELD
    make_copy(tmp_path / "sertilink.db", tmp_path / "copy.db")
    clock.tick(seconds=2)
    tick(desk.services)
    desk.gateway.answer = desk.gateway.accept
    resend(desk.services, recorded.reference or "", reason="looked at it", actor=ACTOR)
    desk.send()
    assert desk.state(recorded.reference) == State.ACCEPTED

    again = put_copy_back(desk, tmp_path, build_services)
    clock.tick(seconds=5)
    tick(again.services)
    assert again.state(recorded.reference) == State.UNKNOWN


# an operator beside a look-up


def test_a_decision_made_during_a_look_up_stands(each_desk: Desk, clock: FakeClock) -> None:
    reference = an_unknown(each_desk)
    gateway = each_desk.gateway

    class AskedMeanwhile(FakeGateway):
        def look_up(self, to: str) -> list[FoundMessage]:
            unknown.leave(each_desk.services, reference, reason="told by telephone", actor=ACTOR)
            return []

    clock.tick(minutes=2)
    reconcile(replace(each_desk.services, gateway=AskedMeanwhile()))
    assert len(gateway.sent) == 1
    assert each_desk.row(reference).reason == Reason.LEFT_ALONE


def test_what_is_sent_again_during_a_look_up_that_finds_it_is_called_off(each_desk: Desk, clock: FakeClock) -> None:
    reference = an_unknown(each_desk)
    [sms] = each_desk.gateway.sent

    class AskedMeanwhile(FakeGateway):
        def look_up(self, to: str) -> list[FoundMessage]:
            unknown.send_again(each_desk.services, reference, reason="asked for it", actor=ACTOR)
            return [FoundMessage("SM1", ReceiptState.DELIVERED, sms.text)]

    clock.tick(minutes=2)
    reconcile(replace(each_desk.services, gateway=AskedMeanwhile()))
    assert each_desk.state(reference) == State.DELIVERED
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1


def test_two_reconcilers_settle_one_outcome_once(each_desk: Desk, clock: FakeClock) -> None:
    references = [an_unknown(each_desk)]
    [sms] = each_desk.gateway.sent
    each_desk.gateway.found[sms.to] = [FoundMessage("SM1", ReceiptState.UNDELIVERED, sms.text)]
    clock.tick(minutes=2)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: reconcile(each_desk.services), range(2)))
    assert sorted(one.looked_at for one in done) == [0, 1]
    assert each_desk.state(references[0]) == State.UNDELIVERED


# two workers at one person


def test_two_workers_at_once_keep_the_daily_cap(each_desk: Desk) -> None:
    for n in range(6):
        each_desk.record(event_id=f"e{n}", dose={"id": f"d{n}"})
    second = SlowWorker(each_desk)
    accept = each_desk.gateway.accept

    def meanwhile(message: OutgoingSms) -> Outcome:
        each_desk.gateway.answer = accept
        second.send(3)
        return accept(message)

    each_desk.gateway.answer = meanwhile
    each_desk.send(3)
    assert len(each_desk.gateway.sent) == 3


def test_an_opt_out_between_claim_and_sending_holds_it_back(each_desk: Desk) -> None:
    recorded = each_desk.record()
    services = each_desk.services
    batch = claim(services, 10)
    with services.db.write() as conn:
        index = persons.phone_index(services.sealer, PHONE)
        suppressions.add(conn, index, reason=Reason.OPTED_OUT, source="link-page", at=services.clock.now())
    Sender(services).send_claimed(batch)
    row = each_desk.row(recorded.reference)
    assert (row.status, row.reason) == (State.SUPPRESSED, Reason.OPTED_OUT)
    assert each_desk.gateway.sent == []


class Meanwhile:
    """Fault points at which the test does something of its own, once."""

    def __init__(self, point: FaultPoint) -> None:
        self._point = point
        self.work: list[Callable[[], object]] = []

    def reached(self, point: FaultPoint) -> None:
        if point is self._point:
            while self.work:
                self.work.pop()()


def waits_for_a_lock(services: Services) -> bool:
    """Whether somebody in this PostgreSQL database waits for a row that another transaction holds."""
    with services.db.read() as conn:
        question = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(conn.exec_driver_sql(question).scalar())


def test_a_number_changed_by_another_dose_while_sending_leaves_no_live_link_at_the_old_one(
    build_services: Build, clock: FakeClock
) -> None:
    require("postgres")
    with postgres_database() as url:
        desk = Desk(build_services(database_url=url))
        recorded = desk.record()
        desk.record(event_id="e2", dose={"id": "d2"}, notify={"delay_hours": 40})
        changed = an_event(event_id="e3", dose={"id": "d2"}, person={"phone": "081299990000"})
        other = threading.Thread(
            target=record, args=(desk.services, changed), kwargs={"door": Door.API, "actor": "door:api"}
        )
        meanwhile = Meanwhile(FaultPoint.SENDING_BEFORE_COMMIT)
        meanwhile.work = [lambda: eventually(lambda: waits_for_a_lock(desk.services)), other.start]
        Sender(replace(desk.services, faults=meanwhile)).send_batch(1)
        other.join()
        assert meanwhile.work == []
        went_to = [sms.to for sms in desk.gateway.sent]
        assert went_to == ["+6281299990000"] or desk.link(recorded.reference).revoked_at is not None
        desk.services.db.close()


def test_two_workers_on_postgres_take_two_thousand_rows_once_each(build_services: Build) -> None:
    require("postgres")
    with postgres_database() as url:
        services = build_services(database_url=url)
        desk = Desk(services)
        for n in range(250):  # eight doses a person would meet the daily cap; each is somebody of their own
            desk.record(event_id=f"e{n}", dose={"id": f"d{n}"}, person={"id": f"p{n}", "nik": None})
        multiply(services, 8)

        def take(_: int) -> list[str]:
            taken: list[str] = []
            while batch := claim(services, 50).rows:
                taken += [row.id for row in batch]
            return taken

        with ThreadPoolExecutor(4) as pool:
            taken = [row_id for ids in pool.map(take, range(4)) for row_id in ids]
        assert len(taken) == len(set(taken)) == 2000
        services.db.close()


def multiply(services: Services, times: int) -> None:
    """Each waiting notification so many times, as further generations."""
    with services.db.write() as conn:
        rows = [dict(row._mapping) for row in conn.execute(sa.select(notification))]
        more = [
            row | {"id": new_id(), "reference": new_reference(), "generation": generation}
            for row in rows
            for generation in range(2, times + 1)
        ]
        conn.execute(notification.insert(), more)


# the database goes away


def test_a_database_that_is_away_after_posting_loses_no_outcome(each_desk: Desk) -> None:
    recorded = each_desk.record()
    away = Away(FaultPoint.OUTCOME_BEFORE_COMMIT, times=3)
    waits: list[float] = []
    Sender(replace(each_desk.services, faults=away), pause=waits.append).send_batch(10)
    assert len(waits) == 3
    assert each_desk.state(recorded.reference) == State.ACCEPTED
    assert len(each_desk.gateway.sent) == 1


def test_a_database_that_stays_away_after_posting_leaves_it_unknown(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    away = Away(FaultPoint.OUTCOME_BEFORE_COMMIT, times=99)
    with pytest.raises(OperationalError):
        Sender(replace(each_desk.services, faults=away), pause=lambda _: None).send_batch(10)
    clock.tick(seconds=61)
    tick(each_desk.services)
    assert each_desk.state(recorded.reference) == State.UNKNOWN
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1


def test_a_database_that_is_away_before_posting_sends_it_once_later(each_desk: Desk, clock: FakeClock) -> None:
    recorded = each_desk.record()
    away = Away(FaultPoint.SENDING_BEFORE_COMMIT, times=1)
    Sender(replace(each_desk.services, faults=away), pause=lambda _: None).send_batch(10)
    assert each_desk.gateway.sent == []
    clock.tick(seconds=61)
    tick(each_desk.services)
    each_desk.send()
    assert each_desk.state(recorded.reference) == State.ACCEPTED
    assert len(each_desk.gateway.sent) == 1


class Away:
    """A database that is gone at a point, so many times."""

    def __init__(self, point: FaultPoint, times: int) -> None:
        self._point = point
        self._times = times

    def reached(self, point: FaultPoint) -> None:
        if point is self._point and self._times:
            self._times -= 1
            raise OperationalError("commit", None, Exception("the connection is gone"))


# a probe that is not sent


def test_a_probe_that_must_not_be_sent_makes_room_for_the_next_at_once(each_desk: Desk, clock: FakeClock) -> None:
    for n in range(5):
        each_desk.record(PlanOptions(any_hour=True), event_id=f"o{n}", dose={"id": f"o{n}"})
    each_desk.gateway.answer = lambda _: Outcome(OutcomeClass.SENDER_MISCONFIGURED, code="20003")
    each_desk.send()  # the circuit opens
    each_desk.gateway.answer = each_desk.gateway.accept
    clock.tick(hours=80)  # the old ones are for an operator now
    fresh = each_desk.record(
        PlanOptions(any_hour=True), event_id="f", dose={"id": "f"}, person={"id": "p2", "nik": None}
    )
    for _ in range(30):
        clock.tick(seconds=1)
        tick(each_desk.services)
        each_desk.send()
    assert each_desk.state(fresh.reference) == State.ACCEPTED


# a clock that jumps


def test_a_clock_set_back_by_an_hour_keeps_messages_flowing(build_services: Build, clock: FakeClock) -> None:
    desk = Desk(build_services(sender_rate=5))
    clock.tick(hours=2)
    for n in range(12):
        desk.record(event_id=f"a{n}", dose={"id": f"a{n}"}, person={"id": f"p{n}", "nik": None})
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.RATE_LIMITED, retry_after_s=20)
    desk.send()
    desk.gateway.answer = desk.gateway.accept
    clock.tick(hours=-1)
    recorded = desk.record(event_id="b", dose={"id": "b"}, person={"id": "pb", "nik": None})
    clock.tick(seconds=2)
    tick(desk.services)
    desk.send()
    assert desk.state(recorded.reference) == State.ACCEPTED


@pytest.mark.parametrize("point", ["claimed", "sending"])
def test_a_lease_of_a_dead_worker_ends_though_the_clock_was_set_back(desk: Desk, clock: FakeClock, point: str) -> None:
    recorded = desk.record()
    batch = claim(desk.services, 10)
    if point == "sending":
        Sender(desk.services)._prepare(batch)
    clock.tick(hours=-1)
    for _ in range(10):
        clock.tick(minutes=1)
        tick(desk.services)
    assert desk.state(recorded.reference) in {State.SCHEDULED, State.UNKNOWN}


def test_a_clock_that_leaps_a_day_sends_everything_once(each_desk: Desk, clock: FakeClock) -> None:
    for n in range(5):
        each_desk.record(
            event_id=f"e{n}", dose={"id": f"d{n}"}, person={"id": f"p{n}", "nik": None}, notify={"delay_hours": 5 * n}
        )
    each_desk.send()
    clock.tick(days=1)
    for _ in range(3):
        clock.tick(minutes=40)
        tick(each_desk.services)
        each_desk.send()
    clock.tick(days=-1)
    for _ in range(3):
        clock.tick(seconds=90)
        tick(each_desk.services)
        each_desk.send()
    assert len(each_desk.gateway.sent) == 5
    assert {row.status for row in each_desk.rows()} == {State.ACCEPTED}


def test_resending_another_message_of_the_dose_does_not_hide_that_one_is_unknown(each_desk: Desk) -> None:
    reference = an_unknown(each_desk)
    resend(each_desk.services, reference, reason="asked for it", actor=ACTOR)
    row = each_desk.row(reference)
    assert (row.status, row.reason) == (State.UNKNOWN, Reason.SENT_AGAIN)
    [sms] = each_desk.gateway.sent
    receipts.apply(each_desk.services, Receipt(sms.attempt_reference, "SM1", ReceiptState.DELIVERED, "delivered"))
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1  # called off
