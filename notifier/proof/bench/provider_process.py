"""The provider as a bench sees it: a process, and what it tells over HTTP."""

from __future__ import annotations

import http.client
import json
from typing import Any

from notifier.proof.bench.processes import Process, wait_until
from notifier.proof.bench.workshop import ACCOUNT_SID, AUTH_TOKEN, HOST, Workshop, listens

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
_START_S = 20.0
_PATIENCE_S = 10.0


class RunningProvider:
    """Answers after 100 ms; with `receipts` it reports each message as delivered."""

    def __init__(self, shop: Workshop, port: int, *, delay_s: float, receipts: bool) -> None:
        more = ["--receipts", AUTH_TOKEN] if receipts else []
        self.port = port
        self.process: Process = shop.module("provider", "provider", "--port", str(port), "--delay", str(delay_s), *more)
        wait_until(lambda: listens(port), _START_S, "the provider", [self.process])

    @property
    def messages_url(self) -> str:
        return f"http://{HOST}:{self.port}{MESSAGES}"

    def stats(self) -> dict[str, Any]:
        """See `provider.Provider.stats`."""
        found: dict[str, Any] = self._ask("/_bench/stats")
        return found

    def bodies(self) -> list[str]:
        """The newest posted forms."""
        found: list[str] = self._ask("/_bench/bodies")
        return found

    def reset(self) -> None:
        """A new measurement begins."""
        self._ask("/_bench/reset")

    def _ask(self, path: str) -> Any:
        line = http.client.HTTPConnection(HOST, self.port, timeout=_PATIENCE_S)
        try:
            line.request("GET", path)
            return json.load(line.getresponse())
        finally:
            line.close()
