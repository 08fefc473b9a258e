"""What an operator sees and does about the engine: outcomes that nobody knows, and the circuit."""

from __future__ import annotations

from datetime import datetime

import click

from notifier.commands.console import Console, json_option, pass_console, print_json, reason_option
from notifier.core.ids import read_reference
from notifier.core.words import full_moment
from notifier.messages import circuit as circuits
from notifier.services import Services
from notifier.store import notifications
from notifier.store.circuits import CircuitMode, CircuitState, Row, get
from notifier.support import resend
from notifier.support import unknown as support


@click.group("unknown")
def unknown() -> None:
    """Messages of which nobody knows whether they were accepted: list, send again, leave."""


@unknown.command("list")
@json_option
@pass_console
def listed(console: Console, as_json: bool) -> None:
    """What waits for your decision: every look-up at the provider is over."""
    with console.services() as services:
        rows = support.listed(services)
        zone = services.zone
    if as_json:
        print_json({"unknown": [_line(row) for row in rows]})
        return
    for row in rows:
        since = full_moment(row.left_at or row.updated_at, zone, "en")
        click.echo(f"{row.reference}  since {since}  code {row.provider_code or '-'}")
    click.echo(f"{len(rows)} outcomes wait for a decision: `sertilink unknown resend` or `unknown leave`")


@unknown.command("resend")
@click.argument("reference", required=False)
@click.option("--all", "everything", is_flag=True, help="Everything on the list.")
@reason_option
@pass_console
def send_again(console: Console, reference: str | None, everything: bool, reason: str) -> None:
    """Send again with a new link. The person may get two SMS."""
    _one_or_all(reference, everything)
    with console.services() as services:
        if reference is None:
            _say(support.decide_all(services, again=True, reason=reason, actor=console.actor()), "sent again")
        else:
            row = support.send_again(services, read_reference(reference), reason=reason, actor=console.actor())
            click.echo(f"{row.reference}: generation {row.generation}, {row.status}")


@unknown.command("leave")
@click.argument("reference", required=False)
@click.option("--all", "everything", is_flag=True, help="Everything on the list.")
@reason_option
@pass_console
def leave(console: Console, reference: str | None, everything: bool, reason: str) -> None:
    """Do not send again. Evidence that comes later still settles it."""
    _one_or_all(reference, everything)
    with console.services() as services:
        if reference is None:
            _say(support.decide_all(services, again=False, reason=reason, actor=console.actor()), "left")
        else:
            support.leave(services, read_reference(reference), reason=reason, actor=console.actor())
            click.echo(f"left: {read_reference(reference)}")


@click.command("circuit")
@click.option(
    "--pin", type=click.Choice([mode.value for mode in CircuitMode]), help="open: pause; closed: never pause."
)
@click.option("--reason", help="Why; needed with --pin.")
@json_option
@pass_console
def circuit(console: Console, pin: str | None, reason: str | None, as_json: bool) -> None:
    """Whether the provider is spoken to, who or what changed that and why; --pin overrules the automation."""
    with console.services() as services:
        if pin is not None:
            why = resend.read_reason(reason or "")
            row: Row | None = circuits.pin(services, CircuitMode(pin), reason=why, actor=console.actor())
        else:
            row = _read(services)
        zone = services.zone
    if as_json:
        print_json(_as_json(row))
    elif row is None:
        click.echo("closed: messages flow; it has never been open")
    else:
        click.echo(f"{row.state}, mode {row.mode}: {row.reason or 'nothing happened yet'}")
        click.echo(f"changed by {row.changed_by} on {full_moment(row.changed_at, zone, 'en')}")
        if row.probe_at is not None:
            click.echo(f"next probe {full_moment(row.probe_at, zone, 'en')}")


def _read(services: Services) -> Row | None:
    with services.db.read() as conn:
        return get(conn, services.gateway.name)


def _as_json(row: Row | None) -> dict[str, object]:
    if row is None:
        return {"state": CircuitState.CLOSED.value, "mode": CircuitMode.AUTO.value, "reason": None}
    names = ("name", "state", "mode", "failures", "openings", "probe_at", "changed_at", "changed_by", "reason")
    return {name: _plain(getattr(row, name)) for name in names}


def _line(row: notifications.Row) -> dict[str, object]:
    return {"reference": row.reference, "since": _plain(row.left_at or row.updated_at), "code": row.provider_code}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _one_or_all(reference: str | None, everything: bool) -> None:
    if (reference is None) != everything:
        raise click.UsageError("name one REFERENCE, or --all")


def _say(decided: support.Decided, word: str) -> None:
    click.echo(f"{word}: {decided.done}")
    for reference, rule in decided.refused:
        click.echo(f"refused: {reference} ({rule})")
