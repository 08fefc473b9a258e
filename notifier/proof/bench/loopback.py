"""A small HTTP client for measuring a server on loopback: kept connections, one request at a time on each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from notifier.proof.bench import BenchFailed

CONNECTIONS = 16
_END = b"\r\n\r\n"
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    size: int


@dataclass(frozen=True, slots=True)
class Load:
    """What some work came to: how much of it a second, and how long each took, in seconds."""

    rate: float
    seconds: list[float]


class Line(asyncio.Protocol):
    """One connection, opened again where the server closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[Reply] | None = None

    async def get(self, path: str, headers: dict[str, str] | None = None) -> Reply:
        return await self._ask("GET", path, headers or {}, b"")

    async def post(self, path: str, form: dict[str, str], headers: dict[str, str] | None = None) -> Reply:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._ask("POST", path, {**kind, **(headers or {})}, urlencode(form).encode())

    async def _ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            self._transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self._port)
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._answer = loop.create_future()
        self._transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await asyncio.wait_for(self._answer, _PATIENCE_S)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_END)
        if end < 0:
            return
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = int(headers.get("content-length", "0"))
        if len(self._buffer) < end + len(_END) + size:
            return
        self._buffer = b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Reply(int(first.split(" ", 2)[1]), headers, size))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._buffer = b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BenchFailed("the server closed a connection without an answer"))


def measure(port: int, works: Sequence[Callable[[Line], Awaitable[None]]], connections: int = CONNECTIONS) -> Load:
    """Does all the works, as many at a time as there are connections."""

    async def all_of_it() -> Load:
        waiting = iter(works)
        seconds: list[float] = []

        async def some(line: Line) -> None:
            for work in waiting:
                begun = time.perf_counter()
                await work(line)
                seconds.append(time.perf_counter() - begun)

        start = time.perf_counter()
        await asyncio.gather(*(some(Line(port)) for _ in range(connections)))
        return Load(len(works) / (time.perf_counter() - start), seconds)

    return asyncio.run(all_of_it())


def measure_paced(
    port: int, works: Sequence[Callable[[Line], Awaitable[None]]], rate: float, connections: int = CONNECTIONS
) -> Load:
    """Begins `rate` works a second, whether the earlier ones are done or not, and counts each from the moment at which
    it was due: a server that falls behind cannot hide it."""

    async def all_of_it() -> Load:
        free: asyncio.Queue[Line] = asyncio.Queue()
        for _ in range(connections):
            free.put_nowait(Line(port))
        seconds: list[float] = []
        start = time.perf_counter()

        async def one(work: Callable[[Line], Awaitable[None]], due: float) -> None:
            line = await free.get()
            await work(line)
            free.put_nowait(line)
            seconds.append(time.perf_counter() - due)

        tasks = []
        for place, work in enumerate(works):
            due = start + place / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(one(work, due)))
        await asyncio.gather(*tasks)
        return Load(len(works) / (time.perf_counter() - start), seconds)

    return asyncio.run(all_of_it())
