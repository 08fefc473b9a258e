"""`sertilink config show`: the settings as they are in force, secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import SecretBytes, SecretStr

from notifier.commands.console import Console, json_option, pass_console, print_json
from notifier.settings import GENERATED, PREFIX, SECRET_NAMES, Settings

MASK = "••••"


@click.group("config")
def config() -> None:
    """The settings in force."""


@config.command("show")
@json_option
@pass_console
def show(console: Console, as_json: bool) -> None:
    """Print every setting, its value (secrets masked) and where it comes from."""
    settings = console.settings()
    rows = {
        PREFIX + name.upper(): {"value": shown(name, getattr(settings, name)), "source": _source(name, console.environ)}
        for name in Settings.model_fields
    }
    if as_json:
        print_json(rows)
        return
    for name, row in rows.items():
        click.echo(f"{name}={row['value']}  # {row['source']}")


def shown(name: str, value: Any) -> str:
    """A setting's value as it may stand on a screen."""
    if value is None or value == ():
        return ""
    if isinstance(value, tuple):
        if all(isinstance(part, SecretBytes | SecretStr) for part in value):
            return f"{MASK} ({len(value)})"
        return ",".join(str(part) for part in value)
    if isinstance(value, SecretBytes | SecretStr):
        return MASK
    return without_password(value) if name in SECRET_NAMES else str(value)


def without_password(url: str) -> str:
    """A database's or broker's address without the password inside."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", f":{MASK}@", 1) if password else url


def _source(name: str, environ: Mapping[str, str]) -> str:
    variable = PREFIX + name.upper()
    if environ.get(variable):
        return "environment"
    if environ.get(f"{variable}_FILE"):
        return "file"
    folder = environ.get(PREFIX + "DATA_FOLDER") or str(Settings.model_fields["data_folder"].default)
    if name in GENERATED and (Path(folder) / "secrets" / name).is_file():
        return "generated"
    return "default"
