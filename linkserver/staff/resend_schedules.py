"""Schedules of bulk resends: the list, a new one, and what can be done with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.resends import read_typed, words
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.bulks import ScheduleState
from notifier.core.errors import BadInput, Refused
from notifier.core.resend_filter import Span, Wanted
from notifier.services import Services
from notifier.support import bulk_report, bulk_schedules
from notifier.support.bulk_resend import filter_of

_UNREADABLE, _CONFLICT = 422, 409
_FILTER = ("state", "reason", "code", "facility", "lot", "product", "span", "unopened_days")
_FIRST = {"state": Wanted.UNDELIVERED.value, "span": Span.YESTERDAY.value, "time_of_day": "09:00", "most": "2"}
_DEEDS: dict[str, Callable[..., None]] = {
    "pause": bulk_schedules.pause,
    "resume": bulk_schedules.resume,
    "end": bulk_schedules.end,
}


def blueprint(services: Services) -> Blueprint:
    """`/resends/schedules`."""
    part = Blueprint("resend_schedules", __name__)
    part.context_processor(words)
    _lists(part, services)
    _making(part, services)
    for deed in _DEEDS:
        _add_deed(part, services, deed)
    return part


def _lists(part: Blueprint, services: Services) -> None:
    @part.get("/resends/schedules")
    @needs(Permission.BULK_READ)
    def page() -> str:
        lines = [(row, filter_of(row)) for row in bulk_schedules.listed(services)]
        return render_template("resend_schedules.html", lines=lines)

    @part.get("/resends/schedules/<reference>")
    @needs(Permission.BULK_READ)
    def show(reference: str) -> str:
        done = request.args.get("done")
        return _page(services, reference, done=done if done in {*_DEEDS, "created", "approve"} else None)


def _making(part: Blueprint, services: Services) -> None:
    @part.get("/resends/schedules/new")
    @needs(Permission.BULK_WRITE)
    def new() -> str:
        return _form(_FIRST)

    @part.post("/resends/schedules/new")
    @needs(Permission.BULK_WRITE)
    def create() -> AnyResponse:
        typed = {name: request.form.get(name, "") for name in (*_FILTER, "time_of_day", "most", "why")}
        wanted, problems = read_typed({name: typed[name] for name in _FILTER})
        if wanted is None:
            return make_response(_form(typed, problems), _UNREADABLE)
        try:
            row = bulk_schedules.create(
                services,
                wanted,
                time_of_day=typed["time_of_day"],
                most_per_person=typed["most"].strip(),
                reason=typed["why"],
                actor=me().actor,
            )
        except BadInput as bad:
            names = {"reason": "why", "most_per_person": "most"}
            problems = {names.get(name, name): text for name, text in problems_of(bad).items()}
            return make_response(_form(typed, problems), _UNREADABLE)
        return redirect(url_for("resend_schedules.show", reference=row.reference, done="created"), 303)

    @part.post("/resends/schedules/<reference>/approve")
    @needs(Permission.BULK_APPROVE)
    def approve(reference: str) -> AnyResponse:
        def do(_reason: str) -> None:
            bulk_schedules.approve(services, reference, actor=me().actor)

        return _act(services, reference, "approve", do)


def _add_deed(part: Blueprint, services: Services, deed: str) -> None:
    @part.post(f"/resends/schedules/<reference>/{deed}", endpoint=deed)
    @needs(Permission.BULK_WRITE)
    def act(reference: str) -> AnyResponse:
        def do(reason: str) -> None:
            _DEEDS[deed](services, reference, reason=reason, actor=me().actor)

        return _act(services, reference, deed, do)


def _act(services: Services, reference: str, deed: str, do: Callable[[str], None]) -> AnyResponse:
    try:
        do(request.form.get("reason", ""))
    except BadInput as bad:
        return make_response(_page(services, reference, deed=deed, problems=problems_of(bad)), _UNREADABLE)
    except Refused as refused:
        return make_response(_page(services, reference, deed=deed, refused=refused.reason), _CONFLICT)
    return redirect(url_for("resend_schedules.show", reference=reference, done=deed), 303)


def _form(typed: dict[str, str], problems: dict[str, str] | None = None) -> str:
    blank = dict.fromkeys((*_FILTER, "time_of_day", "most", "why"), "")
    return render_template(
        "resend_schedule_new.html",
        typed=blank | typed,
        problems=problems or {},
        wanted_kinds=list(Wanted),
        spans=list(Span),
    )


def _page(services: Services, reference: str, **more: Any) -> str:
    row = bulk_schedules.find(services, reference)
    made, older = bulk_report.listed(services, schedule_id=row.id)
    possible = {
        ScheduleState.ASKED: ("end",),
        ScheduleState.ACTIVE: ("pause", "end"),
        ScheduleState.PAUSED: ("resume", "end"),
        ScheduleState.ENDED: (),
    }
    return render_template(
        "resend_schedule.html",
        row=row,
        wanted=filter_of(row),
        made=made,
        older=older,
        deeds=bulk_report.deeds(services, row.id),
        possible=possible[ScheduleState(row.state)],
        own=row.made_by == me().actor,
        form=request.form,
        now=services.clock.now(),
        **({"deed": None, "problems": {}, "refused": None, "done": None} | more),
    )
