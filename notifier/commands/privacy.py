"""`sertilink retention run`, `person export|erase|readmit`: data protection (docs/privacy.md).

What names somebody is read from standard input or asked for, so that no shell keeps it: a NIK, a number.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from notifier.commands.console import Console, fail, json_option, pass_console, print_json, reason_option
from notifier.commands.secret_input import new_file, secret
from notifier.core.ids import REFERENCE_LENGTH, read_reference
from notifier.core.words import full_moment
from notifier.services import Services
from notifier.support.privacy import erase as erasing
from notifier.support.privacy import retention as rules
from notifier.support.privacy.export import export
from notifier.support.privacy.find import By, Found, Several, find, nik_mark


@click.group("retention")
def retention() -> None:
    """How long personal data are kept."""


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@json_option
@pass_console
def run_retention(console: Console, dry_run: bool, as_json: bool) -> None:
    """Let go of what is older than its rule says. The workers do it each night; safe to break off and run again."""
    with console.services() as services:
        report = rules.dry_run(services) if dry_run else rules.run(services, actor=console.actor())
    if as_json:
        print_json({"dry_run": dry_run, "failed": list(report.failed), "rules": [_rule(line) for line in report.lines]})
    else:
        for line in report.lines:
            kept = "kept" if line.before is None else f"older than {line.before.date().isoformat()}"
            click.echo(f"{line.rows:>9}  {line.rule.name:<20} {kept:<23} {line.rule.what}; {line.rule.why}")
        total = sum(line.rows for line in report.lines)
        click.echo(f"{total:>9}  {'would go' if dry_run else 'gone'}")
    if report.failed:
        fail(f"failed: {', '.join(report.failed)}; the log says why, the others are done")


def _rule(line: rules.Line) -> dict[str, Any]:
    return {
        "rule": line.rule.name,
        "what": line.rule.what,
        "why": line.rule.why,
        "setting": line.rule.period.value,
        "before": line.before.isoformat() if line.before else None,
        "rows": line.rows,
    }


@click.group("person")
def person() -> None:
    """What is held about one person: taken out for them, or erased.

    The person is named by the REFERENCE of any message about them. Without one, --by asks for a NIK or a number, or
    reads it from the first line of standard input; never write one into the command.
    """


_who = click.argument("reference", required=False)
_by = click.option("--by", type=click.Choice([By.NIK.value, By.PHONE.value]), help="Asked for, or read from stdin.")


@person.command("export")
@_who
@_by
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A new file; mode 0600.")
@reason_option
@pass_console
def export_person(console: Console, reference: str | None, by: str | None, out: Path, reason: str) -> None:
    """Write everything that is held about one person into a JSON file, for them."""
    with console.services() as services:
        found = _found(services, reference, by)
        if found.person_id is None or found.erased_at is not None:
            fail(_done_already(found, services))
        with new_file(out) as file:
            data = export(services, found.person_id, reason=reason, actor=console.actor())
            json.dump(data, file, ensure_ascii=False, indent=2)
            file.write("\n")
    click.echo(
        f"written: {out} ({sum(len(part['rows']) for part in data['parts'])} entries; hand it over, then delete it)"
    )


@person.command("erase")
@_who
@_by
@click.option("--keep-certificates", is_flag=True, help="The numbers of the certificates go on to be valid.")
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@reason_option
@json_option
@pass_console
def erase_person(
    console: Console,
    reference: str | None,
    by: str | None,
    keep_certificates: bool,
    dry_run: bool,
    yes: bool,
    reason: str,
    as_json: bool,
) -> None:
    """Erase one person for good: name, NIK, birth date, number and all that leads to them. Doses stay, as counts."""
    with console.services() as services:
        found = _found(services, reference, by)
        if found.person_id is None or found.erased_at is not None:
            report: dict[str, Any] = {"already_erased_at": _iso(found.erased_at)}
            print_json(report) if as_json else click.echo(_done_already(found, services))
            return
        if not dry_run and not yes:
            click.confirm("This cannot be undone. Erase this person?", abort=True, err=True)
        done = erasing.erase(
            services,
            found.person_id,
            reason=reason,
            actor=console.actor(),
            keep_certificates=keep_certificates,
            dry_run=dry_run,
        )
    _print_erasure(done, dry_run, as_json)


def _print_erasure(done: erasing.Erasure, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "counts": done.counts,
                "kept_certificates": done.kept_certificates,
                "unreadable": done.unreadable,
                "provider_ids": done.provider_ids,
            }
        )
        return
    click.echo("would erase:" if dry_run else "erased:")
    for name, number in done.counts.items():
        click.echo(f"{number:>9}  {name.replace('_', ' ')}")
    if done.unreadable:
        click.echo(f"{done.unreadable:>9}  rows that no key of ours opens: nobody can say whom they tell of")
    if done.provider_ids:
        click.echo("to be deleted at the SMS provider: " + " ".join(done.provider_ids))


@person.command("readmit")
@reason_option
@pass_console
def readmit_person(console: Console, reason: str) -> None:
    """Let a registry send somebody again who was erased. Asks for the NIK; nothing that was erased comes back."""
    with console.services() as services:
        mark = nik_mark(services, secret("NIK"))
        lifted = erasing.readmit(services, mark, reason=reason, actor=console.actor())
    click.echo(f"readmitted: {lifted} marks lifted; the next event records the person as somebody new")


def _found(services: Services, reference: str | None, by: str | None) -> Found:
    if (reference is None) == (by is None):
        raise click.UsageError("name the person by the REFERENCE of a message, or with --by nik|phone")
    if reference is not None:
        if len(read_reference(reference)) != REFERENCE_LENGTH:  # before it is looked up or shown anywhere
            raise click.UsageError("a REFERENCE has 10 letters and digits; a NIK or number is asked for with --by")
        typed, how = reference, By.REFERENCE
    else:
        how = By(by or "")
        typed = secret("NIK" if how is By.NIK else "Number")
    try:
        return find(services, typed, how)
    except Several as error:
        fail(str(error))


def _done_already(found: Found, services: Services) -> str:
    when = full_moment(found.erased_at, services.zone, "en") if found.erased_at else "before"
    return f"erased already: {when}; nothing is left to do"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
