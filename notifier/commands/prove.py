"""`sertilink prove`: none lost, none twice, shown on this machine."""

from __future__ import annotations

import json
import secrets
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import click
from rich.console import Console as Screen
from rich.table import Table

from notifier.commands.console import FAILED, Console, fail, json_option, pass_console, print_json
from notifier.core.states import State
from notifier.proof.harness import Options, Result, prove
from notifier.proof.plan import Plan, plan_from
from notifier.proof.servers import ProofFailed

_NAMED = 10  # references that are shown of each set


@click.command("prove")
@click.option(
    "--intents", type=click.IntRange(min=1), default=300, show_default=True, help="Messages that must go out."
)
@click.option("--kills", type=click.IntRange(min=0), default=20, show_default=True, help="Processes killed meanwhile.")
@click.option("--database", metavar="URL", help="A PostgreSQL server; `postgresql` starts one. Default: SQLite.")
@click.option("--broker", metavar="URL", help="RabbitMQ or Redis; `redis` starts one. Default: the embedded broker.")
@click.option("--seed", type=click.IntRange(min=0), help="Repeats the faults of a run.")
@click.option("--keep", is_flag=True, help="Keep the folder with logs, ledger and plan.")
@click.option(
    "--rest-limit", type=click.FloatRange(min=1), default=240.0, help="Seconds to wait for rest.", hidden=True
)
@click.option("--plan", type=click.File(encoding="utf-8"), hidden=True, help="JSON: what the provider does how often.")
@click.option("--worker-command", hidden=True, default="", help="The worker's command line, for tests.")
@json_option
@pass_console
def prove_command(
    console: Console,
    /,
    seed: int | None,
    plan: TextIO | None,
    worker_command: str,
    rest_limit: float,
    as_json: bool,
    **given: Any,
) -> None:
    """Start the real processes against a provider that fails, kill and break what can be, and compare what was meant,
    what the provider took and what the database says.

    Exit code 1 unless lost, duplicate, phantom and lies are all 0 and everything came to rest. Nothing of this
    installation is touched: a temporary folder, a new database, queues of the run's own.
    """
    seed = secrets.randbelow(10**6) if seed is None else seed
    options = Options(
        seed=seed,
        plan=_plan(plan, seed),
        worker=shlex.split(worker_command),
        environ=console.environ,
        rest_limit_s=rest_limit,
        say=_say,
        **given,
    )
    _say(f"seed {options.seed}")
    try:
        with _ended_by_signals():
            result = prove(options)
    except ProofFailed as error:
        fail(str(error))
    if as_json:
        print_json(report(options, result))
    else:
        _print(options, result)
    if not result.holds:
        sys.exit(FAILED)


def _plan(file: TextIO | None, seed: int) -> Plan:
    try:
        return plan_from({"seed": seed, **(json.load(file) if file else {})})
    except (ValueError, TypeError) as error:
        raise click.BadParameter(f"this is no plan ({error})", param_hint="--plan") from None


def report(options: Options, result: Result) -> dict[str, Any]:
    """What CONTRACT promises, each a number, and what was done."""
    verdict = result.verdict
    return {
        "intents": result.intents,
        "kills": result.deeds.get("kill", 0),
        "accepted": verdict.taken,
        "lost": len(verdict.lost),
        "duplicate": len(verdict.duplicate),
        "phantom": len(verdict.phantom),
        "lies": len(verdict.lies),
        "unknown": len(verdict.unknown),
        "seconds": round(result.seconds, 1),
        "seed": options.seed,
        "unknown_taken": sum(one.was_taken for one in verdict.unknown),
        "held": result.states.get(State.HELD, 0),
        "unknown_oldest_seconds": round(max((one.age_s for one in verdict.unknown), default=0.0), 1),
        "open": sum(result.open.values()),
        "stops": result.deeds.get("stop", 0),
        "broken": sum(result.deeds.get(name, 0) for name in ("database", "broker", "flush", "provider")),
        "republished": result.deeds.get("republished", 0),
    }


def _print(options: Options, result: Result) -> None:
    verdict = result.verdict
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, value in report(options, result).items():
        table.add_row(name.replace("_", " "), str(value))
    screen = Screen(width=100, highlight=False)
    screen.print(table)
    states = ", ".join(f"{count} {state}" for state, count in sorted(result.states.items()))
    screen.print(f"states: {states}", soft_wrap=True)
    points = ", ".join(f"{count} {name[3:]}" for name, count in sorted(result.deeds.items()) if name.startswith("at "))
    screen.print(f"died or stopped at: {points or 'no named point'}", soft_wrap=True)
    for name in ("lost", "duplicate", "phantom", "lies"):
        for reference in getattr(verdict, name)[:_NAMED]:
            screen.print(f"{name}: {reference}", soft_wrap=True)
    for one in verdict.unknown[:_NAMED]:
        screen.print(f"unknown for {one.age_s:.0f} s: {one.reference}", soft_wrap=True)
    for what, count in result.open.items():
        screen.print(f"still open when the time was over: {count} {what}", soft_wrap=True)
    if result.folder:
        screen.print(f"kept: {result.folder}", soft_wrap=True)


def _say(line: str) -> None:
    click.echo(f"... {line}", err=True)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does, so that no process is left behind."""

    def stop(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
