"""`sertilink exposure`: whose data were exposed, and drafts of the notices that the law asks for (docs/privacy.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from notifier.commands.console import Console, fail, json_option, pass_console, print_json, reason_option
from notifier.commands.secret_input import new_file, secret
from notifier.core.errors import BadInput
from notifier.core.identity import initials_of
from notifier.core.words import full_moment
from notifier.services import Services
from notifier.support.privacy import exposure as exposing
from notifier.support.privacy.exposure import Exposed, Exposure
from notifier.support.privacy.notices import Notices

STDIN = "-"


@click.command("exposure")
@click.option("--token", help="A leaked link, or its last part; - asks for it, or reads it from stdin (better).")
@click.option("--phone", help="A number that is somebody else's; - asks for it, or reads it from stdin (better).")
@click.option("--from", "start", help="With --to: everything opened or sent from here, 2026-11-24T09:00+07:00.")
@click.option("--to", "end", help="Until before this moment.")
@click.option("--found", help="When it was found out; from then 72 hours count. Now, where it is left out.")
@click.option(
    "--notices", type=click.Path(file_okay=False, path_type=Path), help="A folder for the drafts of the notices."
)
@reason_option
@json_option
@pass_console
def exposure(
    console: Console,
    token: str | None,
    phone: str | None,
    start: str | None,
    end: str | None,
    found: str | None,
    notices: Path | None,
    reason: str,
    as_json: bool,
) -> None:
    """Whose data a leaked link, a wrong number or a span of time exposed, and the notices due within 3 x 24 hours.

    Nothing is sent. --json and the drafts hold names: keep them as you keep the database.
    """
    if [token is not None, phone is not None, start is not None or end is not None].count(True) != 1:
        raise click.UsageError("choose one of --token, --phone, and --from with --to")
    if (start is None) != (end is None):
        raise click.UsageError("--from and --to come together")
    with console.services() as services:
        more: dict[str, Any] = {"reason": reason, "actor": console.actor()}
        more["found_at"] = _past(found, "--found", services) if found else None
        if token is not None:
            seen = exposing.by_link(services, secret("Link") if token == STDIN else token, **more)
        elif phone is not None:
            seen = exposing.by_number(services, secret("Number") if phone == STDIN else phone, **more)
        else:
            first, last = _past(start or "", "--from", services), _past(end or "", "--to", services, may_come=True)
            seen = exposing.by_span(services, first, last, **more)
        drafts = Notices(services)
        if notices is not None:
            _write_drafts(notices, seen, drafts)
        if as_json:
            print_json(_exposure(seen, drafts))
        else:
            _print_exposure(seen, services.zone, notices)


def _exposure(seen: Exposure, drafts: Notices) -> dict[str, Any]:
    return {
        "incident": seen.incident,
        "how": seen.how.value,
        "found_at": seen.found_at.isoformat(),
        "due_at": seen.due_at.isoformat(),
        "still_theirs": seen.still_theirs,
        "people": [_one(one) | {"notice": drafts.to_person(seen, one)} for one in seen.people],
        "notice_to_authority": drafts.to_authority(seen),
    }


def _one(one: Exposed) -> dict[str, Any]:
    deeds = one.deeds
    return {
        "reference": one.reference,
        "name": one.person.name if one.person else None,
        "certain": one.certain,
        "data": [kind.value for kind in one.data],
        "since": one.since.isoformat(),
        "until": one.until.isoformat(),
        "seen": deeds.seen,
        "seen_by_robots": deeds.robots,
        "wrong_birth_dates": deeds.wrong,
        "messages": deeds.sent,
    }


def _print_exposure(seen: Exposure, zone: ZoneInfo, notices: Path | None) -> None:
    click.echo(f"incident {seen.incident}: {len(seen.people)} persons, {sum(one.certain for one in seen.people)} seen")
    for one in seen.people:
        who = initials_of(one.person.name) if one.person else "(erased or unreadable)"
        deeds = one.deeds
        span = f"{full_moment(one.since, zone, 'en')} to {full_moment(one.until, zone, 'en')}"
        done = f"{deeds.seen} seen, {deeds.robots} by robots, {deeds.wrong} wrong dates, {deeds.sent} messages"
        kinds = ", ".join(kind.value for kind in one.data) or "nothing"
        click.echo(f"{one.reference or '-':<10}  {who:<12} {kinds}; {span}; {done}")
    if seen.still_theirs:
        click.echo(f"{seen.still_theirs} persons whose number it is were left out")
    if not seen.people:
        click.echo("nobody's data were exposed by it, as far as we know")
        return
    click.echo(f"notices are due by {full_moment(seen.due_at, zone, 'en')}, to the persons and the authority")
    if notices is None:
        click.echo("write their drafts with --notices FOLDER")


def _write_drafts(folder: Path, seen: Exposure, drafts: Notices) -> None:
    place = folder / seen.incident
    try:
        place.mkdir(mode=0o700, parents=True)
    except OSError as error:
        fail(f"--notices: the folder cannot be made ({error.strerror})")
    for number, one in enumerate(seen.people, 1):
        text = drafts.to_person(seen, one)
        if text is not None:
            _write(place / f"{number:05}-{one.reference or 'person'}.txt", text)
    text = drafts.to_authority(seen)
    if text is not None:
        _write(place / "authority.txt", text)


def _write(path: Path, text: str) -> None:
    with new_file(path) as file:
        file.write(text)


def _past(text: str, option: str, services: Services, *, may_come: bool = False) -> datetime:
    """A moment, on the programme's clock where it names no zone; one that is over, unless `may_come`."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput.of(option, "moment", "write 2026-11-24T09:00+07:00 or '2026-11-24 09:00'") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=services.zone)
    if not may_come and moment > services.clock.now():
        raise BadInput.of(option, "in-future", "write a moment that is over")
    return moment.astimezone(UTC)
