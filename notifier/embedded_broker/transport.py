"""The Kombu side of the embedded broker: AMQP's words (queue, exchange, delivery, acknowledge) as rows of the file."""

# mypy: allow-subclassing-any, allow-untyped-calls
# (Kombu's virtual transport has no annotations.)

import logging
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty
from typing import Any
from uuid import uuid4

from amqp.protocol import queue_declare_ok_t
from kombu.exceptions import ChannelError
from kombu.transport import virtual
from kombu.transport.base import to_rabbitmq_queue_arguments
from kombu.utils.json import dumps, loads

from notifier.embedded_broker.file import (
    BrokerUnavailable,
    Session,
    broker_file,
    drop_queues,
    drop_unused_queues,
    leave_queues,
)

HEAD = """SELECT id FROM message WHERE queue = :queue AND lease IS NULL
    AND (expires_at IS NULL OR expires_at > :now) ORDER BY id LIMIT 1"""
TAKE = f"DELETE FROM message WHERE id = ({HEAD}) RETURNING id, payload, deliveries"  # noqa: S608 - constants only
LEASE = f"""UPDATE message SET lease = :lease, leased_until = :until, consumer = :consumer, deliveries = deliveries + 1
    WHERE id = ({HEAD}) RETURNING id, payload, deliveries - 1"""  # noqa: S608 - constants only
DELETE_DELIVERY = "DELETE FROM message WHERE id = ? AND lease = ?"
RELEASE_DELIVERY = "UPDATE message SET lease = NULL WHERE id = ? AND lease = ?"

logger = logging.getLogger(__name__)


class QoS(virtual.QoS):
    """Acknowledgements go to the file first, and then free a place in the prefetch window."""

    def ack(self, delivery_tag: str) -> None:
        self.channel.settle([delivery_tag], DELETE_DELIVERY)
        super().ack(delivery_tag)
        self.channel.wake()

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        self.channel.settle([delivery_tag], RELEASE_DELIVERY if requeue else DELETE_DELIVERY)
        super().ack(delivery_tag)
        self.channel.wake()

    def restore_unacked(self) -> list[Any]:
        """Give back what was not acknowledged. Nothing is reported as lost: if this fails, the leases simply run out.

        (What is reported, Kombu dumps to a temporary file: personal data would lie there.)
        """
        self._flush()
        tags = list(self._delivered)
        self._delivered.clear()
        try:
            self.channel.settle(tags, RELEASE_DELIVERY)
        except BrokerUnavailable as error:
            logger.warning("%d deliveries come back only when their lease ends: %s", len(tags), error)
        return []


class Channel(virtual.Channel):
    """One channel; all of its state but the deliveries in hand lives in the file."""

    QoS = QoS
    supports_fanout = True

    def __init__(self, connection: "Transport", **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self.file: Session = connection.session()
        self._lease_seconds: float = connection.visibility_timeout
        self._uses = f"{uuid4()}"
        self._has_queues = False
        self._no_ack: set[str] = set()
        self._pid = os.getpid()

    # -- messages

    def basic_publish(self, message: dict[str, Any], exchange: str, routing_key: str, **kwargs: Any) -> None:
        """Routed and written in one transaction: no queue can go away in between, and all copies are there or none."""
        self._inplace_augment_message(message, exchange, routing_key)
        payload = dumps(message)
        own_ttl = _seconds(message["properties"].get("expiration"))
        self.file.prune()
        with self.file.write() as db:
            for queue in self._lookup(exchange, routing_key):
                row = db.execute("SELECT message_ttl FROM queue WHERE name = ?", (queue,)).fetchone()
                limits = [ttl for ttl in (own_ttl, row[0] if row else None) if ttl is not None]
                expires_at = time.time() + min(limits) if limits else None
                values = (queue, payload, expires_at)
                db.execute("INSERT INTO message (queue, payload, expires_at) VALUES (?, ?, ?)", values)
        self.wake()

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        return self._take(queue, no_ack=queue in self._no_ack)

    def _take(self, queue: str, no_ack: bool) -> dict[str, Any]:
        now = time.time()
        with self.file.read() as db:  # an idle poll must not ask for the write lock
            if db.execute(HEAD, {"queue": queue, "now": now}).fetchone() is None:
                raise Empty
        lease, values = uuid4().hex, {"queue": queue, "now": now}
        if not no_ack:
            values |= {"lease": lease, "until": now + self._lease_seconds, "consumer": self.file.consumer()}
        with self.file.write() as db:
            rows = db.execute(TAKE if no_ack else LEASE, values).fetchall()
        if not rows:
            raise Empty  # another consumer was faster
        number, payload, earlier = rows[0]
        message: dict[str, Any] = loads(payload)
        message["properties"]["delivery_tag"] = f"{number}-{lease}"
        message["properties"]["delivery_info"]["redelivered"] = earlier > 0
        message["headers"] = {**(message["headers"] or {}), "x-delivery-count": earlier}
        return message

    def settle(self, tags: list[str], statement: str) -> None:
        """Delete or release deliveries that are still ours; one whose lease ended belongs to somebody else now."""
        if not tags or os.getpid() != self._pid:  # a forked child holds copies of its parent's deliveries
            return
        with self.file.write() as db:
            for tag in tags:
                db.execute(statement, tuple(tag.split("-", 1)))

    def wake(self) -> None:
        if self.connection is not None:
            self.connection.wake.set()

    def drain_events(self, timeout: float | None = None, callback: Callable[..., Any] | None = None) -> Any:
        self.file.prune()
        return super().drain_events(timeout=timeout, callback=callback)

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Callable[..., Any], consumer_tag: str, **kwargs: Any
    ) -> None:
        self._no_ack.discard(queue)
        if no_ack:
            self._no_ack.add(queue)
        with self.file.read() as db:
            temporary = "SELECT 1 FROM queue WHERE name = ? AND (auto_delete OR expires_after IS NOT NULL)"
            tracked = db.execute(temporary, (queue,)).fetchone()
        if tracked:
            consumer = self.file.consumer()
            with self.file.write() as db:
                db.execute("UPDATE queue SET transient = transient OR auto_delete WHERE name = ?", (queue,))
                self._use(db, queue, consumer)
        super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        self.file.prune()
        self._touch(queue)
        with suppress(Empty):
            message = self.Message(self._take(queue, no_ack), channel=self)
            if not no_ack:
                self.qos.append(message, message.delivery_tag)
            return message
        return None

    # -- queues

    def prepare_queue_arguments(self, arguments: dict[str, Any] | None, **kwargs: Any) -> Any:
        return to_rabbitmq_queue_arguments(arguments or {}, **kwargs)

    def queue_declare(  # the parameters are Kombu's
        self,
        queue: str | None = None,
        passive: bool = False,
        exclusive: bool = False,
        auto_delete: bool = False,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> queue_declare_ok_t:
        """Declare a queue; `x-message-ttl` and `x-expires` (milliseconds) count. ChannelError 404 on a passive miss."""
        queue = queue or f"amq.gen-{uuid4()}"
        with self.file.read() as db:
            known = db.execute("SELECT 1 FROM queue WHERE name = ?", (queue,)).fetchone() is not None
        if passive and not known:
            raise ChannelError(f"NOT_FOUND - no queue {queue!r}", (50, 10), "Channel.queue_declare", "404")
        if known and not exclusive:
            self._touch(queue)
        elif not passive:
            self._create_queue(queue, exclusive, auto_delete, arguments or {})
        return queue_declare_ok_t(queue, self._size(queue), 0)

    def _create_queue(self, queue: str, exclusive: bool, auto_delete: bool, arguments: dict[str, Any]) -> None:
        ttl, expiry = _seconds(arguments.get("x-message-ttl")), _seconds(arguments.get("x-expires"))
        row = (queue, ttl, expiry, time.time(), auto_delete, exclusive)
        consumer = self.file.consumer() if exclusive else None
        with self.file.write() as db:
            db.execute("INSERT OR IGNORE INTO queue VALUES (?, ?, ?, ?, ?, ?)", row)
            if consumer is not None:
                self._use(db, queue, consumer)

    def _use(self, db: sqlite3.Connection, queue: str, consumer: int) -> None:
        db.execute("INSERT OR IGNORE INTO queue_user VALUES (?, ?, ?)", (queue, self._uses, consumer))
        self._has_queues = True

    def _touch(self, queue: str) -> None:
        """A queue with an expiry counts from its last use; noted a few times per expiry, not at every poll."""
        stale = "name = ? AND expires_after IS NOT NULL AND used_at < ? - expires_after / 4"
        now = time.time()
        with self.file.read() as db:
            found = db.execute(f"SELECT 1 FROM queue WHERE {stale}", (queue, now)).fetchone()  # noqa: S608 - constant
        if found:
            with self.file.write() as db:
                db.execute("UPDATE queue SET used_at = ? WHERE name = ?", (now, queue))

    def queue_delete(self, queue: str, if_unused: bool = False, if_empty: bool = False, **kwargs: Any) -> None:
        with self.file.write() as db:
            used = db.execute("SELECT 1 FROM queue_user WHERE queue = ?", (queue,)).fetchone()
            full = (
                db.execute("SELECT 1 FROM message WHERE queue = ? LIMIT 1", (queue,)).fetchone() if if_empty else None
            )
            if not full and not (if_unused and used):
                drop_queues(db, [queue])

    def _size(self, queue: str) -> int:
        with self.file.read() as db:
            ready = "queue = ? AND lease IS NULL AND (expires_at IS NULL OR expires_at > ?)"
            counted = db.execute(f"SELECT count(*) FROM message WHERE {ready}", (queue, time.time()))  # noqa: S608 - constant
            return int(counted.fetchone()[0])

    def _purge(self, queue: str) -> int:
        with self.file.write() as db:
            return db.execute("DELETE FROM message WHERE queue = ? AND lease IS NULL", (queue,)).rowcount

    # -- exchanges

    def exchange_declare(
        self,
        exchange: str | None = None,
        type: str | None = "direct",
        durable: bool = False,
        auto_delete: bool = False,
        arguments: dict[str, Any] | None = None,
        nowait: bool = False,
        passive: bool = False,
    ) -> None:
        """Declare an exchange. ChannelError 404 on a passive miss, 503 for an unknown type, 406 if it has another."""
        wanted = type or "direct"
        exchange = exchange or f"amq.{wanted}"
        known = self._exchange_type(exchange)
        if passive:
            if known is None:
                raise ChannelError(f"NOT_FOUND - no exchange {exchange!r}", (40, 10), "Channel.exchange_declare", "404")
            return
        if wanted not in self.exchange_types:
            raise ChannelError(
                f"COMMAND_INVALID - exchange type {wanted!r}", (40, 10), "Channel.exchange_declare", "503"
            )
        if known is None:
            with self.file.write() as db:
                db.execute("INSERT OR IGNORE INTO exchange VALUES (?, ?)", (exchange, wanted))
        elif known != wanted:
            raise ChannelError(
                f"PRECONDITION_FAILED - {exchange!r} is {known}", (40, 10), "Channel.exchange_declare", "406"
            )

    def exchange_delete(self, exchange: str, if_unused: bool = False, nowait: bool = False) -> None:
        with self.file.write() as db:
            bound = db.execute("SELECT 1 FROM binding WHERE exchange = ?", (exchange,)).fetchone()
            if not (if_unused and bound):
                db.execute("DELETE FROM binding WHERE exchange = ?", (exchange,))
                db.execute("DELETE FROM exchange WHERE name = ?", (exchange,))

    def queue_bind(
        self, queue: str, exchange: str | None = None, routing_key: str = "", arguments: Any = None, **kwargs: Any
    ) -> None:
        row = self._binding(queue, exchange or "amq.direct", routing_key, arguments)
        exists = "SELECT 1 FROM binding WHERE exchange = ? AND routing_key = ? AND pattern = ? AND queue = ?"
        with self.file.read() as db:
            if db.execute(exists, row).fetchone():
                return
        with self.file.write() as db:
            db.execute("INSERT OR IGNORE INTO binding VALUES (?, ?, ?, ?)", row)

    def queue_unbind(
        self, queue: str, exchange: str | None = None, routing_key: str = "", arguments: Any = None, **kwargs: Any
    ) -> None:
        row = self._binding(queue, exchange or "amq.direct", routing_key, arguments)
        with self.file.write() as db:
            db.execute("DELETE FROM binding WHERE exchange = ? AND routing_key = ? AND pattern = ? AND queue = ?", row)

    def _binding(self, queue: str, exchange: str, routing_key: str, arguments: Any) -> tuple[str, str, str, str]:
        key, pattern, _ = self.typeof(exchange).prepare_bind(queue, exchange, routing_key, arguments)
        return exchange, key or "", pattern or "", queue

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:
        with self.file.read() as db:
            return db.execute(
                "SELECT routing_key, pattern, queue FROM binding WHERE exchange = ?", (exchange,)
            ).fetchall()

    def get_exchanges(self) -> list[str]:
        with self.file.read() as db:
            return [row[0] for row in db.execute("SELECT name FROM exchange").fetchall()]

    def list_bindings(self) -> list[tuple[str, str, str]]:
        with self.file.read() as db:
            return db.execute("SELECT queue, exchange, routing_key FROM binding").fetchall()

    def typeof(self, exchange: str, default: str = "direct") -> Any:
        """The kind of exchange, also for a publisher that has not declared it."""
        return self.exchange_types[self._exchange_type(exchange) or default]

    def _exchange_type(self, exchange: str) -> str | None:
        with self.file.read() as db:
            row = db.execute("SELECT type FROM exchange WHERE name = ?", (exchange,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        """Deliveries in hand go back at once, and with the channel go the queues that were its own."""
        if not self.closed and self._has_queues and os.getpid() == self._pid:
            try:
                with self.file.write() as db:
                    leave_queues(db, "channel", self._uses)
                    drop_unused_queues(db)
            except BrokerUnavailable as error:
                logger.warning("the queues of a closed channel stay until this process ends: %s", error)
        super().close()


class Transport(virtual.Transport):
    """Kombu's transport for `sertilink-sqlite:` URLs."""

    Channel = Channel
    driver_type = "sertilink-sqlite"
    driver_name = "sqlite3"
    polling_interval = 0.1
    default_connection_params: dict[str, Any] = {}
    connection_errors: Any = (*virtual.Transport.connection_errors, BrokerUnavailable)
    recoverable_connection_errors = connection_errors
    recoverable_channel_errors = ()  # ours are wrong use; trying again does not help
    implements = virtual.Transport.implements.extend(exchange_type=frozenset(["direct", "topic", "fanout"]))

    def __init__(self, client: Any, **kwargs: Any) -> None:
        """ValueError for a URL without a file, with a host, or for an option that is no positive number of seconds."""
        super().__init__(client, **kwargs)
        if client.hostname or not client.virtual_host or client.virtual_host == "/":
            raise ValueError(
                "the embedded broker's URL is sertilink-sqlite:///relative.db or sertilink-sqlite:////absolute.db"
            )
        options = client.transport_options
        self.polling_interval = _positive(options, "polling_interval", 0.1)
        self.visibility_timeout = _positive(options, "visibility_timeout", 600.0)
        file = broker_file(os.path.abspath(client.virtual_host))
        file.busy_timeout = _positive(options, "busy_timeout", file.busy_timeout)
        self._file = file
        self._session: Session | None = None
        self.wake = threading.Event()
        self.events: Any = self.cycle

    def session(self) -> Session:
        """What this connection's channels work on. BrokerUnavailable here makes Celery wait and try again."""
        if self._session is None:
            self._session = Session(self._file)
        return self._session

    def verify_connection(self, connection: Any) -> bool:
        return self._session is not None and self._session.in_place()

    def close_connection(self, connection: Any) -> None:
        super().close_connection(connection)
        self._session = None

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """As in Kombu, but an acknowledgement (a free place in the prefetch window) ends the wait for the next poll."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self.wake.clear()
            with suppress(Empty):
                self.events.get(self._deliver, timeout=timeout)
                return
            left = self.polling_interval if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise socket.timeout  # noqa: UP041 - the name that Kombu and Celery document
            self.wake.wait(min(self.polling_interval, left))


def _positive(options: dict[str, Any], name: str, default: float) -> float:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"transport option {name} must be a positive number of seconds")
    return float(value)


def _seconds(milliseconds: Any) -> float | None:
    """AMQP gives times to live in milliseconds, an expiration as a string of digits."""
    return None if milliseconds in (None, "") else max(0.0, float(milliseconds) / 1000)
