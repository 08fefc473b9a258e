"""`sertilink`: the group that gathers the commands of notifier/commands/.

Each family is imported when it is asked for: `sertilink worker` needs no progress bar, `sertilink keys new` no broker.
"""

from __future__ import annotations

from importlib import import_module

import click

from notifier.commands.console import Commands, Console

#: command -> module and the name in it; listed in this order by --help
_COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("up", "up"),
    "demo": ("demo", "demo"),
    "check": ("check", "check"),
    "status": ("status", "status"),
    "dose": ("doses", "dose"),
    "event": ("publish", "event"),
    "resend": ("bulks", "resend"),
    "bulk": ("bulks", "bulk"),
    "cancel": ("operate", "cancel"),
    "unlock": ("operate", "unlock"),
    "case": ("cases", "case"),
    "unknown": ("engine", "unknown"),
    "circuit": ("engine", "circuit"),
    "reconcile": ("reconcile", "reconcile"),
    "hold": ("operate", "hold"),
    "release": ("operate", "release"),
    "user": ("accounts", "user"),
    "apikey": ("api_keys", "apikey"),
    "audit": ("audit", "audit"),
    "retention": ("privacy", "retention"),
    "person": ("privacy", "person"),
    "exposure": ("exposure", "exposure"),
    "config": ("config", "config"),
    "db": ("database", "db"),
    "keys": ("keys", "keys"),
    "prove": ("prove", "prove_command"),
    "bench": ("bench", "bench"),
    "worker": ("run", "worker"),
    "stream": ("run", "stream"),
}


class _Lazy(Commands):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[name]
        command: click.Command = getattr(import_module(f"notifier.commands.{module}"), attribute)
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sertilink")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Tells people that their vaccination certificate is ready, and puts it in their hands.

    Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
    """
    ctx.ensure_object(Console)


def main() -> None:
    """The command `sertilink`."""
    cli(prog_name="sertilink")
