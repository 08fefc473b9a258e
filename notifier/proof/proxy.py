"""A TCP proxy of our own in front of a database or a broker: it can cut every connection, and refuse new ones.

It runs on a thread, so that the harness can order a cut while it does something else.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

_CHUNK = 65536
_START_S = 10.0
#: where to connect: (host, port), or the path of a Unix socket
Target = tuple[str, int] | Path


class Proxy:
    """Listens on a free port of the loopback and passes bytes to `target` and back."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.cuts = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.port = 0
        self._call(self._listen())

    def cut(self) -> None:
        """Resets every connection, in both directions."""
        self.cuts += 1
        self._call(self._reset_all())

    def refuse(self) -> None:
        """Resets every connection, and takes no new ones until `resume`."""
        self.cuts += 1
        self._call(self._refuse())

    def resume(self) -> None:
        """Takes connections again, on the same port. Harmless where it does."""
        self._call(self._listen())

    def close(self) -> None:
        """Cuts everything and ends the thread."""
        self._call(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_S)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._reset_all()

    async def _reset_all(self) -> None:
        for writer in list(self._open):
            sock = writer.get_extra_info("socket")
            with contextlib.suppress(OSError, AttributeError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            far_reader, far_writer = await self._connect()
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(far_writer)
        await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
        self._open -= {writer, far_writer}

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._target, Path):
            return await asyncio.open_unix_connection(self._target)
        return await asyncio.open_connection(*self._target)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction, until it ends; then the other one ends too."""
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except (OSError, RuntimeError):
        writer.transport.abort()
        return
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()
