"""The start page: how things stand now and what became of the last days' messages; each number leads to its rows."""

from __future__ import annotations

from datetime import date, timedelta

from babel.numbers import format_decimal
from flask import Blueprint, render_template

from linkserver.staff import charts
from linkserver.staff.gate import me, needs
from linkserver.words import language
from notifier.access.roles import Permission
from notifier.core.states import CaseKind
from notifier.intake.reconciliation import newest
from notifier.messages.tallies import DAYS
from notifier.services import Services
from notifier.store import case_reports, cases, staff
from notifier.support import dashboard

#: counts are late when they are older
_LATE = timedelta(minutes=15)


def blueprint(services: Services) -> Blueprint:
    """`/`."""
    part = Blueprint("home", __name__)

    @part.get("/")
    @needs(Permission.HOME)
    def page() -> str:
        seen = dashboard.look(services, only_facility=me().only_facility)
        with services.db.read() as conn:
            waiting = cases.count_open(conn, me().only_facility) if me().may(Permission.CASES_READ) else 0
            missing, late = (
                case_reports.count_waiting(conn, CaseKind.MISSING, me().only_facility, services.clock.now())
                if me().may(Permission.CASES_READ)
                else (0, 0)
            )
            by = seen.switch.changed_by.removeprefix("staff:") if seen.switch else ""
            names = staff.names(conn, [by]) if seen.switch and seen.switch.changed_by.startswith("staff:") else {}
        return render_template(
            "home.html",
            seen=seen,
            by=names.get(by, by),
            cases=waiting,
            missing=missing,
            missing_late=late,
            counted=newest(services),
            days_shown=DAYS,
            group_values={name: [state.value for state in states] for name, states in dashboard.GROUPS.items()},
            sent_values=[state.value for state in dashboard.SENT],
            is_late=seen.counted_at is not None and services.clock.now() - seen.counted_at > _LATE,
            by_day=_by_day(seen),
            by_facility=charts.rows([one.numbers for one in seen.facilities], [one.name for one in seen.facilities]),
            day_of=date.fromisoformat,
        )

    return part


def _by_day(seen: dashboard.Dashboard) -> charts.Chart:
    names = [str(date.fromisoformat(one.key).day) for one in seen.days]
    return charts.columns([one.numbers for one in seen.days], names, _number)


def _number(number: int) -> str:
    said: str = format_decimal(number, locale=language())
    return said
