"""The print desk: a sheet with a link of its own, for people without signal or telephone."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from notifier.access.roles import Permission
from notifier.core.errors import Refused
from notifier.core.words import LANGUAGES, long_date
from notifier.services import Services
from notifier.settings import LinkCheck
from notifier.store.desk import Row
from notifier.support import desk, print_desk

_CONFLICT = 409


def blueprint(services: Services) -> Blueprint:
    """`/doses/<reference>/print`."""
    part = Blueprint("print_desk", __name__)

    @part.get("/doses/<reference>/print")
    @needs(Permission.DOSES_WRITE)
    def page(reference: str) -> str:
        return _before(services, desk.find(services, reference, only_facility=me().only_facility))

    @part.post("/doses/<reference>/print")
    @needs(Permission.DOSES_WRITE)
    def sheet(reference: str) -> AnyResponse:
        """The link stands in this answer alone: no address leads to it again, and nobody keeps it (no-store)."""
        row = desk.find(services, reference, only_facility=me().only_facility)
        try:
            made = print_desk.make_sheet(services, row, actor=me().actor)
        except Refused as refused:
            return make_response(_before(services, row, refused=refused.reason), _CONFLICT)
        last_day = made.expires_at.astimezone(me().zone).date()
        body = render_template(
            "printed_link.html",
            row=row,
            sheet=made,
            asks_date=services.settings.link_check is not LinkCheck.NONE,
            until={code: long_date(last_day, code) for code in LANGUAGES},  # the sheet speaks both at once
        )
        return make_response(body)

    return part


def _before(services: Services, row: Row, refused: str | None = None) -> str:
    """What a sheet is, and the button that makes one."""
    seen = print_desk.look(services, row)
    return render_template("print_desk.html", row=row, left=seen.left, refused=refused or seen.refused)
