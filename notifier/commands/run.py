"""`sertilink worker` and `sertilink stream`: the Celery processes of the Procfile."""

from __future__ import annotations

import click

from notifier.commands.console import Console, pass_console
from notifier.safety import refuse_unsafe
from notifier.settings import Role, Settings


@click.command("worker")
@pass_console
def worker(console: Console) -> None:
    """Send what is due: ticks, claims, sends, receipts, upkeep. Run as many as you like."""
    from notifier.worker import run_worker  # Celery's worker is not wanted in every command

    run_worker(_safe(console, Role.WORKER))


@click.command("stream")
@pass_console
def stream(console: Console) -> None:
    """Watch the registry's event queue."""
    from notifier.stream import run_stream  # see above

    run_stream(_safe(console, Role.STREAM))


def _safe(console: Console, role: Role) -> Settings:
    """The process's settings. Unsafe ones refuse to boot in production."""
    settings = console.settings(role)
    refuse_unsafe(settings, console.environ)
    return settings
