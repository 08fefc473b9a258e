"""`sertilink status`: one message's timeline, or how everything stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy.engine import Connection

from notifier.commands.console import Console, json_option, pass_console, print_json
from notifier.core.phones import masked_phone
from notifier.core.words import full_moment
from notifier.intake.reconciliation import Newest, newest
from notifier.services import Services
from notifier.store import circuits, counters, events, notifications, unknowns
from notifier.support.timeline import Timeline, timeline


@click.command("status")
@click.argument("reference", required=False)
@json_option
@pass_console
def status(console: Console, reference: str | None, as_json: bool) -> None:
    """The timeline of the message REFERENCE; without one, counts and what waits for somebody."""
    with console.services() as services:
        if reference is None:
            report = overview(services)
            print_json(report) if as_json else _print_overview(report)
            return
        found = timeline(services, reference)
        print_json(_one(found)) if as_json else _print_one(found, services.zone)


def overview(services: Services) -> dict[str, Any]:
    """Counts by state, how late the oldest waiting message is, and what should be 0."""
    now = services.clock.now()
    counted = newest(services)
    with services.db.read() as conn:
        oldest = notifications.oldest_due(conn)
        hold = counters.get_switch(conn, counters.HOLD)
        return {
            "states": dict(sorted(notifications.count_by_state(conn).items())),
            "due_lag_seconds": round(max(0.0, (now - oldest).total_seconds()), 1) if oldest else 0.0,
            "next_due_at": oldest.isoformat() if oldest else None,
            "held": bool(hold and hold.is_on),
            "held_by": hold.changed_by if hold and hold.is_on else None,
            "held_reason": hold.reason if hold and hold.is_on else None,
            "events": dict(sorted(events.count_by_outcome(conn).items())),
            "unaccounted": events.unaccounted(conn),
            "dead_letters": events.count_dead_letters(conn),
            "unknown_for_decision": unknowns.count_unknown_for_good(conn),
            "promises_at_risk": notifications.count_at_risk(conn),
            "circuit": _circuit(conn, services),
            "reconciled": _reconciled(counted),
        }


def _circuit(conn: Connection, services: Services) -> dict[str, Any]:
    row = circuits.get(conn, services.gateway.name)
    if row is None:
        return {"state": circuits.CircuitState.CLOSED.value, "mode": circuits.CircuitMode.AUTO.value, "reason": None}
    return {"state": row.state, "mode": row.mode, "reason": row.reason or None}


def _reconciled(counted: Newest | None) -> dict[str, Any] | None:
    """The newest nightly count; None before the first."""
    if counted is None:
        return None
    return {"at": counted.at.isoformat(), "events": counted.looked_at, "unaccounted": counted.unaccounted}


def _print_overview(report: dict[str, Any]) -> None:
    if report["held"]:
        click.echo(f"HELD by {report['held_by']}: {report['held_reason']}")
    click.echo("messages")
    for state, count in report["states"].items():
        click.echo(f"  {state:<12} {count}")
    click.echo(f"oldest due     {report['due_lag_seconds']} s ago" if report["due_lag_seconds"] else "nothing is late")
    click.echo(f"unaccounted    {report['unaccounted']}")
    if report["reconciled"]:
        click.echo("nightly count  {unaccounted} of {events} events unaccounted, {at}".format(**report["reconciled"]))
    click.echo(f"dead letters   {report['dead_letters']}")
    click.echo(f"unknown        {report['unknown_for_decision']} wait for a decision (`sertilink unknown list`)")
    click.echo(f"at risk        {report['promises_at_risk']} promises")
    circuit = report["circuit"]
    click.echo(
        f"circuit        {circuit['state']}, mode {circuit['mode']}"
        + (f": {circuit['reason']}" * bool(circuit["reason"]))
    )


def _one(found: Timeline) -> dict[str, Any]:
    row = found.notification
    return {
        "reference": row.reference,
        "kind": row.kind,
        "generation": row.generation,
        "state": row.status,
        "reason": row.reason,
        "provider_code": row.provider_code,
        "due_at": _iso(row.due_at),
        "accepted_at": _iso(row.accepted_at),
        "left_at": _iso(row.left_at),
        "ended_at": _iso(row.ended_at),
        "attempts": row.attempts,
        "phone": _phone(found),
        "timeline": [{"at": _iso(entry.at), "what": entry.what, "detail": entry.detail} for entry in found.entries],
        "generations": [
            {"reference": other.reference, "generation": other.generation, "state": other.status}
            for other in found.others
        ],
    }


def _print_one(found: Timeline, zone: ZoneInfo) -> None:
    row = found.notification
    reason = f" ({row.reason})" if row.reason else ""
    click.echo(f"{row.reference}  {row.kind}, generation {row.generation}: {row.status}{reason}")
    click.echo(f"to {_phone(found) or 'nobody: no phone'}, due {full_moment(row.due_at, zone, 'en')}")
    for entry in found.entries:
        detail = ", ".join(f"{name}={value}" for name, value in entry.detail.items())
        click.echo(f"  {full_moment(entry.at, zone, 'en'):<28} {entry.what}" + (f"  {detail}" if detail else ""))
    for other in found.others:
        click.echo(f"  generation {other.generation}: {other.reference} {other.status}")


def _phone(found: Timeline) -> str | None:
    """Enough to recognise a number, too little to call it."""
    mobile = found.person.mobile if found.person else None
    return masked_phone(mobile) if mobile else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
