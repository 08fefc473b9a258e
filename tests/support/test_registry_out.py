"""The registry is told of what was changed here: at least once, in ids and names of fields, whoever dies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from kombu import Connection
from pydantic import SecretStr

from notifier.core.states import RegistryEvent
from notifier.faults import KILL, FaultPoint, arm
from notifier.gateways.registry import RegistryMessage, Told, sign
from notifier.gateways.registry import Webhook as PostTo
from notifier.intake.record import Recorded
from notifier.messages.upkeep import tick
from notifier.services import Services
from notifier.settings import Settings
from notifier.store import registry_outbox
from notifier.store.tables import registry_outbox as outbox
from notifier.support import corrections, registry_out
from notifier.support.corrections import Checked, CheckedHow
from notifier.support.dose_on_file import look
from notifier.support.privacy.erase import erase
from notifier.worker import broker_options, create_app
from tests.conftest import ROOT, Build
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.requirements import require
from tests.support.registry_side import SECRET, Webhook, connection, read_all

RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"
CANARIES = ("Siti", "Aminah", "Sulastri", "3174031002890009", "81234567890", "1989-02-10")


def nowhere() -> Connection:
    raise AssertionError("no broker is asked")


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as one:
        yield one


@pytest.fixture
def told_by_webhook(build_services: Build, webhook: Webhook) -> Services:
    return build_services(registry_webhook_url=webhook.url, registry_webhook_secret=(SecretStr(SECRET),))


def correct(desk: Desk, recorded: Recorded, **changes: Any) -> None:
    """Somebody of staff corrects a dose or its person."""
    reference = desk.row(recorded.reference).reference
    held = look(desk.services, reference, only_facility=None)
    corrections.correct(
        desk.services,
        reference,
        changes,
        revision=held.revision,
        checked=Checked(CheckedHow.ID_CARD),
        only_facility=None,
        actor="staff:test",
    )


def rows(services: Services) -> list[Any]:
    with services.db.read() as conn:
        return list(conn.execute(sa.select(outbox).order_by(outbox.c.created_at, outbox.c.id)))


def test_a_corrected_name_is_told_without_the_name(told_by_webhook: Services, webhook: Webhook) -> None:
    desk = Desk(told_by_webhook)
    recorded = desk.record()
    correct(desk, recorded, name="Sulastri", lot="LOT-8")
    assert tick(told_by_webhook).registry
    assert not registry_out.run(told_by_webhook, nowhere)
    # in any order: both were left in one moment
    assert sorted((one["event_type"], one["dose_ids"], one["changed"]) for one in webhook.events) == [
        ("dose.corrected", ["dose-1"], ["lot"]),
        ("person.corrected", ["dose-1"], ["name"]),
    ]
    assert set(webhook.events[0]) == {"event_id", "event_type", "occurred_at", "dose_ids", "changed"}
    said = b"".join(body for _, body in webhook.seen).decode() + json.dumps([head for head, _ in webhook.seen])
    assert [canary for canary in CANARIES if canary in said] == []
    assert all(row.done_at and row.posted_at for row in rows(told_by_webhook))


def test_a_withdrawn_dose_is_told(told_by_webhook: Services, webhook: Webhook) -> None:
    desk = Desk(told_by_webhook)
    reference = desk.row(desk.record().reference).reference
    revision = look(told_by_webhook, reference, only_facility=None).revision
    corrections.withdraw(
        told_by_webhook, reference, revision=revision, reason="typed twice", only_facility=None, actor="staff:test"
    )
    registry_out.run(told_by_webhook, nowhere)
    assert [(one["event_type"], one["dose_ids"]) for one in webhook.events] == [("dose.withdrawn", ["dose-1"])]


def test_what_the_registry_itself_sent_is_not_told_back(told_by_webhook: Services, webhook: Webhook) -> None:
    desk = Desk(told_by_webhook)
    desk.record()
    desk.record(event_id="event-2", event_type="corrected", person={"name": "Sulastri"})
    assert rows(told_by_webhook) == []


def test_a_correction_that_fails_tells_nothing(told_by_webhook: Services) -> None:
    desk = Desk(told_by_webhook)
    recorded = desk.record()
    with pytest.raises(corrections.BadInput):
        correct(desk, recorded, name="Siti Aminah")
    assert rows(told_by_webhook) == []


def test_the_signature_is_the_one_of_standard_webhooks(told_by_webhook: Services, webhook: Webhook) -> None:
    desk = Desk(told_by_webhook)
    correct(desk, desk.record(), name="Sulastri")
    registry_out.run(told_by_webhook, nowhere)
    head, body = webhook.seen[0]
    said = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(SECRET.encode(), said, hashlib.sha256)).decode()
    assert head["webhook-signature"] == f"v1,{expected}"
    assert head["webhook-id"] == json.loads(body)["event_id"] == rows(told_by_webhook)[0].id


def test_the_signature_agrees_with_the_published_example(clock: FakeClock) -> None:
    """The example of the specification (standardwebhooks, spec/standard-webhooks.md)."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    head = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert head["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert head["webhook-timestamp"] == "1614265330"


def test_while_a_secret_is_changed_both_sign(clock: FakeClock) -> None:
    head = sign(["one-" * 8, "two-" * 8], "id", clock.now(), b"{}")
    assert len(head["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_what_is_not_taken_is_tried_again_later_each_time(
    told_by_webhook: Services, webhook: Webhook, clock: FakeClock, status: int
) -> None:
    desk = Desk(told_by_webhook)
    correct(desk, desk.record(), name="Sulastri")
    webhook.answers = [status]
    waits = []
    for _ in range(4):
        registry_out.run(told_by_webhook, nowhere)
        (row,) = rows(told_by_webhook)
        assert (row.done_at, row.problem) == (None, f"http-{status}")
        waits.append(row.due_at - clock.now())
        assert not tick(told_by_webhook).registry
        clock.set(row.due_at)
    assert waits == [timedelta(seconds=10 * 2**place) for place in range(4)]
    webhook.answers = [200]
    registry_out.run(told_by_webhook, nowhere)
    assert rows(told_by_webhook)[0].done_at is not None
    assert len({one["event_id"] for one in webhook.events}) == 1


def test_an_operator_hears_once_of_what_waits_for_hours(
    told_by_webhook: Services, webhook: Webhook, clock: FakeClock
) -> None:
    desk = Desk(told_by_webhook)
    correct(desk, desk.record(), name="Sulastri")
    webhook.answers = [503]
    clock.tick(hours=7)
    for _ in range(3):
        registry_out.run(told_by_webhook, nowhere)
        clock.tick(hours=2)
    (row,) = rows(told_by_webhook)
    assert desk.audit(row.id) == ["registry.not-told"]
    webhook.answers = [200]
    registry_out.run(told_by_webhook, nowhere)
    with told_by_webhook.db.read() as conn:
        assert registry_outbox.in_trouble(conn, 10) == []


@pytest.mark.parametrize("status", [400, 401, 404, 410, 302])
def test_what_the_registry_refuses_goes_to_the_operators_at_once_and_is_not_tried_again(
    told_by_webhook: Services, webhook: Webhook, clock: FakeClock, status: int
) -> None:
    desk = Desk(told_by_webhook)
    correct(desk, desk.record(), name="Sulastri")
    webhook.answers = [status]
    registry_out.run(told_by_webhook, nowhere)
    clock.tick(hours=30)
    assert not tick(told_by_webhook).registry
    registry_out.run(told_by_webhook, nowhere)
    assert len(webhook.seen) == 1  # no redirect was followed either
    (row,) = rows(told_by_webhook)
    assert desk.audit(row.id) == ["registry.not-told"]
    with told_by_webhook.db.write() as conn:
        assert [one.id for one in registry_outbox.in_trouble(conn, 10)] == [row.id]
        assert registry_outbox.again(conn, [row.id], clock.now()) == [row.id]
    webhook.answers = [200]
    registry_out.run(told_by_webhook, nowhere)
    assert rows(told_by_webhook)[0].done_at is not None


def test_one_that_is_refused_keeps_no_other_waiting(told_by_webhook: Services, webhook: Webhook) -> None:
    desk = Desk(told_by_webhook)
    correct(desk, desk.record(), name="Sulastri", lot="LOT-8")
    webhook.answers = [400, 200]
    registry_out.run(told_by_webhook, nowhere)
    assert sorted(row.done_at is None for row in rows(told_by_webhook)) == [False, True]


def test_where_nobody_answers_the_rest_is_not_tried_in_vain(build_services: Build, clock: FakeClock) -> None:
    services = build_services(registry_webhook_url="http://127.0.0.1:1", registry_webhook_secret=(SecretStr(SECRET),))
    desk = Desk(services)
    correct(desk, desk.record(), name="Sulastri", lot="LOT-8")
    registry_out.run(services, nowhere)
    assert [(row.problem, row.attempts, row.done_at) for row in rows(services)] == [("no-connection", 1, None)] * 2


def test_where_no_way_is_set_nothing_is_kept_to_be_told(services: Services) -> None:
    desk = Desk(services)
    correct(desk, desk.record(), name="Sulastri")
    registry_out.run(services, nowhere)
    assert all(row.done_at for row in rows(services))


def test_two_changes_before_the_first_is_told_are_one_event(each_services: Services, clock: FakeClock) -> None:
    desk = Desk(each_services)
    recorded = desk.record()
    correct(desk, recorded, name="Sulastri")
    clock.tick(seconds=1)
    correct(desk, recorded, birth_date="1989-02-11")
    assert [row.fields for row in rows(each_services)] == [["birth_date", "name"]]
    with each_services.db.write() as conn:
        (taken,) = registry_outbox.take(conn, clock.now(), 5)
        assert registry_outbox.take(conn, clock.now(), 5) == []
        registry_outbox.add(conn, RegistryEvent.PERSON_CORRECTED, taken.subject_id, clock.now(), fields=["nik"])
    assert [row.fields for row in rows(each_services)] == [["birth_date", "name"], ["nik"]]


def test_an_erased_person_is_told_of_no_more(told_by_webhook: Services, webhook: Webhook) -> None:
    desk = Desk(told_by_webhook)
    recorded = desk.record()
    correct(desk, recorded, name="Sulastri")
    erase(told_by_webhook, desk.row(recorded.reference).person_id, reason="asked for it", actor="test")
    registry_out.run(told_by_webhook, nowhere)
    assert (rows(told_by_webhook), webhook.seen) == ([], [])


def test_the_queue_of_the_embedded_broker_has_the_event(build_services: Build, tmp_path: Path) -> None:
    url = f"sertilink-sqlite:///{tmp_path}/broker.db"
    services = build_services(broker_url=url, registry_queue="registry")
    desk = Desk(services)
    correct(desk, desk.record(), name="Sulastri")
    app = create_app(services.settings, lambda _settings: services)
    try:
        assert not registry_out.run(services, app.connection_for_write)
    finally:
        app.close()
    assert [one["event_type"] for one in read_all(connection(url), "registry")] == ["person.corrected"]
    assert all(row.queued_at and row.done_at for row in rows(services))


def test_a_broker_that_is_away_loses_nothing_and_the_webhook_is_told_meanwhile(
    build_services: Build, webhook: Webhook, clock: FakeClock, tmp_path: Path
) -> None:
    services = build_services(
        registry_queue="registry", registry_webhook_url=webhook.url, registry_webhook_secret=(SecretStr(SECRET),)
    )
    desk = Desk(services)
    correct(desk, desk.record(), name="Sulastri")

    def broken() -> Connection:
        raise OSError

    registry_out.run(services, broken)
    (row,) = rows(services)
    assert (row.queued_at, row.done_at, row.problem) == (None, None, "broker")
    assert row.posted_at is not None
    clock.set(row.due_at)
    url = f"sertilink-sqlite:///{tmp_path}/broker.db"
    registry_out.run(services, lambda: connection(url))
    assert len(read_all(connection(url), "registry")) == len(webhook.seen) == 1
    assert rows(services)[0].done_at is not None


def test_the_queue_of_a_real_rabbitmq_is_durable_and_has_the_event(build_services: Build) -> None:
    require("rabbitmq")
    name = f"test-registry-{uuid.uuid4().hex[:12]}"
    services = build_services(broker_url=RABBITMQ, registry_queue=name)
    desk = Desk(services)
    correct(desk, desk.record(), name="Sulastri")

    def open_it() -> Connection:
        return Connection(RABBITMQ, transport_options=broker_options(RABBITMQ))

    registry_out.run(services, open_it)
    assert [one["changed"] for one in read_all(open_it(), name, on_rabbitmq=True)] == [["name"]]
    with open_it() as link, link.channel() as channel:
        channel.queue_delete(name)
        channel.exchange_delete(name)
    assert all(row.done_at for row in rows(services))


def test_a_worker_killed_after_it_told_tells_again_with_the_same_id(
    told_by_webhook: Services, webhook: Webhook, clock: FakeClock, tmp_path: Path
) -> None:
    desk = Desk(told_by_webhook)
    correct(desk, desk.record(), name="Sulastri")
    arm(tmp_path, FaultPoint.REGISTRY_TOLD, KILL)
    run = [sys.executable, "-m", "tests.support.registry_side", str(tmp_path), webhook.url]
    assert subprocess.run(run, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert len(webhook.seen) == 1
    (row,) = rows(told_by_webhook)
    assert (row.posted_at, row.done_at) == (None, None)
    clock.set(row.due_at)
    registry_out.run(told_by_webhook, nowhere)
    assert len(webhook.seen) == 2
    assert len({one["event_id"] for one in webhook.events}) == 1
    assert rows(told_by_webhook)[0].done_at is not None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"registry_webhook_url": "https://r.example"}, "what is not signed can be forged"),
        ({"registry_webhook_url": "https://r.example", "registry_webhook_secret": "short"}, "at least 24 characters"),
        ({"registry_queue": "vaccinations"}, "another than EVENTS_QUEUE"),
        ({"registry_queue": "two words"}, "pattern"),
        ({"registry_webhook_url": "ftp://r.example"}, "write an address"),
        ({"reminders": "maybe"}, "pattern"),
    ],
)
def test_half_set_settings_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Settings(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200"])
def test_who_answers_with_rubbish_or_not_at_all_is_away(answer: bytes, clock: FakeClock) -> None:
    def serve() -> None:
        with suppress(OSError):
            side, _ = listener.accept()
            with side:
                side.recv(10_000)
                side.sendall(answer)
                done.wait(5)

    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker = threading.Thread(target=serve, daemon=True)
        worker.start()
        one = RegistryMessage("id", "person.corrected", clock.now(), ("d",), ("name",))
        webhook = PostTo(f"http://127.0.0.1:{listener.getsockname()[1]}", [SECRET], timeout_s=0.2)
        assert webhook.post(one, clock.now()).told is Told.AWAY
        done.set()
        worker.join()


def test_two_workers_tell_each_event_once(
    build_services: Build, each_database_url: str, webhook: Webhook, clock: FakeClock
) -> None:
    services = build_services(
        database_url=each_database_url,
        registry_webhook_url=webhook.url,
        registry_webhook_secret=(SecretStr(SECRET),),
    )
    desk = Desk(services)
    for place in range(30):
        recorded = desk.record(event_id=f"e{place}", person={"id": f"p{place}", "nik": None}, dose={"id": f"d{place}"})
        with services.db.write() as conn:
            person_id = desk.row(recorded.reference).person_id
            registry_outbox.add(conn, RegistryEvent.PERSON_CORRECTED, person_id, clock.now(), fields=["name"])
    workers = [threading.Thread(target=lambda: [registry_out.run(services, nowhere) for _ in range(2)]) for _ in "12"]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    ids = [one["event_id"] for one in webhook.events]
    assert (len(ids), len(set(ids))) == (30, 30)
    assert all(row.done_at for row in rows(services))
