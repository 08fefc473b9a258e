"""A provider that costs next to nothing: it takes messages in Twilio's shape, answers each after a fixed time, and can
send a signed receipt for each. No faults and no ledger: it is there so that a measurement measures us.

Started as a process: `python -m notifier.proof.bench.provider --port 4010 --delay 0.1`. What it has seen is asked by
GET /_bench/stats.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import time
from array import array
from collections import deque
from itertools import count
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from notifier.proof.bench.figures import middle_rate
from notifier.proof.bench.receipts import ReceiptSender

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_FLUSH_S = 0.004  # answers leave in groups; a timer for each would cost more than the answer
_BODIES_KEPT = 500  # of the newest messages, for whoever wants to post the same once more
_LISTED = 50

#: a Message resource as Twilio words it; `sid` differs from one to the next
_RECORD: dict[str, Any] = {
    "account_sid": "AC" + "a" * 32,
    "api_version": "2010-04-01",
    "body": "",
    "date_created": "Mon, 23 Nov 2026 03:00:00 +0000",
    "date_sent": None,
    "date_updated": "Mon, 23 Nov 2026 03:00:00 +0000",
    "direction": "outbound-api",
    "error_code": None,
    "error_message": None,
    "from": None,
    "messaging_service_sid": "MG" + "b" * 32,
    "num_media": "0",
    "num_segments": "0",
    "price": None,
    "price_unit": None,
    "sid": "",
    "status": "accepted",
    "subresource_uris": {"media": "/2010-04-01/Accounts/AC/Messages/SM/Media.json"},
    "tags": None,
    "to": "",
    "uri": "/2010-04-01/Accounts/AC/Messages/SM.json",
}
_SID_LENGTH = 34
_PLACE = "SM" + "x" * (_SID_LENGTH - 2)


def _answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


_CREATED = _answer(b"201 CREATED", json.dumps({**_RECORD, "sid": _PLACE}).encode()).split(_PLACE.encode())


class Provider:
    """What all connections share: the clock of the answers, the count, the newest bodies."""

    def __init__(self, delay_s: float, receipts: ReceiptSender | None) -> None:
        self._delay_s = delay_s
        self._receipts = receipts
        self._due: deque[tuple[float, asyncio.Transport, bytes, str, bytes]] = deque()
        self._taken: list[tuple[str, bytes]] = []
        self._answered = array("d")
        self._numbers = count()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def take(self, transport: asyncio.Transport, body: bytes) -> None:
        """Takes a message; its answer leaves after the delay."""
        sid = f"SM{next(self._numbers):032x}"
        self._taken.append((sid, body))
        now = self._loop.time()
        self._due.append((now + self._delay_s, transport, sid.encode().join(_CREATED), sid, body))
        if self._timer is None:
            self._timer = self._loop.call_later(self._delay_s, self._flush)

    def _flush(self) -> None:
        now = self._loop.time()
        due = self._due
        while due and due[0][0] <= now:
            _, transport, answer, sid, body = due.popleft()
            if not transport.is_closing():
                transport.write(answer)
            self._answered.append(time.time())
            self.answered(sid, body)
        self._timer = self._loop.call_later(max(_FLUSH_S, due[0][0] - now), self._flush) if due else None

    def answered(self, sid: str, body: bytes) -> None:
        """The answer has left: from here on the message is on its way to the telephone."""
        if self._receipts is not None:
            self._receipts.send(sid, body)

    def listed(self, query: str) -> bytes:
        """The newest messages to a number, newest first."""
        wanted = parse_qs(query).get("To", [""])[0]
        found = []
        for sid, raw in reversed(self._taken):
            form = dict(parse_qsl(raw.decode()))
            if form.get("To") == wanted:
                found.append({**_RECORD, "sid": sid, "to": wanted, "body": form.get("Body", "")})
            if len(found) == _LISTED:
                break
        page = {"page": 0, "page_size": _LISTED, "start": 0, "end": len(found) - 1, "uri": "", "next_page_uri": None}
        return json.dumps({"messages": found, **page}).encode()

    def stats(self) -> bytes:
        """What happened since the last reset; rates are a second."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        sent = self._receipts
        return json.dumps(
            {
                "accepted": len(self._answered),
                "rate": middle_rate(self._answered),
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "receipts_answered": sent.answered if sent else 0,
                "receipts_refused": sent.refused if sent else 0,
                "receipts_rate": middle_rate(sent.moments) if sent else 0.0,
            }
        ).encode()

    def bodies(self) -> bytes:
        """The newest bodies, to be posted once more."""
        return json.dumps([raw.decode() for _, raw in self._taken[-_BODIES_KEPT:]]).encode()

    def reset(self) -> bytes:
        """Forgets what was, so that the next measurement starts at its own first answer. SIDs go on."""
        if self._receipts is not None:
            self._receipts.reset()
        self._taken.clear()
        del self._answered[:]
        return b"{}"


class Connected(asyncio.Protocol):
    """One connection to a provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport if isinstance(transport, asyncio.Transport) else None

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        while (end := buffer.find(_HEAD_END)) >= 0:
            found = _LENGTH.search(buffer, 0, end + 2)
            whole = end + len(_HEAD_END) + (int(found[1]) if found else 0)
            if len(buffer) < whole:
                break
            self._request(buffer[:end], buffer[end + len(_HEAD_END) : whole])
            buffer = buffer[whole:]
        self._buffer = buffer

    def _request(self, head: bytes, body: bytes) -> None:
        if self._transport is None:
            return
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        parts = urlsplit(target)
        if method == "POST" and parts.path.endswith("/Messages.json"):
            self._provider.take(self._transport, body)
            return
        answers = {
            "/_bench/stats": self._provider.stats,
            "/_bench/bodies": self._provider.bodies,
            "/_bench/reset": self._provider.reset,
        }
        if parts.path in answers:
            self._transport.write(_answer(b"200 OK", answers[parts.path]()))
        elif parts.path.endswith("/Messages.json"):
            self._transport.write(_answer(b"200 OK", self._provider.listed(parts.query)))
        else:
            self._transport.write(_answer(b"404 NOT FOUND", b'{"code": 20404, "status": 404}'))


async def _serve(port: int, delay_s: float, auth_token: str | None) -> None:
    loop = asyncio.get_running_loop()
    provider = Provider(delay_s, ReceiptSender(auth_token) if auth_token else None)
    server = await loop.create_server(lambda: Connected(provider), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--delay", type=float, default=0.1, help="seconds until each answer")
    parser.add_argument("--receipts", metavar="TOKEN", help="send receipts, signed with this auth token")
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.delay, given.receipts))


if __name__ == "__main__":
    main()
