"""Asking Twilio what it knows of a number: the way out of an unknown outcome."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from notifier.gateways import OutgoingSms, ReceiptState
from notifier.gateways.twilio import TwilioGateway
from tests import twilio_server as modes
from tests.gateways.conftest import MakeGateway
from tests.twilio_server import ACCOUNT_SID, Mode, TwilioServer, refuse

NUMBER = "+6281234567890"


def send(gateway: TwilioGateway, *texts: str, to: str = NUMBER) -> None:
    for text in texts:
        gateway.send([OutgoingSms("attempt", to, text)])


def test_the_newest_messages_to_a_number_come_first(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    send(gateway, "satu", "dua")
    send(gateway, "bukan dia", to="+6281200000000")
    twilio.messages[0].status, twilio.messages[0].error_code = "undelivered", 30003
    found = gateway.look_up(NUMBER)
    assert [(one.text, one.state, one.code) for one in found] == [
        ("dua", ReceiptState.ACCEPTED, None),
        ("satu", ReceiptState.UNDELIVERED, "30003"),
    ]
    assert found[0].provider_sid == twilio.messages[1].sid
    assert found[0].created_at == datetime(2026, 11, 23, 3, tzinfo=UTC)


def test_the_list_is_asked_by_number_and_not_by_date(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    assert gateway.look_up(NUMBER) == []
    [request] = twilio.requests
    assert (request.method, request.path) == ("GET", f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json")
    assert request.query == {"To": NUMBER, "PageSize": "20"}


def test_a_message_whose_answer_was_lost_is_found(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    twilio.mode = modes.ACCEPT_THEN_DROP
    send(gateway, "https://s.id/c/abc")
    assert [one.text for one in gateway.look_up(NUMBER)] == ["https://s.id/c/abc"]


def test_only_one_page_is_read(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    send(gateway, *map(str, range(25)))
    assert len(gateway.look_up(NUMBER)) == 20
    assert len(twilio.requests) == 26


UNABLE = [
    modes.RESET,
    modes.BUSY,
    modes.ERROR_500,
    refuse(401, 20003),
    refuse(302, None),
    Mode(takes=False, status=200, body=b"{"),
    Mode(takes=False, status=200, body=b"[]"),
    Mode(takes=False, status=200, body=b"{}"),
    Mode(takes=False, status=200, body=b'{"messages": null}'),
    Mode(takes=False, status=200, body=b'{"messages": [7]}'),
]


@pytest.mark.parametrize("mode", UNABLE)
def test_what_cannot_be_asked_is_an_os_error_and_never_an_empty_list(
    gateway: TwilioGateway, twilio: TwilioServer, mode: Mode
) -> None:
    twilio.list_mode = mode
    with pytest.raises(OSError, match="Twilio") as caught:
        gateway.look_up(NUMBER)
    assert NUMBER[1:] not in str(caught.value)


def test_the_time_out_ends_a_list_that_is_not_answered(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    twilio.list_mode = modes.HANG
    with pytest.raises(OSError, match="Time"):
        make_gateway(timeout_s=0.3).look_up(NUMBER)


def test_nobody_there_is_an_os_error(make_gateway: MakeGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(OSError, match="Twilio"):
        make_gateway(api_base=f"http://127.0.0.1:{port}").look_up(NUMBER)
