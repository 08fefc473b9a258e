"""Consumers and publishers that a test can kill: `python -m tests.broker.processes MODE URL OPTIONS ARGUMENTS...`."""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
from contextlib import suppress
from typing import Any

from kombu import Connection, Exchange, Queue
from kombu.exceptions import OperationalError

from notifier.embedded_broker import register


def _say(line: object) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _bound(queue: str, exchange: str, type: str = "direct", **more: Any) -> Queue:
    return Queue(queue, Exchange(exchange, type), routing_key=queue, **more)


def hold(connection: Connection, queue: str, exchange: str, count: str) -> None:
    """Take `count` messages, acknowledge none, say so, and wait to be killed."""
    held: list[Any] = []
    with connection.Consumer([_bound(queue, exchange)], on_message=held.append, prefetch_count=int(count)):
        while True:
            with suppress(socket.timeout):
                connection.drain_events(timeout=0.2)
            if len(held) == int(count):
                _say("holding")
                held.append(None)


def consume(connection: Connection, queue: str, exchange: str, output: str) -> None:
    """Write each body to a file (one flushed line), then acknowledge, for ever."""
    with open(output, "a", buffering=1) as out:

        def on_message(message: Any) -> None:
            out.write(f"{message.decode()}\n")
            message.ack()

        with connection.Consumer([_bound(queue, exchange)], on_message=on_message, prefetch_count=4):
            _say("ready")
            while True:
                with suppress(socket.timeout):
                    connection.drain_events(timeout=1)


def publish(connection: Connection, queue: str, exchange: str, prefix: str, count: str) -> None:
    """Publish `prefix-0` and so on; each is printed once the broker has it."""
    producer = connection.Producer()
    target = _bound(queue, exchange)
    for number in range(int(count)):
        producer.publish(f"{prefix}-{number}", exchange=target.exchange, routing_key=queue, declare=[target])
        _say(f"{prefix}-{number}")


def listen(connection: Connection, queue: str, exchange: str) -> None:
    """A node with its own queue on a fan-out exchange, as a Celery worker's remote control has; wait to be killed."""
    own = _bound(queue, exchange, "fanout", exclusive=True, auto_delete=True)
    with connection.Consumer([own], on_message=_say, no_ack=True):
        _say("ready")
        while True:
            with suppress(socket.timeout):
                connection.drain_events(timeout=1)


def outlive(connection: Connection, queue: str, exchange: str) -> None:
    """Fork; the child publishes before and after its parent's end (the parent's exit closes the pipe)."""
    producer, target = connection.Producer(), _bound(queue, exchange)
    producer.publish("parent", exchange=target.exchange, routing_key=queue, declare=[target])
    ended, open_end = os.pipe()
    if os.fork():
        producer.publish("parent after the fork", exchange=target.exchange, routing_key=queue)
        return
    os.close(open_end)
    producer.publish("child", exchange=target.exchange, routing_key=queue)
    os.read(ended, 1)
    producer.publish("child alone", exchange=target.exchange, routing_key=queue)
    os._exit(0)


def full(connection: Connection, queue: str, exchange: str) -> None:
    """Publish until the disk is full (here: no file may grow), make room again, and publish on the same connection."""
    producer, target = connection.Producer(), _bound(queue, exchange)
    producer.publish("first", exchange=target.exchange, routing_key=queue, declare=[target])
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
    kept = 0
    try:
        while True:
            producer.publish("x" * 5000, exchange=target.exchange, routing_key=queue)
            kept += 1
    except OperationalError as error:
        _say(f"refused: {type(error).__name__}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    producer.publish("last", exchange=target.exchange, routing_key=queue)
    _say(kept + 2)


def main() -> None:
    mode, url, options, *arguments = sys.argv[1:]
    register()
    with Connection(url, transport_options=json.loads(options)) as connection:
        {f.__name__: f for f in (hold, consume, publish, listen, outlive, full)}[mode](connection, *arguments)


if __name__ == "__main__":
    main()
