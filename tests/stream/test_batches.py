"""Batches: recorded together, settled each for itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.faults import FaultPoint
from notifier.services import Services
from notifier.store import events
from notifier.stream import Wary
from notifier.stream_batches import LINGER_S, MOST, BatchHandler, Fetching, Gathering, OneByOne
from tests.stream.test_handler import FakeMessage, a_message, dead_letters, handled, no_waiting


def different(number: int, **changes: Any) -> FakeMessage:
    return a_message(**{"event_id": f"e{number}", "dose": {"id": f"d{number}"}} | changes)


def outcomes(services: Services) -> dict[str, int]:
    with services.db.read() as conn:
        return events.count_by_outcome(conn)


def fault_in(services: Services, table: str, condition: str = "1") -> None:
    with services.db.write() as conn:
        conn.execute(
            sa.text(
                f"CREATE TRIGGER fault BEFORE INSERT ON {table} WHEN {condition} BEGIN SELECT RAISE(ABORT, 'a'); END"
            )
        )


class Broker(OneByOne):
    """Remembers how it was told; `deaf` to what is given back."""

    def __init__(self, deaf: bool = False) -> None:
        self.deaf = deaf
        self.acknowledged: list[tuple[int, bool]] = []

    def acknowledge(self, messages: Sequence[FakeMessage], *, all_before: bool) -> None:
        self.acknowledged.append((len(messages), all_before))
        super().acknowledge(messages, all_before=all_before)

    def give_back(self, messages: Sequence[FakeMessage]) -> None:
        if self.deaf:
            raise ConnectionError("publishing is blocked")
        super().give_back(messages)


def test_in_a_batch_each_message_gets_what_it_deserves(each_services: Services) -> None:
    good, poison, other, conflict = different(1), FakeMessage(b"{bad"), different(2), different(1, dose={"lot": "x"})
    handled(each_services, good, poison, other, conflict)
    assert [message.done for message in (good, poison, other, conflict)] == [["ack"], ["reject"], ["ack"], ["reject"]]
    assert outcomes(each_services) == {"planned": 2}
    assert sorted(letter.problems[0]["rule"] for letter in dead_letters(each_services))[0] == "conflict"


def test_an_event_with_a_fault_neither_blocks_nor_loses_its_neighbours(services: Services) -> None:
    fault_in(services, "event", "NEW.event_id = 'e2'")
    handler = BatchHandler(lambda: services, services.settings, no_waiting())
    before, bad, after = different(1), different(2), different(3)
    handler([before, bad, after])
    assert [message.done for message in (before, bad, after)] == [["ack"], ["requeue"], ["ack"]]
    for _ in range(4):
        handler([bad])
    assert bad.done == ["requeue"] * 4 + ["reject"]
    assert [letter.problems[0]["rule"] for letter in dead_letters(services)] == ["unexpected"]
    assert outcomes(services) == {"planned": 2}


def test_a_dead_letter_that_cannot_be_written_keeps_its_message_alone(services: Services) -> None:
    fault_in(services, "dead_letter")
    good, poison = different(1), FakeMessage(b"{bad")
    handled(services, good, poison)
    assert (good.done, poison.done) == (["ack"], ["requeue"])


def test_nothing_of_a_batch_is_settled_while_the_database_is_away(services: Services) -> None:
    with services.db.write() as conn:
        conn.execute(sa.text("ALTER TABLE event RENAME TO event_away"))
    messages = [different(1), different(2)]
    handled(services, *messages)
    assert [message.done for message in messages] == [["requeue"], ["requeue"]]


def test_all_before_the_last_is_acknowledged_at_once_only_where_all_of_it_is_settled(services: Services) -> None:
    broker = Broker(deaf=True)
    handler = BatchHandler(lambda: services, services.settings, no_waiting(), broker)
    assert handler([different(1), FakeMessage(b"{bad")]) == []
    fault_in(services, "event", "NEW.event_id = 'e2'")
    bad = different(2)
    assert handler([bad, different(3)]) == [bad]
    handler([different(4)])  # on the channel where one is still open
    handler([replace(different(5), channel="after the reconnect")])
    assert broker.acknowledged == [(1, True), (1, False), (1, False), (1, True)]
    assert bad.done == []


def test_the_fault_point_lies_behind_the_acknowledgement(services: Services) -> None:
    message, seen = different(1), []

    class Watching:
        def reached(self, point: FaultPoint) -> None:
            if point is FaultPoint.STREAM_AFTER_ACK:
                seen.append(list(message.done))

    handled(replace(services, faults=Watching()), message)
    assert seen == [["ack"]]


def worn(number: int, deaths: int) -> FakeMessage:
    return replace(different(number), headers={"x-delivery-count": deaths})


def test_neighbours_of_an_event_that_kills_its_process_start_anew(services: Services) -> None:
    messages = [worn(1, 10), different(2), worn(3, 10), worn(4, 2)]
    assert Wary(BatchHandler(lambda: services, services.settings, no_waiting()))(messages) == []
    assert [message.done for message in messages] == [["ack"], ["ack"], ["requeue"], ["ack"]]


def test_an_event_that_kills_its_process_each_time_is_a_dead_letter_before_the_broker_drops_it(
    services: Services,
) -> None:
    messages = [worn(1, 19), different(2)]
    assert Wary(BatchHandler(lambda: services, services.settings, no_waiting()))(messages) == []
    assert [message.done for message in messages] == [["reject"], ["ack"]]
    assert [letter.problems[0]["rule"] for letter in dead_letters(services)] == ["unexpected"]
    assert outcomes(services) == {"planned": 1}


def test_a_worn_event_waits_while_its_dead_letter_cannot_be_written(services: Services) -> None:
    fault_in(services, "dead_letter")
    messages = [worn(1, 19), different(2)]
    broker = Broker()
    assert Wary(BatchHandler(lambda: services, services.settings, no_waiting(), broker))(messages) == messages[:1]
    assert [message.done for message in messages] == [[], ["ack"]]
    assert broker.acknowledged == [(1, False)]


class FakeHub:
    """Kombu's hub, whose time passes when told."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> FakeHub:
        self.timers.append((delay, callback))
        return self

    def cancel(self) -> None:
        self.timers.clear()

    def fire(self) -> None:
        [(_, callback)] = self.timers
        callback()


class Heard:
    """A handler that remembers its batches, and says of the first what it could not settle."""

    def __init__(self, *left: str) -> None:
        self.batches: list[list[Any]] = []
        self._left = list(left)

    def __call__(self, messages: Sequence[Any]) -> list[Any]:
        self.batches.append(list(messages))
        left, self._left = self._left, []
        return left


def test_a_lone_message_waits_no_longer_than_the_linger_time() -> None:
    heard, hub = Heard(), FakeHub()
    gathering = Gathering(heard, hub)
    gathering("a")
    gathering("b")
    assert heard.batches == []
    assert [delay for delay, _ in hub.timers] == [LINGER_S]
    hub.fire()
    assert heard.batches == [["a", "b"]]
    assert hub.timers == []


def test_a_full_batch_waits_for_nothing() -> None:
    heard, hub = Heard(), FakeHub()
    gathering = Gathering(heard, hub)
    for number in range(MOST + 1):
        gathering(number)
    assert heard.batches == [list(range(MOST))]
    assert len(hub.timers) == 1


def test_what_could_not_be_given_back_is_handled_again() -> None:
    heard, hub = Heard("a"), FakeHub()
    gathering = Gathering(heard, hub)
    gathering("a")
    hub.fire()
    gathering("b")
    hub.fire()
    assert heard.batches == [["a"], ["a", "b"]]
    assert hub.timers == []


def test_what_is_held_when_the_channel_ends_is_forgotten() -> None:
    heard, hub = Heard(), FakeHub()
    gathering = Gathering(heard, hub)
    gathering("a")
    gathering.drop()
    assert (heard.batches, hub.timers) == ([], [])


class FakeChannel:
    def __init__(self, waiting: int, broken: bool = False) -> None:
        self.waiting, self.broken = waiting, broken

    def basic_get(self, queue: str) -> FakeMessage | None:
        if self.broken:
            raise ConnectionError
        self.waiting -= 1
        return FakeMessage(b"another") if self.waiting >= 0 else None


@pytest.mark.parametrize(("waiting", "expected"), [(0, 1), (3, 4), (MOST, MOST)])
def test_without_an_event_loop_a_batch_is_what_waits_already(waiting: int, expected: int) -> None:
    heard = Heard()
    message = FakeMessage(b"first")
    message.channel = FakeChannel(waiting)
    Fetching(heard, "queue")(message)
    assert [len(batch) for batch in heard.batches] == [expected]


def test_a_broker_that_fails_while_fetching_takes_nothing_from_what_is_here() -> None:
    heard = Heard()
    message = FakeMessage(b"first")
    message.channel = FakeChannel(3, broken=True)
    with pytest.raises(ConnectionError):
        Fetching(heard, "queue")(message)
    assert heard.batches == [[message]]
