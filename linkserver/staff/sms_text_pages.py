"""One SMS text of the programme: changed with a preview, or given back to the one that came with the programme."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.settings import base_revision
from linkserver.staff.vocabulary import SMS_FAULTS, problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Conflict, Refused
from notifier.messages.own_text import PLACEHOLDERS
from notifier.services import Services
from notifier.store.programme import SMS
from notifier.support import programme, sms_texts
from notifier.support.sms_texts import SmsText


def blueprint(services: Services) -> Blueprint:
    """`/settings/texts/<language>/<kind>`."""
    part = Blueprint("sms_texts", __name__)

    @part.get("/settings/texts/<language>/<kind>")
    @needs(Permission.SETTINGS_READ)
    def page(language: str, kind: str) -> str:
        one = sms_texts.find(services, language, kind)
        return _page(services, one, one.draft)

    @part.post("/settings/texts/<language>/<kind>")
    @needs(Permission.SETTINGS_WRITE)
    def change(language: str, kind: str) -> AnyResponse:
        one = sms_texts.find(services, language, kind)
        typed, step = request.form.get("text", ""), request.form.get("step")
        if step not in {"save", "reset"}:
            return make_response(_page(services, one, typed, is_preview=True))
        return _save(services, one, typed, step)

    return part


def _save(services: Services, one: SmsText, typed: str, step: str) -> AnyResponse:
    reason, base = request.form.get("reason", ""), base_revision()
    try:
        if step == "save":
            sms_texts.save(services, one, typed, base=base, reason=reason, actor=me().actor)
        else:
            sms_texts.reset(services, one, base=base, reason=reason, actor=me().actor)
    except BadInput as bad:
        return make_response(_page(services, one, typed, is_preview=True, problems=problems_of(bad)), 422)
    except Refused as refused:
        return make_response(_page(services, one, typed, refused=refused.reason), 409)
    except Conflict:
        return make_response(_page(services, one, typed, is_overtaken=True), 409)
    return redirect(url_for("settings.page", done="text" if step == "save" else "reset"), 303)


def _page(services: Services, one: SmsText, typed: str, **more: Any) -> str:
    checked = sms_texts.check(services, one, typed)
    # beside the field stand the faults of the text itself, so only what else is wrong stays a problem
    more["problems"] = {name: text for name, text in more.get("problems", {}).items() if name != "text"}
    return render_template(
        "sms_text.html",
        one=one,
        typed=typed,
        checked=checked,
        fault_words=SMS_FAULTS,
        placeholders=PLACEHOLDERS,
        changes=programme.history(services, SMS + one.key),
        reason=request.form.get("reason", ""),
        **({"refused": None, "is_overtaken": False, "is_preview": False} | more),
    )
