"""What names somebody, asked for or read from standard input, so that no shell keeps it; and files of mode 0600."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from notifier.commands.console import fail


def secret(what: str) -> str:
    """Asked for where somebody sits there, and not shown; the first line of standard input elsewhere."""
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    typed = sys.stdin.readline(4096).strip()
    if not typed:
        raise click.UsageError(f"write the {what} on the first line of standard input")
    return typed


@contextmanager
def new_file(path: Path) -> Iterator[TextIO]:
    """A file that nobody else may read, and that was not there; it goes again where the work fails."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fail(f"{path}: cannot be written ({error.strerror})")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
