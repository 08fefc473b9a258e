"""Settings of the programme: the kill switch, what may be changed here, and the SMS texts; each with its history."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Conflict, Refused
from notifier.services import Services
from notifier.settings import PROGRAMME
from notifier.store import counters, staff
from notifier.support import programme, resend, sms_texts

_DONE = frozenset({"saved", "text", "reset"})


def blueprint(services: Services) -> Blueprint:
    """`/settings`, what can be changed there, and `/settings/texts/<language>/<kind>` in `sms_text_pages`."""
    part = Blueprint("settings", __name__)

    @part.get("/settings")
    @needs(Permission.SETTINGS_READ)
    def page() -> str:
        return _page(services)

    @part.post("/settings/programme")
    @needs(Permission.SETTINGS_WRITE)
    def change() -> AnyResponse:
        return _change(services)

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
        return make_response(_page(services, problems=problems_of(bad)), 422)
    return redirect(url_for("settings.page"), 303)


def _change(services: Services) -> AnyResponse:
    typed = {name: request.form.get(name, "") for name in PROGRAMME}
    reason = request.form.get("why", "")
    try:
        programme.change(services, typed, base=base_revision(), reason=reason, actor=me().actor)
    except BadInput as bad:
        problems = {("why" if name == "reason" else name): text for name, text in problems_of(bad).items()}
        return make_response(_page(services, typed=typed, problems=problems), 422)
    except Refused as refused:
        return make_response(_page(services, typed=typed, refused=refused.reason), 409)
    except Conflict:
        return make_response(_page(services, typed=typed, is_overtaken=True), 409)
    return redirect(url_for("settings.page", done="saved"), 303)


def base_revision() -> int:
    """The version that the form was filled in over. What is no number is none that could be saved over."""
    text = request.form.get("revision", "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 9 else -1


def _page(services: Services, *, typed: dict[str, str] | None = None, **more: Any) -> str:
    found = programme.current(services)
    with services.db.read() as conn:
        switch = counters.get_switch(conn, counters.HOLD)
        by = switch.changed_by.removeprefix("staff:") if switch else ""
        names = staff.names(conn, [by]) if switch and switch.changed_by.startswith("staff:") else {}
    here = {name: shown(getattr(found.rules, name)) if name in found.set_here else "" for name in PROGRAMME}
    done = request.args.get("done")
    return render_template(
        "settings.html",
        switch=switch,
        by=names.get(by, by),
        values=here if typed is None else typed,
        in_force={name: shown(getattr(found.rules, name)) for name in PROGRAMME},
        of_server={name: shown(getattr(services.settings, name)) for name in PROGRAMME},
        revision=found.revision,
        changes=programme.history(services),
        texts=sms_texts.listed(services),
        **({"problems": {}, "refused": None, "is_overtaken": False, "done": done if done in _DONE else None} | more),
    )


def shown(value: Any) -> str:
    """A value as somebody would type it: 0.5 and 72, not 72.0."""
    return f"{value:g}" if isinstance(value, float) else str(value)
