"""One event loop on one background thread for each process, called from ordinary threads."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from notifier.gateways.twilio.client import Account, TwilioClient

T = TypeVar("T")
#: a loop that does not stop within this time is left to the daemon thread
_STOP_WITHIN_S = 5.0


class Line:
    """The thread, its loop, and the client with its connections. Nothing starts before the first call."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: TwilioClient | None = None

    def call(self, work: Callable[[TwilioClient], Coroutine[Any, Any, T]]) -> T:
        """Runs `work` on the loop and waits for it. What it raises comes out here. When the caller is interrupted
        (Celery's soft time limit), or the line is closed meanwhile, what has not been posted is not posted any more."""
        with self._lock:  # so that close() finds the work among its tasks, or we find the line closed
            loop, client = self._open()
            future = asyncio.run_coroutine_threadsafe(work(client), loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _open(self) -> tuple[asyncio.AbstractEventLoop, TwilioClient]:
        if self._loop is None or self._client is None:
            loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=loop.run_forever, name="twilio", daemon=True)
            self._thread.start()
            self._client = asyncio.run_coroutine_threadsafe(TwilioClient.open(self._account), loop).result()
            self._loop = loop
        return self._loop, self._client

    def close(self) -> None:
        """Cancels what is under way (its callers get CancelledError), closes the connections, ends the thread. Harmless
        when nothing was started."""
        with self._lock:
            loop, thread, client = self._loop, self._thread, self._client
            self._loop = self._thread = self._client = None
            if loop is None or thread is None or client is None:
                return
            end = asyncio.run_coroutine_threadsafe(_wind_up(client), loop)
        with contextlib.suppress(TimeoutError):
            end.result(_STOP_WITHIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STOP_WITHIN_S)
        if not thread.is_alive():
            loop.close()


async def _wind_up(client: TwilioClient) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await client.close()
    await asyncio.get_running_loop().shutdown_default_executor()  # the threads that looked up host names
