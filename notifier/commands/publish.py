"""`sertilink event publish`: puts events on the stream's queue, as a registry would."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import click
from kombu import Connection

from notifier import embedded_broker
from notifier.commands.console import Console, fail, json_option, pass_console, print_json
from notifier.settings import Settings
from notifier.stream import publish
from notifier.worker import broker_options

_AT_ONCE = 200
_PATIENCE_S = 5.0
_MAX_LINE = 1_000_001  # the stream refuses what is longer than a megabyte, and says so in its dead letters


@click.group("event")
def event() -> None:
    """Events of the registry's stream."""


@event.command("publish")
@click.argument("file", type=click.File("rb"))
@json_option
@pass_console
def publish_file(console: Console, file: BinaryIO, as_json: bool) -> None:
    """Put each line of FILE (ndjson; - for standard input), or a .json FILE as a whole, on EVENTS_QUEUE.

    Nothing is checked here: what cannot be read ends in the dead letters, as it would coming from a registry.
    """
    settings = console.settings()
    count = 0
    with connect(settings) as connection:
        connection.ensure_connection(max_retries=1, timeout=_PATIENCE_S)
        bodies = _bodies(file)
        while batch := list(islice(bodies, _AT_ONCE)):
            try:
                count += publish(connection, settings, batch)
            except (*connection.connection_errors, *connection.channel_errors) as error:
                fail(f"SERTILINK_BROKER_URL: the broker failed ({type(error).__name__}) after {count} events")
    if not count:
        fail("FILE: there is no event in it [empty-file]")
    if as_json:
        print_json({"published": count, "queue": settings.events_queue})
    else:
        click.echo(f"{count} published to {settings.events_queue}")


def connect(settings: Settings) -> Connection:
    """A connection to the broker, whichever it is, that gives up after a few seconds."""
    embedded_broker.register()
    return Connection(
        settings.broker_url,
        connect_timeout=5,
        transport_options=broker_options(settings.broker_url) | {"max_retries": 1},
    )


def _bodies(file: BinaryIO) -> Iterator[bytes]:
    if Path(str(file.name)).suffix == ".json":
        body = file.read(_MAX_LINE)
        if body.strip():
            yield body
        return
    while line := file.readline(_MAX_LINE):
        if line.strip():
            yield line.rstrip(b"\r\n")
