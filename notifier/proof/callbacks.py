"""The fault server's delivery receipts: signed as Twilio signs, posted to the callback's address in whatever order and
number the plan wants."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from notifier.proof.ledger import LedgerFile, Taken
from notifier.proof.plan import Drawn, Report

_AT_ONCE = 16
_TRIES = 3
_PATIENCE_S = 5.0
_AGAIN_S = 1.0
_COPIES = 5
_BAD = "undelivered"


def sign(token: str, url: str, form: dict[str, str]) -> str:
    """Twilio's signature: base64 of HMAC-SHA1 over the address and the sorted form, keyed by the auth token.
    Source: https://www.twilio.com/docs/usage/security#validating-requests"""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


async def cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Ends tasks and waits for them."""
    under_way = list(tasks)
    for task in under_way:
        task.cancel()
    await asyncio.gather(*under_way, return_exceptions=True)


class Callbacks:
    """Sends the receipts of taken messages. `base`: where to post instead of the host in the callback's address."""

    def __init__(self, ledger: LedgerFile, account_sid: str, token: str, base: str | None, report_s: float) -> None:
        self._ledger = ledger
        self._account_sid = account_sid
        self._token = token
        self._base = base
        self._report_s = report_s
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.answered: dict[int, int] = {}  #: how many posts got which HTTP status; 0: none

    @property
    def pending(self) -> int:
        """How many messages still have receipts to come."""
        return len(self._tasks)

    def start(self, taken: Taken, drawn: Drawn, wait_s: float) -> None:
        """Reports on a message after a while."""
        task = asyncio.create_task(self.report(taken, drawn, wait_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Nothing more is reported."""
        await cancelled(self._tasks)

    async def report(self, taken: Taken, drawn: Drawn, wait_s: float = 0.0) -> None:
        """All receipts of one message, as drawn. Whatever is said genuinely stands in the ledger before it is said."""
        await asyncio.sleep(wait_s)
        last = _BAD if drawn.report is Report.UNDELIVERED else "delivered"
        code = drawn.bad_end if last == _BAD else None
        if drawn.report is Report.FORGED:
            await self._forge(taken)
            return
        await self._ledger.keep({"sid": taken.sid, "word": "sent"}, {"sid": taken.sid, "word": last})
        if drawn.report is Report.MISSING:
            return
        words = [("sent", None), (last, code)]
        if drawn.report is Report.REVERSED:
            words.reverse()
        if drawn.report is Report.REPEATED:
            await asyncio.gather(*(self._post(taken, word, bad) for word, bad in words for _ in range(_COPIES)))
            return
        if drawn.report is Report.STRANGER:
            await self._post(taken, "failed", 30008, reference=secrets.token_urlsafe(16))
        for word, bad in words:
            await self._post(taken, word, bad)
            await asyncio.sleep(min(0.1, wait_s))

    async def _forge(self, taken: Taken) -> None:
        for word in ("delivered", "failed", _BAD):
            await self._post(taken, word, 30005 if word != "delivered" else None, token=secrets.token_hex(16))

    async def _post(
        self, taken: Taken, word: str, code: int | None, *, token: str | None = None, reference: str | None = None
    ) -> None:
        url = taken.callback
        if reference is not None:
            url = f"{url.rpartition('/')[0]}/{reference}"
        form = {
            "AccountSid": self._account_sid, "ApiVersion": "2010-04-01", "To": taken.to, "MessageSid": taken.sid,
            "MessageStatus": word, "SmsSid": taken.sid, "SmsStatus": word,
        }  # fmt: skip
        if code is not None:
            form["ErrorCode"] = str(code)
        signature = sign(token or self._token, url, form)
        for _ in range(_TRIES):
            async with self._slots:
                status = await _posted(self._base or url, urlsplit(url).path, urlencode(form).encode(), signature)
            self.answered[status] = self.answered.get(status, 0) + 1
            if status and status < 500:
                return
            await asyncio.sleep(_AGAIN_S)


async def _posted(base: str, path: str, body: bytes, signature: str) -> int:
    """The HTTP status that a receipt was answered with; 0 where none came."""
    parts = urlsplit(base)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nX-Twilio-Signature: {signature}\r\nConnection: close\r\n\r\n"
    )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            try:
                writer.write(head.encode() + body)
                line = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return 0
    words = line.split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
