"""One run of `sertilink prove`: starts everything, lets the feed and the monkey loose, waits for rest, judges."""

from __future__ import annotations

import http.client
import json
import logging
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from notifier.core.states import State
from notifier.proof import ledger as ledgers
from notifier.proof.children import Child
from notifier.proof.feed import Feed
from notifier.proof.monkey import Monkey
from notifier.proof.plan import Plan
from notifier.proof.ports import free_port
from notifier.proof.servers import Broker, ProofFailed, Store, open_broker, open_store
from notifier.proof.verdict import Verdict, judge
from notifier.safety import make_secrets
from notifier.services import Services, build
from notifier.settings import PREFIX, load_settings
from notifier.store import proof_rows
from notifier.store.health import AWAY
from notifier.store.migrate import upgrade

ACCOUNT_SID = "AC" + "a" * 32
LEASE_S = 3.0
_SETTINGS = {
    "gateway": "twilio",
    "twilio_account_sid": ACCOUNT_SID,
    "twilio_messaging_service_sid": "MG" + "b" * 32,
    "provider_timeout": "1.5",
    "lease_seconds": str(LEASE_S),
    "reconcile_after": "1s,2s,4s,8s",
    "quiet_hours": "off",
    "person_daily_cap": "1000",
    "unknown_policy": "ask",
    "delay_hours": "0",
}
_BIN = Path(sys.executable).parent
_STEP_S = 0.05
_LOOK_S = 1.0
_REST_S = 3.0  # nothing moves for so long
_STUCK_S = 600.0  # without anything worth a kill; the longest wait of the circuit is half of it
_SOON = timedelta(minutes=10)  # what is due later is at rest
_FIRST_SHARE = 0.1
_MOST_WAITING = 60
_SAY_EVERY = 5
_AHEAD = 0.1  # the feed is a little ahead of the kills, so that there is always something to break

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What a run is asked for. `worker`: the worker's command line; `rest_limit_s`: how long rest is waited for."""

    intents: int = 300
    kills: int = 20
    database: str | None = field(default=None, repr=False)
    broker: str | None = field(default=None, repr=False)
    seed: int = 1
    keep: bool = False
    worker: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    plan: Plan = field(default_factory=Plan)
    rest_limit_s: float = 240.0
    say: Callable[[str], None] = lambda _line: None


@dataclass(frozen=True)
class Result:
    """What a run came to. `open`: what still moved when the time was over, by state. `folder`: where it was kept."""

    verdict: Verdict
    intents: int
    seconds: float
    seed: int
    deeds: Mapping[str, int]
    open: Mapping[str, int]
    states: Mapping[str, int]
    folder: Path | None

    @property
    def holds(self) -> bool:
        """Whether the promises were kept, and everything came to rest."""
        return self.verdict.holds and not self.open


def prove(options: Options) -> Result:
    """Runs it. Raises ProofFailed, BadSettings, OperationalError where it cannot be run."""
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sertilink-prove-"))
        if not options.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        run = _Run.open(options, folder, stack)
        still_open = run.drive()
        run.end()
        return run.result(still_open, time.monotonic() - began)


@dataclass
class _Run:
    options: Options
    folder: Path
    store: Store
    broker: Broker
    services: Services  # past the proxy
    feed: Feed
    monkey: Monkey
    children: Sequence[Child]
    provider_port: int

    @classmethod
    def open(cls, options: Options, folder: Path, stack: ExitStack) -> _Run:
        """Everything is started; the stack ends it."""
        queue = f"prove-{secrets.token_hex(4)}"
        store = stack.enter_context(open_store(options.database, folder))
        queues = (queue, f"{queue}.send", f"{queue}.dead")
        broker = stack.enter_context(open_broker(options.broker, folder, queues))
        ports = {"web": free_port(), "provider": free_port()}
        environ = _environment(options, folder, store, broker, queue, ports)
        make_secrets(folder)
        services, direct = stack.enter_context(_services(environ, store))
        upgrade(direct.db)
        children = _children(options, environ, folder, ports)
        feed = Feed(
            services, [str(_BIN / "sertilink"), "event", "publish"], environ, folder,
            options.intents, options.seed, direct.clock.now().date(),
        )  # fmt: skip
        monkey = Monkey(
            {child.name: child for child in children if child.name != "provider"}, children[0],
            store, broker, direct, feed, folder / "orders", LEASE_S, options.kills, options.seed,
        )  # fmt: skip
        stack.callback(_end_all, children)
        for child in children:
            child.start()
        stack.callback(feed.stop)
        return cls(options, folder, store, broker, direct, feed, monkey, children, ports["provider"])

    def drive(self) -> dict[str, int]:
        """Feeds and kills until both are done, then waits for rest; what is still open when the time is over."""
        self.feed.start()
        looked, steps = 0.0, 0
        kills, since = 0, time.monotonic()
        while not self.monkey.is_done:
            self.monkey.act()
            self._check()
            if self.monkey.kills > kills:
                kills, since = self.monkey.kills, time.monotonic()
            elif time.monotonic() - since > _STUCK_S:
                break
            if time.monotonic() - looked > _LOOK_S:
                looked, steps = time.monotonic(), steps + 1
                if self._waiting() < _MOST_WAITING:
                    self.feed.allow(max(_FIRST_SHARE, self.monkey.kills / self.options.kills + _AHEAD))
                if steps % _SAY_EVERY == 0:
                    self._say_how_far()
            time.sleep(_STEP_S)
        self.monkey.rest()
        self.feed.finish()
        missed = self.options.kills - self.monkey.kills
        return self._wait_for_rest() | ({"kills to come": missed} if missed > 0 else {})

    def _waiting(self) -> int:
        """How many messages are due: no more than fit into a chunk shall be in doubt when a worker dies."""
        try:
            with self.services.db.read() as conn:
                found = proof_rows.restless(conn, self.services.clock.now())
        except AWAY:
            return _MOST_WAITING
        return found.get(State.SCHEDULED, 0) + found.get(State.CLAIMED, 0)

    def _say_how_far(self) -> None:
        self.options.say(f"{self.monkey.kills} of {self.options.kills} kills, {len(self.feed.intents)} intents")

    def _wait_for_rest(self) -> dict[str, int]:
        deadline, quiet_since, before = time.monotonic() + self.options.rest_limit_s, time.monotonic(), ""
        while True:
            self.monkey.look_after()
            self._check()
            moving = self._moving()
            now, picture = time.monotonic(), json.dumps(moving)
            if moving or picture != before:
                quiet_since, before = now, picture
            if not moving and now - quiet_since >= _REST_S:
                return {}
            if now > deadline:
                return moving
            self.options.say("waiting for rest: " + (", ".join(f"{n} {what}" for what, n in moving.items()) or "quiet"))
            time.sleep(_LOOK_S)

    def _moving(self) -> dict[str, int]:
        """What has not come to rest, by kind."""
        if not self.feed.is_done:
            return {"intents to come": self.options.intents - len(self.feed.intents)}
        try:
            missing = len(self.feed.missing())
            with self.services.db.read() as conn:
                restless = proof_rows.restless(conn, self.services.clock.now() + _SOON)
        except AWAY:
            return {"database": 1}
        receipts = int(self.stats().get("pending_receipts", 1))
        found = {"events not recorded": missing, **restless, "receipts": receipts}
        return {what: count for what, count in found.items() if count}

    def stats(self) -> dict[str, Any]:
        """What the provider says of itself; {} where it does not answer."""
        line = http.client.HTTPConnection("127.0.0.1", self.provider_port, timeout=5)
        try:
            line.request("GET", "/_proof/stats")
            found: dict[str, Any] = json.load(line.getresponse())
            return found
        except (OSError, ValueError):
            return {}
        finally:
            line.close()

    def _check(self) -> None:
        if self.feed.fault is not None:
            raise ProofFailed(f"the feed broke: {type(self.feed.fault).__name__}") from self.feed.fault
        for child in self.children:
            if child.starts > self.options.kills * 2 + 20:
                raise ProofFailed(f"{child.name} does not stay up; see {child.log} (--keep keeps it)")

    def end(self) -> None:
        """Stops everything, so that nothing moves while the verdict is found."""
        self.feed.stop()
        _end_all(self.children)

    def result(self, still_open: dict[str, int], seconds: float) -> Result:
        """Compares the intents, the ledger and the database."""
        with self.services.db.read() as conn:
            rows = proof_rows.read(conn)
        verdict = judge(
            list(self.feed.intents.values()), ledgers.read(self.folder / "ledger"), rows, self.services.clock.now()
        )
        states = {state.value: sum(row.status == state for row in rows.notifications) for state in State}
        deeds = {**self.monkey.done, "republished": self.feed.republished}
        return Result(
            verdict, len(self.feed.intents), seconds, self.options.seed, deeds, still_open,
            {state: count for state, count in states.items() if count}, self.folder if self.options.keep else None,
        )  # fmt: skip


def _environment(
    options: Options, folder: Path, store: Store, broker: Broker, queue: str, ports: Mapping[str, int]
) -> dict[str, str]:
    """The whole environment of the run's processes: nothing of this installation's own settings."""
    orders = folder / "orders"
    orders.mkdir()
    chosen = {
        **_SETTINGS,
        "database_url": store.url,
        "broker_url": broker.url,
        "data_folder": str(folder),
        "events_queue": queue,
        "public_url": f"http://127.0.0.1:{ports['web']}",
        "twilio_api_base": f"http://127.0.0.1:{ports['provider']}",
        "twilio_auth_token": random.Random(options.seed).randbytes(16).hex(),  # noqa: S311  # of no account
        "test_fault_points": str(orders),
    }
    environ = {name: value for name, value in options.environ.items() if not name.startswith(PREFIX)}
    environ |= {PREFIX + name.upper(): value for name, value in chosen.items()}
    return environ | {"PYTHONUNBUFFERED": "1", "PATH": f"{_BIN}:{environ.get('PATH', '')}"}


@contextmanager
def _services(environ: Mapping[str, str], store: Store) -> Iterator[tuple[Services, Services]]:
    """The harness's own services, which obey no orders: through the proxy, and past it."""
    own = {name: value for name, value in environ.items() if not name.startswith(PREFIX + "TEST_")}
    services = build(load_settings(own))
    direct = build(load_settings({**own, PREFIX + "DATABASE_URL": store.direct}))
    try:
        yield services, direct
    finally:
        services.close()
        direct.close()


def _children(options: Options, environ: Mapping[str, str], folder: Path, ports: Mapping[str, int]) -> list[Child]:
    """The provider first, then the installation's processes."""
    plan = folder / "plan.json"
    plan.write_text(json.dumps(options.plan.as_json()), encoding="utf-8")
    provider = [sys.executable, "-m", "notifier.proof.provider", "--port", str(ports["provider"]),
                "--ledger", str(folder / "ledger"), "--plan", str(plan), "--account", ACCOUNT_SID]  # fmt: skip
    web = [str(_BIN / "gunicorn"), "-c", "python:linkserver.gunicorn_conf", "--bind", f"127.0.0.1:{ports['web']}",
           "linkserver.wsgi:public()"]  # fmt: skip
    worker = list(options.worker) or [str(_BIN / "sertilink"), "worker"]
    commands = {"provider": provider, "web": web, "worker-1": worker, "worker-2": worker,
                "stream": [str(_BIN / "sertilink"), "stream"]}  # fmt: skip
    token = environ[PREFIX + "TWILIO_AUTH_TOKEN"] + "\n"
    return [
        Child(name, command, environ, folder / f"{name}.log", text=token if name == "provider" else "")
        for name, command in commands.items()
    ]


def _end_all(children: Sequence[Child]) -> None:
    for child in children:
        child.kill()
