"""The audit: who did what, filtered; whether its chain holds; and the same as a table for a spreadsheet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.screen import viewer_zone
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput
from notifier.services import Services
from notifier.support import audit_desk
from notifier.support.api_desk import cursor_text, read_cursor
from notifier.support.audit_desk import Filter

_FIELDS = ("actor", "action", "subject", "since", "until")
_UNREADABLE = 422


def blueprint(services: Services) -> Blueprint:
    """`/audit`, `/audit/export`."""
    part = Blueprint("audit", __name__)

    @part.get("/audit")
    @needs(Permission.AUDIT_READ)
    def page() -> AnyResponse:
        told = {name: request.args.get(name, "") for name in _FIELDS}
        try:
            wanted, after = audit_desk.read_filter(services, told), _cursor()
        except BadInput as bad:
            return _page(services, told, bad=bad)
        return _page(services, told | {"actor": audit_desk.actor_text(services, wanted.actor)}, wanted, after)

    @part.post("/audit")
    @needs(Permission.AUDIT_READ)
    def search() -> AnyResponse:
        """A name stands in the form alone: the address that follows holds the account's id."""
        told = {name: request.form.get(name, "") for name in _FIELDS}
        try:
            wanted = audit_desk.read_filter(services, told)
        except BadInput as bad:
            return _page(services, told, bad=bad)
        return redirect(url_for("audit.page", **_words(wanted)), 303)

    @part.post("/audit/export")
    @needs(Permission.AUDIT_READ)
    def export() -> AnyResponse:
        told = {name: request.form.get(name, "") for name in _FIELDS}
        try:
            wanted = audit_desk.read_filter(services, told)
        except BadInput as bad:
            return _page(services, told, bad=bad)
        lines = audit_desk.export(services, wanted, viewer_zone(services), by=me().actor)
        answer = Response(lines, content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return answer

    return part


def _cursor() -> tuple[datetime, str] | None:
    text = request.args.get("before", "")
    return read_cursor("before", text) if text else None


def _words(wanted: Filter) -> dict[str, Any]:
    found = {name: getattr(wanted, name) for name in _FIELDS}
    return {name: str(value) for name, value in found.items() if value is not None}


def _page(
    services: Services,
    told: dict[str, str],
    wanted: Filter | None = None,
    after: tuple[datetime, str] | None = None,
    bad: BadInput | None = None,
) -> AnyResponse:
    deeds, more = audit_desk.listed(services, wanted, viewer_zone(services), after=after) if wanted else ([], False)
    problems = problems_of(bad) if bad else {}
    words: dict[str, Any] = _words(wanted) if wanted else {}
    last = deeds[-1].row if more else None
    body = render_template(
        "audit.html",
        told=told,
        problems=problems,
        deeds=deeds,
        actions=audit_desk.actions(services),
        chain=audit_desk.chain(services),
        filtered=any(told.values()),
        words=words,
        older=url_for("audit.page", **words, before=cursor_text(last.at, last.id)) if last else None,
    )
    return make_response(body, _UNREADABLE if bad else 200)
