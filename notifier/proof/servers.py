"""The database and the broker of a run: somebody's, behind our proxy, in which we make and drop our own; or servers
that we start ourselves, and may therefore restart.

Nobody's data is touched: a new database, queues with a name of the run, an empty Redis database.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import redis
import sqlalchemy as sa
from kombu import Connection

from notifier import embedded_broker
from notifier.proof.ports import free_port
from notifier.proof.proxy import Proxy, Target
from notifier.services import Services
from notifier.store.throwaway import postgres_database

#: what `--database` and `--broker` take instead of a URL: a server of our own
OWN_POSTGRES = "postgresql"
OWN_REDIS = "redis"
_POSTGRES_BINARIES = "/usr/lib/postgresql"
_START_S = 30.0
_PAUSE_S = 0.1
_REDIS_DATABASES = range(15, 9, -1)
_MARK = "sertilink-prove"
_PATIENCE_S = 5


class ProofFailed(Exception):
    """The run cannot be made; the text says why, for people."""


@dataclass
class Server:
    """A server process of our own."""

    command: list[str]
    log: Path
    is_up: Callable[[], bool]
    user: str | None = None
    restarts: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers. Raises ProofFailed."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603  # a server that is installed here
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, process_group=0, user=self.user
            )
        deadline = time.monotonic() + _START_S
        while not self.is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ProofFailed(f"{Path(self.command[0]).name} does not start; see {self.log}")
            time.sleep(_PAUSE_S)

    def restart(self) -> None:
        """Ends it without a chance to tidy up, and starts it again."""
        self.end()
        self.restarts += 1
        self.start()

    def end(self) -> None:
        """SIGQUIT is PostgreSQL's immediate stop; whatever is left is killed."""
        if self._process is None:
            return
        for number in (signal.SIGQUIT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE_S)
                break


@dataclass
class Store:
    """The run's database. `url`: for the processes, through the proxy where there is one; `direct`: past it."""

    url: str = field(repr=False)
    direct: str = field(repr=False)
    proxy: Proxy | None = None
    server: Server | None = None

    def hold_lock(self, services: Services, seconds: float) -> None:
        """SQLite: holds the write lock for a while, on a thread of its own."""
        threading.Thread(target=_hold, args=(services, seconds), name="lock", daemon=True).start()


@dataclass
class Broker:
    """The run's broker. `empty`: takes every message from its queues, as an accident would."""

    url: str = field(repr=False)
    empty: Callable[[], None]
    proxy: Proxy | None = None
    server: Server | None = None


def _hold(services: Services, seconds: float) -> None:
    with contextlib.suppress(sa.exc.OperationalError), services.db.write():
        time.sleep(seconds)


@contextmanager
def open_store(wanted: str | None, folder: Path) -> Iterator[Store]:
    """The database: SQLite in `folder`, a new one on the server of a URL, or on a server of our own. Raises
    ProofFailed, OperationalError."""
    if wanted is None:
        url = f"sqlite:///{folder}/sertilink.db"
        yield Store(url, url)
        return
    server = None
    try:
        if wanted == OWN_POSTGRES:
            server = own_postgres(folder)
            wanted = f"postgresql://{_user()}@127.0.0.1:{server.command[server.command.index('-p') + 1]}/postgres"
        elif not wanted.startswith("postgresql"):
            raise ProofFailed(f"--database: write the URL of a PostgreSQL server, or the word {OWN_POSTGRES}")
        with postgres_database(wanted, "sertilink_prove") as direct, contextlib.closing(_before(direct)) as proxy:
            near = sa.make_url(direct).set(host="127.0.0.1", port=proxy.port).difference_update_query(["host", "port"])
            yield Store(near.render_as_string(hide_password=False), direct, proxy, server)
    finally:
        if server is not None:
            server.end()


def _before(url: str) -> Proxy:
    """A proxy before the PostgreSQL server of a URL."""
    parsed = sa.make_url(url)
    port = parsed.port or 5432
    host = parsed.host or next(iter(parsed.normalized_query.get("host", ())), "/var/run/postgresql")
    target: Target = Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, port)
    return Proxy(target)


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def own_postgres(folder: Path) -> Server:
    """A PostgreSQL server with a cluster of its own in `folder`. As root it runs as the user `postgres`, since initdb
    refuses root. Raises ProofFailed."""
    binaries = sorted(Path(_POSTGRES_BINARIES).glob("*/bin"), key=lambda path: float(path.parent.name))
    found = shutil.which("initdb", path=os.pathsep.join([str(path) for path in binaries[-1:]])) or shutil.which(
        "initdb"
    )
    if found is None:
        raise ProofFailed(
            "--database postgresql: initdb was not found; install PostgreSQL, or give the URL of a server"
        )
    data, user = folder / "postgres", "postgres" if os.getuid() == 0 else None
    data.mkdir(mode=0o700)
    if user:
        shutil.chown(data, user, user)
        folder.chmod(0o711)
    done = subprocess.run(  # noqa: S603  # found just now
        [found, "-D", str(data), "-A", "trust", "-U", _user(), "-E", "UTF8", "--no-sync"],
        user=user, cwd="/", capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ProofFailed(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    port = free_port()
    program = str(Path(found).with_name("postgres"))
    options = ["-D", str(data), "-p", str(port), "-k", str(data), "-c", "listen_addresses=127.0.0.1"]
    server = Server([program, *options], folder / "postgres.log", lambda: _postgres_answers(port), user)
    server.start()
    return server


def _postgres_answers(port: int) -> bool:
    engine = sa.create_engine(
        f"postgresql+psycopg://{_user()}@127.0.0.1:{port}/postgres", poolclass=sa.NullPool,
        connect_args={"connect_timeout": _PATIENCE_S},
    )  # fmt: skip
    try:
        engine.connect().close()
    except sa.exc.OperationalError:
        return False
    return True


@contextmanager
def open_broker(wanted: str | None, folder: Path, queues: tuple[str, ...]) -> Iterator[Broker]:
    """The broker: the embedded one in `folder`, RabbitMQ or Redis at a URL, or a Redis server of our own. `queues`: the
    run's names, dropped at the end. Raises ProofFailed."""
    if wanted is None:
        url = embedded_broker.broker_url(folder / "broker.db")
        yield Broker(url, lambda: _purge(url, queues))
        return
    server = None
    try:
        if wanted == OWN_REDIS:
            server = own_redis(folder)
            wanted = f"redis://127.0.0.1:{server.command[server.command.index('--port') + 1]}"
        with _redis_broker(wanted, server) if wanted.startswith("redis") else _rabbit(wanted, queues) as broker:
            yield broker
    finally:
        if server is not None:
            server.end()


@contextmanager
def _rabbit(url: str, queues: tuple[str, ...]) -> Iterator[Broker]:
    if not url.startswith("amqp"):
        raise ProofFailed(f"--broker: write an amqp:// or redis:// address, or the word {OWN_REDIS}")
    try:
        with contextlib.closing(Proxy(_host_and_port(url, 5672))) as proxy:
            yield Broker(_through(url, proxy), lambda: _purge(url, queues), proxy)
    finally:
        for queue in queues:
            _on_channel(url, lambda channel, name=queue: channel.queue_delete(name))


@contextmanager
def _redis_broker(url: str, server: Server | None) -> Iterator[Broker]:
    """An empty Redis database, marked as ours; whatever is in it is ours to flush."""
    for number in _REDIS_DATABASES:
        own = urlsplit(url)._replace(path=f"/{number}").geturl()
        line = redis.Redis.from_url(own, socket_timeout=_PATIENCE_S)
        try:
            if line.dbsize() == 0 and line.set(_MARK, secrets.token_hex(4), nx=True):
                break
        except redis.RedisError as error:
            raise ProofFailed(f"--broker: Redis does not answer ({type(error).__name__})") from None
    else:
        raise ProofFailed(
            f"--broker: none of the Redis databases {min(_REDIS_DATABASES)} to {max(_REDIS_DATABASES)} is empty"
        )
    try:
        with contextlib.closing(Proxy(_host_and_port(own, 6379))) as proxy:
            yield Broker(_through(own, proxy), lambda: _flush(line), proxy, server)
    finally:
        with contextlib.suppress(redis.RedisError):
            line.flushdb()
        line.close()


def _flush(line: redis.Redis) -> None:
    with line.pipeline(transaction=True) as both:
        both.flushdb()
        both.set(_MARK, "run")
        both.execute()


def own_redis(folder: Path) -> Server:
    """A Redis server of our own that writes each command to the disk before it answers. Raises ProofFailed."""
    program = shutil.which("redis-server")
    if program is None:
        raise ProofFailed("--broker redis: redis-server was not found; install it, or give the URL of a server")
    port, data = free_port(), folder / "redis"
    data.mkdir()
    options = [
        "--dir",
        str(data),
        "--bind",
        "127.0.0.1",
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
        "--save",
        "",
    ]
    server = Server([program, "--port", str(port), *options], folder / "redis.log", lambda: _redis_answers(port))
    server.start()
    return server


def _redis_answers(port: int) -> bool:
    line = redis.Redis(port=port, socket_timeout=1)
    try:
        return bool(line.ping())
    except redis.RedisError:
        return False
    finally:
        line.close()


def _host_and_port(url: str, port: int) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or port


def _through(url: str, proxy: Proxy) -> str:
    """The same address at the proxy's port."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{user}@127.0.0.1:{proxy.port}" if user else f"127.0.0.1:{proxy.port}").geturl()


def _purge(url: str, queues: tuple[str, ...]) -> None:
    for queue in queues:
        _on_channel(url, lambda channel, name=queue: channel.queue_purge(name))


def _on_channel(url: str, work: Callable[..., object]) -> None:
    """One command on a channel of its own: a queue that does not exist closes it."""
    embedded_broker.register()
    line = Connection(url, connect_timeout=_PATIENCE_S)
    with line, contextlib.suppress(*line.channel_errors, *line.connection_errors), line.channel() as channel:
        work(channel)
