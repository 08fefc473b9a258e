"""`sertilink keys new`: fresh keys, as an env file holds them."""

from __future__ import annotations

import click

from notifier.commands.console import json_option, print_json
from notifier.safety import new_key
from notifier.settings import PREFIX, RANDOM_KEYS

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
    """Print fresh keys, ready for an env file; nothing is kept. To rotate: old key, comma, new key."""
    fresh = {PREFIX + name.upper(): new_key() for name in RANDOM_KEYS}
    if as_json:
        print_json(fresh)
        return
    for name, key in fresh.items():
        click.echo(f"{name}={key}")
    click.echo(_PDF_KEY, err=True)
