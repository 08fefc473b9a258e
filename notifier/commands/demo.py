"""`sertilink demo`: sample doses through the real path, and the SMS that were caught."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import click

from notifier.commands.console import Console, fail, json_option, lines_of, pass_console, print_json
from notifier.commands.demo_people import borrowed_events, sample_events
from notifier.core.states import Lane, State
from notifier.intake import readers
from notifier.intake.event import Event, now_as_today
from notifier.intake.record import Door, PlanOptions, Recorded, record_many
from notifier.services import Services
from notifier.settings import Environment, GatewayName, Settings
from notifier.store import caught
from notifier.store.caught import CaughtSms

AT_ONCE = PlanOptions(delay=timedelta(0), any_hour=True, lane=Lane.FRESH)
_BATCH = 500
_POLL_S = 0.2
_SETTLED = frozenset({State.DELIVERED, State.UNDELIVERED, State.FAILED})
_LINK = re.compile(r"https?://\S+/c/[0-9A-Za-z]+")


@dataclass(frozen=True)
class Planned:
    """A sample dose that was recorded."""

    reference: str
    birth_date: date | None


@click.command("demo")
@click.option("--people", type=click.IntRange(1, 10_000), default=5, show_default=True, help="How many.")
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Real records, made-up phones."
)
@click.option(
    "--wait", type=click.FloatRange(min=0), help="Seconds until giving up; by default 30, more for many people."
)
@json_option
@pass_console
def demo(console: Console, people: int, file: Path | None, wait: float | None, as_json: bool) -> None:
    """Feed sample doses without delay at any hour, wait, and show the caught SMS with their links.

    `sertilink up` must be running. Nothing is ever sent: a gateway that is not the catcher is refused.
    """
    refuse_real_gateway(console.settings())
    with console.services() as services:
        run = secrets.token_hex(4)
        today = now_as_today(services.clock.now())
        if file is None:
            events: Iterable[Event] = (
                readers.from_object(services, data) for data in sample_events(people, run, today)
            )
        else:
            events = borrowed_events(readers.from_file(services, file), run)
        planned = feed(services, islice(events, people), actor=console.actor())
        if not planned:
            fail("--file: there is no dose in it that an SMS could be about [nothing-to-send]")
        messages = wait_until_caught(console, services, planned, wait if wait is not None else 30 + 0.1 * len(planned))
    if as_json:
        print_json({"people": len(planned), "messages": [_report(sms, planned) for sms in messages]})
    else:
        _print(messages, planned)


def refuse_real_gateway(settings: Settings) -> None:
    """Sample data may reach nobody's phone."""
    if settings.gateway is not GatewayName.CATCHER:
        fail(f"SERTILINK_GATEWAY: demo needs the catcher; {settings.gateway} would send real SMS [real-gateway]")
    if settings.environment is Environment.PRODUCTION:
        fail("SERTILINK_ENVIRONMENT: demo never runs in production [production]")


def feed(services: Services, events: Iterable[Event], *, actor: str) -> dict[str, Planned]:
    """Records sample doses without delay; the planned ones by reference. Fails where one is refused."""
    planned: dict[str, Planned] = {}
    iterator = iter(events)
    while batch := list(islice(iterator, _BATCH)):
        for event, answer in zip(
            batch, record_many(services, batch, door=Door.DEMO, actor=actor, options=AT_ONCE), strict=True
        ):
            if not isinstance(answer, Recorded):
                fail(*lines_of(answer))
            if answer.reference and answer.state is State.SCHEDULED:
                born = event.person.birth_date if event.person else None
                planned[answer.reference] = Planned(answer.reference, born)
    return planned


def wait_until_caught(
    console: Console, services: Services, planned: dict[str, Planned], seconds: float
) -> list[CaughtSms]:
    """The caught SMS of every planned dose, in their order. Fails where the time is over before all are there."""
    left = seconds
    while True:
        found = _caught(services, list(planned))
        settled = all(sms.state in _SETTLED for sms in found.values())
        if len(found) == len(planned) and (settled or left <= 0):
            return [found[reference] for reference in planned]
        if left <= 0:
            fail(f"{len(found)} of {len(planned)} SMS were caught within {seconds:.0f} s; is `sertilink up` running?")
        console.sleep(_POLL_S)
        left -= _POLL_S


def _caught(services: Services, references: list[str]) -> dict[str, CaughtSms]:
    found: dict[str, CaughtSms] = {}
    with services.db.read() as conn:
        for start in range(0, len(references), _BATCH):
            part = references[start : start + _BATCH]
            for sms in caught.newest(conn, services.sealer, len(part) * 2, part):
                if sms.reference is not None:
                    found.setdefault(sms.reference, sms)
    return found


def _link_in(text: str) -> str:
    match = _LINK.search(text)
    return match.group() if match else ""


def _report(sms: CaughtSms, planned: dict[str, Planned]) -> dict[str, object]:
    born = planned[sms.reference or ""].birth_date
    return {
        "reference": sms.reference,
        "to": sms.to,
        "text": sms.text,
        "segments": sms.segments,
        "link": _link_in(sms.text),
        "birth_date": born.isoformat() if born else None,
        "state": sms.state,
    }


def _print(messages: list[CaughtSms], planned: dict[str, Planned]) -> None:
    """One line of facts and the text: a table would cut the links, which are there to be copied."""
    for sms in messages:
        born = planned[sms.reference or ""].birth_date
        size = f"{sms.segments} segment" + ("s" if sms.segments > 1 else "")
        click.echo(f"{sms.reference}  {sms.to}  {size}  {sms.state}  birth date {born or '-'}")
        click.echo(f"  {sms.text}")
