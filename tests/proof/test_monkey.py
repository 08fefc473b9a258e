"""The monkey's rules: what counts as a kill, who is woken, and that it waits for something to break."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from notifier.faults import KILL, STOP, Armed, FaultPoint, arm
from notifier.proof.monkey import Monkey


class FakeChild:
    """A process that is only written about."""

    def __init__(self) -> None:
        self.age = 100.0
        self.stopped_until: float | None = None
        self.deeds: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., bool]:
        return lambda *_: bool(self.deeds.append(name))

    def members(self) -> list[int]:
        return []


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


NAMES = ("worker-1", "worker-2", "stream", "web")


@pytest.fixture
def monkey(tmp_path: Path) -> Monkey:
    feed = SimpleNamespace(intents={"e1": None}, count=1, broker_lost_all=lambda: None)
    quiet: Any = SimpleNamespace(proxy=None, server=None, hold_lock=lambda *_: None, empty=lambda: None)
    children: Any = {name: FakeChild() for name in NAMES}
    provider: Any = FakeChild()
    fed: Any = feed
    none: Any = None
    return Monkey(children, provider, quiet, quiet, none, fed, tmp_path, 3.0, 10, 1, now=Clock())


def deeds(monkey: Monkey) -> list[str]:
    found: list[str] = []
    for child in (*monkey.children.values(), monkey.provider):
        found += [deed for deed in child.deeds if deed not in {"wake_if_due", "revive"}]
    return found


def run(monkey: Monkey, steps: int = 400) -> None:
    for _ in range(steps):
        monkey.now.at += 0.5
        monkey.act()


def test_it_stops_when_enough_were_killed(monkey: Monkey) -> None:
    run(monkey)
    assert monkey.is_done
    assert deeds(monkey).count("kill") == monkey.kills == 10


def test_the_same_seed_does_the_same(monkey: Monkey, tmp_path: Path) -> None:
    run(monkey, 30)
    other = Monkey(
        {name: FakeChild() for name in NAMES}, FakeChild(), monkey.store, monkey.broker, monkey.services,
        monkey.feed, tmp_path, 3.0, 10, 1, now=Clock(),
    )  # fmt: skip
    run(other, 30)
    assert (other.done, deeds(other)) == (monkey.done, deeds(monkey))


def test_the_provider_dies_too(monkey: Monkey) -> None:
    run(monkey)
    assert monkey.provider.deeds.count("kill") == 2


def test_nobody_is_killed_before_everybody_is_at_work(monkey: Monkey) -> None:
    monkey.children["web"].age = 0.5
    run(monkey)
    assert monkey.kills == 0


def test_the_kills_do_not_run_away_from_what_comes_in(monkey: Monkey) -> None:
    monkey.feed.count = 100
    run(monkey)
    assert 0 < monkey.kills <= 2


def test_an_order_that_was_obeyed_counts_and_one_that_was_not_does_not(monkey: Monkey, tmp_path: Path) -> None:
    arm(tmp_path, FaultPoint.CLAIM_AFTER_COMMIT, KILL)
    monkey.look_after()
    assert monkey.kills == 0
    (tmp_path / "claim-after-commit").rename(tmp_path / "claim-after-commit.taken-1")
    monkey.look_after()
    monkey.look_after()
    assert (monkey.kills, monkey.done["at claim-after-commit"]) == (1, 1)


def test_a_process_that_stopped_itself_is_woken_after_its_lease(monkey: Monkey, tmp_path: Path) -> None:
    """A real process, which comes to a point where an order to stop lies."""
    arm(tmp_path, FaultPoint.SENDING_AFTER_COMMIT, STOP)
    pid = os.fork()
    if pid == 0:
        Armed(tmp_path).reached(FaultPoint.SENDING_AFTER_COMMIT)
        os._exit(7)
    os.waitpid(pid, os.WUNTRACED)
    monkey.look_after()
    assert monkey.done["stop"] == 1
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    monkey.now.at += 60
    monkey.look_after()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_at_the_end_no_order_is_left_behind(monkey: Monkey, tmp_path: Path) -> None:
    run(monkey)
    monkey.rest()
    assert list(tmp_path.iterdir()) == []
