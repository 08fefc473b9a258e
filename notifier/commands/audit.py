"""`sertilink audit`: whether the chain of deeds holds, and where it stands."""

from __future__ import annotations

import click

from notifier.commands.console import FAILED, Console, json_option, pass_console, print_json
from notifier.messages.audit_watch import anchor_text, read_anchor
from notifier.store import audit_chain


@click.group("audit")
def audit() -> None:
    """Who did what: a chain in which each row holds the ones before it."""


def _anchors(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> dict[int, bytes]:
    try:
        return dict(read_anchor(text) for text in texts)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@audit.command("verify")
@click.option(
    "--anchor", "anchors", multiple=True, callback=_anchors, help="What `audit head`, or the log, said before."
)
@json_option
@click.pass_context
@pass_console
def verify(console: Console, ctx: click.Context, anchors: dict[int, bytes], as_json: bool) -> None:
    """Check every row against the chain, its signed checkpoints and what you wrote down. Exit code 1 where one was
    changed, added, taken away or moved."""
    with console.services() as services, services.db.read() as conn:
        found = audit_chain.verify(conn, services.sealer, anchors)
    if as_json:
        print_json(
            {
                "holds": found.holds,
                "rows": found.position,
                "broken_at": found.broken_at,
                "fault": found.fault.value if found.fault else None,
                "checkpoints": found.checkpoints,
                "unsealed": found.unsealed,
                "anchor": anchor_text(found.position, found.head),
            }
        )
    elif found.holds:
        counted = f"{found.position} rows, {found.checkpoints} checkpoints"
        click.echo(f"the chain holds: {counted}; {found.unsealed} rows wait to be chained")
        click.echo(f"anchor: {anchor_text(found.position, found.head)}")
    else:
        broken = f"the chain is broken at position {found.broken_at} [{found.fault}]"
        click.echo(f"sertilink: {broken}; the {found.position} rows before it hold", err=True)
    if not found.holds:
        ctx.exit(FAILED)


@audit.command("head")
@json_option
@pass_console
def head(console: Console, as_json: bool) -> None:
    """Where the chain stands now: write it down elsewhere, for `audit verify --anchor`."""
    with console.services() as services, services.db.read() as conn:
        position, found = audit_chain.head(conn)
    if as_json:
        print_json({"position": position, "anchor": anchor_text(position, found)})
    else:
        click.echo(anchor_text(position, found))
