"""The embedded broker's own promises: its file, its leases, what it forgets, and what it survives."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Queue
from kombu.exceptions import ChannelError, OperationalError

from notifier.embedded_broker import broker_url
from tests.broker.conftest import Broker, drained, publish, receive, rows, said, size
from tests.broker.test_contract import bodies
from tests.polling import eventually

# -- where the file is


@pytest.mark.parametrize("name", ["plain.db", "with space.db", "50%41;#?é&=+.db", "file:x?mode=memory", ":memory:"])
def test_an_absolute_path_is_kept_to_the_letter(embedded: Broker, name: str) -> None:
    path = embedded.folder / name
    with Connection(broker_url(path)) as connection, connection.clone() as clone:
        clone.connect()
        clone.default_channel.queue_declare("q")
    assert path.is_file()
    assert not Path(name).exists()


def test_a_relative_path_starts_at_the_working_directory(embedded: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    (embedded.folder / "in here").mkdir()
    monkeypatch.chdir(embedded.folder)
    with Connection("sertilink-sqlite:///in%20here/relative.db") as connection:
        connection.connect()
    assert (embedded.folder / "in here" / "relative.db").is_file()
    assert broker_url("in here/relative.db") == "sertilink-sqlite:///in%20here/relative.db"


@pytest.mark.parametrize("url", ["sertilink-sqlite://", "sertilink-sqlite:///", "sertilink-sqlite://var/broker.db"])
def test_a_url_without_a_file_or_with_a_host_is_refused(embedded: Broker, url: str) -> None:
    with pytest.raises(ValueError, match=r"sertilink-sqlite:///relative\.db"), Connection(url) as connection:
        connection.connect()


@pytest.mark.parametrize("name", ["visibility_timeout", "polling_interval", "busy_timeout"])
@pytest.mark.parametrize("value", [0, -1, "600", None, True, float("nan")])
def test_an_option_that_is_no_positive_number_of_seconds_is_refused(embedded: Broker, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        embedded.connect(**{name: value}).connect()


def test_a_missing_folder_is_an_error_that_names_it(embedded: Broker) -> None:
    missing = Connection(broker_url(embedded.folder / "missing" / "broker.db"))
    with pytest.raises(OperationalError, match="missing"):
        missing.connect()


def test_only_the_owner_may_read_the_files(embedded: Broker) -> None:
    path = embedded.folder / "broker.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    publish(embedded.connect(), embedded.queue(), 1)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in embedded.folder.glob("broker.db*")}
    assert modes == dict.fromkeys(["broker.db", "broker.db-wal", "broker.db-shm", "broker.db-consumers"], 0o600)


def test_a_message_is_on_disk_before_publish_returns(embedded: Broker) -> None:
    publish(embedded.connect(), embedded.queue(), 1)
    assert rows(embedded, "PRAGMA journal_mode") == [("wal",)]
    with embedded.connect().default_channel.file.read() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)


# -- processes


def test_eight_processes_may_start_at_once_on_a_file_that_does_not_exist(embedded: Broker) -> None:
    queue = embedded.queue()
    processes = [embedded.start("publish", queue.name, queue.exchange.name, str(n), "25") for n in range(8)]
    for process in processes:
        said_all = process.communicate(timeout=60)[0].splitlines()
        assert (process.returncode, len(said_all)) == (0, 25)
    got = bodies(receive(embedded.connect(), queue, 200))
    assert sorted(got) == sorted(f"{n}-{i}" for n in range(8) for i in range(25))


def test_messages_outlive_the_processes(embedded: Broker) -> None:
    queue = embedded.queue()
    embedded.start("publish", queue.name, queue.exchange.name, "kept", "10").communicate(timeout=120)
    assert bodies(receive(embedded.connect(), queue, 10)) == [f"kept-{n}" for n in range(10)]


def in_a_fork(work: Any) -> int:
    """The exit status of a forked child that does this work."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_forked_child_may_publish_and_never_touches_its_parents_deliveries(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, "held by the parent")
    [held] = receive(connection, queue, 1)

    def child() -> None:
        publish(connection, queue, "from the child")
        held.channel.close()

    assert in_a_fork(child) == 0
    other = embedded.connect()
    assert bodies(receive(other, queue, 1)) == ["from the child"]
    held.ack()
    connection.release()
    assert rows(embedded, "SELECT count(*) FROM message WHERE lease IS NULL") == [(0,)]
    assert rows(embedded, "PRAGMA integrity_check") == [("ok",)]


def test_a_child_that_outlives_its_parent_goes_on_publishing_into_the_same_file(embedded: Broker) -> None:
    queue = embedded.queue()
    process = embedded.start("outlive", queue.name, queue.exchange.name)
    process.communicate(timeout=120)  # until the child, too, has let go of the pipe
    expected = ["child", "child alone", "parent", "parent after the fork"]
    assert sorted(bodies(receive(embedded.connect(), queue, 4))) == expected
    assert rows(embedded, "PRAGMA integrity_check") == [("ok",)]


def test_forking_while_other_threads_publish_loses_and_damages_nothing(embedded: Broker) -> None:
    queue, stop, sent = embedded.queue(), threading.Event(), [0, 0]
    connections = [embedded.connect(), embedded.connect()]

    def work(slot: int) -> None:
        while not stop.is_set():
            publish(connections[slot], queue, f"thread-{slot}")
            sent[slot] += 1

    threads = [threading.Thread(target=work, args=(slot,)) for slot in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(10):
            with Connection(embedded.url) as mine:
                assert in_a_fork(lambda mine=mine, number=number: publish(mine, queue, f"child-{number}")) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert size(embedded.connect(), queue) == sum(sent) + 10
    assert rows(embedded, "PRAGMA integrity_check") == [("ok",)]


def test_a_killed_consumers_messages_come_back_long_before_the_visibility_timeout(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, 1, 2, 3)
    for deliveries in (1, 2):
        holder = embedded.start("hold", queue.name, queue.exchange.name, "3")
        said(holder, "holding")
        holder.kill()
        holder.wait()
        assert rows(embedded, "SELECT DISTINCT deliveries FROM message") == [(deliveries,)]
    messages = receive(connection, queue, 3, seconds=5)
    assert bodies(messages) == [1, 2, 3]
    assert [message.headers["x-delivery-count"] for message in messages] == [2, 2, 2]


def test_a_living_consumer_keeps_its_messages_from_others(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, 1)
    said(embedded.start("hold", queue.name, queue.exchange.name, "1"), "holding")
    with connection.Consumer([queue], on_message=lambda message: pytest.fail("taken from a living consumer")):
        for _ in range(5):
            drained(connection, 0.5)


def test_after_the_visibility_timeout_it_goes_to_another_and_a_late_acknowledgement_changes_nothing(
    embedded: Broker,
) -> None:
    queue, slow = embedded.queue(), embedded.connect(visibility_timeout=0.3)
    publish(slow, queue, "long work")
    [late] = receive(slow, queue, 1)
    second = embedded.connect()
    [again] = receive(second, queue, 1)
    assert again.delivery_info["redelivered"]
    assert again.headers["x-delivery-count"] == 1
    late.ack()
    slow.release()
    assert rows(embedded, "SELECT count(*) FROM message") == [(1,)]
    again.ack()
    assert rows(embedded, "SELECT count(*) FROM message") == [(0,)]


# -- what it forgets


def test_an_expired_message_is_not_delivered_and_is_removed(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, "short", expiration=0.05)
    publish(connection, queue, "long")
    publish(connection, queue, "very long", expiration=3600)
    eventually(lambda: size(connection, queue) == 2, 5, "the expired message still counts")
    stored = f"SELECT count(*) FROM message WHERE queue = '{queue.name}'"  # noqa: S608
    other = embedded.queue("other")
    eventually(lambda: publish(connection, other, 0) is None and rows(embedded, stored) == [(2,)], 5, "it stays")
    assert bodies(receive(connection, queue, 2)) == ["long", "very long"]


def test_the_time_to_live_of_a_queue_counts_for_its_messages(embedded: Broker) -> None:
    queue, connection = embedded.queue(message_ttl=0.05), embedded.connect()
    publish(connection, queue, 1, 2)
    publish(connection, queue, 3, expiration=3600)
    eventually(lambda: publish(connection, embedded.queue("other"), 0) is None and size(connection, queue) == 0, 5)


def test_an_unused_queue_with_an_expiry_is_removed_and_a_used_one_stays(embedded: Broker) -> None:
    connection = embedded.connect()
    unused, used = embedded.queue("unused", expires=0.3), embedded.queue("used", expires=0.3)
    publish(connection, unused, 1)
    publish(connection, used, 2)
    got: list[Any] = []
    with connection.Consumer([used], channel=connection.channel(), on_message=got.append):
        eventually(lambda: drained(connection) and (unused.name,) not in rows(embedded, "SELECT name FROM queue"), 5)
        assert rows(embedded, "SELECT name FROM queue") == [(used.name,)]
    assert bodies(got) == [2]
    assert rows(embedded, "SELECT DISTINCT queue FROM message") == [(used.name,)]


def test_the_queues_of_a_killed_node_are_removed_with_bindings_and_messages(embedded: Broker) -> None:
    exchange, connection = embedded.exchange("fanout", "fanout"), embedded.connect()
    node = embedded.start("listen", f"{embedded.prefix}-node", exchange.name)
    said(node, "ready")
    assert rows(embedded, "SELECT queue FROM binding") == [(f"{embedded.prefix}-node",)]
    os.kill(node.pid, signal.SIGKILL)
    node.wait()
    producer = connection.Producer()
    producer.publish("to nobody", exchange=exchange, declare=[exchange])
    tables = ("binding", "queue", "queue_user", "message")

    def left() -> int:
        producer.publish("to nobody", exchange=exchange)
        return sum(rows(embedded, f"SELECT count(*) FROM {table}")[0][0] for table in tables)  # noqa: S608

    eventually(lambda: left() == 0, 10, "the dead node's queue stays")


def test_an_exclusive_queue_goes_with_its_channel_and_an_auto_delete_queue_with_its_last_consumer(
    embedded: Broker,
) -> None:
    connection = embedded.connect()
    channel, other = connection.channel(), connection.channel()
    channel.queue_declare("exclusive", exclusive=True)
    channel.queue_declare("waiting for its first consumer", auto_delete=True)
    channel.queue_declare("shared", auto_delete=True)
    channel.basic_consume("shared", True, print, "one")
    other.basic_consume("shared", True, print, "two")
    channel.close()
    names = "SELECT name FROM queue ORDER BY name"
    assert rows(embedded, names) == [("shared",), ("waiting for its first consumer",)]
    other.close()
    assert rows(embedded, names) == [("waiting for its first consumer",)]


def test_the_file_does_not_grow_with_what_was_consumed(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    sizes = []
    for _ in range(4):
        publish(connection, queue, *["x" * 4000] * 300)
        for message in receive(connection, queue, 300):
            message.ack()
        sizes.append(sum(file.stat().st_size for file in embedded.folder.glob("broker.db*")))
    assert sizes[-1] <= sizes[1] * 1.1


def test_after_a_great_backlog_the_space_is_given_back(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, *["x" * 1_500_000] * 10)  # 20 MB as stored

    def pages() -> int:
        return int(rows(embedded, "PRAGMA page_count")[0][0])

    def after_one_more() -> int:
        drained(connection)
        publish(connection, embedded.queue("other"), 0)
        return pages()

    assert pages() > 4000
    connection.channel().queue_purge(queue.name)
    eventually(lambda: after_one_more() < 3000, 15, "the file stays large")


def test_nothing_of_an_acknowledged_message_stays_in_the_file(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, *[f"canary-{n}" * 200 for n in range(50)], content_encoding="utf-8")
    for message in receive(connection, queue, 50):
        message.ack()
    connection.release()
    with closing(sqlite3.connect(embedded.folder / "broker.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    coded = b"Y2FuYXJ5L"  # "canary-" in base64, as bodies are stored
    assert coded not in (embedded.folder / "broker.db").read_bytes()


# -- exchanges and queues as AMQP has them


def test_a_publisher_that_declared_nothing_reaches_the_right_queues(embedded: Broker) -> None:
    exchange = embedded.exchange("topic", "topic")
    queue = embedded.queue("doses", exchange, key="dose.#")
    queue(embedded.connect().default_channel).declare()
    embedded.connect().Producer().publish("x", exchange=exchange.name, routing_key="dose.recorded")
    embedded.connect().Producer().publish("y", exchange=exchange.name, routing_key="person.moved")
    assert bodies(receive(embedded.connect(), queue, 1)) == ["x"]


def test_passive_declarations_and_contradictions_are_channel_errors(embedded: Broker) -> None:
    channel = embedded.connect().channel()
    channel.exchange_declare("e", "topic")
    channel.queue_declare("q")
    assert channel.queue_declare("q", passive=True).queue == "q"
    channel.exchange_declare("e", passive=True)
    for wrong in (
        lambda: channel.queue_declare("missing", passive=True),
        lambda: channel.exchange_declare("missing", passive=True),
        lambda: channel.exchange_declare("e", "fanout"),
        lambda: channel.exchange_declare("h", "headers"),
    ):
        with pytest.raises(ChannelError):
            wrong()


def test_an_unbound_queue_gets_nothing_more(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, 1)
    queue(connection.default_channel).unbind_from(queue.exchange, queue.routing_key)
    connection.Producer().publish(2, exchange=queue.exchange, routing_key=queue.routing_key)
    assert size(connection, queue) == 1
    assert connection.default_channel.list_bindings() == []


def test_a_queue_in_use_or_with_messages_is_not_deleted_when_so_asked(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, 1)
    channel = connection.channel()
    channel.queue_delete(queue.name, if_empty=True)
    assert size(connection, queue) == 1
    channel.queue_declare("mine", exclusive=True)
    channel.queue_delete("mine", if_unused=True)
    assert channel.queue_declare("mine", passive=True)
    channel.exchange_delete(queue.exchange.name, if_unused=True)
    assert channel.get_exchanges() == [queue.exchange.name]
    channel.exchange_delete(queue.exchange.name)
    assert (channel.get_exchanges(), channel.list_bindings()) == ([], [])


def test_a_no_ack_get_removes_the_message(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, 1, 2)
    bound: Queue = queue(connection.default_channel)
    assert bound.get(no_ack=True).payload == 1
    assert bound.get(no_ack=False).payload == 2
    connection.release()
    assert size(embedded.connect(), queue) == 1
