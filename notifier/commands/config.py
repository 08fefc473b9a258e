"""`sertilink config show`: the settings as they are in force, secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import sqlalchemy as sa
from pydantic import SecretBytes, SecretStr
from sqlalchemy.exc import DBAPIError

from notifier.commands.console import Console, json_option, pass_console, print_json
from notifier.programme import ProgrammeReader
from notifier.settings import GENERATED, PREFIX, SECRET_NAMES, Settings
from notifier.store.engine import Database

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
    set_here = _set_in_browser(settings, console)
    rows = {
        PREFIX + name.upper(): {"value": shown(name, getattr(settings, name)), "source": _source(name, console.environ)}
        for name in Settings.model_fields
    }
    for name, value in set_here.items():
        rows[PREFIX + name.upper()] = {"value": value, "source": "programme settings"}
    if as_json:
        print_json(rows)
        return
    for name, row in rows.items():
        click.echo(f"{name}={row['value']}  # {row['source']}")


def _set_in_browser(settings: Settings, console: Console) -> dict[str, str]:
    """The values that were set on the staff face's page over the environment's; none, and a word to standard error,
    where the database cannot say."""
    url = sa.make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return {}  # nothing was ever started here, and a look must not begin a database
    db = Database(settings.database_url, console.clock)
    try:
        found = ProgrammeReader(db, console.clock, settings).read_now()
    except DBAPIError:
        click.echo("sertilink: the database does not answer, so programme settings are not shown", err=True)
        return {}
    finally:
        db.close()
    return {name: shown(name, getattr(found.rules, name)) for name in sorted(found.set_here)}


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
