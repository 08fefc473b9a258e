"""`sertilink keys`: fresh ones, as an env file holds them; one more for a setting; what may be known of the signing."""

from __future__ import annotations

import base64

import click

from notifier.certificates.codes.keys import keyring_of
from notifier.commands.console import FAILED, Console, fail, json_option, pass_console, print_json
from notifier.safety import new_key
from notifier.settings import PREFIX, RANDOM_KEYS
from notifier.store import reseal
from notifier.store.sealed import may_join

#: settings that hold several keys, oldest first; with another INDEX_KEY nobody would be found again
_ROTATED = [name.upper() for name in RANDOM_KEYS if name != "index_key"]
_PDF_KEY = (
    f"# {PREFIX}PDF_SIGNING_KEY is missing above: its certificate comes from an authority that PDF readers trust. "
    "docs/pdf.md says how to make the key and the request."
)


@click.group("keys")
def keys() -> None:
    """Link, data, session and signing keys."""


@keys.command("new")
@json_option
def new(as_json: bool) -> None:
    """Print fresh keys, ready for an env file; nothing is kept."""
    fresh = {PREFIX + name.upper(): new_key() for name in RANDOM_KEYS}
    if as_json:
        print_json(fresh)
        return
    for name, key in fresh.items():
        click.echo(f"{name}={key}")
    click.echo(_PDF_KEY, err=True)


@keys.command("rotate")
@click.argument("name", type=click.Choice(_ROTATED, case_sensitive=False))
@json_option
@pass_console
def rotate(console: Console, name: str, as_json: bool) -> None:
    """Print setting NAME as it is with a fresh key behind, which makes or signs what is new from the next start on; the
    older ones go on to read. Nothing is kept: put the line where the setting stands."""
    held = [key.get_secret_value() for key in getattr(console.settings(), name.lower())]
    if not held:
        fail(f"{PREFIX}{name}: not set; make it with `sertilink keys new` [nothing-to-rotate]")
    texts = [base64.urlsafe_b64encode(key).decode("ascii").rstrip("=") for key in held]
    fresh = new_key()
    while name.lower() == "data_keys" and not may_join(_bytes(fresh), held):
        fresh = new_key()
    line = ",".join([*texts, fresh])
    if as_json:
        print_json({PREFIX + name: line})
    else:
        click.echo(f"{PREFIX}{name}={line}")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@keys.command("reseal")
@click.option("--check", "only_check", is_flag=True, help="Only count what an older key sealed.")
@json_option
@click.pass_context
@pass_console
def reseal_all(console: Console, ctx: click.Context, only_check: bool, as_json: bool) -> None:
    """Seal with the newest of DATA_KEYS what an older one sealed; everything else goes on meanwhile, and it may be run
    again. Where nothing is left, the older keys may be taken out of DATA_KEYS; exit code 1 where something is."""
    with console.services() as services:
        found = [] if only_check else list(reseal.reseal(services.db, services.sealer))
        left = reseal.count_stale(services.db, services.sealer)
    done = sum(one.done for one in found)
    broken = {one.place: one.broken for one in found if one.broken}
    if as_json:
        print_json({"resealed": {one.place: one.done for one in found}, "broken": broken, "left": left})
    else:
        for one in found:
            if one.done or one.broken:
                click.echo(
                    f"{one.place}: {one.done} sealed anew" + (f", {one.broken} that no key opens" * bool(one.broken))
                )
        click.echo(f"{done} sealed anew; {left} left under an older key")
        if not left:
            click.echo("the older keys may be taken out of DATA_KEYS now")
    if left:
        ctx.exit(FAILED)


@keys.command("public")
@json_option
@pass_console
def public(console: Console, as_json: bool) -> None:
    """Print what may be known of each key that signs or signed codes, oldest first. Before you destroy a private key,
    put its `certificate` into RETIRED_KEYS: its codes go on to hold."""
    found = [
        {"kid": key.kid, "hc1_kid": key.hc1_kid.hex(), "certificate": key.line}
        for key in keyring_of(console.settings()).public.all
    ]
    if as_json:
        print_json({"keys": found})
        return
    for key in found:
        click.echo("\n".join(f"{name:<12} {value}" for name, value in key.items()) + "\n")
