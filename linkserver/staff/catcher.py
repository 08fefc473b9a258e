"""The local catcher: each SMS as the phone would show it, with a live link. Not registered anywhere but locally."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, render_template, request

from linkserver.staff import catcher_chat
from linkserver.staff.gate import needs
from notifier.access.roles import Permission
from notifier.core.phones import national_form
from notifier.core.segments import measure
from notifier.services import Services
from notifier.store import caught
from notifier.store.caught import CaughtSms

_NEWEST = 60


@dataclass(frozen=True, slots=True)
class Bubble:
    """One SMS, cut where its link begins and ends. `reference`: None where the reader need not know."""

    sms: CaughtSms
    to: str
    units: int
    before: str
    link: str
    after: str


def blueprint(services: Services) -> Blueprint:
    """`/catcher`, and the chat behind it."""
    part = Blueprint("catcher", __name__)
    link = re.compile(re.escape(services.settings.public_url) + r"/[0-9A-Za-z/_-]+", re.ASCII)

    @part.get("/catcher")
    @needs(Permission.CATCHER_READ)
    def page() -> str:
        with services.db.read() as conn:
            newest = caught.newest(conn, services.sealer, _NEWEST)
        bubbles = [_bubble(sms, link) for sms in newest]
        return render_template("catcher.html", bubbles=bubbles, live=request.args.get("live") == "1")

    catcher_chat.add_routes(part, services)
    return part


def _bubble(sms: CaughtSms, link: re.Pattern[str]) -> Bubble:
    found = link.search(sms.text)
    start, end = found.span() if found else (len(sms.text), len(sms.text))
    return Bubble(
        sms=sms,
        to=national_form(sms.to),
        units=measure(sms.text).units,
        before=sms.text[:start],
        link=sms.text[start:end],
        after=sms.text[end:],
    )
