"""Receipts as Twilio posts them: signed, over a handful of kept connections, as fast as they are answered."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from array import array
from collections import deque
from urllib.parse import parse_qsl, urlencode, urlsplit

_CONNECTIONS = 24
_OK = (b" 200", b" 204")


def signature(auth_token: str, url: str, form: dict[str, str]) -> str:
    """HMAC-SHA1 over the address and the sorted form (https://www.twilio.com/docs/usage/security)."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


class ReceiptSender:
    """Posts one `delivered` for each message. `moments`: Unix seconds of the answers."""

    def __init__(self, auth_token: str) -> None:
        self._auth_token = auth_token
        self._waiting: deque[bytes] = deque()
        self._idle: list[_Line] = []
        self._open = 0
        self.answered = self.refused = 0
        self.moments = array("d")

    def reset(self) -> None:
        """Counts anew."""
        self.answered = self.refused = 0
        del self.moments[:]

    def send(self, sid: str, body: bytes) -> None:
        """Queues the receipt of a message whose form this is; none where it named no address."""
        form = dict(parse_qsl(body.decode()))
        url = form.get("StatusCallback")
        if not url:
            return
        said = {
            "AccountSid": "AC" + "a" * 32,
            "ApiVersion": "2010-04-01",
            "MessageSid": sid,
            "MessageStatus": "delivered",
            "SmsSid": sid,
            "SmsStatus": "delivered",
            "To": form.get("To", ""),
        }
        parts = urlsplit(url)
        content = urlencode(said).encode()
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Twilio-Signature: "
            f"{signature(self._auth_token, url, said)}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        self._waiting.append(head.encode() + content)
        if self._idle:
            self._idle.pop().post(self._waiting.popleft())
        elif self._open < _CONNECTIONS:
            self._connect(parts.hostname or "127.0.0.1", parts.port or 80)

    def _connect(self, host: str, port: int) -> None:
        self._open += 1
        task = asyncio.get_running_loop().create_task(self._opened(host, port))
        task.add_done_callback(self._failed)

    async def _opened(self, host: str, port: int) -> None:
        await asyncio.get_running_loop().create_connection(lambda: _Line(self), host, port)

    def _failed(self, task: asyncio.Task[None]) -> None:
        if task.exception() is not None:
            self._open -= 1

    def ready(self, line: _Line) -> None:
        """A connection has nothing to do."""
        if self._waiting:
            line.post(self._waiting.popleft())
        else:
            self._idle.append(line)

    def heard(self, line: _Line, head: bytes) -> None:
        """An answer came."""
        self.moments.append(time.time())
        if head[8:12] in _OK:
            self.answered += 1
        else:
            self.refused += 1
        self.ready(line)

    def lost(self, line: _Line, unanswered: bytes | None) -> None:
        """A connection ended; what it had not answered goes again, as Twilio's receipts do."""
        self._open -= 1
        if line in self._idle:
            self._idle.remove(line)
        if unanswered is not None:
            self._waiting.appendleft(unanswered)


class _Line(asyncio.Protocol):
    """One kept connection with at most one receipt under way."""

    def __init__(self, sender: ReceiptSender) -> None:
        self._sender = sender
        self._transport: asyncio.WriteTransport | None = None
        self._posted: bytes | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport if isinstance(transport, asyncio.WriteTransport) else None
        self._sender.ready(self)

    def post(self, request: bytes) -> None:
        self._posted = request
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end]
        lower = head.lower()
        place = lower.find(b"\r\ncontent-length:")
        length = int(lower[place + 17 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        self._buffer = self._buffer[end + 4 + length :]
        self._posted = None
        self._sender.heard(self, head)

    def connection_lost(self, error: Exception | None) -> None:
        self._sender.lost(self, self._posted)
