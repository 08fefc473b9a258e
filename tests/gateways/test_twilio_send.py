"""Sending by Twilio: what goes out, what each answer means, what no failure may do."""

from __future__ import annotations

import base64
import concurrent.futures
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from notifier.gateways import BadWebhook, Outcome, OutcomeClass, OutgoingSms
from notifier.gateways.twilio import TwilioGateway
from tests import twilio_server as modes
from tests.gateways.conftest import PUBLIC_URL, MakeGateway
from tests.twilio_server import ACCOUNT_SID, AUTH_TOKEN, Mode, TwilioServer, refuse

NUMBER = "+6281234567890"
TEXT = "Kemenkes: Sertifikat vaksin S. dosis 1 siap. Buka https://s.id/c/9tokenTOKEN9 lalu isi tanggal lahir S."


def sms(number: int = 0, to: str = NUMBER, text: str = TEXT) -> OutgoingSms:
    return OutgoingSms(attempt_reference=f"attempt-{number}", to=to, text=text)


def send_one(gateway: TwilioGateway) -> Outcome:
    [outcome] = gateway.send([sms()])
    return outcome


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


# what goes out


def test_the_request_is_what_the_messages_api_documents(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    outcome = send_one(gateway)
    [request] = twilio.requests
    assert (request.method, request.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json")
    assert request.form == {
        "To": NUMBER,
        "From": "+6285100000000",
        "Body": TEXT,
        "StatusCallback": f"{PUBLIC_URL}/twilio/status/attempt-0",
        "ValidityPeriod": "3600",
        "SmartEncoded": "false",
    }
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    assert request.headers["authorization"] == f"Basic {credentials}"
    assert outcome == Outcome(OutcomeClass.ACCEPTED, provider_sid=twilio.messages[0].sid, http_status=201)


def test_a_messaging_service_stands_in_place_of_the_number(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    service = "MG" + "b" * 32
    assert send_one(make_gateway(from_number=None, messaging_service_sid=service)).kind is OutcomeClass.ACCEPTED
    assert twilio.posts[0].form["MessagingServiceSid"] == service
    assert "From" not in twilio.posts[0].form


@pytest.mark.parametrize("text", ["ñ € [x] %41 +1 a=b&c=d", "Sertifikat siap 🎉\nbaris kedua", " spasi "])
def test_the_text_arrives_as_it_was_written(gateway: TwilioGateway, twilio: TwilioServer, text: str) -> None:
    gateway.send([sms(text=text)])
    assert twilio.messages[0].form["Body"] == text


def test_the_newest_token_speaks_to_twilio(make_gateway: MakeGateway) -> None:
    assert send_one(make_gateway(auth_tokens=("old" * 10, AUTH_TOKEN))).kind is OutcomeClass.ACCEPTED
    assert send_one(make_gateway(auth_tokens=(AUTH_TOKEN, "new" * 10))).code == "20003"


def test_a_local_address_is_sent_as_callback_all_the_same(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    make_gateway(public_url="http://127.0.0.1:8000/").send([sms()])
    assert twilio.posts[0].form["StatusCallback"] == "http://127.0.0.1:8000/twilio/status/attempt-0"


def test_the_environment_does_not_change_where_messages_go(
    make_gateway: MakeGateway, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name, value in {"EDGE": "sydney", "REGION": "au1", "ACCOUNT_SID": "ACx", "AUTH_TOKEN": "y"}.items():
        monkeypatch.setenv(f"TWILIO_{name}", value)
    assert send_one(make_gateway()).kind is OutcomeClass.ACCEPTED
    assert len(twilio.messages) == 1


# many at once


def test_two_hundred_at_once_keep_their_order(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    batch = [sms(n, to=f"+62812{n:08}", text=f"Pesan {n}") for n in range(200)]
    twilio.answer_from = 100
    outcomes = make_gateway(concurrency=100, timeout_s=60.0).send(batch)
    body_of = {message.sid: message.form["Body"] for message in twilio.messages}
    assert [body_of[outcome.provider_sid or ""] for outcome in outcomes] == [message.text for message in batch]
    assert twilio.most_in_flight == 100  # all of them at once, and never one more


def test_one_bad_message_does_not_touch_its_neighbours(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    twilio.mode_to = {"+62812001": refuse(400, 21211), "+62812003": modes.RESET}
    outcomes = gateway.send([sms(n, to=f"+6281200{n}") for n in range(5)])
    assert [outcome.kind.value for outcome in outcomes] == ["accepted", "number-bad", "accepted", "unknown", "accepted"]


@pytest.mark.parametrize("bad", [sms(1, text="\ud800"), OutgoingSms("\ud800", NUMBER, TEXT)])
def test_a_fault_of_ours_costs_no_outcome_but_its_own(gateway: TwilioGateway, bad: OutgoingSms) -> None:
    outcomes = gateway.send([sms(0), bad, sms(2)])
    assert [outcome.kind.value for outcome in outcomes] == ["accepted", "unknown", "accepted"]


def test_nothing_to_send_opens_nothing(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    before = threading.active_count()
    assert make_gateway().send([]) == []
    assert threading.active_count() == before


def test_a_message_may_wait_longer_for_a_connection_than_the_time_out(
    make_gateway: MakeGateway, twilio: TwilioServer
) -> None:
    twilio.mode_to = {"+62812000": modes.HANG}
    outcomes = make_gateway(concurrency=1, timeout_s=2.0).send([sms(n, to=f"+6281200{n}") for n in range(3)])
    assert [outcome.kind.value for outcome in outcomes] == ["unknown", "accepted", "accepted"]


# what each answer means

ANSWERS = {
    "accepted": (modes.ACCEPT, OutcomeClass.ACCEPTED, 201, None, None),
    "reset before the answer": (modes.RESET, OutcomeClass.UNKNOWN, None, None, None),
    "taken, then dropped": (modes.ACCEPT_THEN_DROP, OutcomeClass.UNKNOWN, None, None, None),
    "taken, broken off": (modes.ACCEPT_THEN_BREAK_OFF, OutcomeClass.UNKNOWN, 201, None, None),
    "taken, half of the JSON": (modes.TRUNCATED_JSON, OutcomeClass.UNKNOWN, 201, None, None),
    "taken, empty body": (Mode(takes=True, body=b""), OutcomeClass.UNKNOWN, 201, None, None),
    "taken, no object": (Mode(takes=True, body=b"[]"), OutcomeClass.UNKNOWN, 201, None, None),
    "taken, no SID": (modes.WITHOUT_SID, OutcomeClass.UNKNOWN, 201, None, None),
    "taken, SID is null": (Mode(takes=True, body=b'{"sid": null}'), OutcomeClass.UNKNOWN, 201, None, None),
    "500": (modes.ERROR_500, OutcomeClass.UNKNOWN, 500, "20500", None),
    "taken, then 500": (modes.ACCEPT_THEN_500, OutcomeClass.UNKNOWN, 500, "20500", None),
    "502 from a proxy": (Mode(takes=False, status=502, body=b"<html>"), OutcomeClass.UNKNOWN, 502, None, None),
    "500 with a 4xx code": (refuse(500, 21211), OutcomeClass.UNKNOWN, 500, "21211", None),
    "503 with Retry-After": (modes.UNAVAILABLE, OutcomeClass.RATE_LIMITED, 503, "20503", 30.0),
    "503 without": (refuse(503, 20503), OutcomeClass.UNKNOWN, 503, "20503", None),
    "429": (modes.BUSY, OutcomeClass.RATE_LIMITED, 429, "20429", 7.0),
    "429 without anything": (Mode(takes=False, status=429, body=b""), OutcomeClass.RATE_LIMITED, 429, None, None),
    "400, too much at once": (refuse(400, 20429), OutcomeClass.RATE_LIMITED, 400, "20429", None),
    "sender's queue full": (refuse(400, 21611), OutcomeClass.RATE_LIMITED, 400, "21611", None),
    "429, daily number used up": (refuse(429, 63038), OutcomeClass.SENDER_MISCONFIGURED, 429, "63038", None),
    "bad number": (refuse(400, 21211), OutcomeClass.NUMBER_BAD, 400, "21211", None),
    "stopped": (refuse(400, 21610), OutcomeClass.OPTED_OUT, 400, "21610", None),
    "not to be reached": (refuse(400, 21612), OutcomeClass.PERMANENT, 400, "21612", None),
    "bad sender": (refuse(400, 21606), OutcomeClass.SENDER_MISCONFIGURED, 400, "21606", None),
    "bad text": (refuse(400, 21617), OutcomeClass.HOLD, 400, "21617", None),
    "try another day": (refuse(400, 30001), OutcomeClass.TRY_LATER, 400, "30001", None),
    "failed inside": (refuse(400, 30500), OutcomeClass.UNKNOWN, 400, "30500", None),
    "the channel failed inside": (refuse(400, 63012), OutcomeClass.UNKNOWN, 400, "63012", None),
    "carrier time-out": (refuse(400, 30410), OutcomeClass.UNKNOWN, 400, "30410", None),
    "unknown code": (refuse(400, 29999), OutcomeClass.HOLD, 400, "29999", None),
    "no code": (refuse(400, None), OutcomeClass.HOLD, 400, None, None),
    "a code in words": (Mode(takes=False, status=400, body=b'{"code": "+62812"}'), OutcomeClass.HOLD, 400, None, None),
    "401 without a code": (refuse(401, None), OutcomeClass.SENDER_MISCONFIGURED, 401, None, None),
    "403, unknown code": (refuse(403, 29999), OutcomeClass.SENDER_MISCONFIGURED, 403, "29999", None),
    "404": (refuse(404, 20404), OutcomeClass.SENDER_MISCONFIGURED, 404, "20404", None),
    "408": (refuse(408, None), OutcomeClass.UNKNOWN, 408, None, None),
    "refused, broken off": (
        refuse(400, 21211, ending=modes.Ending.BROKEN_OFF), OutcomeClass.HOLD, 400, None, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("mode", "kind", "status", "code", "retry_after"), ANSWERS.values(), ids=ANSWERS)
def test_each_answer_has_one_meaning(
    gateway: TwilioGateway,
    twilio: TwilioServer,
    mode: Mode,
    kind: OutcomeClass,
    status: int | None,
    code: str | None,
    retry_after: float | None,
) -> None:
    twilio.mode = mode
    outcome = send_one(gateway)
    assert (outcome.kind, outcome.http_status, outcome.code) == (kind, status, code)
    assert outcome.retry_after_s == retry_after
    assert len(twilio.posts) == 1  # whatever came back, never a second try
    assert bool(outcome.provider_sid) == (kind is OutcomeClass.ACCEPTED)


def test_what_twilio_took_is_never_called_unsent() -> None:
    taken = [kind for mode, kind, *_ in ANSWERS.values() if mode.takes]
    assert set(taken) == {OutcomeClass.ACCEPTED, OutcomeClass.UNKNOWN}


@pytest.mark.parametrize("mode", [modes.HANG, modes.ACCEPT_THEN_HANG])
def test_the_time_out_ends_a_message_that_is_not_answered(
    make_gateway: MakeGateway, twilio: TwilioServer, mode: Mode
) -> None:
    twilio.mode = mode
    started = time.monotonic()
    assert send_one(make_gateway(timeout_s=3.0)).kind is OutcomeClass.UNKNOWN
    assert 3.0 <= time.monotonic() - started < 5.9


def test_an_answer_that_trickles_ends_after_twice_the_time_out(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    twilio.mode = modes.ACCEPT_THEN_TRICKLE
    started = time.monotonic()
    assert send_one(make_gateway(timeout_s=1.0)).kind is OutcomeClass.UNKNOWN
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_not_followed(gateway: TwilioGateway, twilio: TwilioServer, status: int) -> None:
    location = (("Location", f"{twilio.url}/elsewhere"),)
    twilio.mode = Mode(takes=False, status=status, headers=location, body=b"")
    outcome = send_one(gateway)
    assert (outcome.kind, outcome.http_status) == (OutcomeClass.SENDER_MISCONFIGURED, status)
    assert len(twilio.requests) == 1


def test_another_account_is_a_misconfigured_sender(make_gateway: MakeGateway) -> None:
    assert send_one(make_gateway(account_sid="AC" + "c" * 32)).kind is OutcomeClass.SENDER_MISCONFIGURED


# Retry-After as a date: read against the answer's own clock, which http.server writes


@pytest.mark.parametrize("given", ["soon", "-1", "inf", "nan", "Thu, 01 Jan 1970 00:00:00 GMT", ""])
def test_a_senseless_retry_after_is_none(gateway: TwilioGateway, twilio: TwilioServer, given: str) -> None:
    twilio.mode = refuse(429, 20429, headers=(("Retry-After", given),))
    outcome = send_one(gateway)
    assert (outcome.kind, outcome.retry_after_s) == (OutcomeClass.RATE_LIMITED, None)


def test_retry_after_may_be_a_date() -> None:
    from notifier.gateways.twilio.outcomes import retry_after_s

    headers = {"Date": "Mon, 23 Nov 2026 03:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 03:02:00 GMT"}
    assert retry_after_s(headers) == 120


# no connection: not sent


def test_a_refused_connection_is_not_sent(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert send_one(make_gateway(api_base=f"http://127.0.0.1:{port}")) == Outcome(OutcomeClass.NOT_SENT)


def test_a_failed_tls_handshake_is_not_sent(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    gateway = make_gateway(api_base=twilio.url.replace("http:", "https:"))
    assert send_one(gateway) == Outcome(OutcomeClass.NOT_SENT)
    assert twilio.requests == []


def test_a_connection_that_does_not_come_about_in_time_is_not_sent(make_gateway: MakeGateway, silent_port: int) -> None:
    gateway = make_gateway(api_base=f"https://127.0.0.1:{silent_port}", timeout_s=1.0)
    started = time.monotonic()
    assert send_one(gateway) == Outcome(OutcomeClass.NOT_SENT)
    assert time.monotonic() - started < 10


def test_a_failed_name_lookup_counts_as_no_connection() -> None:
    # not by a real lookup, which would leave this machine
    assert issubclass(aiohttp.ClientConnectorDNSError, aiohttp.ClientConnectorError)


def test_a_dead_keep_alive_connection_is_unknown_and_the_next_message_goes(
    gateway: TwilioGateway, twilio: TwilioServer
) -> None:
    assert send_one(gateway).kind is OutcomeClass.ACCEPTED
    twilio.mode = modes.RESET
    assert send_one(gateway).kind is OutcomeClass.UNKNOWN
    twilio.mode = modes.ACCEPT
    assert send_one(gateway).kind is OutcomeClass.ACCEPTED


# threads, forks, the end


def test_construction_opens_nothing(make_gateway: MakeGateway) -> None:
    before = threading.active_count()
    make_gateway()
    assert threading.active_count() == before


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_has_its_own_line_and_the_parent_keeps_its_own(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    assert send_one(gateway).kind is OutcomeClass.ACCEPTED
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(120)  # a child that hangs ends, and with it the test
        try:
            kinds = [outcome.kind.value for outcome in gateway.send([sms(n) for n in range(3)])]
            gateway.close()
            os.write(writing, json.dumps(kinds).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    assert json.loads(told) == ["accepted"] * 3
    assert [outcome.kind.value for outcome in gateway.send([sms(n) for n in range(3)])] == ["accepted"] * 3
    assert len(twilio.messages) == 7


def test_several_threads_share_the_connections(make_gateway: MakeGateway, twilio: TwilioServer) -> None:
    gateway = make_gateway(concurrency=8)
    twilio.answer_from = 8
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda n: gateway.send([sms(n * 10 + k) for k in range(10)]), range(4)))
    assert {outcome.kind for outcomes in results for outcome in outcomes} == {OutcomeClass.ACCEPTED}
    assert twilio.most_in_flight == 8
    assert [thread.name for thread in threading.enumerate()].count("twilio") == 1


def test_close_lets_go_of_the_thread_and_a_later_message_opens_it_again(gateway: TwilioGateway) -> None:
    send_one(gateway)
    gateway.close()
    gateway.close()
    assert "twilio" not in [thread.name for thread in threading.enumerate()]
    assert send_one(gateway).kind is OutcomeClass.ACCEPTED


def test_close_interrupts_what_is_under_way(gateway: TwilioGateway, twilio: TwilioServer) -> None:
    twilio.mode = modes.HANG
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        sending = threads.submit(send_one, gateway)
        twilio.wait_for_posts(1)
        gateway.close()
        with pytest.raises(concurrent.futures.CancelledError):
            sending.result(60)


def test_a_process_that_only_reads_webhooks_never_loads_the_client() -> None:
    code = "import sys, notifier.gateways.twilio; print({'aiohttp', 'twilio.rest'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "set()\n"


# nothing personal anywhere


def test_no_log_line_and_no_exception_holds_number_text_or_token(
    make_gateway: MakeGateway, twilio: TwilioServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = make_gateway(timeout_s=2.0)
    said: list[str] = [repr(gateway), repr(gateway._account()), repr(sms())]
    for mode in (modes.ACCEPT, modes.HANG, modes.RESET, modes.TRUNCATED_JSON, refuse(400, 21211), refuse(400, None)):
        twilio.mode = twilio.list_mode = mode
        said.append(repr(send_one(gateway)))
        try:
            said.append(repr(gateway.look_up(NUMBER)))
        except OSError as error:
            said.extend(traceback.format_exception(error))
            said.append(repr((error.__cause__, error.__context__)))
        try:
            gateway.read_receipt("attempt-0", "/twilio/status/attempt-0", {"To": NUMBER, "Body": TEXT}, AUTH_TOKEN)
        except BadWebhook as error:
            said.extend(traceback.format_exception(error))
    said.append(caplog.text)
    everything = "\n".join(said)
    assert "21211" in caplog.text  # the reason is told
    for secret in (NUMBER, NUMBER[1:], TEXT, "9tokenTOKEN9", AUTH_TOKEN):
        assert secret not in everything
    assert base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode() not in everything


def test_a_gateway_without_token_or_with_two_senders_is_refused(make_gateway: MakeGateway) -> None:
    with pytest.raises(ValueError, match="auth_tokens"):
        make_gateway(auth_tokens=())
    with pytest.raises(ValueError, match="from_number"):
        make_gateway(messaging_service_sid="MG" + "b" * 32)
    with pytest.raises(ValueError, match="from_number"):
        make_gateway(from_number=None)
