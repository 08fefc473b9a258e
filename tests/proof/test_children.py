"""The run's processes: killed, stopped, woken, started again, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from notifier.proof.children import Child
from tests.polling import eventually

#: says its word again and again, and has a child of its own
PROGRAM = """
import subprocess, sys, time
word = sys.stdin.readline().strip()
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
while True:
    print(word, other.pid, flush=True)
    time.sleep(0.02)
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    made = Child("one", [sys.executable, "-c", PROGRAM], os.environ, tmp_path / "log", text="hello\n")
    made.start()
    eventually(lambda: said(made), 20, "it says nothing")
    yield made
    made.end()


def said(child: Child) -> list[str]:
    return child.log.read_text().split("\n")[:-1]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_it_is_told_its_text(child: Child) -> None:
    assert said(child)[0].startswith("hello ")


def test_a_kill_takes_the_whole_group(child: Child) -> None:
    [member] = child.members()
    child.kill()
    assert child.has_ended
    eventually(lambda: not is_alive(member), 10, "its child lives on")


def test_what_ended_is_started_again_and_what_lives_is_left_alone(child: Child) -> None:
    before = child.pid
    assert not child.revive()
    child.kill()
    assert child.revive()
    assert (child.starts, child.has_ended) == (2, False)
    assert child.pid != before


def test_a_stopped_one_does_nothing_until_it_is_woken(child: Child) -> None:
    child.stop(0)
    eventually(lambda: Path(f"/proc/{child.pid}/stat").read_text().split()[2] == "T", 10, "it does not stop")
    count = len(said(child))
    assert child.wake_if_due()
    assert not child.wake_if_due()
    eventually(lambda: len(said(child)) > count + 2, 10, "it does not wake")


def test_a_stop_that_is_not_over_goes_on(child: Child) -> None:
    child.stop(600)
    assert not child.wake_if_due()


def test_it_dies_with_whoever_started_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = (
        "import os, sys; from pathlib import Path; from notifier.proof.children import Child\n"
        "command = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        f"child = Child('one', command, os.environ, Path({str(log)!r}))\n"
        "child.start(); print(child.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    eventually(lambda: not is_alive(pid), 10, "it lives on")
