"""What every broker we support does: the embedded one, RabbitMQ and Redis pass the same tests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.broker.celery_app import make_app
from tests.broker.conftest import Broker, drained, lines, publish, receive, said, size
from tests.polling import eventually


def bodies(messages: list[Any]) -> list[Any]:
    return [message.decode() for message in messages]


def test_messages_arrive_in_the_order_they_were_published(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    publish(connection, queue, *range(50))
    assert bodies(receive(connection, queue, 50)) == list(range(50))


def test_an_acknowledged_message_never_comes_back(broker: Broker) -> None:
    queue = broker.queue()
    publish(broker.connect(), queue, "done")
    with broker.connect() as first:
        [message] = receive(first, queue, 1)
        message.ack()
    second = broker.connect()
    publish(second, queue, "next")
    assert bodies(receive(second, queue, 1)) == ["next"]


def test_a_rejected_message_is_gone(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    publish(connection, queue, "poison", "good")
    poison, good = receive(connection, queue, 2)
    poison.reject(requeue=False)
    good.ack()
    connection.release()
    assert size(broker.connect(), queue) == 0


def test_a_requeued_message_comes_back_in_its_old_place_and_says_that_it_is_redelivered(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    publish(connection, queue, "a", "b", "c")
    [first] = receive(connection, queue, 1)
    assert first.decode() == "a"
    assert not first.delivery_info.get("redelivered")
    first.requeue()
    again = receive(connection, queue, 3)
    if broker.kind != "redis":  # there Kombu puts it at the end
        assert bodies(again) == ["a", "b", "c"]
    assert [m.decode() for m in again if m.delivery_info.get("redelivered")] == ["a"]


def test_what_a_closed_connection_held_comes_back_at_once(broker: Broker) -> None:
    queue, first = broker.queue(), broker.connect()
    publish(first, queue, *range(5))
    receive(first, queue, 3)
    first.release()
    second = broker.connect()
    eventually(lambda: size(second, queue) == 5, 5, "the messages did not come back")
    assert sorted(bodies(receive(second, queue, 5))) == list(range(5))


def test_kill_minus_nine_of_a_consumer_loses_nothing(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    publish(connection, queue, *range(4))
    holder = broker.start("hold", queue.name, queue.exchange.name, "3")
    said(holder, "holding")
    assert size(connection, queue) == 1
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    messages = receive(connection, queue, 4)
    assert {0, 1, 2} <= {message.decode() for message in messages if message.delivery_info.get("redelivered")}
    assert set(bodies(messages)) == set(range(4))


def test_a_fan_out_exchange_gives_every_queue_its_copy(broker: Broker) -> None:
    exchange = broker.exchange("fanout", "fanout")
    inboxes: list[list[Any]] = [[], []]
    connections = [broker.connect(), broker.connect()]
    for number, (inbox, connection) in enumerate(zip(inboxes, connections, strict=True)):
        queue = broker.queue(f"listener-{number}", exchange, key="")
        connection.Consumer([queue], on_message=inbox.append, no_ack=True).consume()
        drained(connection)  # Redis subscribes when it first waits
    broker.connect().Producer().publish("to all", exchange=exchange, declare=[exchange])
    eventually(lambda: all(map(drained, connections)) and all(inboxes), message="a listener got nothing")
    assert [bodies(inbox) for inbox in inboxes] == [["to all"], ["to all"]]


def test_a_topic_exchange_matches_words(broker: Broker) -> None:
    exchange, connection = broker.exchange("topic", "topic"), broker.connect()
    doses = broker.queue("doses", exchange, key="dose.*")
    doses(connection.default_channel).declare()
    everything = broker.queue("everything", exchange, key="#")
    publish(connection, everything, "declared")
    producer = connection.Producer()
    for key in ("dose.recorded", "dose.recorded.late", "person.moved"):
        producer.publish(key, exchange=exchange, routing_key=key)
    assert bodies(receive(connection, doses, 1)) == ["dose.recorded"]
    assert size(connection, doses) == 0
    assert len(receive(connection, everything, 4)) == 4


def test_a_consumer_never_holds_more_than_its_prefetch_count(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    publish(connection, queue, *range(5))
    held: list[Any] = []
    with connection.Consumer([queue], channel=connection.channel(), on_message=held.append, prefetch_count=2):
        eventually(lambda: drained(connection) and len(held) >= 2)
        drained(connection, 0.5)
        assert bodies(held) == [0, 1]
        held[0].ack()
        eventually(lambda: drained(connection) and len(held) >= 3)
        drained(connection, 0.5)
        assert bodies(held) == [0, 1, 2]


def test_names_from_everywhere_and_big_bodies_survive(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    sent = [{"name": "Siti Nurhaliza binti Ábd 🌺 ﷽ \u0000 \"'"}, "x" * 2_000_000]
    publish(connection, queue, *sent)
    assert bodies(receive(connection, queue, 2)) == sent


def test_raw_bytes_survive(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    raw = bytes(range(256))
    publish(connection, queue, raw, content_type="application/octet-stream", content_encoding="binary")
    [message] = receive(connection, queue, 1)
    assert bytes(message.body) == raw


def test_two_consumers_share_a_queue_and_no_message_goes_to_both(broker: Broker, tmp_path: Path) -> None:
    queue, connection = broker.queue(), broker.connect()
    outputs = [tmp_path / "one.txt", tmp_path / "two.txt"]
    for output in outputs:
        said(broker.start("consume", queue.name, queue.exchange.name, str(output)), "ready")
    sent = 0

    def both_have_had_some() -> bool:
        nonlocal sent
        publish(connection, queue, *range(sent, sent + 50))
        sent += 50
        return all(map(lines, outputs))

    eventually(both_have_had_some, 20, "one consumer gets nothing")
    eventually(lambda: sum(len(lines(output)) for output in outputs) >= sent, 20, "not all were consumed")
    assert sorted(int(line) for output in outputs for line in lines(output)) == list(range(sent))


def test_size_counts_and_purge_removes_what_waits_but_not_what_is_in_hand(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    publish(connection, queue, *range(5))
    assert size(connection, queue) == 5
    [in_hand] = receive(connection, queue, 1)
    eventually(lambda: size(connection, queue) == 4)
    assert connection.channel().queue_purge(queue.name) == 4
    assert size(connection, queue) == 0
    in_hand.requeue()
    eventually(lambda: size(connection, queue) == 1)


def test_a_deleted_queue_takes_its_messages_with_it(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    publish(connection, queue, 1, 2)
    queue(connection.channel()).delete()
    queue(connection.channel()).declare()
    assert size(connection, queue) == 0


def test_get_on_an_empty_queue_is_nothing_and_waiting_ends_with_a_timeout(broker: Broker) -> None:
    queue, connection = broker.queue(), broker.connect()
    queue(connection.channel()).declare()
    assert queue(connection.default_channel).get() is None
    with connection.Consumer([queue], on_message=print), pytest.raises(socket.timeout):
        connection.drain_events(timeout=0.1)


def start_worker(broker: Broker, pool: str) -> tuple[subprocess.Popen[str], Any, str]:
    node = f"{broker.prefix}-{pool}@localhost"
    description = {"url": broker.url, "options": broker.options, "prefix": broker.prefix}
    broker.made.append(f"{broker.prefix}-celery")
    command = [sys.executable, "-m", "celery", "-A", "tests.broker.celery_app", "worker"]
    command += ["-P", pool, "-c", "2", "-n", node, "--without-gossip", "--without-mingle", "-l", "WARNING"]
    worker = broker.run(command, SERTILINK_TEST_CELERY=json.dumps(description))
    app = make_app(**description)
    broker.cleanup.callback(app.close)
    return worker, app, node


def pings(app: Any, node: str) -> bool:
    answers = app.control.inspect(destination=[node], timeout=1.0).ping()
    return bool(answers and answers.get(node) == {"ok": "pong"})


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_real_celery_worker_answers_ping_runs_tasks_and_stops(broker: Broker, tmp_path: Path, pool: str) -> None:
    worker, app, node = start_worker(broker, pool)
    eventually(lambda: pings(app, node), 40, "the worker did not answer")
    out = tmp_path / "notes.txt"
    for number in range(20):
        app.send_task("note", (str(out), str(number)))
    eventually(lambda: len(lines(out)) >= 20, 20, "the tasks did not run")
    assert sorted(map(int, lines(out))) == list(range(20))
    eventually(lambda: pings(app, node), 20, "the worker did not answer any more")
    worker.terminate()
    assert worker.wait(120) == 0
