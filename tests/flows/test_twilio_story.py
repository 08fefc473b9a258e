"""The story through Twilio's own client: a real worker process, a local server in Twilio's shape, and its callbacks."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from linkserver import create_public_app
from notifier import embedded_broker
from notifier.core.states import State
from notifier.intake.record import Door, record
from notifier.safety import make_secrets
from notifier.services import Services, build
from notifier.settings import Role, load_settings
from notifier.store import notifications
from notifier.store.migrate import upgrade
from tests import twilio_server
from tests.builders import an_event
from tests.polling import eventually
from tests.twilio_server import TwilioServer

PUBLIC_URL = "https://sertifikat.example.id"
SERVICE_SID = "MG" + "b" * 32


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    server = TwilioServer()
    yield server
    server.close()


@pytest.fixture
def services(tmp_path: Path, twilio: TwilioServer) -> Iterator[Services]:
    """An installation that sends through `twilio`, with its worker running."""
    make_secrets(tmp_path)
    environment = {
        **os.environ,
        "SERTILINK_DATA_FOLDER": str(tmp_path),
        "SERTILINK_DATABASE_URL": f"sqlite:///{tmp_path}/sertilink.db",
        "SERTILINK_BROKER_URL": embedded_broker.broker_url(tmp_path / "broker.db"),
        "SERTILINK_QUIET_HOURS": "off",
        "SERTILINK_PUBLIC_URL": PUBLIC_URL,
        "SERTILINK_GATEWAY": "twilio",
        "SERTILINK_TWILIO_ACCOUNT_SID": twilio.account_sid,
        "SERTILINK_TWILIO_AUTH_TOKEN": f"{'f' * 32},{twilio.auth_token}",
        "SERTILINK_TWILIO_MESSAGING_SERVICE_SID": SERVICE_SID,
        "SERTILINK_TWILIO_API_BASE": twilio.url,
        "SERTILINK_PROVIDER_TIMEOUT": "6",
    }
    built = build(load_settings(environment, Role.CLI))
    upgrade(built.db)
    command = [str(Path(sys.executable).with_name("sertilink")), "worker"]
    with (tmp_path / "log").open("ab") as log:
        worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    yield built
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    built.close()


def state(services: Services) -> str:
    with services.db.read() as conn:
        [row] = notifications.newest(conn, 10)
    return str(row.status)


def enter(services: Services) -> None:
    # the real clock: no recorded_at, so that the samples' date does not matter
    record(services, an_event(recorded_at=None), door=Door.API, actor="door:api")


def test_an_sms_goes_through_twilio_and_only_signed_callbacks_move_it(services: Services, twilio: TwilioServer) -> None:
    enter(services)
    eventually(lambda: state(services) == State.ACCEPTED, 30, "Twilio did not get it")
    [post] = twilio.posts
    assert post.path == f"/2010-04-01/Accounts/{twilio.account_sid}/Messages.json"
    user, _, password = base64.b64decode(post.headers["authorization"].removeprefix("Basic ")).decode().partition(":")
    assert (user, password) == (twilio.account_sid, twilio.auth_token)
    assert post.form["To"] == "+6281234567890"
    assert post.form["MessagingServiceSid"] == SERVICE_SID
    assert post.form["Body"].startswith(
        "Kemenkes: Sertifikat vaksin S. dosis 1 siap. Buka https://sertifikat.example.id/c/"
    )
    assert post.form["StatusCallback"].startswith(f"{PUBLIC_URL}/twilio/status/")

    client = create_public_app(services).test_client()
    [message] = twilio.messages

    def call_back(word: str, token: str | None = None, signature: str | None = None) -> int:
        receipt = twilio.receipt(message, word, token=token)
        return client.post(
            receipt.path,
            data=receipt.form,
            headers={"X-Twilio-Signature": receipt.signature if signature is None else signature},
            base_url=PUBLIC_URL,
        ).status_code

    assert [call_back("delivered", signature=""), call_back("delivered", token="0" * 32)] == [403, 403]
    assert state(services) == State.ACCEPTED
    assert call_back("sent") == 204
    assert state(services) == State.SENT
    assert [call_back("delivered", token="f" * 32), call_back("sent"), call_back("undelivered")] == [204] * 3
    assert state(services) == State.DELIVERED


@pytest.mark.parametrize(
    ("mode", "ends"),
    [
        (twilio_server.ACCEPT_THEN_HANG, State.UNKNOWN),  # the time-out applies
        (twilio_server.ACCEPT_THEN_500, State.UNKNOWN),
        (twilio_server.refuse(400, 21211), State.FAILED),
        (twilio_server.BUSY, State.SCHEDULED),
        (twilio_server.refuse(401, 20003), State.SCHEDULED),
    ],
)
def test_what_goes_wrong_at_twilio_ends_in_its_state(
    services: Services, twilio: TwilioServer, mode: twilio_server.Mode, ends: State
) -> None:
    twilio.mode = mode
    enter(services)
    twilio.wait_for_posts(1)
    eventually(lambda: state(services) == ends, 20, "it is in another state")
    assert len(twilio.posts) == 1


def test_the_address_of_a_receipt_settles_what_nobody_could_know(services: Services, twilio: TwilioServer) -> None:
    twilio.mode = replace(twilio_server.ACCEPT_THEN_DROP)
    enter(services)
    eventually(lambda: state(services) == State.UNKNOWN, 20, "the outcome is known")
    [message] = twilio.messages
    receipt = twilio.receipt(message, "delivered")
    client = create_public_app(services).test_client()
    headers = {"X-Twilio-Signature": receipt.signature}
    assert client.post(receipt.path, data=receipt.form, headers=headers, base_url=PUBLIC_URL).status_code == 204
    assert state(services) == State.DELIVERED
