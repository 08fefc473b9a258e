"""What every command shares: the console that is handed in, how errors and reports are printed.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage. An expected error is one clear line a problem on standard error,
never a traceback.
"""

from __future__ import annotations

import json
import os
import pwd
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import click
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import DBAPIError

from notifier.core.clock import Clock, SystemClock
from notifier.core.errors import BadInput, BadSettings, Conflict, NotFound, Refused, SertilinkError
from notifier.services import Services, build
from notifier.settings import Role, Settings, load_settings
from notifier.store.migrate import is_current

FAILED = 1
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Console:
    """What commands are given. `environ` goes to the settings unread; `wire` builds the services."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    clock: Clock = field(default_factory=SystemClock)
    wire: Callable[[Settings, Clock], Services] = build
    sleep: Callable[[float], None] = time.sleep

    def settings(self, role: Role = Role.CLI) -> Settings:
        """Raises BadSettings."""
        return load_settings(self.environ, role)

    @contextmanager
    def services(self) -> Iterator[Services]:
        """The real parts on a migrated database. Raises BadSettings, and Failed where the database is behind."""
        services = self.wire(self.settings(), self.clock)
        try:
            if not is_current(services.db):
                fail("the database is behind this version; run `sertilink db upgrade`")
            yield services
        finally:
            services.close()

    def actor(self) -> str:
        """Who the audit says it was: the login name of the operating system."""
        try:
            return f"command:{pwd.getpwuid(os.getuid()).pw_name}"[:100]
        except KeyError:
            return f"command:{os.getuid()}"


class Failed(click.ClickException):
    """An expected failure: each line is printed to standard error, exit code 1."""

    exit_code = FAILED

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("\n".join(self.lines))

    def show(self, file: Any = None) -> None:
        for line in self.lines:
            click.echo(f"sertilink: {line}", file=file, err=file is None)


def fail(*lines: str) -> NoReturn:
    """Ends the command with exit code 1."""
    raise Failed(lines)


class Commands(click.Group):
    """A group whose commands may raise what the rooms raise."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SertilinkError as error:
            raise Failed(lines_of(error)) from error
        except DBAPIError as error:
            raise Failed([f"SERTILINK_DATABASE_URL: the database failed ({type(error.orig).__name__})"]) from error
        except BrokerError as error:
            raise Failed(["SERTILINK_BROKER_URL: the broker does not answer"]) from error


def lines_of(error: SertilinkError) -> tuple[str, ...]:
    """An error as lines that a person can act on; never with personal data."""
    if isinstance(error, BadInput):
        return tuple(str(problem) for problem in error.problems)
    if isinstance(error, BadSettings):
        return error.lines
    if isinstance(error, NotFound):
        return (f"REF: {error} [not-found]",)
    if isinstance(error, Refused):
        when = f"; allowed from {error.not_before.isoformat(timespec='minutes')}" if error.not_before else ""
        return (f"refused [{error.reason}]{when}",)
    if isinstance(error, Conflict):
        return (f"{error or 'somebody else changed it first'} [conflict]",)
    return (str(error) or type(error).__name__,)


pass_console = click.make_pass_decorator(Console)


def json_option(command: _F) -> _F:
    """`--json`: the report as one JSON object on standard output."""
    return click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")(command)


def reason_option(command: _F) -> _F:
    """`--reason`, which the audit keeps; at most 300 characters, without personal data."""
    return click.option("--reason", required=True, callback=_read_reason, help="Why; kept in the audit.")(command)


def _read_reason(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    text = " ".join(value.split())
    if not 1 <= len(text) <= 300:
        raise click.BadParameter("write 1 to 300 characters")
    return text


def print_json(report: Mapping[str, Any]) -> None:
    """One JSON object, the same for people's eyes and for jq."""
    click.echo(json.dumps(report, ensure_ascii=False, indent=2))
