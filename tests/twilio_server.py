"""A small server in the shape of Twilio's Messages API, on loopback: it remembers what reached it, what it took, and
fails on demand. Standard library only, one thread a connection, and it never sleeps."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from twilio.request_validator import RequestValidator

ACCOUNT_SID = "AC" + "a" * 32
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
#: how long a test waits for the server before it fails
PATIENCE_S = 60.0


class Ending(Enum):
    """How the connection goes on after the request was read."""

    ANSWER = "answer"
    HANG = "hang"  #: no byte, until the server is closed
    RESET = "reset"  #: RST instead of an answer
    BROKEN_OFF = "broken-off"  #: the status, half of the body, then RST
    TRICKLE = "trickle"  #: the status, then a byte now and then


@dataclass(frozen=True)
class Mode:
    """What happens to one request."""

    takes: bool  #: the message is taken, whatever the answer says
    ending: Ending = Ending.ANSWER
    status: int = 201
    code: int | None = None  #: Twilio's error code, in the body
    headers: tuple[tuple[str, str], ...] = ()
    cut_body: bool = False  #: valid HTTP, half of the JSON
    body: bytes | None = None  #: instead of Twilio's


ACCEPT = Mode(takes=True)
HANG = Mode(takes=False, ending=Ending.HANG)
ACCEPT_THEN_HANG = Mode(takes=True, ending=Ending.HANG)
RESET = Mode(takes=False, ending=Ending.RESET)
ACCEPT_THEN_DROP = Mode(takes=True, ending=Ending.RESET)
ACCEPT_THEN_BREAK_OFF = Mode(takes=True, ending=Ending.BROKEN_OFF)
ACCEPT_THEN_TRICKLE = Mode(takes=True, ending=Ending.TRICKLE)
TRUNCATED_JSON = Mode(takes=True, cut_body=True)
WITHOUT_SID = Mode(takes=True, body=b'{"status": "queued"}')
ERROR_500 = Mode(takes=False, status=500, code=20500)
ACCEPT_THEN_500 = Mode(takes=True, status=500, code=20500)
BUSY = Mode(takes=False, status=429, code=20429, headers=(("Retry-After", "7"),))
UNAVAILABLE = Mode(takes=False, status=503, code=20503, headers=(("Retry-After", "30"),))


def refuse(status: int, code: int | None, **more: Any) -> Mode:
    """A refusal as Twilio words it; the body repeats the number, as Twilio's do."""
    return Mode(takes=False, status=status, code=code, **more)


@dataclass(frozen=True)
class RecordedRequest:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  #: names in lower case
    form: dict[str, str]


@dataclass
class TakenMessage:
    """One message that the server took."""

    sid: str
    form: dict[str, str]
    status: str = "queued"
    error_code: int | None = None


@dataclass(frozen=True)
class SignedReceipt:
    """A status callback, ready to post or to hand to a test client."""

    url: str
    form: dict[str, str]
    signature: str

    @property
    def path(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


@dataclass
class TwilioServer:
    """`mode` is for every message, `mode_to[number]` for the messages to one number, `list_mode` for lists."""

    account_sid: str = ACCOUNT_SID
    auth_token: str = AUTH_TOKEN
    mode: Mode = ACCEPT
    mode_to: dict[str, Mode] = field(default_factory=dict)
    list_mode: Mode = ACCEPT
    answer_from: int = 1  #: answers are held back until so many posts were in flight at once
    requests: list[RecordedRequest] = field(default_factory=list)
    messages: list[TakenMessage] = field(default_factory=list)
    most_in_flight: int = 0
    _in_flight: int = 0
    _change: threading.Condition = field(default_factory=threading.Condition)
    _closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        server = self

        class Handler(_Handler):
            twilio = server

        self._http = _Http(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), name="twilio-server", daemon=True).start()

    def close(self) -> None:
        """Lets hanging requests go and stops."""
        self._closing.set()
        with self._change:
            self._change.notify_all()
        self._http.shutdown()
        self._http.server_close()

    @property
    def posts(self) -> list[RecordedRequest]:
        return [request for request in self.requests if request.method == "POST"]

    def wait_for_posts(self, number: int) -> None:
        """Returns when so many messages have reached us; fails after PATIENCE_S."""
        with self._change:
            assert self._change.wait_for(lambda: len(self.posts) >= number, PATIENCE_S), f"{len(self.posts)} posts"

    def receipt(
        self, message: TakenMessage, status: str, error_code: int | None = None, token: str | None = None
    ) -> SignedReceipt:
        """A status callback about a message, signed with our token or another."""
        form = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "From": message.form.get("From", "+6285100000000"),
            "To": message.form["To"],
            "MessageSid": message.sid,
            "MessageStatus": status,
            "SmsSid": message.sid,
            "SmsStatus": status,
        }
        if error_code is not None:
            form["ErrorCode"] = str(error_code)
        url = message.form["StatusCallback"]
        return SignedReceipt(url, form, RequestValidator(token or self.auth_token).compute_signature(url, form))

    def post_receipt(self, receipt: SignedReceipt, to: str | None = None) -> int:
        """Posts a callback to its address, or to the same path at the base address `to`. The HTTP status."""
        parts = urlsplit(to or receipt.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": receipt.signature}
            connection.request("POST", receipt.path, urlencode(receipt.form), headers)
            return connection.getresponse().status
        finally:
            connection.close()

    # what the handler calls, on the connection's thread

    def record(self, request: RecordedRequest) -> None:
        with self._change:
            self.requests.append(request)
            self._change.notify_all()

    def take(self, form: dict[str, str]) -> TakenMessage:
        with self._change:
            message = TakenMessage(f"SM{len(self.messages):032x}", form)
            self.messages.append(message)
            return message

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Counts a post, and holds it back until `answer_from` are here."""
        with self._change:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
            self._change.notify_all()
            self._change.wait_for(lambda: self.most_in_flight >= self.answer_from or self.closing, PATIENCE_S)
        try:
            yield
        finally:
            with self._change:
                self._in_flight -= 1

    def wait_until_closed(self, seconds: float | None = None) -> bool:
        return self._closing.wait(seconds)

    @property
    def closing(self) -> bool:
        return self._closing.is_set()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what half of the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    twilio: TwilioServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def do_POST(self) -> None:
        request = self._read()
        with self.twilio.in_flight():
            if not self._is_expected(request):
                return
            missing = _missing(request.form)
            if missing:
                self._refuse(refuse(400, missing), request.form)
                return
            mode = self.twilio.mode_to.get(request.form["To"], self.twilio.mode)
            message = self.twilio.take(request.form) if mode.takes else None
            if mode.status == 201 and message is not None:
                self._end(mode, json.dumps(_record(self.twilio, message)).encode())
            else:
                self._refuse(mode, request.form)

    def do_GET(self) -> None:
        request = self._read()
        if not self._is_expected(request):
            return
        mode = self.twilio.list_mode
        if mode is not ACCEPT:
            self._refuse(mode, request.query)
            return
        size = int(request.query.get("PageSize", "50"))
        found = [m for m in reversed(self.twilio.messages) if m.form["To"] == request.query.get("To", m.form["To"])]
        listing = {
            "messages": [_record(self.twilio, message) for message in found[:size]],
            "page": 0, "page_size": size, "start": 0, "end": len(found[:size]) - 1, "uri": self.path,
            "first_page_uri": self.path, "next_page_uri": None, "previous_page_uri": None,
        }  # fmt: skip
        self._answer(200, json.dumps(listing).encode())

    def _read(self) -> RecordedRequest:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        parts = urlsplit(self.path)
        request = RecordedRequest(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query)),
            {name.lower(): value for name, value in self.headers.items()},
            dict(parse_qsl(body, keep_blank_values=True)),
        )
        self.twilio.record(request)
        return request

    def _is_expected(self, request: RecordedRequest) -> bool:
        credentials = base64.b64encode(f"{self.twilio.account_sid}:{self.twilio.auth_token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {credentials}":
            self._refuse(refuse(401, 20003), request.form)
        elif request.path != f"/2010-04-01/Accounts/{self.twilio.account_sid}/Messages.json":
            self._refuse(refuse(404, 20404), request.form)
        else:
            return True
        return False

    def _refuse(self, mode: Mode, form: dict[str, str]) -> None:
        to = form.get("To", "")
        content = {"code": mode.code, "message": f"about {to}: refused", "status": mode.status,
                   "more_info": f"https://www.twilio.com/docs/errors/{mode.code}"}  # fmt: skip
        self._end(mode, json.dumps(content).encode())

    def _end(self, mode: Mode, body: bytes) -> None:
        body = body if mode.body is None else mode.body
        if mode.ending is Ending.HANG:
            self.twilio.wait_until_closed()
            self._reset()
        elif mode.ending is Ending.RESET:
            self._reset()
        elif mode.ending is Ending.ANSWER:
            self._answer(mode.status, body[: len(body) // 2] if mode.cut_body else body, mode.headers)
        else:
            self._answer(mode.status, body[: len(body) // 2], mode.headers, declared=len(body))
            while mode.ending is Ending.TRICKLE and not self.twilio.wait_until_closed(0.05):
                self.wfile.write(b" ")
                self.wfile.flush()
            self._reset()

    def _answer(
        self, status: int, body: bytes, headers: tuple[tuple[str, str], ...] = (), declared: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if declared is None else declared))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _reset(self) -> None:
        """Closes with RST: the client learns nothing of what became of its request."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


def _missing(form: dict[str, str]) -> int | None:
    """Twilio's code for what a message lacks."""
    if not form.get("To"):
        return 21604
    if not any(form.get(name) for name in ("Body", "ContentSid", "MediaUrl")):
        return 21602
    return None if form.get("From") or form.get("MessagingServiceSid") else 21603


def _record(server: TwilioServer, message: TakenMessage) -> dict[str, Any]:
    """A Message resource."""
    service = message.form.get("MessagingServiceSid")
    return {
        "account_sid": server.account_sid, "api_version": "2010-04-01", "body": message.form.get("Body", ""),
        "date_created": "Mon, 23 Nov 2026 03:00:00 +0000", "date_sent": None,
        "date_updated": "Mon, 23 Nov 2026 03:00:00 +0000", "direction": "outbound-api",
        "error_code": message.error_code, "error_message": None, "from": message.form.get("From"),
        "messaging_service_sid": service, "num_media": "0", "num_segments": "0" if service else "1", "price": None,
        "price_unit": None, "sid": message.sid, "status": message.status, "subresource_uris": {},
        "to": message.form["To"],
        "uri": f"/2010-04-01/Accounts/{server.account_sid}/Messages/{message.sid}.json",
    }  # fmt: skip
