"""Settings of the programme: so far what they are, and the kill switch."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff import vocabulary
from linkserver.staff.gate import me, needs
from notifier.access.roles import Permission
from notifier.core.errors import BadInput
from notifier.services import Services
from notifier.store import counters, staff
from notifier.support import resend


def blueprint(services: Services) -> Blueprint:
    """`/settings`, `/settings/hold`, `/settings/release`."""
    part = Blueprint("settings", __name__)

    @part.get("/settings")
    @needs(Permission.SETTINGS_READ)
    def page() -> str:
        return _page(services)

    @part.post("/settings/hold")
    @needs(Permission.SWITCH)
    def hold() -> AnyResponse:
        return _turn(services, on=True)

    @part.post("/settings/release")
    @needs(Permission.SWITCH)
    def release() -> AnyResponse:
        return _turn(services, on=False)

    return part


def _turn(services: Services, *, on: bool) -> AnyResponse:
    reason = request.form.get("reason", "")
    try:
        (resend.hold if on else resend.release)(services, reason=reason, actor=me().actor)
    except BadInput as bad:
        return make_response(_page(services, bad), 422)
    return redirect(url_for("settings.page"), 303)


def _page(services: Services, bad: BadInput | None = None) -> str:
    with services.db.read() as conn:
        switch = counters.get_switch(conn, counters.HOLD)
        by = switch.changed_by.removeprefix("staff:") if switch else ""
        names = staff.names(conn, [by]) if switch and switch.changed_by.startswith("staff:") else {}
    problems = {p.field: vocabulary.rule_words(p.field, p.rule) for p in bad.problems} if bad else {}
    return render_template("settings.html", switch=switch, by=names.get(by, by), problems=problems)
