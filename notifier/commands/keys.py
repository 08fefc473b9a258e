"""`sertilink keys new`: fresh keys, as an env file holds them."""

from __future__ import annotations

import click

from notifier.commands.console import json_option, print_json
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
