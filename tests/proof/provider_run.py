"""The fault server inside a test: on a loop of its own, with what it was told and a way to post to it."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from notifier.proof.plan import Plan, Post, Report
from notifier.proof.provider import serve

ACCOUNT_SID = "AC" + "a" * 32
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
PATH = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
TOKEN = "A1b2C3d4E5f" + "x" * 22
_PATIENCE_S = 60


def credentials(token: str) -> dict[str, str]:
    """The header of somebody who knows this auth token."""
    return {"Authorization": "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{token}".encode()).decode()}


CREDENTIALS = credentials(AUTH_TOKEN)


def always(post: Post, report: Report = Report.MISSING, **more: Any) -> Plan:
    """A plan that does one thing to every message, at once."""
    return Plan(posts={post: 1}, reports={report: 1}, **({"delay_s": 0.0, "report_s": 0.0} | more))


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str]

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class RunningProvider:
    port: int
    web: Web

    def post(self, to: str = "+6281200000001", reference: str = "attempt-1", timeout: float = _PATIENCE_S) -> Answer:
        """Submits a message as our gateway does. Raises what http.client raises."""
        return self.ask("POST", PATH, self.form(to, reference), timeout=timeout)

    def form(self, to: str, reference: str) -> str:
        """The body of a submission."""
        return urlencode(
            {
                "To": to,
                "Body": f"Sertifikat: https://x.example/c/{TOKEN} ok",
                "MessagingServiceSid": "MG1",
                "StatusCallback": f"{self.web.url}/twilio/status/{reference}",
            }
        )

    def line(self, timeout: float = _PATIENCE_S) -> closing[http.client.HTTPConnection]:
        """A connection, closed afterwards."""
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout))

    def listed(self, to: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"{PATH}?To={quote(to)}&PageSize=20").json()["messages"]
        return found

    def ask(
        self, method: str, path: str, body: str = "", *, token: str = AUTH_TOKEN, timeout: float = _PATIENCE_S
    ) -> Answer:
        with self.line(timeout) as line:
            line.request(method, path, body, credentials(token))
            answer = line.getresponse()
            return Answer(answer.status, answer.read(), dict(answer.getheaders()))


@dataclass
class Web:
    """Where receipts arrive: (path, form, signature) of each."""

    url: str = ""
    receipts: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def words(self) -> list[str]:
        return [form["MessageStatus"] for _, form, _ in self.receipts]


@contextmanager
def running(folder: Path, plan: Plan) -> Iterator[RunningProvider]:
    """A provider with the ledger `folder`/ledger, and a server that takes its receipts."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            web.receipts.append((self.path, dict(parse_qsl(body)), self.headers["X-Twilio-Signature"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.url = f"http://127.0.0.1:{listener.server_address[1]}"
    loop = asyncio.new_event_loop()
    threads = [
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True),
        threading.Thread(target=loop.run_forever, daemon=True),
    ]
    for thread in threads:
        thread.start()
    serving = serve(0, folder / "ledger", plan, account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN)
    try:
        port = asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(_PATIENCE_S)
        yield RunningProvider(port, web)
    finally:
        asyncio.run_coroutine_threadsafe(_wind_up(serving), loop).result(_PATIENCE_S)
        loop.call_soon_threadsafe(loop.stop)
        listener.shutdown()
        for thread in threads:
            thread.join(_PATIENCE_S)
        listener.server_close()
        loop.close()


async def _wind_up(serving: AbstractAsyncContextManager[int]) -> None:
    await serving.__aexit__(None, None, None)
    await asyncio.get_running_loop().shutdown_default_executor()
