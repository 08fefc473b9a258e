"""An installation for one bench: temporary folder, keys, migrated database, queues of its own; gone afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kombu import Connection, Exchange, Queue
from kombu.exceptions import KombuError

from notifier import embedded_broker
from notifier.proof.bench import Options
from notifier.proof.bench.processes import Process, wait_until
from notifier.proof.ports import free_port
from notifier.safety import make_secrets
from notifier.services import Services, build
from notifier.settings import PREFIX, Settings, load_settings
from notifier.store.migrate import upgrade
from notifier.store.throwaway import postgres_database

HOST = "127.0.0.1"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of an account that exists nowhere
ACCOUNT_SID = "AC" + "a" * 32
_START_S = 60.0
_BIN = Path(sys.executable).parent


@dataclass
class Workshop:
    """What a bench works with. `environ` is the whole environment of its processes."""

    folder: Path
    environ: dict[str, str] = field(repr=False)
    settings: Settings
    services: Services
    web_port: int
    on_postgres: bool
    _stack: ExitStack

    def start(self, name: str, *command: str, environ: Mapping[str, str] | None = None) -> Process:
        """Starts one of this installation's programs; stopped at the end at the latest."""
        program = _BIN / command[0]
        whole = [str(program) if program.exists() else command[0], *command[1:]]
        process = Process(name, whole, environ={**self.environ, **(environ or {})}, folder=self.folder)
        self._stack.callback(process.stop)
        return process

    def module(self, name: str, module: str, *arguments: str) -> Process:
        """Starts a module of this package as a process."""
        return self.start(name, sys.executable, "-m", f"{__package__}.{module}", *arguments)

    def web(self) -> Process:
        """The public face, as the Procfile starts it, once it answers."""
        address = f"{HOST}:{self.web_port}"
        web = self.start(
            "web", "gunicorn", "-c", "python:linkserver.gunicorn_conf", "--bind", address, "linkserver.wsgi:public()"
        )
        wait_until(lambda: listens(self.web_port), _START_S, "the public face", [web])
        return web


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


@contextmanager
def open_workshop(options: Options, **settings: str) -> Iterator[Workshop]:
    """A workshop on the database and broker of `options`. `settings` (lower case, without the prefix) are the bench's
    own; those of `options` overrule them. Raises BenchFailed, BadSettings, DBAPIError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sertilink-bench-")))
        if options.database:
            database = stack.enter_context(postgres_database(options.database, f"sertilink_bench_{os.getpid()}"))
        else:
            database = f"sqlite:///{folder}/sertilink.db"
        port = free_port()
        chosen = {
            "database_url": database,
            "broker_url": options.broker or f"{embedded_broker.SCHEME}:///{folder}/broker.db",
            "data_folder": str(folder),
            "events_queue": f"sertilink-bench-{secrets.token_hex(4)}",
            "public_url": f"http://{HOST}:{port}",
            "quiet_hours": "off",
            **settings,
            **{name.lower(): value for name, value in options.settings.items()},
        }
        environ = {name: value for name, value in options.environ.items() if not name.startswith(PREFIX)}
        environ |= {PREFIX + name.upper(): value for name, value in chosen.items()}
        environ |= {"PYTHONUNBUFFERED": "1", "PATH": f"{_BIN}:{environ.get('PATH', '')}"}
        make_secrets(folder)
        read = load_settings(environ)
        if options.broker:
            _refuse_absent(read.broker_url)
        services = build(read)
        stack.callback(services.close)
        upgrade(services.db)
        stack.callback(_drop_queues, read)
        with ExitStack() as processes:
            yield Workshop(folder, environ, read, services, port, bool(options.database), processes)


def _drop_queues(settings: Settings) -> None:
    """Takes this run's queues and exchanges from a broker that others use too."""
    if settings.broker_url.startswith(embedded_broker.SCHEME):
        return
    own = settings.events_queue
    # a broker that is away by now keeps them; that must not hide why the bench ended
    with contextlib.suppress(OSError, KombuError), Connection(settings.broker_url, connect_timeout=5) as connection:
        for name in _names(own):
            with connection.channel() as channel:
                Queue(name, channel=channel).delete()
                Exchange(name, channel=channel).delete()


def _names(own: str) -> tuple[str, ...]:
    """The queues and exchanges of an installation whose events come on the queue `own`."""
    return own, f"{own}.dead", f"{own}.send", f"{own}.naive", f"sertilink.stream-idle.{own}"


def _refuse_absent(broker: str) -> None:
    """Raises kombu's OperationalError where the broker does not answer: workers would wait for it for ever."""
    with Connection(broker, connect_timeout=5) as connection:
        connection.ensure_connection(max_retries=1)
