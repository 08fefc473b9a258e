"""`sertilink bench`: tiny runs, on real processes. How fast they are is never asserted."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import psycopg
import pytest
from click.testing import CliRunner, Result
from twilio.request_validator import RequestValidator

from notifier.cli import cli
from notifier.commands.console import Console
from notifier.core.states import Lane, State
from notifier.messages.claim import claim
from notifier.messages.send import Sender
from notifier.proof.bench import BENCHES, Row, people
from notifier.proof.bench.figures import middle_rate, quantile, whole_rate
from notifier.proof.bench.processes import Process
from notifier.proof.bench.provider import Provider
from notifier.proof.bench.receipts import ReceiptSender
from notifier.proof.ports import free_port
from notifier.services import Services
from notifier.store import bench_rows
from tests.databases import SERVER
from tests.fakes import FakeGateway
from tests.polling import eventually
from tests.requirements import require

RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"
#: the least that each can be run with
TINY = {
    "intake": ["--size", "40"],
    "claim": ["--size", "300"],
    "dispatch": ["--size", "50", "--workers", "1"],
    "lanes": ["--size", "50", "--workers", "1"],
    "link": ["--size", "20"],
    "pdf": ["--size", "2"],
    "staff": ["--size", "40"],
    "support": ["--size", "100", "--workers", "1"],
    "token": ["--size", "50"],
}
Bench = Callable[..., Result]


@pytest.fixture
def bench() -> Bench:
    """`bench("token", "--size", "50")`, as somebody types it."""

    def invoke(*arguments: str, environ: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(cli, ["bench", *arguments], obj=Console(environ=environ or {}), prog_name="sertilink")

    return invoke


def report_of(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def cases(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["case"]: row for row in report["rows"]}


def check_shape(report: dict[str, Any], name: str) -> None:
    """The contract's JSON, with a value in every row, and a ratio wherever there is a floor."""
    assert report["name"] == name
    assert report["rows"]
    for row in report["rows"]:
        assert set(row) == {"case", "value", "unit", "floor", "ratio"}
        assert row["value"] > 0, row
        assert row["unit"]
        assert (row["floor"] is None) == (row["ratio"] is None)
        assert row["floor"] is None or (row["floor"] > 0 and row["ratio"] > 0), row
    assert report["machine"]["cores"] >= 1
    assert socket.gethostname() not in json.dumps(report)


def test_every_bench_of_the_contract_exists() -> None:
    assert set(BENCHES) >= {"intake", "claim", "dispatch", "link", "pdf", "token"}
    assert set(TINY) == set(BENCHES)


@pytest.mark.parametrize("name", BENCHES)
def test_a_tiny_run_needs_nothing_but_this_machine(bench: Bench, name: str) -> None:
    report = report_of(bench(name, *TINY[name], "--json"))
    check_shape(report, name)
    if name == "dispatch":
        beside = [case for case, row in cases(report).items() if case.startswith("handed over") and row["floor"]]
        assert len(beside) == 4, "beside a bare client, one task a message, tasks that do nothing; with receipts"


@pytest.mark.parametrize("name", ["intake", "claim", "dispatch"])
def test_a_tiny_run_on_servers(bench: Bench, name: str) -> None:
    require("postgres")
    require("rabbitmq")
    report = report_of(bench(name, *TINY[name], "--database", SERVER, "--broker", RABBITMQ, "--json"))
    check_shape(report, name)
    assert report["machine"]["database"].startswith("PostgreSQL")
    assert report["machine"]["broker"].startswith("RabbitMQ")
    assert not databases_left(), "a database was left behind"


def databases_left() -> list[str]:
    """The databases that benches of this process made; others may run some on the same server."""
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as conn:
        own = f"sertilink_bench_{os.getpid()}_%"
        return [name for (name,) in conn.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (own,))]


def test_a_bench_that_fails_drops_its_database_and_says_why(bench: Bench) -> None:
    require("postgres")
    result = bench("lanes", "--database", SERVER, "--size", "1", "--broker", "amqp://127.0.0.1:1//")
    assert result.exit_code == 1
    assert "SERTILINK_BROKER_URL" in result.output
    assert not databases_left()


def test_a_setting_that_does_not_exist_is_refused(bench: Bench) -> None:
    result = bench("claim", "--set", "FLUX_COMPENSATOR=on")
    assert result.exit_code == 1
    assert "SERTILINK_FLUX_COMPENSATOR" in result.output


def test_settings_of_this_installation_do_not_reach_a_bench(bench: Bench) -> None:
    foreign = {"SERTILINK_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/theirs", "SERTILINK_LINK_KEYS": "x"}
    check_shape(report_of(bench("claim", "--size", "300", "--json", environ=foreign)), "claim")


def test_dispatch_can_be_cut_down_to_messages_that_fall_due_one_after_another(bench: Bench) -> None:
    report = report_of(bench("dispatch", "--size", "50", "--workers", "1", "--part", "arrivals", "--json"))
    found = cases(report)
    assert found["due to handed over: p99"]["value"] >= found["due to handed over: median"]["value"]
    assert 20 < found["largest worker process: most"]["value"] < 1_000
    assert not any("one task a message" in case or "receipts" in case for case in found)


def test_the_table_for_people_has_every_row(bench: Bench) -> None:
    result = bench("token", "--size", "10")
    assert result.exit_code == 0, result.output
    assert "refuse a forged token" in result.output
    assert "cores: " in result.output


def test_a_ratio_is_the_value_over_its_floor() -> None:
    assert Row("a", 3.0, "ms", 2.0).ratio == 1.5
    assert Row("a", 3.0, "ms").ratio is None


def test_a_quantile_is_a_value_that_was_measured() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert quantile(values, 0.5) == 3.0
    assert quantile(values, 0.99) == 5.0
    assert quantile([], 0.5) == 0.0


def test_the_middle_of_a_run_leaves_a_slow_start_and_end_out() -> None:
    steady = [10 + place / 100 for place in range(80)]
    assert middle_rate([0.0] * 10 + steady + [99.0] * 10) == pytest.approx(100, rel=0.3)
    assert middle_rate([1.0]) == 0.0


def test_what_came_with_the_first_moment_does_not_count() -> None:
    assert whole_rate([1.0, 1.0, 1.0, 2.0, 3.0]) == 1.0
    assert whole_rate([1.0, 1.0]) == 0.0


def test_made_up_people_pass_the_real_decision_and_are_sent(
    services: Services, gateway: FakeGateway, clock: Any
) -> None:
    made = people.waiting(services, 7)
    due = clock.now()
    with services.db.write() as conn:
        bench_rows.fall_due(conn, [one.notification_id for one in made], due, None)
    Sender(services).send_batch(100)
    assert len(gateway.sent) == 7
    assert len({sms.to for sms in gateway.sent}) == 7
    with services.db.read() as conn:
        handed = bench_rows.handed_over(conn, Lane.NORMAL)
        assert bench_rows.count_handed_over(conn, Lane.NORMAL) == 7
        assert bench_rows.count_handed_over(conn, Lane.BULK) == 0
    assert [one.due_at for one in handed] == [due] * 7


def test_messages_fall_due_one_after_another(services: Services, clock: Any) -> None:
    made = people.waiting(services, 4)
    start = clock.now()
    with services.db.write() as conn:
        bench_rows.fall_due(conn, [one.notification_id for one in made], start, 2.0)
    clock.tick(seconds=0.6)
    assert len(claim(services, 10).rows) == 2


def test_filled_rows_can_be_claimed(each_services: Services) -> None:
    services = each_services
    made = people.waiting(services, 1)[0]
    with services.db.write() as conn:
        person_id = bench_rows.person_of(conn, made.notification_id)
        bench_rows.fill(conn, person_id, first=0, count=30, due_at=services.clock.now())
        bench_rows.fill(conn, person_id, first=30, count=20, due_at=services.clock.now())
        assert bench_rows.bare_select(conn, 100, services.clock.now()) == 45
    rows = claim(services, 100).rows
    assert len({row.id for row in rows}) == 50
    assert {row.status for row in rows} == {State.CLAIMED.value}


def test_copied_rows_are_the_same_rows(each_services: Services, tmp_path: Path) -> None:
    people.record_fresh(each_services, 0, run="copy")
    with each_services.db.read() as conn:
        (batch,) = bench_rows.copied_batches(conn, 500)
    assert {name: len(rows) for name, (_, rows) in batch.items()} == {
        "person": 1,
        "person_word": 2,
        "event": 1,
        "dose": 1,
        "certificate": 1,
        "link": 1,
        "notification": 1,
        "audit": 1,
    }


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


class _Wire(asyncio.Transport):
    """Remembers what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def is_closing(self) -> bool:
        return False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))


def test_the_provider_answers_after_its_delay_with_a_fresh_sid(loop: asyncio.AbstractEventLoop) -> None:
    wire = _Wire()

    async def post_two() -> float:
        provider = Provider(0.05, None)
        begun = time.monotonic()
        provider.take(wire, b"To=%2B628123&Body=one")
        provider.take(wire, b"To=%2B628124&Body=two")
        while len(wire.written) < 2:
            await asyncio.sleep(0.005)
        listed = json.loads(provider.listed("To=%2B628124"))
        assert [message["body"] for message in listed["messages"]] == ["two"]
        return time.monotonic() - begun

    assert loop.run_until_complete(post_two()) >= 0.05
    sids = [json.loads(answer.partition(b"\r\n\r\n")[2])["sid"] for answer in wire.written]
    assert len(set(sids)) == 2
    assert all(len(sid) == 34 for sid in sids)


def test_the_provider_signs_receipts_as_twilio_does(loop: asyncio.AbstractEventLoop) -> None:
    """A server of the test's own hears them."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        heard.append(head + await reader.readexactly(length))
        writer.write(b"HTTP/1.1 204 NO CONTENT\r\n\r\n")
        await writer.drain()
        writer.close()

    async def send_one() -> str:
        server = await asyncio.start_server(hear, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/twilio/status/abc"
        sender = ReceiptSender("token")
        sender.send("SM1", f"To=%2B628123&StatusCallback={url}".encode())
        while not sender.answered:
            await asyncio.sleep(0.005)
        server.close()
        return url

    url = loop.run_until_complete(asyncio.wait_for(send_one(), 10))
    head, _, body = heard[0].partition(b"\r\n\r\n")
    signature = next(
        line.partition(b": ")[2] for line in head.split(b"\r\n") if line.startswith(b"X-Twilio-Signature")
    ).decode()
    form = dict(parse_qsl(body.decode()))
    assert RequestValidator("token").validate(url, form, signature)
    assert (form["MessageSid"], form["MessageStatus"]) == ("SM1", "delivered")


def test_the_provider_is_a_process_that_can_be_asked(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "notifier.proof.bench.provider", "--port", str(port), "--delay", "0.01"]
    process = Process("provider", command, environ={"PYTHONPATH": str(Path(__file__).parents[2])}, folder=tmp_path)
    try:
        eventually(lambda: answers(port), 20)
        line = HTTPConnection("127.0.0.1", port, timeout=10)
        line.request("POST", "/2010-04-01/Accounts/AC/Messages.json", "To=%2B628123&Body=hello")
        assert line.getresponse().status == 201
        line.close()
        line.request("GET", "/_bench/stats")
        assert json.load(line.getresponse())["accepted"] == 1
        line.close()
    finally:
        process.stop()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
