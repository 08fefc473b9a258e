"""`sertilink up`: everything on this machine with one command, and nothing left behind when it ends."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import click

from notifier.commands.check import answering_nodes
from notifier.commands.console import Console, fail, pass_console
from notifier.commands.first_start import Welcome, prepare
from notifier.safety import make_secrets, refuse_unsafe
from notifier.services import TEMPLATES
from notifier.settings import PREFIX, Environment, Settings
from notifier.supervisor import Program, Supervisor, read_procfile

PROCFILE = TEMPLATES.parent / "Procfile"
_HOST = "127.0.0.1"
_READY_S = 90
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_COLOURS = ("cyan", "magenta", "green", "yellow")


@click.command("up")
@click.option("--port", type=click.IntRange(1, 65534), default=8000, show_default=True, help="Staff face: one more.")
@pass_console
def up(console: Console, port: int) -> None:
    """Make secrets, migrate, start every process of the Procfile; Ctrl-C stops all."""
    console = replace(console, environ=_environment(console.environ, port))
    settings = _settings(console)
    _refuse_taken(port, port + 1)
    welcome = prepare(console, settings)
    programs = _programs(console.environ)
    colours = {program.name: _COLOURS[place % len(_COLOURS)] for place, program in enumerate(programs)}
    width = max(map(len, colours))

    def say(name: str, line: str) -> None:
        with contextlib.suppress(OSError):  # the terminal is gone; the signal that says so is on its way
            click.echo(click.style(f"{name:<{width}} | ", fg=colours.get(name)) + line)

    supervisor = Supervisor(programs, console.environ, say)
    with _stop_signals() as stopped:
        try:
            supervisor.start()
            _run(supervisor, settings, port, welcome, stopped)
        except OSError as error:
            fail(f"a process of the Procfile cannot be started ({error.strerror}: {error.filename})")
        finally:
            supervisor.stop()
    click.echo("stopped")


def _environment(environ: Mapping[str, str], port: int) -> dict[str, str]:
    """The children's environment: addresses follow the port unless set, and this installation's programs come first."""
    own = {
        f"{PREFIX}PUBLIC_URL": f"http://{_HOST}:{port}",
        f"{PREFIX}STAFF_URL": f"http://{_HOST}:{port + 1}",
    }
    return {
        **own,
        **{name: value for name, value in environ.items() if not (name in own and not value)},
        "PORT": str(port),
        "STAFF_PORT": str(port + 1),
        "PATH": f"{Path(sys.executable).parent}:{environ.get('PATH', '')}",
        "PYTHONUNBUFFERED": "1",
    }


def _settings(console: Console) -> Settings:
    """The settings, once the secrets are there. In production nothing is made, and unsafe settings refuse to start."""
    settings = console.settings()
    if settings.environment is Environment.PRODUCTION:
        refuse_unsafe(settings, console.environ)
        return settings
    make_secrets(settings.data_folder)
    return console.settings()


def _refuse_taken(*ports: int) -> None:
    for port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError as error:
                fail(
                    f"--port: {_HOST}:{port} cannot be had ({error.strerror}); "
                    f"stop what uses it, or choose another: sertilink up --port {ports[0] + 100}"
                )


def _programs(environ: Mapping[str, str]) -> list[Program]:
    try:
        return read_procfile(PROCFILE.read_text(), environ)
    except (OSError, ValueError) as error:
        fail(f"Procfile: {error}")


@contextlib.contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """A list that is no longer empty once somebody asked us to stop."""
    heard: list[int] = []
    before = {number: signal.signal(number, lambda got, _frame: heard.append(got)) for number in _STOP_SIGNALS}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(supervisor: Supervisor, settings: Settings, port: int, welcome: Welcome, stopped: list[int]) -> None:
    """Until somebody stops us; fails where a process dies too often or nothing is ready in time."""
    missing = {"web", "staff", "worker", "stream"}
    give_up_at = supervisor.now() + _READY_S
    while not stopped:
        gone = supervisor.pump(0.5 if missing else 1.0)
        if gone:
            fail(f"{gone} does not stay up; its last lines are above")
        if not missing:
            continue
        missing -= _answering(settings, port, missing)
        if not missing:
            for line in welcome.lines(settings):
                click.echo(line)
        elif supervisor.now() > give_up_at:
            fail(f"not ready after {_READY_S} s: {', '.join(sorted(missing))}")


def _answering(settings: Settings, port: int, asked: Collection[str]) -> set[str]:
    """Which of the processes that are `asked` answer by now."""
    found = {name for name, at in (("web", port), ("staff", port + 1)) if name in asked and _healthy(at)}
    if found or not {"worker", "stream"} & set(asked):
        return found
    nodes = answering_nodes(settings, 1.0) or []
    return found | {role for role in ("worker", "stream") if any(node.startswith(f"{role}-") for node in nodes)}


def _healthy(port: int) -> bool:
    link = http.client.HTTPConnection(_HOST, port, timeout=2)
    try:
        link.request("GET", "/healthz")
        return link.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()
