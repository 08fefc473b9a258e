"""Cases: numbers said to be a stranger's, birth dates said to be wrong; and unlocking a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.case_reports import report_page
from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Refused
from notifier.core.ids import read_reference
from notifier.core.states import CaseKind, CaseStatus
from notifier.services import Services
from notifier.support import cases

_UNREADABLE, _CONFLICT = 422, 409
_DEEDS: dict[str, Callable[..., Any]] = {
    "undo": cases.undo,
    "confirm": cases.confirm,
    "unlock": cases.unlock,
    "close": cases.close,
}


def blueprint(services: Services) -> Blueprint:
    """`/cases`, `/cases/<reference>` and what can be done there."""
    part = Blueprint("cases", __name__)

    @part.get("/cases")
    @needs(Permission.CASES_READ)
    def page() -> str:
        kind, before = request.args.get("kind", ""), request.args.get("before")
        closed = request.args.get("status") == CaseStatus.CLOSED
        lines, more = cases.listed(
            services,
            kind=CaseKind(kind) if kind in set(CaseKind) else None,
            status=CaseStatus.CLOSED if closed else CaseStatus.OPEN,
            only_facility=me().only_facility,
            with_persons=me().may(Permission.PERSONS_READ),
            before=read_reference(before) if before else None,
        )
        now = services.clock.now()
        return render_template("cases.html", lines=lines, more=more, kind=kind, closed=closed, now=now)

    @part.get("/cases/<reference>")
    @needs(Permission.CASES_READ)
    def show(reference: str) -> str:
        done = request.args.get("done")
        return _page(services, reference, done=done if done in _DEEDS else None)

    @part.post("/cases/<reference>/reveal")
    @needs(Permission.PERSONS_REVEAL)
    def reveal(reference: str) -> AnyResponse:
        """The birth date stands in this answer alone; asking again asks for a reason again."""

        def do(reason: str) -> AnyResponse:
            born = cases.reveal_birth_date(
                services, reference, only_facility=me().only_facility, reason=reason, actor=me().actor
            )
            return make_response(_page(services, reference, born=born, revealed=True))

        return _tried(services, reference, "reveal", do)

    for deed in _DEEDS:
        _add_deed(part, services, deed)
    return part


def _add_deed(part: Blueprint, services: Services, deed: str) -> None:
    @part.post(f"/cases/<reference>/{deed}", endpoint=deed)
    @needs(Permission.CASES_ACT)
    def act(reference: str) -> AnyResponse:
        def do(reason: str) -> AnyResponse:
            _DEEDS[deed](services, reference, only_facility=me().only_facility, reason=reason, actor=me().actor)
            return redirect(url_for("cases.show", reference=reference, done=deed), 303)

        return _tried(services, reference, deed, do)


def _tried(services: Services, reference: str, deed: str, do: Callable[[str], AnyResponse]) -> AnyResponse:
    try:
        return do(request.form.get("reason", ""))
    except BadInput as bad:
        problems = problems_of(bad)
        return make_response(_page(services, reference, deed=deed, problems=problems), _UNREADABLE)
    except Refused as refused:
        return make_response(_page(services, reference, deed=deed, refused=refused.reason), _CONFLICT)


def _page(services: Services, reference: str, **more: Any) -> str:
    seen = cases.show(services, reference, only_facility=me().only_facility)
    if seen.case.kind == CaseKind.ASKED:
        abort(redirect(url_for("desk.show", reference=seen.case.reference), 303))
    if seen.case.kind == CaseKind.MISSING:
        return report_page(services, seen, refused=more.get("refused"), problems=more.get("problems") or {})
    shown: dict[str, Any] = {
        "deed": None,
        "problems": {},
        "refused": None,
        "done": None,
        "born": None,
        "revealed": False,
    }
    return render_template(
        "case.html", seen=seen, case=seen.case, deeds=_possible(seen), form=request.form, **(shown | more)
    )


def _possible(seen: cases.Seen) -> list[str]:
    """The buttons that make sense; the deed itself decides."""
    is_open = seen.case.status == CaseStatus.OPEN
    if seen.case.kind == CaseKind.NOT_ME:
        return ["confirm"] * is_open + ["undo"] * seen.is_paused
    is_locked = seen.person is not None and seen.person.locked_at is not None
    return ["unlock"] * (is_open and is_locked) + ["close"] * is_open
