"""The whole life of notifications, in any order that chance finds: events, operators, dying and waking workers, a
provider that may do anything, receipts in any order, opt-outs, and an older copy of the database put back.

After every step the promises hold; at rest nothing waits for ever.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notifier.core.errors import BadInput, Refused
from notifier.core.states import FINAL, KIND_RULES, Kind, Reason, State
from notifier.gateways import (
    ErrorMeaning,
    FoundMessage,
    Outcome,
    OutcomeClass,
    OutgoingSms,
    Receipt,
    ReceiptState,
)
from notifier.intake.record import Door, PlanOptions, record
from notifier.messages import circuit, receipts
from notifier.messages.claim import Batch, claim
from notifier.messages.outcomes import Settled
from notifier.messages.reconcile import reconcile
from notifier.messages.send import Sender, _Ready
from notifier.messages.upkeep import tick
from notifier.services import Services, build
from notifier.settings import Settings
from notifier.store import events, persons, suppressions
from notifier.store.circuits import CircuitMode
from notifier.store.tables import attempt, event, link, notification
from notifier.support import resend, unknown
from tests.builders import an_event
from tests.conftest import TEST_KEYS
from tests.databases import new_sqlite
from tests.fakes import FakeClock, FakeGateway

JAKARTA = ZoneInfo("Asia/Jakarta")
PEOPLE, DOSES, CAP = 10, 20, 2
#: each person's, and as many to change to
PHONES = [f"+62812000000{n:02d}" for n in range(2 * PEOPLE)]
REASON, ACTOR = "as the person asked", "staff:00000000-0000-7000-8000-000000000001"
UNREACHABLE = "30003"

#: what an answer says, by mode; a mode that is here was not taken
NO = {
    "not-sent": OutcomeClass.NOT_SENT,
    "rate-limited": OutcomeClass.RATE_LIMITED,
    "permanent": OutcomeClass.PERMANENT,
    "number-bad": OutcomeClass.NUMBER_BAD,
    "opted-out": OutcomeClass.OPTED_OUT,
    "sender-misconfigured": OutcomeClass.SENDER_MISCONFIGURED,
    "hold": OutcomeClass.HOLD,
}
TAKEN = ("ok", "ok", "ok", "taken-then-unknown", "taken-then-unknown")
MODES = (*TAKEN, "unknown", *NO)
PROVIDER_MODES = st.lists(st.sampled_from(MODES), min_size=1, max_size=4)

START = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  #: a Monday, 08:30 in Jakarta
NAMES = ("Siti Aminah", "Siti Aminah", "Siti Aminah Putri")


@dataclass
class Taken:
    """A message that the provider has."""

    sid: str
    sms: OutgoingSms
    public_id: str
    at: datetime
    state: ReceiptState = ReceiptState.ACCEPTED
    listed: bool = False  #: its list knows it by now


class Provider(FakeGateway):
    """Keeps a ledger of what it took, whatever it answered."""

    name = "ledger"

    def __init__(self, clock: FakeClock, find: Any) -> None:
        super().__init__()
        self._clock, self._find = clock, find
        self.modes: list[str] = ["ok"]
        self.ledger: list[Taken] = []
        self.refused: list[tuple[str, datetime]] = []  #: public id, when

    def send(self, messages: Sequence[OutgoingSms]) -> list[Outcome]:
        return [self._one(message, self.modes[n % len(self.modes)]) for n, message in enumerate(messages)]

    def _one(self, sms: OutgoingSms, mode: str) -> Outcome:
        public_id = self._find(sms.text)
        if mode in TAKEN:
            self.ledger.append(Taken(f"SM{len(self.ledger):032d}", sms, public_id, self._clock.now()))
            if mode == "ok":
                return Outcome(OutcomeClass.ACCEPTED, self.ledger[-1].sid, 201)
            return Outcome(OutcomeClass.UNKNOWN)
        if mode == "unknown":
            return Outcome(OutcomeClass.UNKNOWN)
        return Outcome(NO[mode], http_status=400, code="21610" if mode == "opted-out" else "99999")

    def look_up(self, to: str) -> list[FoundMessage]:
        return [
            FoundMessage(one.sid, one.state, one.sms.text)
            for one in reversed(self.ledger)
            if one.sms.to == to and one.listed
        ]

    def explain(self, code: str) -> ErrorMeaning | None:
        return ErrorMeaning(code, OutcomeClass.TRY_LATER, "", "", "") if code == UNREACHABLE else None


@dataclass
class Held:
    """What a worker that fell asleep holds. `answers`: it has posted."""

    batch: Batch
    services: Services
    ready: list[_Ready] | None = None
    answers: list[Outcome] = field(default_factory=list)


class Life(RuleBasedStateMachine):
    """See the module. Each rule is one thing that may happen; none knows what came before."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="life-"))
        self.clock = FakeClock()
        self.number = 0
        self.sleepers: list[Held] = []
        self.copy_made: datetime | None = None
        self.ended: dict[str, str] = {}
        self.known: dict[str, str] = {}  #: state by row at the last step
        self.links: dict[str, str] = {}  #: public id -> row id
        self.copied: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self.restores = 0
        self.stopped: dict[str, datetime] = {}  #: number -> since when
        #: what a worker posted that had slept since it decided: no hour, stop or cap is its own any more
        self.late: set[str] = set()
        new_sqlite(self.folder / "life.db")
        self.services = self._wire(None)
        self.provider: Provider = self.services.gateway  # type: ignore[assignment]  # wired just so
        self.sender = Sender(self.services, pause=lambda _: None)

    def _wire(self, provider: Provider | None) -> Services:
        values: dict[str, Any] = {
            "database_url": f"sqlite:///{self.folder}/life.db",
            "data_folder": self.folder,
            "person_daily_cap": CAP,
            "smooth_minutes": 5,
        }
        services = build(Settings(**values, **TEST_KEYS), self.clock)
        return replace(services, gateway=provider or Provider(self.clock, services.links.find_in))

    # events

    @initialize(seed=st.integers(0, 2**16), hour=st.sampled_from([0, 0, 0, 9]))
    def begin(self, seed: int, hour: int) -> None:
        random.seed(seed)  # jitter and lanes
        self.clock.set(START + timedelta(hours=hour))
        for dose in range(3):
            self.come_in([dose], 0, 0, "recorded", NAMES[0], True, None)
        tick(self.services)

    @rule(
        doses=st.lists(st.integers(0, DOSES - 1), min_size=1, max_size=4, unique=True),
        phone=st.sampled_from([0, 0, 0, 1]),
        delay=st.sampled_from([0, 0, 0, 1, 30]),
        what=st.sampled_from(["recorded", "recorded", "recorded", "recorded", "corrected", "entered_in_error"]),
        name=st.sampled_from(NAMES),
        any_hour=st.booleans(),
        modes=st.none() | PROVIDER_MODES,
    )
    def come_in(
        self,
        doses: list[int],
        phone: int,
        delay: int,
        what: str,
        name: str,
        any_hour: bool,
        modes: list[str] | None,
    ) -> None:
        for dose in doses:
            self.number += 1
            self.last = (f"e{self.number}", dose, phone, delay, what, name, any_hour)
            self._record(*self.last)
        if modes is not None:
            self.send(limit=50, modes=modes)

    @rule()
    def come_in_again(self) -> None:
        before = self._count()
        self._record(*self.last)
        assert self._count() == before or self.restores  # a restored copy may not know the event

    def _someone_new(self, many: int = 2) -> None:
        """Fresh doses, so that there is something to send."""
        for _ in range(many):
            self.number += 1
            self._record(f"e{self.number}", 100 + self.number, 0, 0, "recorded", NAMES[0], True)

    def _record(self, event_id: str, dose: int, phone: int, delay: int, what: str, name: str, any_hour: bool) -> None:
        person = {"id": f"p{dose % PEOPLE}", "nik": None, "name": name, "phone": PHONES[dose % PEOPLE + PEOPLE * phone]}
        changes: dict[str, Any] = {"event_id": event_id, "event_type": what, "recorded_at": None}
        changes |= {"dose": {"id": f"d{dose}"}, "person": person, "notify": {"delay_hours": delay}}
        with contextlib.suppress(BadInput):
            record(
                self.services,
                an_event(**changes),
                door=Door.API,
                actor="door:api",
                options=PlanOptions(any_hour=any_hour),
            )

    # operators

    @rule(which=st.integers(0, 50), do=st.sampled_from(["cancel", "resend", "again", "leave"]))
    def operate(self, which: int, do: str) -> None:
        rows = self._rows()
        reference = rows[which % len(rows)].reference
        act = {
            "cancel": resend.cancel,
            "resend": resend.resend,
            "again": unknown.send_again,
            "leave": unknown.leave,
        }[do]
        with contextlib.suppress(Refused):
            act(self.services, reference, reason=REASON, actor=ACTOR)

    @rule()
    def kill_switch(self) -> None:
        resend.hold(self.services, reason=REASON, actor=ACTOR)
        self._nothing_leaves()
        resend.release(self.services, reason=REASON, actor=ACTOR)

    @rule(after=st.sampled_from([CircuitMode.AUTO, CircuitMode.AUTO, CircuitMode.CLOSED]))
    def pin(self, after: CircuitMode) -> None:
        circuit.pin(self.services, CircuitMode.OPEN, reason=REASON, actor=ACTOR)
        self._nothing_leaves()
        circuit.pin(self.services, after, reason=REASON, actor=ACTOR)

    def _nothing_leaves(self) -> None:
        before = len(self.provider.ledger)
        tick(self.services)
        assert self.sender.send_batch(50).posted == 0
        assert len(self.provider.ledger) == before

    @rule(phone=st.sampled_from([0, PEOPLE, PEOPLE + 1, PEOPLE + 2]))
    def opt_out(self, phone: int) -> None:
        self._stop(PHONES[phone])

    def _stop(self, number: str) -> None:
        at = self.clock.now()
        with self.services.db.write() as conn:
            index = persons.phone_index(self.services.sealer, number)
            suppressions.add(conn, index, reason=Reason.OPTED_OUT, source="link-page", at=at)
        self.stopped.setdefault(number, at)

    # time and the provider

    @rule(by=st.sampled_from([1, 5, 40, 70, 400, 1000, 4000, 20_000, 86_400]))
    def pass_time(self, by: int) -> None:
        self.clock.tick(seconds=by)

    @rule()
    def list_catches_up(self) -> None:
        for one in self.provider.ledger:
            one.listed = True

    @rule(
        which=st.integers(0, 50),
        word=st.sampled_from(["accepted", "sent", "delivered", "undelivered", "failed"]),
        copies=st.integers(1, 2),
    )
    def receive(self, which: int, word: str, copies: int) -> None:
        if not self.provider.ledger:
            return
        one = self.provider.ledger[which % len(self.provider.ledger)]
        ends = {ReceiptState.DELIVERED, ReceiptState.UNDELIVERED, ReceiptState.FAILED}
        said = ReceiptState(word)
        if one.state in ends and said in ends:
            said = one.state  # a provider says one end of a message only
        elif said in ends:
            one.state = said
        code = {ReceiptState.UNDELIVERED: UNREACHABLE, ReceiptState.FAILED: "30034"}.get(said)
        for _ in range(copies):
            receipts.apply(self.services, Receipt(one.sms.attempt_reference, one.sid, said, said.value, code))

    # workers

    @rule()
    def tick(self) -> None:
        tick(self.services)

    @rule(limit=st.sampled_from([1, 3, 50]), modes=PROVIDER_MODES)
    def send(self, limit: int, modes: list[str]) -> None:
        self.provider.modes = modes
        self._someone_new()
        self.sender.send_batch(limit)

    @rule(modes=PROVIDER_MODES, after=st.sampled_from([1, 10, 40, 70]))
    def work(self, modes: list[str], after: int) -> None:
        """What a healthy worker does each second."""
        self.provider.modes = modes
        self._someone_new(1)
        self.clock.tick(seconds=after)
        tick(self.services)
        self.sender.send_batch(50)
        reconcile(self.services)

    @rule()
    def look_up(self) -> None:
        reconcile(self.services)

    @rule(
        limit=st.sampled_from([1, 3]),
        until=st.sampled_from(["claimed", "prepared", "posted", "posted"]),
        modes=PROVIDER_MODES,
    )
    def fall_asleep(self, limit: int, until: str, modes: list[str]) -> None:
        """Or die: a dead worker is one that never wakes."""
        self._someone_new()
        self.provider.modes = modes
        held = Held(claim(self.services, limit), self.services)
        if not held.batch.rows:
            return
        if until != "claimed":
            held.ready = self.sender._prepare(held.batch)
        if until == "posted" and held.ready:
            held.answers = self.provider.send([one.sms for one in held.ready])
        self.sleepers.append(held)

    @precondition(lambda self: bool(self.sleepers))
    @rule(which=st.integers(0, 5))
    def wake(self, which: int) -> None:
        held = self.sleepers.pop(which % len(self.sleepers))
        if held.ready is None:
            self.sender.send_claimed(held.batch)
        elif held.ready:
            self.late |= {found for one in held.ready if (found := self.services.links.find_in(one.sms.text))}
            self._write_down(held, held.answers or self.provider.send([one.sms for one in held.ready]))

    def _write_down(self, held: Held, answers: list[Outcome]) -> None:
        assert held.ready is not None
        pairs = zip(held.ready, answers, strict=True)
        settled = [Settled(one.row, one.attempt_id, answer, one.sms.segments) for one, answer in pairs]
        self.sender._record(settled, held.batch.token)

    # copies

    @rule()
    def make_copy(self) -> None:
        _copy(self.folder / "life.db", self.folder / "copy.db")
        self.copy_made = self.clock.now()
        self.copied = (dict(self.ended), dict(self.known))
        self.clock.tick(seconds=1)
        tick(self.services)  # workers run on: the mark moves before anything else leaves

    @rule(modes=PROVIDER_MODES, later=st.sampled_from([1, 70, 600, 4000]))
    def lose_an_hour(self, modes: list[str], later: int) -> None:
        """A copy, something that leaves after it, and the copy put back."""
        self._someone_new()
        self.make_copy()
        self.clock.tick(seconds=later)
        tick(self.services)
        self.send(limit=50, modes=modes)
        self.put_copy_back()
        self.work(modes=["ok"], after=10)

    @rule(modes=PROVIDER_MODES)
    def overtake(self, modes: list[str]) -> None:
        """A worker wakes after its lease ran out, while another holds the same rows."""
        self._someone_new()
        first = Held(claim(self.services, 3), self.services)
        self.clock.tick(seconds=70)
        tick(self.services)
        second = Held(claim(self.services, 3), self.services)
        self.provider.modes = modes
        for held in (first, second, first):
            if held.batch.rows:
                self.sender.send_claimed(held.batch)

    @precondition(lambda self: self.copy_made is not None)
    @rule()
    def put_copy_back(self) -> None:
        self._note_links()  # of what the copy does not know
        self.services.db.close()
        for leftover in self.folder.glob("life.db*"):
            leftover.unlink()
        _copy(self.folder / "copy.db", self.folder / "life.db")
        self.ended, self.known = dict(self.copied[0]), dict(self.copied[1])
        self.restores += 1
        self.services = self._wire(self.provider)
        self.sender = Sender(self.services, pause=lambda _: None)
        for number in self.stopped:
            self._stop(number)  # who told us after the copy must tell us again

    # what always holds

    @invariant()
    def promises_hold(self) -> None:
        rows = {row.id: row for row in self._rows()}
        self._note_links()
        self._check_ledger()
        self._check_moves(rows)
        self._check_attempts(rows)
        with self.services.db.read() as conn:
            assert events.unaccounted(conn) == 0
            loose = sa.select(event.c.event_id).where(event.c.notification_id.is_(None), event.c.reason.is_(None))
            quiet = loose.where(event.c.outcome.not_in(["unchanged", "stale", "repeated"]))
            assert conn.execute(quiet).all() == []

    def _note_links(self) -> None:
        with self.services.db.read() as conn:
            query = sa.select(link.c.public_id, notification.c.id).join(
                notification, notification.c.link_id == link.c.id
            )
            self.links |= {public_id: row_id for public_id, row_id in conn.execute(query)}

    def _check_ledger(self) -> None:
        ledger = self.provider.ledger
        times = Counter(one.public_id for one in ledger)
        assert not [public_id for public_id, count in times.items() if count > 1], "one generation was accepted twice"
        assert set(times) <= set(self.links), "the provider has what no row stands for"

    def _check_moves(self, rows: Mapping[str, Any]) -> None:
        for row_id, was in self.ended.items():
            assert rows[row_id].status == was, "a terminal row moved"
        self.ended |= {row.id: row.status for row in rows.values() if State(row.status) in FINAL}
        left_unknown = [
            rows[row_id]
            for row_id, was in self.known.items()
            if was == State.UNKNOWN and row_id in rows and rows[row_id].status != State.UNKNOWN
        ]
        taken = {self.links[one.public_id] for one in self.provider.ledger}
        for row in left_unknown:
            if State(row.status) in {State.ACCEPTED, State.SENT, State.DELIVERED, State.UNDELIVERED}:
                assert row.id in taken, "unknown was settled by nothing"
            else:
                assert row.id in taken or self._has_a_no(row.id), "unknown was left without evidence"
        self.known = {row.id: row.status for row in rows.values()}

    def _has_a_no(self, row_id: str) -> bool:
        with self.services.db.read() as conn:
            found = conn.scalars(sa.select(attempt.c.outcome).where(attempt.c.notification_id == row_id)).all()
        return bool(found) and all(word not in {None, "accepted", "unknown"} for word in found)

    def _check_attempts(self, rows: Mapping[str, Any]) -> None:
        with self.services.db.read() as conn:
            found = conn.execute(sa.select(attempt)).all()
        most: Counter[str] = Counter()
        for one in found:
            assert one.number >= 1
            most[one.notification_id] = max(most[one.notification_id], one.number)
        for row in rows.values():
            assert row.attempts >= 0
            assert row.attempts <= most[row.id] or row.attempts == 0
            leased = row.status in {State.CLAIMED, State.SENDING}
            assert (row.lease_token is not None) == leased
            if row.status in {State.ACCEPTED, State.SENT, State.DELIVERED}:
                assert row.left_at is not None

    # at the end

    def teardown(self) -> None:
        try:
            self._check_hours_and_numbers()
            self._come_to_rest()
        finally:
            self.services.db.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _check_hours_and_numbers(self) -> None:
        rows = {row.id: row for row in self._rows()}
        days: Counter[tuple[str, Any]] = Counter()
        for one in self.provider.ledger:
            row = rows.get(self.links[one.public_id])
            if row is None or one.public_id in self.late:
                continue
            local = one.at.astimezone(JAKARTA)
            if KIND_RULES[Kind(row.kind)].quiet_hours and not row.any_hour:
                assert 8 <= local.hour < 20, f"sent at {local}"
            since = self.stopped.get(one.sms.to)
            assert since is None or one.at <= since, "a stopped number got a message"
            if KIND_RULES[Kind(row.kind)].daily_cap:
                days[row.person_id, local.date()] += 1
        if not self.restores:
            assert not days or max(days.values()) <= CAP, "more than the daily cap"

    def _come_to_rest(self) -> None:
        self.provider.modes = ["ok"]
        self.list_catches_up()
        resend.release(self.services, reason=REASON, actor=ACTOR)
        circuit.pin(self.services, CircuitMode.AUTO, reason=REASON, actor=ACTOR)
        self.clock.set(
            self.clock.now().astimezone(JAKARTA).replace(hour=9, minute=0).astimezone(UTC) + timedelta(days=1)
        )
        for _ in range(60):
            moments = self._what_waits()
            if not moments:
                break
            self.clock.set(max(self.clock.now() + timedelta(seconds=61), min(moments) + timedelta(seconds=1)))
            tick(self.services)
            self.sender.send_batch(50)
            reconcile(self.services)
        self.promises_hold()
        assert self._what_waits() == [], "something waits for ever"
        asked = {row.id for row in unknown.listed(self.services)}
        decided = {Reason.SENT_AGAIN, Reason.LEFT_ALONE}
        unsure = [row for row in self._rows() if row.status == State.UNKNOWN and row.reason not in decided]
        assert {row.id for row in unsure} == asked, "nobody is asked about an unknown outcome"

    def _what_waits(self) -> list[datetime]:
        """When each that waits for no human being goes on."""
        moments = []
        for row in self._rows():
            if State(row.status) in {State.CLAIMED, State.SENDING}:
                moments.append(row.lease_until)
            elif row.status == State.SCHEDULED:
                moments.append(row.due_at)
            elif row.status == State.UNKNOWN and row.look_up_at is not None:
                moments.append(row.look_up_at)
        return moments

    def _rows(self) -> list[Any]:
        with self.services.db.read() as conn:
            return list(conn.execute(sa.select(notification).order_by(notification.c.id)))

    def _count(self) -> int:
        return len(self._rows())


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)


TestLife = Life.TestCase
#: SERTILINK_TEST_LIVES=200 lives more, other ones each time
TestLife.settings = settings(
    max_examples=int(os.environ.get("SERTILINK_TEST_LIVES", "20")),
    stateful_step_count=40,
    deadline=None,
    derandomize="SERTILINK_TEST_LIVES" not in os.environ,
    database=None,
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
