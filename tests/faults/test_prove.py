"""`sertilink prove` itself: a short run holds on each pair of servers, and a broken build is found out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.databases import SERVER
from tests.requirements import require

ROOT = Path(__file__).resolve().parents[2]
SERTILINK = str(Path(sys.executable).with_name("sertilink"))
RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"
REDIS = "redis://127.0.0.1:6379"
NUMBERS = {"intents", "kills", "accepted", "lost", "duplicate", "phantom", "lies", "unknown", "seconds", "seed"}
#: seconds; far more than a run takes on an idle machine
PATIENCE_S = 1500
REST_S = 600

PAIRS = {
    "sqlite+embedded": ([], []),
    "postgres+rabbitmq": (["postgres", "rabbitmq"], ["--database", SERVER, "--broker", RABBITMQ]),
    "postgres+redis": (["postgres", "redis"], ["--database", SERVER, "--broker", REDIS]),
}


def prove(*options: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the report of one run."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [SERTILINK, "prove", "--json", *options], capture_output=True, text=True, env=environ, timeout=PATIENCE_S
    )
    assert done.stdout, done.stderr[-2000:]
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timeout(PATIENCE_S + 20)
@pytest.mark.parametrize("pair", list(PAIRS))
def test_nothing_is_lost_and_nothing_goes_out_twice_whatever_is_killed(pair: str) -> None:
    needed, options = PAIRS[pair]
    for name in needed:
        require(name)
    code, report = prove("--intents", "60", "--kills", "6", "--seed", "3", "--rest-limit", str(REST_S), *options)
    assert {name: report[name] for name in ("lost", "duplicate", "phantom", "lies", "open")} == dict.fromkeys(
        ("lost", "duplicate", "phantom", "lies", "open"), 0
    )
    assert code == 0
    assert report.keys() >= NUMBERS
    assert all(isinstance(value, int | float) for value in report.values())
    assert (report["intents"], report["seed"]) == (60, 3)
    assert report["kills"] >= 6
    assert report["accepted"] > 0


def broken(variant: str, *options: str, rest_limit: int) -> tuple[int, dict[str, Any]]:
    worker = f"{sys.executable} -m tests.faults.broken_build {variant}"
    rest = ("--rest-limit", str(rest_limit))
    code, report = prove("--intents", "100", "--kills", "12", *rest, "--worker-command", worker, *options)
    assert report["accepted"] > 0, "the broken build sends nothing at all: nothing is shown"
    return code, report


@pytest.mark.timeout(3 * PATIENCE_S + 20)
def test_a_build_without_fences_is_found_out(tmp_path: Path) -> None:
    """Answers that drip until the time-out keep a chunk under way for as long as its lease, and no receipt helps:
    whoever is killed is killed while messages are on their way. On a machine that has too much to do the kills may all
    fall beside them, so not every run has to find it."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"posts": {"ok": 3, "accept-drip": 1}, "reports": {"missing": 1}}))
    for seed in ("3", "4", "5"):
        code, report = broken("unfenced", "--seed", seed, "--plan", str(plan), rest_limit=40)
        if report["duplicate"]:
            break
    assert report["duplicate"] > 0
    assert code == 1


@pytest.mark.timeout(PATIENCE_S + 20)
def test_a_build_that_tries_unknown_outcomes_again_is_found_out(tmp_path: Path) -> None:
    """Every fifth message is taken without a word, and no receipt comes in time to stop the second one. Where the
    provider's own deaths open the circuit before anything was doubled, its probes are waited for (30, 60, 120 s)."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"posts": {"ok": 4, "accept-drop": 1}, "reports": {"missing": 1}}))
    code, report = broken("unknown-retried", "--seed", "3", "--plan", str(plan), rest_limit=400)
    assert report["duplicate"] > 0
    assert code == 1
