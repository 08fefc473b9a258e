"""The fault server: in the shape of Twilio's Messages API, it fails on plan and forgets nothing that it took.

A process of its own: `python -m notifier.proof.provider --port 4011 --ledger FILE --plan FILE`. It may be killed at any
moment: what it answered for stands in its ledger, which it reads back when it starts. GET /_proof/stats tells what it
did. Standard library only, so that it is back within a moment.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import random
import re
import secrets
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from notifier.proof.callbacks import Callbacks, cancelled
from notifier.proof.ledger import LedgerFile, Taken, attempt_in, number_key, taken_line
from notifier.proof.plan import TAKES, Drawn, Plan, Post, Report, plan_from

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AUTHORIZATION = re.compile(rb"\r\nauthorization: *([^\r]+)", re.IGNORECASE)
_LISTED = 50
_DRIP_S = 0.3
_STATUS = {200: b"OK", 201: b"CREATED", 400: b"BAD REQUEST", 401: b"UNAUTHORIZED", 404: b"NOT FOUND",
           429: b"TOO MANY REQUESTS", 500: b"INTERNAL SERVER ERROR", 503: b"SERVICE UNAVAILABLE"}  # fmt: skip


class Provider:
    """What all connections share."""

    def __init__(self, ledger: LedgerFile, plan: Plan, callbacks: Callbacks, account_sid: str, auth_token: str) -> None:
        self.plan = plan
        self.path = f"/2010-04-01/Accounts/{account_sid}/Messages.json"
        self.credentials = b"Basic " + base64.b64encode(f"{account_sid}:{auth_token}".encode())
        self._ledger = ledger
        self._callbacks = callbacks
        self._account_sid = account_sid
        self._modes: Counter[str] = Counter()
        self._tries: Counter[str] = Counter(one.number for one in ledger.ledger.taken)
        self._by_number: dict[str, list[Taken]] = {}
        self._shown_from: dict[str, float] = {}
        self.connections: set[Connection] = set()
        for one in ledger.ledger.taken:
            self._by_number.setdefault(one.to, []).append(one)

    def draw(self, form: dict[str, str]) -> Drawn:
        """What happens to this submission."""
        number = number_key(form["To"])
        self._tries[number] += 1
        drawn = self.plan.draw(number, self._tries[number])
        self._modes[drawn.post.value] += 1
        return drawn

    async def take(self, form: dict[str, str], drawn: Drawn) -> Taken:
        """Takes a message: it is in the ledger when this returns. Its receipts follow on their own."""
        now = time.time()
        line = taken_line("SM" + secrets.token_hex(16), now, form)
        await self._ledger.keep(line)
        taken = Taken(**line)
        self._by_number.setdefault(taken.to, []).append(taken)
        if drawn.listed_late:
            self._shown_from[taken.sid] = now + self.plan.list_lag_s
        if drawn.report is Report.EARLY:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._callbacks.report(taken, drawn), self.plan.early_s)
        elif taken.callback:
            self._callbacks.start(taken, drawn, random.Random(taken.sid).uniform(0, self.plan.report_s))  # noqa: S311
        return taken

    async def refuse(self, form: dict[str, str]) -> None:
        """Refuses a message for good: that stands in the ledger before it is said."""
        await self._ledger.keep({"refused": attempt_in(form.get("StatusCallback", ""))})

    def record(self, taken: Taken) -> dict[str, Any]:
        """A Message resource, as Twilio words it."""
        words = self._ledger.ledger.words.get(taken.sid, [])
        return {
            "account_sid": self._account_sid, "api_version": "2010-04-01", "body": taken.body,
            "date_created": formatdate(taken.at, usegmt=True).replace("GMT", "+0000"), "date_sent": None,
            "date_updated": formatdate(taken.at, usegmt=True).replace("GMT", "+0000"), "direction": "outbound-api",
            "error_code": None, "error_message": None, "from": None, "messaging_service_sid": "MG" + "b" * 32,
            "num_media": "0", "num_segments": "0", "price": None, "price_unit": None, "sid": taken.sid,
            "status": words[-1] if words else "accepted", "subresource_uris": {}, "tags": None, "to": taken.to,
            "uri": f"{self.path[: -len('.json')]}/{taken.sid}.json",
        }  # fmt: skip

    def listed(self, query: str) -> dict[str, Any]:
        """The newest messages to a number, newest first; some are not shown at once."""
        now = time.time()
        shown = [
            self.record(one)
            for one in reversed(self._by_number.get(parse_qs(query).get("To", [""])[0], []))
            if self._shown_from.get(one.sid, 0.0) <= now
        ]
        page = {"page": 0, "page_size": _LISTED, "start": 0, "uri": "", "next_page_uri": None}
        return {"messages": shown[:_LISTED], "end": max(0, len(shown) - 1), **page}

    async def close(self) -> None:
        """Breaks off what is open."""
        for connection in list(self.connections):
            await connection.close()

    def stats(self) -> dict[str, Any]:
        """What it did since it started; `taken` since ever."""
        return {
            "taken": len(self._ledger.ledger.taken),
            "modes": dict(self._modes),
            "pending_receipts": self._callbacks.pending,
            "receipts": {str(status): count for status, count in sorted(self._callbacks.answered.items())},
            "cpu_seconds": time.process_time(),
        }


class Connection(asyncio.Protocol):
    """One connection: requests one after another, each handled as its draw says."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._buffer = b""
        self._transport: asyncio.Transport
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # what TCP gives
        self._transport = transport
        self._provider.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._provider.connections.discard(self)

    async def close(self) -> None:
        """Breaks it off, with what is under way."""
        self._transport.abort()
        await cancelled(self._tasks)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        while (end := buffer.find(_HEAD_END)) >= 0:
            found = _LENGTH.search(buffer, 0, end + 2)
            whole = end + len(_HEAD_END) + (int(found[1]) if found else 0)
            if len(buffer) < whole:
                break
            self._request(buffer[: end + 2], buffer[end + len(_HEAD_END) : whole])
            buffer = buffer[whole:]
        self._buffer = buffer

    def _request(self, head: bytes, body: bytes) -> None:
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        parts = urlsplit(target)
        given = _AUTHORIZATION.search(head)
        if parts.path == "/_proof/stats":
            self._answer(200, self._provider.stats())
        elif given is None or given[1] != self._provider.credentials:
            self._refuse(401, 20003)
        elif parts.path != self._provider.path:
            self._refuse(404, 20404)
        elif method == "GET":
            self._answer(200, self._provider.listed(parts.query))
        else:
            form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
            missing = _missing(form)
            if missing:
                self._refuse(400, missing)
                return
            task = asyncio.get_running_loop().create_task(self._submission(form))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _submission(self, form: dict[str, str]) -> None:
        drawn = self._provider.draw(form)
        body = b""
        if drawn.post in TAKES:
            taken = await self._provider.take(form, drawn)
            body = json.dumps(self._provider.record(taken)).encode()
        elif drawn.post is Post.REFUSED:
            await self._provider.refuse(form)
        if self._provider.plan.delay_s:
            await asyncio.sleep(self._provider.plan.delay_s)
        if drawn.post is Post.OK:
            self._write(201, body)
        elif drawn.post is Post.ACCEPT_DRIP:
            await self._drip(body)
        else:
            self._fail(drawn, body)

    def _fail(self, drawn: Drawn, body: bytes) -> None:
        half = body[: len(body) // 2]
        endings: dict[Post, Callable[[], None]] = {
            Post.ACCEPT_DROP: self._transport.close,
            Post.ACCEPT_RESET: lambda: self._half_then_reset(half, len(body)),
            Post.ACCEPT_HANG: lambda: None,
            Post.ACCEPT_500: lambda: self._refuse(500, 20500),
            Post.ACCEPT_CUT: lambda: self._write(201, half),
            Post.HANG: lambda: None,
            Post.RESET: self._reset,
            Post.ERROR_500: lambda: self._refuse(500, 20500),
            Post.ERROR_503: lambda: self._refuse(503, 20503),
            Post.BUSY_503: lambda: self._refuse(503, 20503, b"Retry-After: 1\r\n"),
            Post.LIMITED: lambda: self._refuse(429, 20429, b"Retry-After: 1\r\n"),
            Post.REFUSED: lambda: self._refuse(400, drawn.code),
        }
        endings[drawn.post]()

    async def _drip(self, body: bytes) -> None:
        self._write(201, body[:1], declared=len(body))
        for place in range(1, len(body)):
            await asyncio.sleep(_DRIP_S)
            if self._transport.is_closing():
                return
            self._transport.write(body[place : place + 1])

    def _half_then_reset(self, half: bytes, declared: int) -> None:
        self._write(201, half, declared=declared)
        asyncio.get_running_loop().call_later(0.01, self._reset)

    def _reset(self) -> None:
        """Closes with RST: the client learns nothing of what became of its request."""
        sock = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        self._write(status, json.dumps(content).encode())

    def _refuse(self, status: int, code: int, header: bytes = b"") -> None:
        content = {"code": code, "message": "refused", "status": status,
                   "more_info": f"https://www.twilio.com/docs/errors/{code}"}  # fmt: skip
        self._write(status, json.dumps(content).encode(), header=header)

    def _write(self, status: int, body: bytes, *, declared: int | None = None, header: bytes = b"") -> None:
        if self._transport.is_closing():
            return
        length = len(body) if declared is None else declared
        head = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
        self._transport.write(head % (status, _STATUS[status], length, header) + body)


def _missing(form: dict[str, str]) -> int | None:
    """Twilio's code for what a message lacks."""
    if not form.get("To"):
        return 21604
    if not form.get("Body"):
        return 21602
    return None if form.get("From") or form.get("MessagingServiceSid") else 21603


@asynccontextmanager
async def serve(
    port: int, ledger: Path, plan: Plan, *, account_sid: str, auth_token: str, base: str | None = None
) -> AsyncIterator[int]:
    """Serves on loopback; the port (`port` 0 chooses one)."""
    file = LedgerFile(ledger)
    callbacks = Callbacks(file, account_sid, auth_token, base, plan.report_s)
    provider = Provider(file, plan, callbacks, account_sid, auth_token)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(provider), "127.0.0.1", port, backlog=2048)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await callbacks.close()
        await provider.close()
        file.close()


async def _run(given: argparse.Namespace) -> None:
    plan = plan_from(json.loads(Path(given.plan).read_text(encoding="utf-8"))) if given.plan else Plan()
    token = sys.stdin.readline().strip()
    ledger = Path(given.ledger)
    async with serve(given.port, ledger, plan, account_sid=given.account, auth_token=token, base=given.callbacks):
        await asyncio.Event().wait()


def main() -> None:
    """The process. The auth token comes on standard input: arguments can be seen by everybody."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ledger", required=True, help="the file of everything that was taken")
    parser.add_argument("--plan", help="a JSON file: seed, weights, delays")
    parser.add_argument("--account", default="AC" + "a" * 32)
    parser.add_argument("--callbacks", help="where receipts go, instead of the host in the callback's address")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
