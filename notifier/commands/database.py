"""`sertilink db upgrade` and `sertilink db check`: migrations."""

from __future__ import annotations

import click

from notifier.commands.console import FAILED, Console, json_option, pass_console, print_json
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
