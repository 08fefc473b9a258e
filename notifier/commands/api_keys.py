"""`sertilink apikey`: the keys of other systems."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from notifier.access import api_keys
from notifier.access.api_keys import KeyKind, NewKey, Scope
from notifier.commands.console import Console, json_option, pass_console, print_json, reason_option


@click.group("apikey")
def apikey() -> None:
    """API keys of other systems."""


@apikey.command("add")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in Scope]),
    multiple=True,
    default=[Scope.VACCINATIONS_WRITE.value, Scope.NOTIFICATIONS_READ.value],
    show_default=True,
)
@click.option("--test", "is_test", is_flag=True, help="A test key: checked and answered, never recorded or sent.")
@click.option("--facility", "facility_id", help="The one facility whose rows the key may write and read.")
@click.option(
    "--expires", type=click.DateTime(["%Y-%m-%d"]), help="The day at whose start the key ends (programme's zone)."
)
@json_option
@pass_console
def add(
    console: Console,
    name: str,
    scopes: tuple[str, ...],
    is_test: bool,
    facility_id: str | None,
    expires: datetime | None,
    as_json: bool,
) -> None:
    """Make a key for the system NAME and print it, this once."""
    with console.services() as services:
        made = api_keys.add(
            services,
            name=name,
            scopes=[Scope(scope) for scope in scopes],
            kind=KeyKind.TEST if is_test else KeyKind.LIVE,
            facility_id=facility_id,
            expires_at=expires.replace(tzinfo=services.zone) if expires else None,
            actor=console.actor(),
        )
    _show(made, as_json, name=name, scopes=list(scopes), kind="test" if is_test else "live")


@apikey.command("list")
@json_option
@pass_console
def list_keys(console: Console, as_json: bool) -> None:
    """Every key: whose, what for, when it was last used, when it ends. Never a secret."""
    with console.services() as services:
        found = [
            {
                "prefix": row.prefix,
                "name": row.name,
                "kind": row.kind,
                "state": state.value,
                "scopes": row.scopes.split(),
                "facility_id": row.facility_id,
                "created_at": _text(row.created_at),
                "last_used_at": _text(row.last_used_at),
                "expires_at": _text(row.expires_at),
            }
            for row, state in api_keys.listed(services)
        ]
    if as_json:
        print_json({"keys": found})
        return
    for one in found:
        used = f"last used {one['last_used_at']}" if one["last_used_at"] else "never used"
        ends = f", ends {one['expires_at']}" if one["expires_at"] else ""
        bound = f", facility {one['facility_id']}" if one["facility_id"] else ""
        rights = " ".join(one["scopes"]) + bound
        click.echo(f"{one['prefix']}  {one['kind']}  {one['state']}  {one['name']}: {rights}; {used}{ends}")
    if not found:
        click.echo("no keys yet; make one with `sertilink apikey add NAME`")


@apikey.command("rotate")
@click.argument("prefix")
@click.option("--days", type=float, default=7, show_default=True, help="How long the old key goes on.")
@json_option
@pass_console
def rotate(console: Console, prefix: str, days: float, as_json: bool) -> None:
    """Make a successor of the key with PREFIX and print it, this once; the old one ends by itself after --days."""
    if not 0 <= days <= api_keys.LONGEST_OVERLAP.days:
        raise click.BadParameter(f"choose 0 to {api_keys.LONGEST_OVERLAP.days}", param_hint="--days")
    with console.services() as services:
        made = api_keys.rotate(services, prefix, overlap=timedelta(days=days), actor=console.actor())
    _show(made, as_json, replaces=prefix)


@apikey.command("revoke")
@click.argument("prefix")
@reason_option
@json_option
@pass_console
def revoke(console: Console, prefix: str, reason: str, as_json: bool) -> None:
    """End the key with PREFIX at once."""
    with console.services() as services:
        api_keys.revoke(services, prefix, reason=reason, actor=console.actor())
    if as_json:
        print_json({"prefix": prefix, "state": "revoked"})
    else:
        click.echo(f"revoked: {prefix}")


def _show(made: NewKey, as_json: bool, **more: object) -> None:
    if as_json:
        print_json({**more, "prefix": made.prefix, "key": made.text})
    else:
        click.echo(made.text)


def _text(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
