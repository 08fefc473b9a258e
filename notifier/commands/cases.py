"""What people reported on their link's page: the list, and the decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from notifier.commands.console import Commands, Console, json_option, pass_console, print_json, reason_option
from notifier.core.ids import read_reference
from notifier.core.states import CaseStatus
from notifier.core.words import full_moment
from notifier.support import cases as support

_DEEDS: dict[str, tuple[Callable[..., Any], str]] = {
    "undo": (support.undo, "The number is the person's after all: SMS and links to it work again."),
    "confirm": (support.confirm, "The number is a stranger's: its links end, the person needs another one."),
    "unlock": (support.unlock, "Five tries again after a birth date that was said to be rejected."),
    "close": (support.close, "Nothing more is to be done about a birth date."),
}


@click.group("case", cls=Commands)
def case() -> None:
    """Numbers said to be a stranger's, birth dates said to be wrong."""


@case.command("list")
@click.option("--closed", is_flag=True, help="The closed ones instead.")
@json_option
@pass_console
def listed(console: Console, closed: bool, as_json: bool) -> None:
    """The newest cases; nothing about the persons."""
    with console.services() as services:
        status = CaseStatus.CLOSED if closed else CaseStatus.OPEN
        lines, more = support.listed(services, status=status, only_facility=None, with_persons=False)
        zone = services.zone
    found = [
        {
            "reference": line.case.reference,
            "kind": line.case.kind,
            "facility_id": line.case.facility_id,
            "opened_at": line.case.opened_at.isoformat(),
            "outcome": line.case.outcome,
        }
        for line in lines
    ]
    if as_json:
        print_json({"cases": found, "more": more})
        return
    for line, one in zip(lines, found, strict=True):
        opened = full_moment(line.case.opened_at, zone, "en")
        click.echo("  ".join(str(word or "-") for word in (one["reference"], one["kind"], opened, one["outcome"])))
    click.echo(f"{len(found)} cases{', and older ones' if more else ''}")


def _add(name: str, deed: Callable[..., Any], explained: str) -> None:
    @case.command(name, help=explained)
    @click.argument("reference")
    @reason_option
    @pass_console
    def act(console: Console, reference: str, reason: str) -> None:
        reference = read_reference(reference)
        with console.services() as services:
            deed(services, reference, only_facility=None, reason=reason, actor=console.actor())
        click.echo(f"{name}: {reference}")


for _name, (_deed, _explained) in _DEEDS.items():
    _add(_name, _deed, _explained)
