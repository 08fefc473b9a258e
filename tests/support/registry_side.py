"""The registry's side: a webhook server on loopback, and a worker that is killed while it tells."""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from kombu import Connection
from pydantic import SecretStr

from notifier import embedded_broker
from notifier.gateways.registry import registry_queue
from notifier.services import build
from notifier.settings import Settings
from notifier.support import registry_out
from tests.conftest import TEST_KEYS

SECRET = "a-secret-of-the-registry-webhook"


@dataclass
class Webhook:
    """What it was told, and what it answers: one status after the other, the last one for ever."""

    answers: list[int] = field(default_factory=lambda: [204])
    seen: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.seen]

    def __enter__(self) -> Webhook:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # http.server's name
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.seen.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0])
                self.send_header("location", outer.url)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/sertilink"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_args: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def connection(url: str) -> Connection:
    embedded_broker.register()
    return Connection(url, transport_options={"polling_interval": 0.02})


def read_all(link: Connection, queue: str, *, on_rabbitmq: bool = False) -> list[dict[str, Any]]:
    """Everything on the registry's queue, taken from it as a registry would."""
    found = []
    with link, link.channel() as channel:
        bound = registry_queue(queue, on_rabbitmq=on_rabbitmq)(channel)
        while (message := bound.get()) is not None:
            found.append(message.payload)
            message.ack()
    return found


def settings_of(folder: Path, **more: Any) -> Settings:
    database = f"sqlite:///{folder}/sertilink.db"
    return Settings(database_url=database, data_folder=folder, **TEST_KEYS, **more)


def tell_and_die(folder: str, url: str) -> None:
    """A worker of its own, with an order to die laid down for it."""
    settings = settings_of(
        Path(folder),
        registry_webhook_url=url,
        registry_webhook_secret=(SecretStr(SECRET),),
        test_fault_points=Path(folder),
    )
    registry_out.run(build(settings), lambda: None)


if __name__ == "__main__":
    tell_and_die(sys.argv[1], sys.argv[2])
