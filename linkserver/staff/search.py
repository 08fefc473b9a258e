"""The search box: one field, by POST, so that no name, NIK or number stands in an address, a log or a history."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput
from notifier.services import Services
from notifier.support import search
from notifier.support.search import Found, Kind

_UNREADABLE = 422
_FIELDS = ("q", "birth_year", "facility")


def blueprint(services: Services) -> Blueprint:
    """`POST /messages`."""
    part = Blueprint("search", __name__)

    @part.post("/messages")
    @needs(Permission.MESSAGES_READ)
    def found() -> AnyResponse:
        typed = {name: request.form.get(name, "").strip() for name in _FIELDS}
        if not me().may(Permission.PERSONS_READ):
            return _by_reference(services, typed)
        try:
            result = search.find(
                services,
                typed["q"],
                birth_year=typed["birth_year"],
                facility=typed["facility"],
                only_facility=me().only_facility,
            )
        except BadInput as bad:
            problems = problems_of(bad)
            return make_response(_page(typed, None, problems), _UNREADABLE)
        target = _target(result)
        return redirect(target, 303) if target else make_response(_page(typed, result, {}))

    return part


def _target(found: Found) -> str | None:
    """Where one thing was named, and is there to be seen."""
    if found.reference is not None:
        return url_for("messages.show", reference=found.reference)
    message = found.hits[0].message if found.kind is Kind.CERTIFICATE else None
    return url_for("persons.show", reference=message.reference) if message else None


def _by_reference(services: Services, typed: dict[str, str]) -> AnyResponse:
    """For those who see what was done, never to whom."""
    reference = search.find_reference(services, typed["q"], only_facility=me().only_facility)
    if reference is not None:
        return redirect(url_for("messages.show", reference=reference), 303)
    return make_response(_page(typed, Found(Kind.REFERENCE), {}), _UNREADABLE)


def _page(typed: dict[str, str], result: Found | None, problems: dict[str, str]) -> str:
    return render_template("found.html", typed=typed, found=result, problems=problems, page_size=search.PAGE)
