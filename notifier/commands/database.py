"""`sertilink db upgrade` and `sertilink db check`: migrations."""

from __future__ import annotations

import click

from notifier.commands.console import FAILED, Console, json_option, pass_console, print_json, reason_option
from notifier.core.words import full_moment
from notifier.messages import restored as restoring
from notifier.store import migrate


@click.group("db")
def db() -> None:
    """Migrations of the database."""


@db.command("upgrade")
@pass_console
def upgrade(console: Console) -> None:
    """Bring the database to this version's shape; safe to run again, and from many hosts at once."""
    services = console.wire(console.settings(), console.clock)
    try:
        migrate.upgrade(services.db)
        click.echo(f"database at {migrate.newest_revision()}")
    finally:
        services.close()


@db.command("check")
@json_option
@click.pass_context
@pass_console
def check(console: Console, ctx: click.Context, as_json: bool) -> None:
    """Say whether the database has this version's shape; exit code 1 where it is behind."""
    services = console.wire(console.settings(), console.clock)
    try:
        with services.db.read() as conn:
            current = migrate.current_revision(conn)
    finally:
        services.close()
    newest = migrate.newest_revision()
    if as_json:
        print_json({"current": current, "newest": newest, "behind": current != newest})
    elif current == newest:
        click.echo(f"database at {newest}")
    else:
        click.echo(f"database at {current or 'nothing'}, this version needs {newest}; run `sertilink db upgrade`")
    if current != newest:
        ctx.exit(FAILED)


@db.command("restored")
@reason_option
@json_option
@pass_console
def restored(console: Console, reason: str, as_json: bool) -> None:
    """Say that an older copy of the database was put back, before workers start.

    What was due may have left since the copy was made, so it is looked up at the provider first. Workers that remember
    a newer state notice it by themselves.
    """
    with console.services() as services:
        done = restoring.restored(services, reason=reason, actor=console.actor())
        copied = full_moment(done.copied_at, services.zone, "en")
    if as_json:
        print_json({"doubted": done.doubted, "copied_at": done.copied_at.isoformat()})
    else:
        click.echo(f"{done.doubted} messages are looked up at the provider before anything is sent again")
        click.echo(f"the copy is of {copied}; what the registry reported since then must be published again")
