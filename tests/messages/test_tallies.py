"""The dashboard's counts are those of a full count, whatever moved in between and whoever counts."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from notifier.core.ids import new_id
from notifier.core.states import FINAL, MOVES, NOT_LEFT, Kind, Lane, Reason, State, may_move
from notifier.messages import tallies as counting
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.store import certificates, notifications, openings, tallies, unknowns
from notifier.store.openings import OpeningKind
from notifier.store.tables import metadata, notification, opening, tally
from tests.builders import a_certificate
from tests.fakes import FakeClock

MINUTE = timedelta(minutes=1)
FACILITIES = ("pkm-1", "pkm-2", None)


class Town:
    """What happens to messages, as the rooms write it, in any order."""

    def __init__(self, services: Services, clock: FakeClock, chance: random.Random) -> None:
        self.services, self.clock, self.chance = services, clock, chance

    def act(self) -> None:
        deeds = (
            self.make, self.make, self.wait, self.claim, self.begin, self.settle, self.receipt, self.evidence,
            self.stop, self.release, self.lose, self.doubt, self.decide, self.open, self.count,
        )  # fmt: skip
        self.chance.choice(deeds)()

    def make(self) -> None:
        made = a_certificate(self.services, facility_id=self.chance.choice(FACILITIES))
        at, state = self.clock.now(), self.chance.choice([State.SCHEDULED] * 4 + [State.SUPPRESSED])
        with self.services.db.write() as conn:
            notifications.insert(
                conn, kind=Kind.CERTIFICATE, status=state, lane=Lane.NORMAL, at=at, generation=1, accepted_at=at,
                reason=Reason.NO_PHONE.value if state is State.SUPPRESSED else None, due_at=at, any_hour=True,
                person_id=made.person_id, dose_id=made.dose_id, certificate_id=made.certificate_id,
                link_id=made.link_id,
            )  # fmt: skip

    def wait(self) -> None:
        self.clock.tick(minutes=self.chance.choice([1, 7, 11, 60, 600, 2000]))

    def claim(self) -> None:
        with self.services.db.write() as conn:
            lease = self.services.db.lease(MINUTE)
            notifications.claim(conn, lane=Lane.NORMAL, token=new_id(), lease=lease, limit=self.chance.randint(1, 3))

    def begin(self) -> None:
        with self.services.db.write() as conn:
            for row in self._some(conn, State.CLAIMED):
                lease = self.services.db.lease(self.chance.choice([MINUTE, timedelta(hours=20)]))
                notifications.begin_sending(conn, [row.id], token=row.lease_token, lease=lease, at=self.clock.now())

    def settle(self) -> None:
        at = self.clock.now()
        ends: dict[State, dict[str, Any]] = {
            State.ACCEPTED: {"new_left_at": at, "new_reason": None},
            State.UNKNOWN: {"new_left_at": at, "new_reason": Reason.OUTCOME_UNKNOWN.value},
            State.FAILED: {"new_left_at": None, "new_reason": Reason.REFUSED.value},
            State.SCHEDULED: {"new_left_at": None, "new_reason": Reason.NOT_SENT.value},
        }
        new = self.chance.choice(list(ends))
        with self.services.db.write() as conn:
            for row in self._some(conn, State.SENDING):
                change = {"row_id": row.id} | ends[new]
                notifications.move_each(conn, [change], new, old=[State.SENDING], at=at, token=row.lease_token)

    def receipt(self) -> None:
        self._proven(State.SENDING, State.ACCEPTED, State.SENT)

    def evidence(self) -> None:
        self._proven(State.UNKNOWN)

    def _proven(self, *olds: State) -> None:
        ends = (State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED, State.FAILED)
        new, at = self.chance.choice(ends), self.clock.now()
        with self.services.db.write() as conn:
            for row in self._some(conn, *(old for old in olds if may_move(old, new))):
                notifications.move(
                    conn, [row.id], new, old=[State(row.status)], at=at, left_at=row.left_at or at,
                    reason=Reason.REFUSED if new is State.FAILED else None,
                )  # fmt: skip

    def stop(self) -> None:
        new = self.chance.choice([State.HELD, State.CANCELLED, State.SUPPRESSED, State.EXPIRED])
        reason = self.chance.choice([Reason.OPERATOR, Reason.OPTED_OUT, Reason.PAST_DUE])
        with self.services.db.write() as conn:
            for row in self._some(conn, *(old for old in NOT_LEFT if may_move(old, new))):
                notifications.move(conn, [row.id], new, old=[State(row.status)], at=self.clock.now(), reason=reason)

    def release(self) -> None:
        with self.services.db.write() as conn:
            for row in self._some(conn, State.HELD):
                at = self.clock.now()
                notifications.move(conn, [row.id], State.SCHEDULED, old=[State.HELD], at=at, due_at=at, planned_for=at)

    def lose(self) -> None:
        """Workers died: leases run out."""
        now = self.clock.now()
        with self.services.db.write() as conn:
            notifications.free_expired_leases(conn, now=now, at=now, look_up_at=now)

    def doubt(self) -> None:
        if self.chance.random() < 0.2:
            now = self.clock.now()
            with self.services.db.write() as conn:
                unknowns.doubt_all_due(conn, now=now, at=now, look_up_at=now)

    def decide(self) -> None:
        with self.services.db.write() as conn:
            for row in self._some(conn, State.UNKNOWN):
                unknowns.decide_unknown(conn, row.id, reason=Reason.LEFT_ALONE, at=self.clock.now())

    def open(self) -> None:
        at = self.clock.now()
        with self.services.db.write() as conn:
            for row in self._some(conn, State.DELIVERED, State.ACCEPTED, State.SENT):
                link = certificates.load_links(conn, [row.link_id])[row.link_id]
                seen = openings.find(conn, link.public_id)
                device = self.chance.choice(["phone", openings.ROBOT])
                openings.add(conn, seen, kind=OpeningKind.OPENED, device=device, at=at)
                if device != openings.ROBOT:
                    certificates.mark_opened(conn, row.link_id, at)
                    if self.chance.random() < 0.6:
                        kind = self.chance.choice([OpeningKind.PDF, OpeningKind.CARD, OpeningKind.WRONG_DATE])
                        openings.add(conn, seen, kind=kind, device=device, at=at)

    def count(self) -> None:
        """Counts, as often as the pause allows, and looks."""
        self.clock.tick(seconds=self.chance.choice([0, 30, 56]))
        if counting.refresh(self.services):
            assert self.written() == self.counted()

    def written(self) -> Counter[tuple[Any, ...]]:
        """(day, facility, what, reason) -> count, as the dashboard reads it."""
        with self.services.db.read() as conn:
            rows = conn.execute(sa.select(tally)).all()
        return Counter({(row.day, row.facility_id, row.what, row.reason): row.number for row in rows})

    def counted(self) -> Counter[tuple[Any, ...]]:
        """The same, message by message."""
        days = {day.day: day for day in counting.days_shown(self.services, self.clock.now())}
        found: Counter[tuple[Any, ...]] = Counter()
        with self.services.db.read() as conn:
            rows = conn.execute(sa.select(notification)).all()
            links = certificates.load_links(conn, [row.link_id for row in rows])
            shots = {row.id: row.facility_id for row in conn.execute(sa.text("SELECT id, facility_id FROM dose"))}
            looks = conn.execute(sa.select(opening)).all()
        shots = {str(key).replace("-", ""): value for key, value in shots.items()}
        files = {row.link_id for row in looks if row.kind in {"pdf", "card"} and row.device != openings.ROBOT}
        for row in rows:
            day = row.created_at.astimezone(self.services.zone).date()
            if day not in days:
                continue
            state = {"claimed": "scheduled", "sent": "accepted"}.get(row.status, row.status)
            plain = state in {"scheduled", "sending", "accepted", "delivered"}
            whats = [("made", ""), (state, "" if plain else row.reason or "")]
            whats += [("opened", "")] if links[row.link_id].opened_at else []
            whats += [("downloaded", "")] if row.link_id in files else []
            for place in {"", shots[row.dose_id.replace("-", "")] or ""}:
                found.update((day, place, *what) for what in whats)
        return found

    def _some(self, conn: Connection, *states: State) -> list[notifications.Row]:
        rows = [row for row in conn.execute(sa.select(notification)) if row.status in states]
        return self.chance.sample(rows, min(len(rows), self.chance.randint(1, 3)))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), steps=st.integers(20, 90))
def test_the_written_counts_are_those_of_a_full_count(
    services: Services, clock: FakeClock, seed: int, steps: int
) -> None:
    with services.db.write() as conn:
        for table in reversed(metadata.sorted_tables):
            conn.execute(table.delete())
    town = Town(services, clock, random.Random(seed))
    for _ in range(steps):
        town.act()
    clock.tick(seconds=56)
    assert counting.refresh(services)
    assert town.written() == town.counted()


def test_on_both_databases(each_services: Services, clock: FakeClock) -> None:
    town = Town(each_services, clock, random.Random(7))
    for _ in range(250):
        town.act()
    clock.tick(minutes=20)
    assert counting.refresh(each_services)
    assert town.written() == town.counted()
    assert sum(town.written().values()) > 100


def test_a_day_of_many_counted_in_parts_comes_to_the_same(each_services: Services, clock: FakeClock) -> None:
    town = Town(each_services, clock, random.Random(3))
    for _ in range(12):
        town.make()
        clock.tick(minutes=25)
    found = 0
    with each_services.db.read() as conn:
        for day in counting.days_shown(each_services, clock.now()):
            whole = tallies.count(conn, day)
            assert tallies.count(conn, day, few=1) == whole
            found += whole.get((tallies.ALL, tallies.MADE, ""), 0)
    assert found == 12


def test_it_counts_once_a_minute_and_one_worker_does_it(each_services: Services, clock: FakeClock) -> None:
    assert counting.refresh(each_services) == counting.DAYS
    assert counting.refresh(each_services) == 0
    clock.tick(seconds=54)
    assert counting.refresh(each_services) == 0
    clock.tick(seconds=2)
    assert counting.refresh(each_services) == 2  # today, and the one that was counted longest ago


def test_a_counter_that_died_is_replaced(each_services: Services, clock: FakeClock) -> None:
    with each_services.db.write() as conn:
        assert tallies.begin(conn, at=clock.now(), until=clock.now() + counting.LEASE) is not None
    assert counting.refresh(each_services) == 0
    clock.tick(minutes=10)
    assert counting.refresh(each_services) == counting.DAYS


def test_a_clock_that_was_set_back_stops_no_count(services: Services, clock: FakeClock) -> None:
    counting.refresh(services)
    clock.tick(days=-3)
    assert counting.refresh(services) == counting.DAYS


def test_what_vanished_without_a_mark_is_right_after_a_round(services: Services, clock: FakeClock) -> None:
    town = Town(services, clock, random.Random(1))
    for _ in range(3):
        town.make()
        clock.tick(days=2)
    counting.refresh(services)
    with services.db.write() as conn:
        conn.execute(notification.delete())
    for _ in range(counting.DAYS):
        clock.tick(minutes=20)
        counting.refresh(services)
    assert town.written() == Counter()


def test_days_that_nobody_is_shown_are_forgotten(services: Services, clock: FakeClock) -> None:
    Town(services, clock, random.Random(1)).make()
    counting.refresh(services)
    clock.tick(days=14)
    counting.refresh(services)
    with services.db.read() as conn:
        assert conn.execute(sa.select(tally)).all() == []
        assert len(tallies.counted_days(conn)) == counting.DAYS


def test_a_day_begins_at_midnight_of_the_programme(services: Services, clock: FakeClock) -> None:
    """03:00 UTC is 10:00 in Jakarta; its midnight is at 17:00 UTC."""
    today = counting.days_shown(services, clock.now())[-1]
    assert (today.start.isoformat(), today.end.isoformat()) == (
        "2026-11-22T17:00:00+00:00",
        "2026-11-23T17:00:00+00:00",
    )


def test_the_tick_says_when_it_is_time(services: Services, clock: FakeClock) -> None:
    assert tick(services).tallies
    counting.refresh(services)
    clock.tick(seconds=10)
    assert not tick(services).tallies
    clock.tick(seconds=60)
    assert tick(services).tallies


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_state_leaves_the_mark_of_its_end(services: Services, clock: FakeClock, state: State) -> None:
    """On this the counts of past days rest."""
    row = notifications.new_row(kind=Kind.OTP, status=state, lane=Lane.ASKED, at=clock.now(), due_at=clock.now())
    assert row["ended_at"] == clock.now()


_PATHS = {
    State.SCHEDULED: (),
    State.CLAIMED: (State.CLAIMED,),
    State.SENDING: (State.CLAIMED, State.SENDING),
    State.ACCEPTED: (State.CLAIMED, State.SENDING, State.ACCEPTED),
    State.SENT: (State.CLAIMED, State.SENDING, State.SENT),
    State.UNKNOWN: (State.CLAIMED, State.SENDING, State.UNKNOWN),
    State.HELD: (State.HELD,),
}


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, news in MOVES.items() for new in sorted(news)])
def test_every_move_of_an_old_message_is_found_at_the_next_count(
    services: Services, clock: FakeClock, old: State, new: State
) -> None:
    """Days later, and long after the message left its last mark."""
    town = Town(services, clock, random.Random(3))
    while not town.counted():
        town.make()
    with services.db.write() as conn:
        conn.execute(notification.update().values(status=State.SCHEDULED.value, reason=None, ended_at=None))
    clock.tick(days=3)
    for state in _PATHS[old]:
        _move(services, clock, state)
    clock.tick(minutes=30)
    counting.refresh(services)
    clock.tick(minutes=30)
    counting.refresh(services)
    before = town.written()
    assert before == town.counted()
    clock.tick(minutes=30)
    _move(services, clock, new)
    clock.tick(minutes=1)
    counting.refresh(services)
    assert town.written() == town.counted()
    folded = [tallies.FOLDED.get(state, state) for state in (old, new)]
    assert (town.written() == before) == (folded[0] == folded[1])


def _move(services: Services, clock: FakeClock, new: State) -> None:
    """As sending, receipts and operators move a message."""
    at = clock.now()
    left = new in {State.SENDING, State.ACCEPTED, State.SENT, State.UNKNOWN, State.DELIVERED, State.UNDELIVERED}
    with services.db.write() as conn:
        for row in conn.execute(sa.select(notification)).all():
            values = {"left_at": row.left_at or at} if left else {"left_at": None} if new is State.SCHEDULED else {}
            notifications.move(conn, [row.id], new, old=[State(row.status)], at=at, **values)


def test_an_old_day_with_something_unknown_is_counted_again_when_that_changes_alone(
    services: Services, clock: FakeClock
) -> None:
    town = Town(services, clock, random.Random(3))
    while not town.counted():
        town.make()
    with services.db.write() as conn:
        conn.execute(notification.update().values(status=State.SCHEDULED.value, reason=None, ended_at=None))
    for state in _PATHS[State.UNKNOWN]:
        _move(services, clock, state)
    clock.tick(days=3)
    counting.refresh(services)
    clock.tick(minutes=30)
    assert counting.refresh(services) == 2  # today, and the one that was counted longest ago
    _move(services, clock, State.ACCEPTED)
    clock.tick(minutes=30)
    assert counting.refresh(services) == 3
    assert town.written() == town.counted()


def test_a_count_waits_while_a_backlog_goes_out_but_not_for_ever(each_services: Services, clock: FakeClock) -> None:
    wait = timedelta(minutes=10)
    with each_services.db.write() as conn:
        assert tallies.is_due(conn, clock.now())
        assert not tallies.is_due(conn, clock.now(), patience=wait)  # nothing was counted yet: the wait begins
        assert tallies.is_due(conn, clock.now())  # as soon as the backlog is gone
        clock.tick(minutes=9)
        assert not tallies.is_due(conn, clock.now(), patience=wait)
        clock.tick(minutes=1)
        assert tallies.is_due(conn, clock.now(), patience=wait)
    assert counting.refresh(each_services) > 0
