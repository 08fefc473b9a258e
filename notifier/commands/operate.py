"""What an operator does to messages: hold, release, cancel, resend."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from notifier.commands.console import Console, pass_console, print_json, reason_option
from notifier.core.clock import Clock
from notifier.core.errors import BadInput
from notifier.core.ids import read_reference
from notifier.core.words import full_moment
from notifier.support import resend as support


@click.command("hold")
@reason_option
@pass_console
def hold(console: Console, reason: str) -> None:
    """The kill switch: nothing leaves until `sertilink release`."""
    with console.services() as services:
        support.hold(services, reason=reason, actor=console.actor())
    click.echo("held: nothing is sent until `sertilink release --reason ...`")


@click.command("release")
@reason_option
@pass_console
def release(console: Console, reason: str) -> None:
    """Let messages leave again."""
    with console.services() as services:
        support.release(services, reason=reason, actor=console.actor())
    click.echo("released: what is due is sent now")


@click.command("cancel")
@click.argument("reference")
@reason_option
@pass_console
def cancel(console: Console, reference: str, reason: str) -> None:
    """Take one message back, where it has not left yet."""
    reference = read_reference(reference)
    with console.services() as services:
        support.cancel(services, reference, reason=reason, actor=console.actor())
    click.echo(f"cancelled: {reference}")


@click.command("unlock")
@click.argument("reference")
@reason_option
@pass_console
def unlock(console: Console, reference: str, reason: str) -> None:
    """Let a person try the birth date again, after five wrong ones. Make sure who asks first."""
    reference = read_reference(reference)
    with console.services() as services:
        support.unlock(services, reference, reason=reason, actor=console.actor())
    click.echo(f"unlocked: the person of {reference} has five tries again")


def resend_one(console: Console, reference: str, *, at_text: str | None, reason: str, as_json: bool) -> None:
    """`sertilink resend REF`: a new generation, always with a new link."""
    with console.services() as services:
        at = read_moment(at_text, zone=services.zone, clock=services.clock) if at_text else None
        row = support.resend(services, read_reference(reference), at=at, reason=reason, actor=console.actor())
        due = full_moment(row.due_at, services.zone, "en")
    if as_json:
        print_json(
            {
                "reference": row.reference,
                "state": row.status,
                "generation": row.generation,
                "due_at": row.due_at.isoformat(),
            }
        )
    else:
        click.echo(f"{row.reference}: generation {row.generation}, {row.status} for {due}")


def read_moment(text: str, *, zone: ZoneInfo, clock: Clock) -> datetime:
    """A moment to come, in UTC: ISO 8601, on `zone`'s clock where it names none.

    Raises BadInput on `--at`: rule `moment`, `in-past`, or `no-such-hour` where the clock leaps over it.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput.of("--at", "moment", "write 2026-11-24T09:00+07:00 or '2026-11-24 09:00'") from None
    if moment.tzinfo is None:
        local = moment.replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
            raise BadInput.of("--at", "no-such-hour", f"the clock of {zone.key} leaps over this time")
        moment = local
    if moment <= clock.now():
        raise BadInput.of("--at", "in-past", "write a time that is still to come; leave --at out to send now")
    return moment.astimezone(UTC)
