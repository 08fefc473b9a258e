"""`sertilink dose add` and `sertilink dose import`."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console as Screen
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from notifier.commands.console import FAILED, Console, fail, json_option, pass_console, print_json
from notifier.core.ids import new_id
from notifier.core.words import full_moment
from notifier.intake import readers
from notifier.intake.answer import report
from notifier.intake.bulk import RefusedRow, Tally, record_rows
from notifier.intake.cells import harmless
from notifier.intake.parallel import record_lines, worth_sharing
from notifier.intake.record import Door, Recorded, record
from notifier.services import Services

ERROR_COLUMNS = ("position", "place", "field", "rule", "detail")

#: option -> the event's field
_FIELDS: dict[str, tuple[str, str]] = {
    "person_id": ("person", "id"),
    "name": ("person", "name"),
    "nik": ("person", "nik"),
    "birth_date": ("person", "birth_date"),
    "phone": ("person", "phone"),
    "language": ("person", "language"),
    "time_zone": ("person", "time_zone"),
    "dose_id": ("dose", "id"),
    "number": ("dose", "number"),
    "series_total": ("dose", "series_total"),
    "vaccine_code": ("dose", "vaccine_code"),
    "vaccine_system": ("dose", "vaccine_system"),
    "product": ("dose", "product"),
    "lot": ("dose", "lot"),
    "given_on": ("dose", "given_on"),
    "facility": ("dose", "facility"),
    "facility_id": ("dose", "facility_id"),
    "delay_hours": ("notify", "delay_hours"),
}
_TYPES: dict[str, Any] = {"number": int, "series_total": int, "delay_hours": float}


@click.group("dose")
def dose() -> None:
    """Doses that come in by hand or by file."""


def _field_options(command: Callable[..., None]) -> Callable[..., None]:
    for name in reversed(_FIELDS):
        part, field = _FIELDS[name]
        option = "--" + name.replace("_", "-")
        command = click.option(option, name, type=_TYPES.get(name, str), help=f"{part}.{field} of the event.")(command)
    return command


@dose.command("add")
@_field_options
@click.option("--event-id", help="Made where it is not given; give one to be able to repeat the command.")
@json_option
@pass_console
def add(console: Console, /, event_id: str | None, as_json: bool, **fields: Any) -> None:
    """Record one dose and plan its SMS."""
    with console.services() as services:
        event = readers.from_object(services, _event_data(event_id, fields))
        recorded = record(services, event, door=Door.COMMAND, actor=console.actor())
        if as_json:
            print_json(report(recorded))
        else:
            _tell(services, recorded)


def _event_data(event_id: str | None, fields: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = {"event_id": event_id or f"command-{new_id()}", "event_type": "recorded"}
    for name, value in fields.items():
        if value is not None:
            part, field = _FIELDS[name]
            data.setdefault(part, {})[field] = value
    data.setdefault("dose", {}).setdefault("id", f"command-{new_id()}" if event_id is None else event_id)
    return data


def _tell(services: Services, recorded: Recorded) -> None:
    line = recorded.outcome.value + (f": {recorded.reason}" if recorded.reason else "")
    if recorded.reference:
        line += f"; reference {recorded.reference}"
    if recorded.due_at and recorded.state == "scheduled":
        line += f"; SMS scheduled for {full_moment(recorded.due_at, services.zone, 'en')}"
    click.echo(line)
    for warning in recorded.warnings:
        click.echo(f"warning: {warning}", err=True)


@dose.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Run every batch for real, then roll it back; nothing is kept.")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Default: FILE.errors.csv.")
@json_option
@click.pass_context
@pass_console
def import_file(
    console: Console, ctx: click.Context, file: Path, dry_run: bool, errors: Path | None, as_json: bool
) -> None:
    """Record every dose of a CSV, FHIR JSON or ndjson file, gzip or not; safe to run again.

    Bad rows go to the errors file with their place, field and rule, never with a value; the rest goes on. Exit code 1
    where a row was refused.
    """
    report_path = errors or file.with_name(file.name + ".errors.csv")
    with console.services() as services, _error_file(report_path) as refused, _progress(file) as progress:
        told: dict[str, Any] = {"actor": console.actor(), "refused": refused, "progress": progress}
        if not dry_run and worth_sharing(services, file):
            tally = record_lines(services, file, **told)
        else:
            tally = record_rows(services, readers.from_file(services, file), rehearse=dry_run, **told)
    if as_json:
        print_json(tally_report(tally, dry_run, str(report_path) if tally.refused else None))
    else:
        _print_tally(tally, dry_run, report_path)
    if tally.refused:
        ctx.exit(FAILED)


def tally_report(tally: Tally, dry_run: bool, errors: str | None) -> dict[str, Any]:
    """The tally as JSON."""
    return {
        "dry_run": dry_run,
        "rows": tally.rows,
        "outcomes": dict(sorted(tally.outcomes.items())),
        "suppressed": dict(sorted(tally.reasons.items())),
        "refused": tally.refused,
        "rules": dict(sorted(tally.rules.items())),
        "warnings": tally.warnings,
        "errors": errors,
    }


def _print_tally(tally: Tally, dry_run: bool, report_path: Path) -> None:
    click.echo(f"{tally.rows} rows" + (" (dry run: nothing was kept)" if dry_run else ""))
    for outcome, count in sorted(tally.outcomes.items()):
        click.echo(f"  {outcome:<12} {count}")
        if outcome == "suppressed":
            for reason, part in sorted(tally.reasons.items()):
                click.echo(f"    {reason:<12} {part}")
    if tally.refused:
        click.echo(f"  {'refused':<12} {tally.refused}")
        for rule, part in sorted(tally.rules.items()):
            click.echo(f"    {rule:<12} {part}")
        click.echo(f"see {report_path}")


@contextmanager
def _error_file(path: Path) -> Iterator[Callable[[RefusedRow], None]]:
    """Writes refused rows to a fresh file; where there are none, no file stays, not even one of an earlier run."""
    # a name of its own: the same file may be imported twice at once
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        stream = draft.open("w", encoding="utf-8", newline="")
    except OSError as error:
        fail(f"--errors: the file cannot be written ({error.strerror})")
    found = 0
    with stream:
        writer = csv.writer(stream)
        writer.writerow(ERROR_COLUMNS)

        def write(row: RefusedRow) -> None:
            nonlocal found
            found += 1
            for problem in row.problems:
                cells = (row.position, row.label, problem.field, problem.rule, problem.detail)
                writer.writerow([harmless(str(cell)) for cell in cells])

        try:
            yield write
        except BaseException:
            draft.unlink()
            raise
    if found:
        draft.replace(path)
    else:
        draft.unlink()
        path.unlink(missing_ok=True)


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar by bytes on standard error, on a terminal alone."""
    screen = Screen(stderr=True)
    if not (screen.is_terminal and sys.stderr.isatty()):
        yield lambda _bytes: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen) as bar:
        task = bar.add_task(file.name, total=file.stat().st_size)
        yield lambda read: bar.update(task, completed=read)
