"""`/desk/check`: an agent types what a caller says; the page says right or wrong, and never what was wrong."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from linkserver.staff.vocabulary.case_reports import CAUSES
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Refused
from notifier.core.ids import read_reference
from notifier.services import Services
from notifier.support.agents import callers

_PARTS = ("day", "month", "year")


def add_routes(part: Blueprint, services: Services) -> None:
    """`/desk/check`, by itself or for a case."""

    @part.get("/desk/check")
    @needs(Permission.DESK)
    def check_form() -> str:
        return _page(services, request.args.get("case", ""))

    @part.post("/desk/check")
    @needs(Permission.DESK)
    def check() -> AnyResponse:
        """What is right stands in this answer alone, and what was typed in none of them once it was right."""
        reference = request.form.get("case", "")
        try:
            said = callers.read_said(services, request.form)
            checked = callers.check(services, said, reference=reference or None, staff_id=me().staff_id)
        except BadInput as bad:
            return make_response(_page(services, reference, problems=_gathered(problems_of(bad))), 422)
        except Refused as refused:
            return make_response(_page(services, reference, refused=refused.reason), 409)
        return make_response(_page(services, reference, checked=checked))


def _gathered(problems: dict[str, str]) -> dict[str, str]:
    """One problem for each date, by its first field."""
    found: dict[str, str] = {}
    for name, text in problems.items():
        prefix = "given_" if name.startswith("given_") else ""
        is_part = name.removeprefix(prefix) in _PARTS
        found.setdefault(f"{prefix}day" if is_part else name, text)
    return found


def _page(services: Services, reference: str, **more: Any) -> str:
    shown: dict[str, Any] = {"problems": {}, "refused": None, "checked": None}
    return render_template(
        "desk_check.html",
        reference=read_reference(reference)[:20] if reference else "",
        form=request.form,
        causes=CAUSES,
        **(shown | more),
    )
