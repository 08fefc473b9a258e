"""The stream outlives its servers' absence, and its own end, without losing an event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from tests.installation import PAIRS, Installation, an_installation, body_of
from tests.polling import eventually
from tests.stream.registry import AT_ONCE, Registry
from tests.tcp_proxy import TcpProxy

COUNT = 400
CUTS = 4


@contextmanager
def proxied(url: str) -> Iterator[tuple[str, TcpProxy]]:
    """A URL of the same server through a proxy."""
    port = urlsplit(url).port
    assert port is not None
    with TcpProxy(port) as proxy:
        yield url.replace(f":{port}", f":{proxy.port}"), proxy


def all_is_there_once(installation: Installation, count: int) -> None:
    eventually(lambda: installation.recorded() >= count, 25, "events are missing")
    assert installation.outcomes() == {"planned": count}
    assert installation.dead_letters() == 0
    eventually(lambda: installation.waiting() == 0, 10, "messages stay on the queue")


@pytest.mark.parametrize("pair", ["postgres+rabbitmq", "postgres+redis"])
def test_broken_broker_connections_lose_no_event(pair: str, tmp_path: Path) -> None:
    with (
        an_installation(pair, tmp_path, LEASE_SECONDS="2") as installation,
        proxied(installation.settings.broker_url) as (broker_url, proxy),
    ):
        registry = Registry(installation, COUNT)
        registry.start()
        stream = installation.start("stream", BROKER_URL=broker_url)
        for _ in range(CUTS):
            aim = installation.recorded() + AT_ONCE // 2
            eventually(lambda: installation.recorded() >= aim, 20, "the stream did not come back")  # noqa: B023
            eventually(lambda: cut_one(proxy), 20, "nothing was connected")
        all_is_there_once(installation, registry.end())
        assert stream.poll() is None


def cut_one(proxy: TcpProxy) -> bool:
    """Whether something was connected. What the last cut left to be recorded may have reached the aim alone."""
    cut = proxy.cut()
    proxy.mend()
    return bool(cut)


@contextmanager
def database_away(installation: Installation, proxy: TcpProxy | None) -> Iterator[None]:
    """Cut off, or without its table where it is a file."""
    if proxy is not None:
        assert proxy.cut()
        yield
        proxy.mend()
        return
    with installation.services.db.write() as conn:
        conn.execute(sa.text("ALTER TABLE event RENAME TO event_away"))
    yield
    with installation.services.db.write() as conn:
        conn.execute(sa.text("ALTER TABLE event_away RENAME TO event"))


@pytest.mark.parametrize("pair", PAIRS)
def test_a_database_that_is_away_for_a_while_loses_no_event(pair: str, tmp_path: Path) -> None:
    with an_installation(pair, tmp_path) as installation:
        database_url = installation.settings.database_url
        if database_url.startswith("sqlite"):
            outage(installation, database_url, None)
        else:
            with proxied(database_url) as (through, proxy):
                outage(installation, through, proxy)


def outage(installation: Installation, database_url: str, proxy: TcpProxy | None) -> None:
    installation.publish(*map(body_of, range(AT_ONCE)))
    stream = installation.start("stream", DATABASE_URL=database_url)
    eventually(lambda: installation.recorded() == AT_ONCE, 20, "the stream does not record")
    with database_away(installation, proxy):
        installation.publish(*map(body_of, range(AT_ONCE, COUNT)))
        eventually(lambda: installation.log().count("events not recorded yet") >= 3, 20, "it did not try again")
    all_is_there_once(installation, COUNT)
    assert stream.poll() is None


@pytest.mark.parametrize("pair", PAIRS)
def test_a_stream_that_is_told_to_end_gives_back_what_it_had(pair: str, tmp_path: Path) -> None:
    with an_installation(pair, tmp_path, LEASE_SECONDS="3600") as installation:
        registry = Registry(installation, COUNT)
        registry.start()
        for ending in range(3):
            aim = installation.recorded() + AT_ONCE // 2 + ending
            stream = installation.start("stream")
            eventually(lambda: installation.recorded() >= aim, 20, "the stream does not go on")  # noqa: B023
            installation.end(stream)
        count = registry.end()
        installation.start("stream")
        all_is_there_once(installation, count)
