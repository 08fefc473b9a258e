"""`sertilink reconcile`: is every accepted event accounted for?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from notifier.commands.console import FAILED, Console, json_option, pass_console, print_json
from notifier.intake.reconciliation import ReconciliationReport, reconcile_events

_WORDS = {
    "pending": "events without an outcome",
    "without_message": "events whose message is missing",
    "doses_untold": "doses without a message or a reason",
    "messages_waiting_twice": "messages that would go twice",
    "accepted_twice": "messages that the provider accepted twice",
}


@click.command("reconcile")
@json_option
@click.pass_context
@pass_console
def reconcile(console: Console, ctx: click.Context, as_json: bool) -> None:
    """Count the accepted events that have neither a message nor a recorded reason; exit code 1 where there are some.

    The same is done every night; the status page shows the newest number.
    """
    with console.services() as services:
        report = reconcile_events(services, actor=console.actor())
    print_json(_as_json(report)) if as_json else _print(report)
    if report.unaccounted.total:
        ctx.exit(FAILED)


def _as_json(report: ReconciliationReport) -> dict[str, Any]:
    found = asdict(report.unaccounted)
    at = report.at.isoformat()
    return {"at": at, "looked_at": report.looked_at, "unaccounted": report.unaccounted.total, "found": found}


def _print(report: ReconciliationReport) -> None:
    click.echo(f"{report.looked_at} events, {report.unaccounted.total} unaccounted")
    for name, count in asdict(report.unaccounted).items():
        if count:
            click.echo(f"  {count:>8} {_WORDS[name]}")
