"""Dose entry: typed, read back, recorded. The lists under the same address stand in facility_day.py."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff import dose_form
from linkserver.staff.dose_form import Read, place_of
from linkserver.staff.facility_day import add_lists
from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import rule_words
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Conflict, Problem
from notifier.core.states import Lane
from notifier.intake.record import Door, PlanOptions, record
from notifier.services import Services
from notifier.store import desk as rows
from notifier.store import events, notifications
from notifier.support import desk

_UNREADABLE = 422


def blueprint(services: Services) -> Blueprint:
    """`/doses`, `/doses/help`, `/doses/new`, `/doses/done/<reference>`."""
    part = Blueprint("doses", __name__)

    add_lists(part, services)

    @part.get("/doses/new")
    @needs(Permission.DOSES_WRITE)
    def new() -> str:
        with services.db.read() as conn:
            last = rows.last_entered(conn, me().facility_id or "", me().staff_id)
        today = services.clock.now().astimezone(me().zone).date()
        kept = {"product": last.product or "", "lot": last.lot or ""} if last else {}
        return _form(services, Read(dose_form.fresh(today, **kept)))

    @part.post("/doses/new")
    @needs(Permission.DOSES_WRITE)
    def enter() -> AnyResponse:
        if me().facility_id is None:
            abort(403)
        read = dose_form.read(services, request.form, me(), _facility(services))
        step = request.form.get("step")
        if step == "edit":
            return make_response(_form(services, Read(read.typed)))
        if read.event is None:
            return make_response(_form(services, read), _UNREADABLE)
        if step == "record":
            return _record(services, read)
        return make_response(_confirm(services, read))

    @part.get("/doses/done/<reference>")
    @needs(Permission.DOSES_WRITE)
    def done(reference: str) -> str:
        row = desk.find(services, reference, only_facility=me().only_facility)
        return render_template("dose_done.html", row=row)

    return part


def _facility(services: Services) -> str | None:
    """The name of the worker's own facility."""
    facility_id = me().facility_id
    if facility_id is None:
        return None
    with services.db.read() as conn:
        return rows.facility_name(conn, facility_id) or facility_id


def _form(services: Services, read: Read, earlier: str | None = None) -> str:
    problems: dict[str, str] = {}
    for problem in read.problems:
        problems.setdefault(place_of(problem), rule_words(problem.field, problem.rule))
    with services.db.read() as conn:
        products = rows.recent_products(conn, me().facility_id or "")
    return render_template(
        "dose_form.html",
        typed=read.typed,
        problems=problems,
        products=products,
        facility=_facility(services),
        earlier=earlier,
    )


def _confirm(services: Services, read: Read) -> str:
    event = read.event
    if event is None or event.person is None:
        raise TypeError("a dose that was typed has a person")  # read_event sees to it
    kept_number = None
    if read.phone is None and event.person.nik:
        kept_number = desk.known_number(services, event.person.nik, event.person.birth_date)
    return render_template(
        "dose_confirm.html",
        typed=read.typed,
        event=event,
        phone=read.phone,
        kept_number=kept_number,
        warnings=[rule_words(problem.field, problem.rule) for problem in read.warnings],
        facility=_facility(services),
    )


def _record(services: Services, read: Read) -> AnyResponse:
    if read.event is None:
        raise TypeError("only what could be read is recorded")  # the caller looked
    options = PlanOptions(
        undo=timedelta(minutes=services.settings.undo_minutes), entered_by=me().staff_id, lane=Lane.FRESH
    )
    try:
        recorded = record(services, read.event, door=Door.FORM, actor=me().actor, options=options)
    except BadInput as bad:
        return make_response(_form(services, Read(read.typed, problems=bad.problems)), _UNREADABLE)
    except Conflict:
        return _already(services, read)
    if recorded.reference is None:
        return redirect(url_for("doses.day"), 303)
    return redirect(url_for("doses.done", reference=recorded.reference), 303)


def _already(services: Services, read: Read) -> AnyResponse:
    """The form was recorded, gone back to and changed: what came first stands."""
    with services.db.read() as conn:
        earlier = events.find(conn, dose_form.event_id_of(me(), read.typed["key"]))
        row = notifications.get(conn, earlier.notification_id) if earlier and earlier.notification_id else None
    problem = Problem("", "recorded-before", "this form was recorded before")
    body = _form(services, Read(read.typed, problems=(problem,)), earlier=row.reference if row else None)
    return make_response(body, 409)
