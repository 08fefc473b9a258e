"""Corrections: another number, other data, a dose withdrawn. Typed, shown with what will come of it, confirmed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff import correct_form, vocabulary
from linkserver.staff.correct_form import Read
from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of, rule_words
from notifier.access.roles import Permission
from notifier.certificates.facts import masked_nik
from notifier.core.errors import BadInput, Problem, Refused
from notifier.core.states import Reason
from notifier.services import Services
from notifier.store import desk as rows
from notifier.store import staff
from notifier.support import corrections, dose_on_file
from notifier.support.corrections import Draft
from notifier.support.dose_on_file import Held

_UNREADABLE, _CONFLICT = 422, 409
Reader = Callable[[Held], Read]


def blueprint(services: Services) -> Blueprint:
    """`/doses/<reference>/number`, `/correct`, `/reveal`, `/withdraw`."""
    part = Blueprint("corrections", __name__)
    _number(part, services)
    _data(part, services)
    _withdrawal(part, services)
    return part


def _number(part: Blueprint, services: Services) -> None:
    @part.get("/doses/<reference>/number")
    @needs(Permission.DOSES_CORRECT)
    def number(reference: str) -> AnyResponse:
        return _guarded(services, reference, lambda held: _page(services, "number", reference, held))

    @part.post("/doses/<reference>/number")
    @needs(Permission.DOSES_CORRECT)
    def change_number(reference: str) -> AnyResponse:
        return _guarded(
            services,
            reference,
            lambda held: _step(
                services, "number", reference, held, correct_form.read_number(services, request.form, held)
            ),
        )


def _data(part: Blueprint, services: Services) -> None:
    @part.get("/doses/<reference>/correct")
    @needs(Permission.DOSES_CORRECT)
    def correct(reference: str) -> AnyResponse:
        return _guarded(services, reference, lambda held: _page(services, "correct", reference, held))

    @part.post("/doses/<reference>/correct")
    @needs(Permission.DOSES_CORRECT)
    def change(reference: str) -> AnyResponse:
        return _guarded(
            services,
            reference,
            lambda held: _step(
                services, "correct", reference, held, correct_form.read(services, request.form, held, _today(services))
            ),
        )

    @part.post("/doses/<reference>/reveal")
    @needs(Permission.PERSONS_REVEAL)
    def reveal(reference: str) -> AnyResponse:
        """The person's data stand in this answer alone; asking again asks for a reason again."""

        def do(held: Held) -> AnyResponse:
            try:
                dose_on_file.reveal(services, held, reason=request.form.get("reason", ""), actor=me().actor)
            except BadInput as bad:
                problem = rule_words(bad.problems[0].field, bad.problems[0].rule)
                return _page(services, "correct", reference, held, reveal_problem=problem, status=_UNREADABLE)
            return _page(services, "correct", reference, held, revealed=True)

        return _guarded(services, reference, do)


def _withdrawal(part: Blueprint, services: Services) -> None:
    @part.get("/doses/<reference>/withdraw")
    @needs(Permission.DOSES_CORRECT)
    def withdraw(reference: str) -> AnyResponse:
        return _guarded(services, reference, lambda held: _page(services, "withdraw", reference, held))

    @part.post("/doses/<reference>/withdraw")
    @needs(Permission.DOSES_CORRECT)
    def take_back(reference: str) -> AnyResponse:
        def do(held: Held) -> AnyResponse:
            try:
                recorded = corrections.withdraw(
                    services,
                    reference,
                    revision=correct_form.read_revision(request.form),
                    reason=request.form.get("reason", ""),
                    only_facility=me().only_facility,
                    actor=me().actor,
                )
            except BadInput as bad:
                problems = problems_of(bad)
                return _page(services, "withdraw", reference, held, problems=problems, status=_UNREADABLE)
            return _done(reference, recorded.reference, "withdrawn")

        return _guarded(services, reference, do, allow_withdrawn=True)


def _step(services: Services, what: str, reference: str, held: Held, read: Read) -> AnyResponse:
    """One submit of a form: asked again, shown for confirmation, or recorded."""
    step = request.form.get("step")
    if step == "edit":
        return _page(services, what, reference, held, read=read)
    if read.problems or read.checked is None:
        return _page(services, what, reference, held, read=read, problems=_words(read.problems), status=_UNREADABLE)
    revision = read.typed["revision"]
    try:
        if step == "save":
            recorded = corrections.correct(
                services,
                reference,
                read.changes,
                revision=revision,
                checked=read.checked,
                only_facility=me().only_facility,
                actor=me().actor,
            )
            return _done(reference, recorded.reference, "corrected")
        if revision != held.revision:
            raise Refused("changed-meanwhile")
        return _confirm(services, what, reference, held, read, corrections.draft(services, held, read.changes))
    except BadInput as bad:
        return _page(services, what, reference, held, read=read, problems=_words(bad.problems), status=_UNREADABLE)
    except Refused as refused:
        return _refused(services, reference, refused, read)


def _words(problems: tuple[Problem, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in sorted(problems, key=lambda one: correct_form.ORDER.index(correct_form.place_of(one))):
        found.setdefault(correct_form.place_of(problem), rule_words(problem.field, problem.rule))
    return found


def _done(reference: str, newest: str | None, done: str) -> AnyResponse:
    return redirect(url_for("messages.show", reference=newest or reference, done=done), 303)


def _guarded(
    services: Services, reference: str, do: Callable[[Held], AnyResponse], *, allow_withdrawn: bool = False
) -> AnyResponse:
    """Does something with a dose that the reader may see and that still stands."""
    try:
        held = dose_on_file.look(services, reference, only_facility=me().only_facility)
        if held.is_withdrawn and not allow_withdrawn:
            raise Refused(Reason.WITHDRAWN)
        return do(held)
    except Refused as refused:
        return _refused(services, reference, refused, None)


def _refused(services: Services, reference: str, refused: Refused, read: Read | None) -> AnyResponse:
    """What stands now, and who changed it, beside what was typed."""
    shown: dict[str, Any] = {"held": None, "differences": (), "changed": None, "by": None}
    if refused.reason == "changed-meanwhile":
        held = dose_on_file.look(services, reference, only_facility=me().only_facility)
        changed = dose_on_file.last_change(services, held)
        shown = {
            "held": held,
            "differences": corrections.compare(services, held, read.changes) if read and not read.problems else (),
            "changed": changed,
            "by": _name(services, changed.by) if changed else None,
        }
    body = render_template(
        "correct_refused.html", reference=reference, refused=refused.reason, **_shared(services, shown["held"]), **shown
    )
    return make_response(body, _CONFLICT)


def _name(services: Services, actor: str) -> str | None:
    """A colleague's name; None for a registry, an import or ourselves."""
    staff_id = actor.removeprefix("staff:")
    if staff_id == actor:
        return None
    with services.db.read() as conn:
        return staff.names(conn, [staff_id]).get(staff_id)


def _page(
    services: Services,
    what: str,
    reference: str,
    held: Held,
    *,
    read: Read | None = None,
    status: int = 200,
    revealed: bool = False,
    **more: Any,
) -> AnyResponse:
    personal = revealed or _sees_typed(services, held)
    typed = read.typed if read else correct_form.filled(held, personal=personal and what != "number")
    shown: dict[str, Any] = {"problems": {}, "reveal_problem": None} | more
    body = render_template(
        f"correct_{what}.html",
        reference=reference,
        held=held,
        typed=typed,
        personal=personal,
        revealed=revealed,
        form=request.form,
        **_shared(services, held),
        **shown,
    )
    return make_response(body, status)


def _confirm(services: Services, what: str, reference: str, held: Held, read: Read, draft: Draft) -> AnyResponse:
    body = render_template(
        "correct_confirm.html",
        what=what,
        reference=reference,
        held=held,
        typed=read.typed,
        draft=draft,
        phone=read.phone if any(one.name == "phone" for one in draft.differences) else None,
        shared=dose_on_file.shared_with(services, held, read.phone.e164) if read.phone else 0,
        dead=dose_on_file.links_at_old_number(services, held),
        warnings=[rule_words(problem.field, problem.rule) for problem in draft.warnings],
        consequence=vocabulary.CONSEQUENCES[draft.consequence],
        **_shared(services, held),
    )
    return make_response(body)


def _shared(services: Services, held: Held | None) -> dict[str, Any]:
    """What all of these pages need."""
    facility = None
    if held is not None and held.dose.facility_id:
        with services.db.read() as conn:
            facility = held.dose.facility or rows.facility_name(conn, held.dose.facility_id)
    return {
        "fields": vocabulary.FIELDS,
        "checks": vocabulary.CHECKED,
        "masked_nik": masked_nik,
        "sees": held is not None and _sees_typed(services, held),
        "facility": facility,
    }


def _sees_typed(services: Services, held: Held) -> bool:
    return dose_on_file.may_see_typed(held, facility_id=me().facility_id, today=_today(services), zone=me().zone)


def _today(services: Services) -> date:
    return services.clock.now().astimezone(me().zone).date()
