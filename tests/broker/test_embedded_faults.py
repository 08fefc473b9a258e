"""What the embedded broker survives: a lasting lock, a full disk, a file that is gone, replaced or not ours."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from kombu.exceptions import OperationalError

from tests.broker.conftest import Broker, lines, publish, receive, rows
from tests.broker.test_contract import bodies, pings, start_worker
from tests.polling import eventually


def test_a_lock_that_lasts_is_a_recoverable_error_and_nothing_is_written(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect(busy_timeout=0.2)
    publish(connection, queue, 1)
    with closing(sqlite3.connect(embedded.folder / "broker.db", isolation_level=None)) as blocker:
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked") as caught:
            publish(connection, queue, 2)
        assert isinstance(caught.value, connection.recoverable_connection_errors)
        blocker.execute("ROLLBACK")
    publish(connection, queue, 3)
    assert bodies(receive(connection, queue, 2)) == [1, 3]


def test_a_deleted_file_is_an_error_once_and_then_a_new_file(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, "gone with the file")
    (embedded.folder / "broker.db").unlink()  # its -wal and -shm stay behind
    with pytest.raises(OperationalError, match="deleted or replaced"):
        publish(connection, queue, "refused")
    publish(connection, queue, "new")
    connection.release()
    assert bodies(receive(embedded.connect(), queue, 1)) == ["new"]
    assert rows(embedded, "PRAGMA integrity_check") == [("ok",)]


def test_a_publisher_with_retry_gets_over_a_replaced_file(embedded: Broker) -> None:
    queue, connection = embedded.queue(), embedded.connect()
    producer = connection.Producer()
    for body in ("gone", "kept"):
        producer.publish(body, exchange=queue.exchange, routing_key=queue.routing_key, declare=[queue], retry=True)
        if body == "gone":
            for file in embedded.folder.glob("broker.db*"):
                file.unlink()
    assert bodies(receive(embedded.connect(), queue, 1)) == ["kept"]


def test_one_process_closing_a_deleted_file_does_not_harm_the_new_one(embedded: Broker) -> None:
    queue, old = embedded.queue(), embedded.connect()
    publish(old, queue, "old")
    (embedded.folder / "broker.db").unlink()
    embedded.start("publish", queue.name, queue.exchange.name, "new", "5").communicate(timeout=120)
    with pytest.raises(OperationalError):
        publish(old, queue, "refused")
    old.release()
    assert bodies(receive(embedded.connect(), queue, 5)) == [f"new-{n}" for n in range(5)]
    assert rows(embedded, "PRAGMA integrity_check") == [("ok",)]


def test_a_full_disk_is_an_error_and_publishing_goes_on_when_there_is_room(embedded: Broker) -> None:
    queue = embedded.queue()
    process = embedded.start("full", queue.name, queue.exchange.name)
    refused, published = process.communicate(timeout=60)[0].splitlines()
    assert refused == "refused: BrokerUnavailable"
    messages = bodies(receive(embedded.connect(), queue, int(published)))
    assert (messages[0], messages[-1], len(messages)) == ("first", "last", int(published))
    assert rows(embedded, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("content", [b"this is no database, whatever its name says" * 100, None])
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_is(embedded: Broker, content: bytes | None) -> None:
    path = embedded.folder / "broker.db"
    if content is None:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 7")
        content = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(OperationalError, match=r"not a database|format 7"):
        embedded.connect().connect()
    assert path.read_bytes() == content


def test_deliveries_in_hand_are_never_dumped_to_a_temporary_file(
    embedded: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumps = embedded.folder / "temporary"
    dumps.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(dumps))
    queue, connection = embedded.queue(), embedded.connect()
    publish(connection, queue, "somebody's name")
    receive(connection, queue, 1)
    (embedded.folder / "broker.db").unlink()
    connection.release()
    assert list(dumps.iterdir()) == []


def test_a_worker_survives_the_loss_of_its_file(embedded: Broker, tmp_path: Path) -> None:
    worker, app, node = start_worker(embedded, "threads")
    eventually(lambda: pings(app, node), 40, "the worker did not start")
    app.close()
    for file in sorted(embedded.folder.glob("broker.db*"), reverse=True):  # the worker makes a new one at once
        file.unlink(missing_ok=True)

    def answers() -> bool:
        try:
            return pings(app, node)
        except OperationalError:
            return False

    eventually(answers, 40, "the worker did not come back")
    out = tmp_path / "notes.txt"
    app.send_task("note", (str(out), "after"))
    eventually(lambda: lines(out) == ["after"], 20, "the task did not run")
    assert worker.poll() is None
