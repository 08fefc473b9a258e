"""`sertilink resend`, one message or many, and `sertilink bulk`: what is done with a bulk resend."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import click

from notifier.commands.console import Commands, Console, fail, json_option, pass_console, print_json, reason_option
from notifier.commands.operate import read_moment, resend_one
from notifier.core.bulks import BulkState
from notifier.core.errors import BadInput
from notifier.core.ids import read_reference
from notifier.core.resend_filter import ResendFilter, read_filter
from notifier.core.words import full_moment
from notifier.services import Services
from notifier.store import bulks
from notifier.support import bulk_report, bulk_resend


def _reason(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not 1 <= len(" ".join(value.split())) <= 300:
        raise click.BadParameter("write 1 to 300 characters")
    return value


@click.command("resend")
@click.argument("reference", required=False)
@click.option("--filter", "filter_text", metavar="WORDS", help="Many: 'state=undelivered code=30003 since=2026-11-20'.")
@click.option("--at", "at_text", metavar="T", help="2026-11-24T09:00+07:00, or '2026-11-24 09:00' in TIMEZONE.")
@click.option("--reason", callback=_reason, help="Why; kept in the audit. Not needed for a dry run.")
@click.option("--dry-run", is_flag=True, help="With --filter: count and change nothing.")
@json_option
@pass_console
def resend(
    console: Console,
    reference: str | None,
    filter_text: str | None,
    at_text: str | None,
    reason: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send a message again, now or at T, always with a new link; or, with --filter, many.

    Words of a filter: state (problem, undelivered, failed, delivered, suppressed), reason, code, facility, lot,
    product, since, until (accepted), sent_since, sent_until, span (yesterday, 3-days, 7-days), unopened_days.
    """
    if (reference is None) == (filter_text is None):
        raise click.UsageError("give a reference, or --filter")
    if dry_run and filter_text is None:
        raise click.UsageError("--dry-run belongs to --filter")
    if reason is None and not dry_run:
        raise click.UsageError("Missing option '--reason'.")
    if reference is not None:
        resend_one(console, reference, at_text=at_text, reason=reason or "", as_json=as_json)
        return
    wanted = read_words(filter_text or "")
    with console.services() as services:
        at = read_moment(at_text, zone=services.zone, clock=services.clock) if at_text else None
        if dry_run:
            _print_preview(services, bulk_resend.preview(services, wanted, at=at), as_json)
            return
        row = bulk_resend.create(services, wanted, at=at, reason=reason or "", actor=console.actor())
        _print_made(services, row, as_json)


def read_words(text: str) -> ResendFilter:
    """A filter as typed on a command line: `name=value`, quoted where a value has blanks. Raises BadInput."""
    try:
        pairs = [part.partition("=") for part in shlex.split(text)]
    except ValueError:
        raise BadInput.of("--filter", "quotes", "close every quotation mark") from None
    if not pairs or any(not mark for _, mark, _ in pairs):
        raise BadInput.of("--filter", "words", "write name=value, for example state=undelivered since=2026-11-20")
    if len({name for name, _, _ in pairs}) < len(pairs):
        raise BadInput.of("--filter", "both", "name each word once")
    return read_filter({name: value for name, _, value in pairs})


def _print_preview(services: Services, seen: bulk_resend.Preview, as_json: bool) -> None:
    asks = seen.most > services.settings.bulk_approval_above
    if as_json:
        print_json(
            {
                "matched": seen.matched,
                "included": seen.included,
                "segments": seen.segments,
                "excluded": seen.excluded,
                "starts_at": seen.starts_at.isoformat(),
                "ends_at": seen.ends_at.isoformat() if seen.ends_at else None,
                "needs_approval": asks,
                "sample": [one.message.reference for one in seen.sample],
            }
        )
        return
    click.echo(f"{seen.matched} match, {seen.included} would be sent again, {seen.segments} segments")
    for reason, count in seen.excluded.items():
        click.echo(f"  {count} left out: {reason}")
    if seen.included:
        ends = full_moment(seen.ends_at, services.zone, "en") if seen.ends_at else "not to be said"
        click.echo(f"the last would leave: {ends}")
    if asks:
        click.echo(f"more than {services.settings.bulk_approval_above}: a second person must approve")
    click.echo("dry run: nothing was changed")


def _print_made(services: Services, row: bulks.Row, as_json: bool) -> None:
    if as_json:
        print_json({"reference": row.reference, "state": row.state, "expected": row.expected})
        return
    if row.state == BulkState.ASKED:
        click.echo(
            f"{row.reference}: {row.expected} messages, more than {services.settings.bulk_approval_above}. "
            "Nothing goes until a second person approves it, on the staff face or with "
            f"`sertilink bulk approve {row.reference}`"
        )
        return
    click.echo(f"{row.reference}: {row.expected} messages from {full_moment(row.starts_at, services.zone, 'en')} on")


@click.group("bulk", cls=Commands)
def bulk() -> None:
    """Bulk resends: look, approve, pause, resume, cancel."""


@bulk.command("list")
@json_option
@pass_console
def listed(console: Console, as_json: bool) -> None:
    """The newest bulk resends."""
    with console.services() as services:
        rows, more = bulk_report.listed(services)
        zone = services.zone
    if as_json:
        print_json({"bulks": [_brief(row) for row in rows], "more": more})
        return
    for row in rows:
        starts = full_moment(row.starts_at, zone, "en")
        click.echo(f"{row.reference}  {row.state}  {row.expected}  {starts}  {_words(row)}")
    click.echo(f"{len(rows)} bulk resends{', and older ones' if more else ''}")


@bulk.command("show")
@click.argument("reference")
@json_option
@pass_console
def show(console: Console, reference: str, as_json: bool) -> None:
    """One bulk resend, with exact counts."""
    with console.services() as services:
        row = bulk_resend.find(services, reference)
        seen = bulk_resend.progress(services, row)
        counts = {name: getattr(seen, name) for name in ("total", "left", "undecided", *bulk_resend.PARTS)}
        if as_json:
            print_json(_brief(row) | {"counts": counts, "excluded": seen.excluded})
            return
        click.echo(f"{row.reference}: {row.state}, from {full_moment(row.starts_at, services.zone, 'en')} on")
    click.echo(f"{_words(row)}; {row.reason}")
    for name, count in counts.items():
        click.echo(f"  {count:>8} {name}")
    for reason, count in seen.excluded.items():
        click.echo(f"  {count:>8} left out: {reason}")


@bulk.command("approve")
@click.argument("reference")
@click.option("--count", type=click.IntRange(min=1), help="The count that you mean, where it has changed.")
@pass_console
def approve(console: Console, reference: str, count: int | None) -> None:
    """Let another person's bulk resend go. It is counted anew; a count that has changed must be confirmed."""
    reference = read_reference(reference)
    with console.services() as services:
        row = bulk_resend.find(services, reference)
        if row.state == BulkState.ASKED and count is None:
            now = bulk_resend.recount(services, row).included
            if bulk_resend.has_changed(row, now):
                fail(f"{row.expected} were asked for, now there are {now}; if you mean that, add --count {now}")
        approved = bulk_resend.approve(services, reference, actor=console.actor(), confirmed=count)
    click.echo(f"approved: {reference}, {approved.expected} messages")


def _words(row: Any) -> str:
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in row.filter.items())


def _brief(row: Any) -> dict[str, Any]:
    return {
        "reference": row.reference,
        "state": row.state,
        "filter": row.filter,
        "expected": row.expected,
        "starts_at": row.starts_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "schedule": row.schedule_reference,
        "note": row.note,
    }


def _add(name: str, deed: Callable[..., int], explained: str, done: str) -> None:
    @bulk.command(name, help=explained)
    @click.argument("reference")
    @reason_option
    @pass_console
    def act(console: Console, reference: str, reason: str) -> None:
        reference = read_reference(reference)
        with console.services() as services:
            count = deed(services, reference, reason=reason, actor=console.actor())
        click.echo(f"{done}: {reference}, {count} planned messages")


for _name, _deed, _explained, _done in (
    ("pause", bulk_resend.pause, "Nothing of it leaves until it is resumed.", "paused"),
    ("resume", bulk_resend.resume, "Let a paused one go on.", "resumed"),
    ("cancel", bulk_resend.cancel, "What has not left is not sent any more.", "cancelled"),
):
    _add(_name, _deed, _explained, _done)
