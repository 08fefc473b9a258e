"""The monkey: kills, stops and wakes the run's processes, at random moments and at named fault points; cuts the
database and the broker, empties the broker, holds the write lock, restarts the servers that are ours. A seed chooses.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from notifier.faults import KILL, STOP, FaultPoint, arm
from notifier.proof.children import Child
from notifier.proof.feed import Feed
from notifier.proof.servers import Broker, Store
from notifier.services import Services

_GAPS_S = (0.2, 1.2)  # between two deeds
_READY_S = 3.0  # a process this old is at work; most kills should hit one that is
_ORDER_S = 4.0  # an order that nobody has come to by then is put elsewhere
_MOST_ORDERS = 3
_DOWN_S = (0.3, 2.0)
_LOCK_S = (0.5, 2.0)
_AHEAD = 0.1  # of the intents, as a share
_ASLEEP_BEYOND_LEASE_S = 1.5
#: how likely each process is hit
_TARGETS = {"worker-1": 35, "worker-2": 35, "stream": 15, "web": 15}
#: after these shares of the kills the provider itself is killed
_PROVIDER_DIES_AT = (0.1, 0.5)


@dataclass
class Monkey:
    """Does one deed after another. All of it happens on the harness's thread, in `act`."""

    children: dict[str, Child]
    provider: Child
    store: Store
    broker: Broker
    services: Services  #: past the proxy, for the write lock
    feed: Feed
    orders: Path
    lease_s: float
    wanted: int
    seed: int
    now: Callable[[], float] = time.monotonic
    done: Counter[str] = field(default_factory=Counter)  #: deeds by name
    _next_at: float = 0.0
    _placed: dict[Path, float] = field(default_factory=dict)
    _asleep: dict[int, float] = field(default_factory=dict)  # single processes that stopped themselves, until when
    _resume_at: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)  # noqa: S311  # a seed makes a run repeatable
        self._deeds: dict[Callable[[], None], int] = {
            self._kill_one: 40,
            self._kill_a_part: 6,
            self._order_kill: 36,
            self._order_stop: 5,
            self._stop_one: 5,
            self._cut_database: 4,
            self._cut_broker: 4,
            self._empty_broker: 2,
        }

    @property
    def kills(self) -> int:
        return self.done["kill"]

    @property
    def is_done(self) -> bool:
        return self.kills >= self.wanted

    def act(self) -> None:
        """Looks after what is under way, and does the next deed where it is time."""
        self.look_after()
        if self.now() < self._next_at or self.is_done or not self._is_worth_it():
            return
        self._next_at = self.now() + self._rng.uniform(*_GAPS_S)
        if self.done["provider"] < len(_PROVIDER_DIES_AT) and self._share() >= _PROVIDER_DIES_AT[self.done["provider"]]:
            self.done["provider"] += 1
            self._kill(self.provider)
            return
        deed = self._rng.choices(list(self._deeds), list(self._deeds.values()))[0]
        deed()

    def look_after(self) -> None:
        """Counts the orders that were obeyed, wakes who slept enough, ends refusals, starts again what has ended."""
        self._collect_orders()
        for child in (*self.children.values(), self.provider):
            child.wake_if_due()
            child.revive()
        for pid, until in list(self._asleep.items()):
            if self.now() >= until:
                del self._asleep[pid]
                _signal(pid, signal.SIGCONT)
        for name, at in list(self._resume_at.items()):
            if self.now() >= at:
                del self._resume_at[name]
                self._resume(name)

    def rest(self) -> None:
        """No more deeds: takes the orders back, wakes everybody, lets connections through."""
        for path in self._placed:
            path.unlink(missing_ok=True)
        self._placed.clear()
        for pid in self._asleep:
            _signal(pid, signal.SIGCONT)
        self._asleep.clear()
        for child in self.children.values():
            child.wake()
        for name in list(self._resume_at):
            self._resume(name)
        self._resume_at.clear()
        self.look_after()

    def _is_worth_it(self) -> bool:
        """Whether there is something to break: the kills must not run away from what comes in."""
        if not self.kills:
            return all(child.age > _READY_S for child in self.children.values()) and bool(self.feed.intents)
        return self._share() <= len(self.feed.intents) / self.feed.count + _AHEAD

    def _share(self) -> float:
        return self.kills / self.wanted if self.wanted else 1.0

    def _target(self) -> Child | None:
        """One of the processes, mostly one that is at work."""
        ready = {name: weight for name, weight in _TARGETS.items() if self.children[name].age > _READY_S}
        weights = ready if self._rng.random() < 0.9 else _TARGETS
        if not weights:
            return None
        return self.children[self._rng.choices(list(weights), list(weights.values()))[0]]

    def _kill_one(self) -> None:
        child = self._target()
        if child is not None:
            self._kill(child)

    def _kill(self, child: Child) -> None:
        child.kill()
        self.done["kill"] += 1
        child.revive()

    def _kill_a_part(self) -> None:
        """One process of a group; its master must notice. Where there is only one, that one."""
        child = self._target()
        members = child.members() if child else []
        if members:
            _signal(self._rng.choice(members), signal.SIGKILL)
            self.done["kill"] += 1
        elif child is not None:
            self._kill(child)

    def _stop_one(self) -> None:
        """A process sleeps for longer than its lease, and wakes as a zombie."""
        child = self._target()
        if child is not None and child.stopped_until is None and not self._is_anybody_asleep():
            child.stop(self.lease_s + _ASLEEP_BEYOND_LEASE_S)
            self.done["stop"] += 1

    def _is_anybody_asleep(self) -> bool:
        return bool(self._asleep) or any(child.stopped_until is not None for child in self.children.values())

    def _order_kill(self) -> None:
        self._order(KILL)

    def _order_stop(self) -> None:
        if not self._is_anybody_asleep():
            self._order(STOP)

    def _order(self, word: str) -> None:
        """Puts an order down at a point; the oldest goes where too many wait in vain."""
        now = self.now()
        for path, at in list(self._placed.items()):
            if now - at > _ORDER_S or len(self._placed) >= _MOST_ORDERS:
                path.unlink(missing_ok=True)
                del self._placed[path]
        point = self._rng.choice(list(FaultPoint))
        arm(self.orders, point, word)
        self._placed[self.orders / point.value] = now

    def _collect_orders(self) -> None:
        for path in self.orders.glob("*.taken-*"):
            word = path.read_text(encoding="ascii").strip()
            path.unlink()
            point, _, pid = path.name.partition(".taken-")
            self._placed.pop(self.orders / point, None)
            self.done[f"at {point}"] += 1
            if word == STOP:
                self.done["stop"] += 1
                self._asleep[int(pid)] = self.now() + self.lease_s + _ASLEEP_BEYOND_LEASE_S
            else:
                self.done["kill"] += 1

    def _cut_database(self) -> None:
        """Cuts or refuses, restarts a server of ours, or holds SQLite's write lock."""
        self.done["database"] += 1
        if self.store.server is not None and self._rng.random() < 0.5:
            self.store.server.restart()
        elif self.store.proxy is None:
            self.store.hold_lock(self.services, self._rng.uniform(*_LOCK_S))
        elif self._rng.random() < 0.5:
            self.store.proxy.cut()
        else:
            self.store.proxy.refuse()
            self._resume_at["database"] = self.now() + self._rng.uniform(*_DOWN_S)

    def _cut_broker(self) -> None:
        """Cuts or refuses, or restarts a server of ours. The embedded broker has no connection: it is emptied."""
        if self.broker.server is not None and self._rng.random() < 0.5:
            self.done["broker"] += 1
            self.broker.server.restart()
        elif self.broker.proxy is None:
            self._empty_broker()
        elif self._rng.random() < 0.5:
            self.done["broker"] += 1
            self.broker.proxy.cut()
        else:
            self.done["broker"] += 1
            self.broker.proxy.refuse()
            self._resume_at["broker"] = self.now() + self._rng.uniform(*_DOWN_S)

    def _resume(self, name: str) -> None:
        proxy = self.store.proxy if name == "database" else self.broker.proxy
        if proxy is not None:
            proxy.resume()

    def _empty_broker(self) -> None:
        self.done["flush"] += 1
        self.broker.empty()
        self.feed.broker_lost_all()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
