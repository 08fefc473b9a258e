"""What our Redis transport promises: a message is in its queue or in the notes, and returns from them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import redis
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.message import Message

from notifier import redis_fetch
from notifier.stream_batches import body_of
from notifier.worker import broker_options
from tests.requirements import require

URL = "redis://127.0.0.1:6379/7"


class Site:
    """One queue, looked at from all sides."""

    def __init__(self) -> None:
        self.name = f"test-{uuid.uuid4().hex[:12]}"
        self.queue = Queue(self.name, Exchange(self.name, type="direct"), routing_key=self.name)
        self.server = redis.Redis.from_url(URL)

    def connection(self, lease_seconds: float = 60) -> Connection:
        options = broker_options(URL) | redis_fetch.options(self.name, lease_seconds)
        return Connection(redis_fetch.url(URL), transport_options=options)

    def publish(self, *bodies: str, **how: Any) -> None:
        """With Kombu's own transport, as a registry."""
        with Connection(URL, transport_options=broker_options(URL)) as connection:
            for body in bodies:
                Producer(connection).publish(
                    body.encode(), exchange=self.queue.exchange, routing_key=self.name, declare=[self.queue], **how
                )

    @contextmanager
    def consuming(self, lease_seconds: float = 60, prefetch: int = 100) -> Iterator[Callable[[int], list[Message]]]:
        """A consumer; asked for n messages it gives those that came, n where they come within some seconds; asked
        for none, those that come at once."""
        found: list[Message] = []
        with self.connection(lease_seconds) as connection, connection.channel() as channel:
            channel.basic_qos(0, prefetch, False)

            def drained(count: int) -> list[Message]:
                for _ in range(20 if count else 2):
                    if found and len(found) >= count:
                        break
                    with suppress(TimeoutError):
                        connection.drain_events(timeout=0.3)
                taken = list(found)
                found.clear()
                return taken

            with Consumer(channel, [self.queue], on_message=found.append, accept=None):
                yield drained

    def waiting(self) -> int:
        return int(self.server.llen(self.name))

    def noted(self) -> int:
        notes, index = self.server.hlen(f"{self.name}.unacked"), self.server.zcard(f"{self.name}.unacked-index")
        assert notes == index
        return int(notes)


@pytest.fixture
def site() -> Iterator[Site]:
    require("redis")
    site = Site()
    yield site
    keys = site.server.keys(f"*{site.name}*")
    if keys:
        site.server.delete(*keys)
    site.server.close()


def bodies(messages: list[Message]) -> list[str]:
    return [body_of(message).decode() for message in messages]


def test_what_is_taken_stands_in_the_notes_until_it_is_acknowledged(site: Site) -> None:
    site.publish("1", "2", "3")
    with site.consuming() as take:
        messages = take(3)
        assert bodies(messages) == ["1", "2", "3"]
        assert (site.waiting(), site.noted()) == (0, 3)
        messages[0].ack()
        assert site.noted() == 2
        messages[0].channel.qos.ack_many([message.delivery_tag for message in messages[1:]])
        assert (site.waiting(), site.noted()) == (0, 0)


def test_no_more_is_taken_than_the_prefetch_window_holds(site: Site) -> None:
    site.publish("1", "2", "3", "4", "5")
    with site.consuming(prefetch=2) as take:
        messages = take(2)
        assert take(0) == []
        assert (site.waiting(), site.noted()) == (3, 2)
        for message in messages:
            message.ack()
        assert bodies(take(2)) == ["3", "4"]


def test_a_closed_consumer_gives_back_to_the_head_in_the_old_order(site: Site) -> None:
    site.publish("1", "2", "3")
    with site.consuming() as take:
        assert len(take(3)) == 3
        site.publish("4")
    assert (site.waiting(), site.noted()) == (4, 0)
    with site.consuming() as take:
        assert bodies(take(4)) == ["1", "2", "3", "4"]


def test_what_is_put_back_by_its_consumer_goes_to_the_end(site: Site) -> None:
    site.publish("1", "2")
    with site.consuming(prefetch=1) as take:
        [first] = take(1)
        first.requeue()
        assert (site.waiting(), site.noted()) == (2, 0)
        [second] = take(1)
        assert bodies([second]) == ["2"]


def test_a_rejected_message_is_gone(site: Site) -> None:
    site.publish("1")
    with site.consuming() as take:
        [message] = take(1)
        message.reject()
        assert (site.waiting(), site.noted()) == (0, 0)


def test_what_a_dead_consumer_had_comes_back_when_its_lease_is_over(site: Site) -> None:
    site.publish("1", "2")
    with site.consuming() as take:
        lost = take(2)
        lost[0].channel.qos._delivered.clear()  # as if killed: it gives nothing back
    assert (site.waiting(), site.noted()) == (0, 2)
    with site.consuming(lease_seconds=60) as take:
        assert take(0) == []
    with site.consuming(lease_seconds=0.1) as take:
        assert bodies(take(2)) == ["1", "2"]
        assert (site.waiting(), site.noted()) == (0, 2)


def test_a_swept_message_settled_late_by_its_first_consumer_is_not_taken_from_the_second(site: Site) -> None:
    site.publish("1")
    with site.consuming() as slow:
        [old] = slow(1)
        with site.consuming(lease_seconds=0.01) as take:
            [new] = take(1)
            old.ack()
            assert site.noted() == 1
            new.requeue()
            assert (site.waiting(), site.noted()) == (1, 0)


@pytest.mark.parametrize("item", [b'{"event_id": "e1"}', b"{bad", b"\xff\xfe", b"null", b"[]", b'{"properties": 1}'])
def test_an_item_that_is_no_kombu_message_is_delivered_as_it_is(site: Site, item: bytes) -> None:
    with site.consuming() as take:
        site.server.lpush(site.name, item)
        [message] = take(1)
        assert message.body == item
        message.requeue()
        assert site.server.lrange(site.name, 0, -1) == [item]
        [message] = take(1)
        assert (site.waiting(), site.noted()) == (0, 1)
        message.ack()
        assert (site.waiting(), site.noted()) == (0, 0)


def test_two_items_with_one_tag_are_two_deliveries(site: Site) -> None:
    site.publish("1")
    item = site.server.lrange(site.name, 0, 0)[0]
    site.server.lpush(site.name, item)
    with site.consuming() as take:
        first, second = take(2)
        first.ack()
        assert site.noted() == 1
        second.ack()
        assert site.noted() == 0


def test_a_server_that_refuses_the_note_keeps_the_message_in_its_queue(site: Site) -> None:
    site.publish("1", "2")
    site.server.set(f"{site.name}.unacked", "no hash")  # the note is refused, in the middle of the script
    with site.consuming() as take:
        with pytest.raises(redis.ResponseError):
            take(1)
        assert site.waiting() == 2
        site.server.delete(f"{site.name}.unacked")
        assert bodies(take(2)) == ["1", "2"]


def test_a_message_with_a_priority_is_taken_too(site: Site) -> None:
    site.publish("1", priority=9)
    with site.consuming() as take:
        [message] = take(1)
        message.ack()
        assert site.noted() == 0


def test_one_message_is_for_one_of_two_consumers(site: Site) -> None:
    site.publish(*map(str, range(10)))
    with site.consuming(prefetch=6) as one, site.consuming(prefetch=6) as other:
        assert sorted(bodies(one(6)) + bodies(other(4))) == sorted(map(str, range(10)))


def test_a_single_message_can_be_asked_for(site: Site) -> None:
    site.publish("1")
    with site.connection() as connection, connection.channel() as channel:
        message = channel.basic_get(site.name)
        assert bodies([message]) == ["1"]
        assert site.noted() == 1
        message.ack()
        assert channel.basic_get(site.name) is None


def test_a_consumer_that_would_not_acknowledge_is_refused(site: Site) -> None:
    with site.connection() as connection, connection.channel() as channel:
        consumer = Consumer(channel, [site.queue], no_ack=True, on_message=lambda _: None)
        with pytest.raises(ValueError, match="acknowledged"):
            consumer.consume()


def test_the_url_keeps_all_but_the_scheme() -> None:
    assert redis_fetch.url("redis://:secret@host:1/2") == "sertilink-redis://:secret@host:1/2"
    assert redis_fetch.url("rediss://a/1;rediss://b/1") == "sertilink-rediss://a/1;sertilink-rediss://b/1"


def test_a_url_with_tls_is_served_with_tls() -> None:
    assert Connection(redis_fetch.url("rediss://a/1")).transport.client.ssl
    assert not Connection(redis_fetch.url("redis://a/1")).transport.client.ssl
