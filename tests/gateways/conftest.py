"""A Twilio-shaped server, and gateways that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from notifier.gateways.twilio import TwilioGateway
from tests.twilio_server import ACCOUNT_SID, AUTH_TOKEN, TwilioServer

PUBLIC_URL = "https://sertifikat.example.id"
MakeGateway = Callable[..., TwilioGateway]


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    server = TwilioServer()
    yield server
    server.close()


@pytest.fixture
def make_gateway(twilio: TwilioServer) -> Iterator[MakeGateway]:
    made: list[TwilioGateway] = []

    def make(**changes: Any) -> TwilioGateway:
        values: dict[str, Any] = {
            "account_sid": ACCOUNT_SID,
            "auth_tokens": (AUTH_TOKEN,),
            "from_number": "+6285100000000",
            "messaging_service_sid": None,
            "api_base": twilio.url,
            "public_url": PUBLIC_URL,
            "timeout_s": 30.0,
            "concurrency": 20,
        }
        made.append(TwilioGateway(**values | changes))
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()


@pytest.fixture
def gateway(make_gateway: MakeGateway) -> TwilioGateway:
    return make_gateway()
