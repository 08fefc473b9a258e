"""`sertilink bench`: how fast it is on this machine, each figure beside its floor."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console as Screen
from rich.table import Table

from notifier.commands.console import Console, json_option, pass_console, print_json
from notifier.proof.bench import BENCHES, PARTS, Options, Row, run
from notifier.proof.bench.machine import about

_PLACES = 3  # digits that mean something


@click.command("bench")
@click.argument("name", type=click.Choice(list(BENCHES)))
@click.option("--database", metavar="URL", help="A PostgreSQL server; a new database there is used and dropped.")
@click.option("--broker", metavar="URL", help="RabbitMQ or Redis; queues of this run's own are used and dropped.")
@click.option("--size", type=click.IntRange(min=1), help="How many messages, rows or requests.")
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True, help="Worker processes.")
@click.option("--arrivals", is_flag=True, help="dispatch: also let them fall due at 1,000 a second.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), help="dispatch: only this; may be repeated.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting for the processes.")
@json_option
@pass_console
def bench(
    console: Console,
    /,
    name: str,
    settings: Sequence[str],
    parts: tuple[str, ...],
    arrivals: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Measure NAME on this machine: in a temporary folder, or in a database and queues of its own that are dropped
    afterwards. Nothing of this installation is touched.

    \b
    intake    events by `dose import` and from the stream, beside raw inserts
    claim     claiming 100 of few and of many; an idle tick
    dispatch  messages handed over, beside a bare client and one task a message
    lanes     how long fresh doses wait while a bulk goes out
    link      the page behind a link, beside a hello-world
    pdf       a certificate's PDFs, signed, and picture, beside an empty sheet
    staff     every page of the staff face, over many persons
    support   a chat's steps, from the webhook to the reply at the provider
    token     a link's token, beside a bare HMAC
    """
    if arrivals:
        parts = (*(parts or PARTS[:-1]), "arrivals")
    options = Options(parts=parts, environ=console.environ, settings=dict(map(_setting, settings)), say=_say, **given)
    with _ended_by_signals():
        rows = run(name, options)
        machine = about(options)
    if as_json:
        print_json({"name": name, "rows": [_report(row) for row in rows], "machine": machine})
    else:
        _print(name, rows, machine)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter("write NAME=VALUE", param_hint="--set")
    return name, value


def _say(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"... {line}", err=True)


def _report(row: Row) -> dict[str, Any]:
    return {
        "case": row.case,
        "value": _short(row.value),
        "unit": row.unit,
        "floor": _short(row.floor or None),
        "ratio": _short(row.ratio),
    }


def _short(value: float | None) -> float | None:
    """Rounded to what was measured."""
    if value is None:
        return None
    return float(round(value)) if abs(value) >= 10**_PLACES else float(f"{value:.{_PLACES}g}")


def _print(name: str, rows: Sequence[Row], machine: dict[str, Any]) -> None:
    table = Table(title=f"bench {name}", title_justify="left")
    table.add_column("case")
    for column in ("value", "unit", "floor", "ratio"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for row in rows:
        table.add_row(row.case, _text(row.value), row.unit, _text(row.floor), _text(row.ratio))
    Screen().print(table)
    click.echo(", ".join(f"{what}: {value}" for what, value in machine.items()))


def _text(value: float | None) -> str:
    short = _short(value)
    return "" if short is None else f"{short:,g}" if short < 10**_PLACES else f"{short:,.0f}"


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: processes are stopped, the database is dropped."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
