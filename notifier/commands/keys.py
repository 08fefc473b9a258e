"""`sertilink keys new`: fresh keys, as an env file holds them; `keys public`: what may be known of the signing keys."""

from __future__ import annotations

import click

from notifier.certificates.codes.keys import keyring_of
from notifier.commands.console import Console, json_option, pass_console, print_json
from notifier.safety import new_key
from notifier.settings import GENERATED, PREFIX


@click.group("keys")
def keys() -> None:
    """Link, data, session and signing keys."""


@keys.command("new")
@json_option
def new(as_json: bool) -> None:
    """Print fresh keys, ready for an env file; nothing is kept. To rotate: old key, comma, new key."""
    fresh = {PREFIX + name.upper(): new_key() for name in GENERATED}
    if as_json:
        print_json(fresh)
        return
    for name, key in fresh.items():
        click.echo(f"{name}={key}")


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
