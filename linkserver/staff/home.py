"""The start page: how many messages stand where, each number a link to the rows, and the kill switch."""

from __future__ import annotations

from flask import Blueprint, render_template

from linkserver.staff.gate import me, needs
from notifier.access.roles import Permission
from notifier.core.states import State
from notifier.intake.reconciliation import newest
from notifier.services import Services
from notifier.store import cases, circuits, counters
from notifier.support import desk

#: what somebody must look at, what is on its way, what is done
GROUPS = (
    ("attention", (State.UNKNOWN, State.HELD, State.FAILED, State.UNDELIVERED)),
    ("moving", (State.SCHEDULED, State.SENDING, State.ACCEPTED, State.SENT)),
    ("done", (State.DELIVERED, State.SUPPRESSED, State.CANCELLED, State.EXPIRED)),
)


def blueprint(services: Services) -> Blueprint:
    """`/`."""
    part = Blueprint("home", __name__)

    @part.get("/")
    @needs(Permission.HOME)
    def page() -> str:
        counts = desk.counts(services, only_facility=me().only_facility)
        counts[State.SENDING] += counts.pop(State.CLAIMED)  # one word for a reader
        with services.db.read() as conn:
            waiting = cases.count_open(conn, me().only_facility) if me().may(Permission.CASES_READ) else 0
            switch = counters.get_switch(conn, counters.HOLD)
            circuit = circuits.get(conn, services.gateway.name)
        stopped = circuit is not None and "open" in {circuit.state, circuit.mode}
        shown = {"counts": counts, "groups": GROUPS, "switch": switch, "counted": newest(services), "cases": waiting}
        return render_template("home.html", circuit=circuit if stopped else None, **shown)

    return part
