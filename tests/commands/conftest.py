"""`run`: a command of `sertilink` in this process, on the test's own database, clock and gateway."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from notifier.cli import cli
from notifier.commands.console import Console
from notifier.services import Services

Run = Callable[..., Result]


@pytest.fixture
def sleeps() -> list[float]:
    """How long a command wanted to sleep, each time; nobody does."""
    return []


@pytest.fixture
def run(services: Services, sleeps: list[float]) -> Run:
    """`run("dose", "add", ..., environ={...}, using=services)`."""

    def invoke(
        *arguments: str,
        environ: dict[str, str] | None = None,
        using: Services | None = None,
        input: str | None = None,
        sleep: Callable[[float], Any] = sleeps.append,
    ) -> Result:
        chosen = using or services
        given = {"SERTILINK_DATA_FOLDER": str(chosen.settings.data_folder)} | (environ or {})
        console = Console(environ=given, clock=chosen.clock, wire=lambda _settings, _clock: chosen, sleep=sleep)
        return CliRunner().invoke(cli, arguments, obj=console, input=input, prog_name="sertilink")

    return invoke
