"""Reports of a missing certificate: what was reported, what we hold, what the facility answers, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import case_reports as said
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, NotFound, Refused
from notifier.core.states import CaseStatus, CloseReason
from notifier.services import Services
from notifier.support import cases
from notifier.support.missing import answers
from notifier.support.missing.facts import Facts

_UNREADABLE, _CONFLICT = 422, 409
#: what was done, as the address of the page says it
DONE = ("entered", "not-ours", "not-found", "assign", "end")
_Deed = Callable[[Services, str], None]


def blueprint(services: Services) -> Blueprint:
    """What is done at `/cases/<reference>` of such a case; the page itself is cases'."""
    part = Blueprint("case_reports", __name__)

    @part.get("/cases/<reference>/picture")
    @needs(Permission.PERSONS_REVEAL)
    def picture(reference: str) -> Response:
        """Each look is in the audit."""
        found = answers.picture(services, reference, only_facility=me().only_facility, actor=me().actor)
        return Response(found, mimetype="image/jpeg")

    @part.post("/cases/<reference>/report")
    @needs(Permission.PERSONS_REVEAL)
    def reveal(reference: str) -> AnyResponse:
        """What was reported stands whole in this answer alone; asking again asks for a reason again."""
        try:
            facts = answers.reveal(
                services,
                reference,
                only_facility=me().only_facility,
                reason=request.form.get("reason", ""),
                actor=me().actor,
            )
        except BadInput as bad:
            return _again(services, reference, "reveal", problems=problems_of(bad))
        seen = cases.show(services, reference, only_facility=me().only_facility)
        return make_response(report_page(services, seen, whole=facts))

    _add(part, services, "entered", Permission.CASES_ANSWER, _entered)
    _add(part, services, "not-ours", Permission.CASES_ANSWER, _not_ours)
    _add(part, services, "not-found", Permission.CASES_ANSWER, _not_found)
    _add(part, services, "assign", Permission.CASES_ASSIGN, _assign)
    _add(part, services, "end", Permission.CASES_ACT, _end)
    return part


def _add(part: Blueprint, services: Services, name: str, permission: Permission, deed: _Deed) -> None:
    @part.post(f"/cases/<reference>/{name}", endpoint=name.replace("-", "_"))
    @needs(permission)
    def act(reference: str) -> AnyResponse:
        try:
            deed(services, reference)
        except BadInput as bad:
            return _again(services, reference, name, problems=problems_of(bad))
        except Refused as refused:
            return _again(services, reference, name, refused=refused.reason)
        if _is_gone(services, reference):
            return redirect(url_for("cases.page", done=name), 303)
        return redirect(url_for("cases.show", reference=reference, done=name), 303)


def _is_gone(services: Services, reference: str) -> bool:
    """Whether the reader has given the case to others, and so does not see it any more."""
    try:
        cases.show(services, reference, only_facility=me().only_facility)
    except NotFound:
        return True
    return False


def _entered(services: Services, reference: str) -> None:
    answers.entered(
        services,
        reference,
        only_facility=me().only_facility,
        words=request.form.get("words", ""),
        actor=me().actor,
    )


def _not_ours(services: Services, reference: str) -> None:
    answers.not_ours(
        services,
        reference,
        only_facility=me().only_facility,
        facility_id=request.form.get("facility", ""),
        words=request.form.get("words", ""),
        actor=me().actor,
    )


def _not_found(services: Services, reference: str) -> None:
    answers.not_found(
        services,
        reference,
        only_facility=me().only_facility,
        words=request.form.get("reason", ""),
        actor=me().actor,
    )


def _assign(services: Services, reference: str) -> None:
    answers.assign(services, reference, facility_id=request.form.get("facility", ""), actor=me().actor)


def _end(services: Services, reference: str) -> None:
    why = request.form.get("why", "")
    if why not in set(CloseReason):
        raise BadInput.of("why", "required", "choose why it is closed")
    answers.close(
        services,
        reference,
        only_facility=me().only_facility,
        why=CloseReason(why),
        reason=request.form.get("reason", ""),
        actor=me().actor,
    )


def _again(
    services: Services,
    reference: str,
    deed: str,
    *,
    problems: dict[str, str] | None = None,
    refused: str | None = None,
) -> AnyResponse:
    seen = cases.show(services, reference, only_facility=me().only_facility)
    page = report_page(services, seen, deed=deed, problems=problems or {}, refused=refused)
    return make_response(page, _CONFLICT if refused else _UNREADABLE)


def report_page(
    services: Services,
    seen: cases.Seen,
    *,
    deed: str | None = None,
    problems: dict[str, str] | None = None,
    refused: str | None = None,
    whole: Facts | None = None,
) -> str:
    """The page of a report. `whole`: what was reported, unmasked, in this answer alone."""
    with_persons = me().may(Permission.PERSONS_READ)
    about = answers.look(services, seen.case.reference, only_facility=me().only_facility, with_persons=with_persons)
    done = request.args.get("done", "")
    shown: dict[str, Any] = {
        "deed": deed,
        "problems": problems or {},
        "refused": refused,
        "done": done if done in DONE else None,
        "whole": whole,
        "form": request.form,
        "is_open": seen.case.status == CaseStatus.OPEN,
        "now": services.clock.now(),
    }
    words = {
        "cause_words": said.CAUSES,
        "step_words": said.STEPS,
        "doubt_words": said.DOUBTS,
        "party_words": said.PARTIES,
        "close_words": said.CLOSE_REASONS,
        "door_words": said.CASE_SOURCES,
    }
    return render_template("case_report.html", seen=seen, case=seen.case, about=about, **shown, **words)
