"""The stream's handler: acknowledged after the commit, poison to the dead letters, nothing ends the worker."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.services import Services
from notifier.store import events
from notifier.store.tables import dead_letter, event
from notifier.stream_batches import BatchHandler
from tests.builders import event_json
from tests.desk import Desk


@dataclass
class FakeMessage:
    """A kombu message that remembers what was done to it."""

    body: Any
    broken: bool = False
    channel: Any = "channel"
    headers: dict[str, int] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def _note(self, what: str) -> None:
        if self.broken:
            raise ConnectionResetError("the broker is away")
        self.done.append(what)

    def ack(self) -> None:
        self._note("ack")

    def reject(self, requeue: bool = False) -> None:
        self._note("requeue" if requeue else "reject")

    def requeue(self) -> None:
        self._note("requeue")


def no_waiting() -> threading.Event:
    """Between tries."""
    stopping = threading.Event()
    stopping.set()
    return stopping


def handled(services: Services, *messages: FakeMessage) -> None:
    """As one batch."""
    BatchHandler(lambda: services, services.settings, no_waiting())(messages)


def dead_letters(services: Services) -> list[Any]:
    with services.db.read() as conn:
        return list(conn.execute(sa.select(dead_letter).order_by(dead_letter.c.received_at)))


def a_message(**changes: Any) -> FakeMessage:
    return FakeMessage(json.dumps(event_json(**changes)).encode())


def test_an_event_is_acknowledged_and_recorded_once(each_services: Services) -> None:
    messages = [a_message() for _ in range(3)]
    handled(each_services, *messages)
    assert [message.done for message in messages] == [["ack"]] * 3
    with each_services.db.read() as conn:
        assert events.count_by_outcome(conn) == {"planned": 1}


@pytest.mark.parametrize(
    ("body", "field_name"),
    [
        (b"{bad", "body"),
        (b"\xff\xfe", "body"),
        (b"[]", "body"),
        (b"", "body"),
        (json.dumps(event_json(person={"nik": "123456789012345"})).encode(), "person.nik"),
        (json.dumps(event_json(dose={"number": 0})).encode(), "dose.number"),
        (json.dumps(event_json(notify={"delay_hours": 49})).encode(), "notify.delay_hours"),
        (b'{"a": "' + b"x" * 2_000_000 + b'"}', "body"),
    ],
)
def test_poison_goes_to_the_dead_letters_with_field_and_rule(services: Services, body: bytes, field_name: str) -> None:
    message = FakeMessage(body)
    handled(services, message)
    assert message.done == ["reject"]
    [letter] = dead_letters(services)
    assert letter.problems[0]["field"] == field_name
    kept = services.sealer.open_bytes("dead_letter:body", letter.id, letter.body_sealed)
    assert body.startswith(kept)


def test_the_same_poison_again_is_counted_not_repeated(services: Services) -> None:
    handled(services, FakeMessage(b"{bad"), FakeMessage(b"{bad"))
    [letter] = dead_letters(services)
    assert letter.times == 2


def test_one_id_with_other_content_is_a_dead_letter(services: Services) -> None:
    other = a_message(dose={"lot": "other"})
    handled(services, a_message(), other)
    assert other.done == ["reject"]
    assert [letter.problems[0]["rule"] for letter in dead_letters(services)] == ["conflict"]


def test_a_text_body_is_read_too(services: Services) -> None:
    message = FakeMessage(json.dumps(event_json()))
    handled(services, message)
    assert message.done == ["ack"]


def test_a_database_that_is_away_keeps_the_message(services: Services) -> None:
    message = a_message()
    with services.db.write() as conn:
        conn.execute(sa.text("ALTER TABLE event RENAME TO event_away"))
    handled(services, message)
    assert message.done == ["requeue"]

    with services.db.write() as conn:
        conn.execute(sa.text("ALTER TABLE event_away RENAME TO event"))
    handled(services, message)
    assert message.done == ["requeue", "ack"]
    with services.db.read() as conn:
        assert len(list(conn.execute(sa.select(event)))) == 1


def test_a_broker_that_is_away_raises_nothing(services: Services) -> None:
    handled(services, FakeMessage(b"{bad", broken=True), FakeMessage(json.dumps(event_json()), broken=True))
    assert Desk(services).rows()  # recorded; the broker gives it out again, and then it is a repetition
