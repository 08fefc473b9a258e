"""People who chat, and the provider between: signed webhooks in, replies out, each step timed from one to the other.

Started as a process: `python -m notifier.proof.bench.chatters plan.json`. It prints one line of JSON when it is done.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from notifier.proof.bench.figures import middle_rate, quantile
from notifier.proof.bench.provider import Connected, Provider
from notifier.proof.bench.receipts import signature

_PATIENCE_S = 60.0
_CODE = re.compile(r"\b\d{6}\b")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SCHEME = "whatsapp:"
#: what is sent instead of a fixed text
CODE = "{code}"


@dataclass(frozen=True)
class Plan:
    """What is to be said. `people`: (number, texts) each; `at_once`: how many chat at the same time."""

    port: int
    web_port: int
    public_url: str
    auth_token: str
    delay_s: float
    at_once: int
    people: list[tuple[str, list[str]]]


class Hearing(Provider):
    """The provider, which tells each number's chatter what came. A step ends where the provider has its reply; the
    person reads it, and writes again, once the provider has answered us, as it does before it delivers."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(delay_s, None)
        self.heard: dict[str, asyncio.Event] = {}
        self.taken_at: dict[str, float] = {}
        self.codes: dict[str, str] = {}

    def take(self, transport: asyncio.Transport, body: bytes) -> None:
        self.taken_at.setdefault(dict(parse_qsl(body.decode())).get("To", ""), time.perf_counter())
        super().take(transport, body)

    def answered(self, sid: str, body: bytes) -> None:
        form = dict(parse_qsl(body.decode()))
        to, event = form.get("To", ""), None
        if to.startswith(_SCHEME):
            event = self.heard.get(to)
        elif code := _CODE.search(form.get("Body", "")):
            self.codes[to] = code[0]
            event = self.heard.get(to)
        if event is not None:
            event.set()
        super().answered(sid, body)


class Web:
    """A connection to the public face; opened again where it was idle for too long."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        if self._pair is None or self._pair[0].at_eof():
            self._pair = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, request: bytes) -> int:
        """The status of the answer."""
        if self._pair is None:
            raise SystemExit("not open")
        reader, writer = self._pair
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):  # closed at this very moment: once more, as Twilio does
            self._pair = None
            await self.open()
            return await self.ask(request)
        found = _LENGTH.search(head)
        if found:
            await reader.readexactly(int(found[1]))
        return int(head.split(b" ", 2)[1])

    def close(self) -> None:
        if self._pair is not None:
            self._pair[1].close()


class Chatters:
    def __init__(self, plan: Plan, provider: Hearing) -> None:
        self._plan, self._provider = plan, provider
        self._run, self._sids = secrets.token_hex(4), count()  # a message's id is its own for ever
        self._queue: Iterator[tuple[str, list[str]]] = iter(plan.people)
        self.step_s, self.webhook_s, self.moments = array("d"), array("d"), array("d")

    async def run(self) -> None:
        await asyncio.gather(*(self._line() for _ in range(self._plan.at_once)))

    async def _line(self) -> None:
        """One person after another, on a connection that is kept."""
        web = Web(self._plan.web_port)
        for number, texts in self._queue:
            for text in texts:
                said = await self._code(number) if text == CODE else text
                await self._step(web, number, said)
        web.close()

    async def _step(self, web: Web, number: str, text: str) -> None:
        address = _SCHEME + number
        event = self._provider.heard[address] = asyncio.Event()
        self._provider.taken_at.pop(address, None)
        await web.open()
        start = time.perf_counter()
        status = await web.ask(self._request(number, text))
        self.webhook_s.append(time.perf_counter() - start)
        if status != 200:  # HTTP
            raise SystemExit(f"the public face answered {status}")
        await asyncio.wait_for(event.wait(), _PATIENCE_S)
        self.step_s.append(self._provider.taken_at[address] - start)
        self.moments.append(time.time())

    async def _code(self, number: str) -> str:
        while number not in self._provider.codes:
            event = self._provider.heard[number] = asyncio.Event()
            if number not in self._provider.codes:
                await asyncio.wait_for(event.wait(), _PATIENCE_S)
        return self._provider.codes[number]

    def _request(self, number: str, text: str) -> bytes:
        form = {
            "MessageSid": f"SM{self._run}{next(self._sids):024x}",
            "From": _SCHEME + number,
            "Body": text,
            "NumMedia": "0",
        }
        signed = signature(self._plan.auth_token, f"{self._plan.public_url}/twilio/inbound", form)
        body = urlencode(form).encode()
        head = (
            f"POST /twilio/inbound HTTP/1.1\r\nHost: 127.0.0.1:{self._plan.web_port}\r\n"
            f"X-Twilio-Signature: {signed}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def _main(plan: Plan) -> dict[str, Any]:
    provider = Hearing(plan.delay_s)
    server = await asyncio.get_running_loop().create_server(lambda: Connected(provider), "127.0.0.1", plan.port)
    chatters = Chatters(plan, provider)
    print(json.dumps({"listening": True}), flush=True)  # noqa: T201  # what the bench waits for
    await chatters.run()
    server.close()
    steps = list(chatters.step_s)
    return {
        "steps": len(steps),
        "median_ms": quantile(steps, 0.5) * 1000,
        "p95_ms": quantile(steps, 0.95) * 1000,
        "p99_ms": quantile(steps, 0.99) * 1000,
        "webhook_p95_ms": quantile(list(chatters.webhook_s), 0.95) * 1000,
        "rate": middle_rate(chatters.moments),
    }


def main() -> None:
    """The process."""
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    print(json.dumps(asyncio.run(_main(Plan(**given)))), flush=True)  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
