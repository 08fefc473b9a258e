"""Dose entry: typed, read back, recorded. The lists under the same address stand in facility_day.py."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff import dose_form
from linkserver.staff.dose_form import Read, place_of
from linkserver.staff.facility_day import add_lists
from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import WARNINGS, rule_words
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Conflict, NotFound, Problem
from notifier.core.states import Lane
from notifier.intake.record import Door, PlanOptions, record
from notifier.services import Services
from notifier.store import desk as rows
from notifier.store import events, notifications
from notifier.support import desk, dose_checks
from notifier.support.dose_checks import Checked, Known, Looked
from notifier.support.dose_preview import preview

_UNREADABLE = 422
#: record, and look at it or go on with the next person
_RECORD = frozenset({"record", "record-next"})


def blueprint(services: Services) -> Blueprint:
    """`/doses`, `/doses/help`, `/doses/new`, `/doses/done/<reference>`."""
    part = Blueprint("doses", __name__)

    add_lists(part, services)

    @part.get("/doses/new")
    @needs(Permission.DOSES_WRITE)
    def new() -> str:
        with services.db.read() as conn:
            last = rows.last_entered(conn, me().facility_id or "", me().staff_id)
        kept = {"product": last.product or "", "lot": last.lot or ""} if last else {}
        return _form(services, Read(dose_form.fresh(_today(services), **kept)), saved=_saved(services))

    @part.post("/doses/new")
    @needs(Permission.DOSES_WRITE)
    def enter() -> AnyResponse:
        if me().facility_id is None:
            abort(403)
        typed = dose_form.typed_in(request.form)
        step = _step(typed)
        if step in _RECORD:
            return _record(services, typed)
        if step == "find":
            return _find(services, typed)
        looked = _look(services, typed, shown=True)
        if step == "edit":
            return make_response(_form(services, Read(typed), looked.known, start="phone"))  # what is mostly wrong
        read = dose_form.read(services, typed, me(), _facility(services), looked.known)
        if read.event is None:
            return make_response(_form(services, read, looked.known), _UNREADABLE)
        return make_response(_confirm(services, read, looked, dose_checks.check(services, read.event, looked)))

    @part.get("/doses/done/<reference>")
    @needs(Permission.DOSES_WRITE)
    def done(reference: str) -> str:
        row = desk.find(services, reference, only_facility=me().only_facility)
        return render_template("dose_done.html", row=row)

    return part


def _today(services: Services) -> date:
    return services.clock.now().astimezone(me().zone).date()


def _facility(services: Services) -> str | None:
    """The name of the worker's own facility."""
    facility_id = me().facility_id
    if facility_id is None:
        return None
    with services.db.read() as conn:
        return rows.facility_name(conn, facility_id) or facility_id


def _saved(services: Services) -> rows.Row | None:
    """The dose before, which the form for the next person tells of."""
    wanted = request.args.get("saved")
    try:
        return desk.find(services, wanted, only_facility=me().only_facility) if wanted else None
    except NotFound:
        return None


def _step(typed: dict[str, str]) -> str:
    """What the form is sent for. Enter alone goes on to whatever comes next: the search, while nothing but a NIK and
    a birth date can have been asked, and once for these."""
    step = request.form.get("step", "")
    if step != "next":
        return step
    to_search = typed["nik"] and not typed["name"] and not typed["phone"] and not typed["no_phone"]
    return "find" if to_search and request.form.get("searched") != dose_form.searched(typed) else "check"


def _look(services: Services, typed: dict[str, str], *, shown: bool) -> Looked:
    who = dose_form.whom(typed, _today(services))
    if who.nik is None or who.born is None:
        return Looked()
    return dose_checks.look(services, me(), who.nik, who.born, shown=shown)


def _find(services: Services, typed: dict[str, str]) -> AnyResponse:
    """The first step: whom the NIK and the birth date on the card lead to. Both, or nothing is said."""
    who = dose_form.whom(typed, _today(services))
    if who.nik is None or who.born is None:
        return make_response(_form(services, Read(typed, problems=who.problems)), _UNREADABLE)
    looked = dose_checks.look(services, me(), who.nik, who.born, shown=True)
    if looked.known and looked.known.person.language in dose_form.LANGUAGES:
        typed["language"] = looked.known.person.language
    return make_response(_form(services, Read(typed), looked.known, looked=looked))


def _form(services: Services, read: Read, known: Known | None = None, **more: Any) -> str:
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
        known=known,
        searched=dose_form.searched(read.typed) if known or more.get("looked") else "",
        **({"earlier": None, "saved": None, "looked": None, "start": "nik"} | more),
    )


def _confirm(services: Services, read: Read, looked: Looked, checked: Checked, *, unconfirmed: bool = False) -> str:
    if read.event is None or read.event.person is None:
        raise TypeError("a dose that was typed has a person")  # read_event sees to it
    known = looked.known
    kept = known.masked if known and read.phone is None else None
    return render_template(
        "dose_confirm.html",
        typed=read.typed,
        event=read.event,
        phone=read.phone,
        kept_number=kept,
        known=known,
        checked=checked,
        warning_words=WARNINGS,
        unconfirmed=unconfirmed,
        preview=preview(services, read.event, known, _options(services)) if read.phone or kept else None,
        facility=_facility(services),
    )


def _options(services: Services) -> PlanOptions:
    return PlanOptions(
        undo=timedelta(minutes=services.settings.undo_minutes), entered_by=me().staff_id, lane=Lane.FRESH
    )


def _record(services: Services, typed: dict[str, str]) -> AnyResponse:
    """Records what was read back. A form that is recorded already, whose answer got lost, is asked nothing more."""
    if _is_recorded(services, typed):
        who = dose_form.whom(typed, _today(services))
        looked = Looked(dose_checks.find(services, who.nik, who.born) if who.nik and who.born else None)
        read = dose_form.read(services, typed, me(), _facility(services), looked.known)
        return _recorded(services, read, looked.known)
    looked = _look(services, typed, shown=False)
    read = dose_form.read(services, typed, me(), _facility(services), looked.known)
    if read.event is not None:
        checked = dose_checks.check(services, read.event, looked)
        confirmed = checked.codes <= set(request.form.get("checked", "").split())
        if not confirmed and not _is_recorded(services, typed):  # the same form may have come twice at once
            return make_response(_confirm(services, read, looked, checked, unconfirmed=True), _UNREADABLE)
    return _recorded(services, read, looked.known)


def _is_recorded(services: Services, typed: dict[str, str]) -> bool:
    with services.db.read() as conn:
        return events.find(conn, dose_form.event_id_of(me(), typed["key"])) is not None


def _recorded(services: Services, read: Read, known: Known | None) -> AnyResponse:
    if read.event is None:
        return make_response(_form(services, read, known), _UNREADABLE)
    try:
        recorded = record(services, read.event, door=Door.FORM, actor=me().actor, options=_options(services))
    except BadInput as bad:
        return make_response(_form(services, Read(read.typed, problems=bad.problems), known), _UNREADABLE)
    except Conflict:
        return _already(services, read)
    if recorded.reference is None:
        return redirect(url_for("doses.day"), 303)
    if request.form.get("step") == "record-next":
        return redirect(url_for("doses.new", saved=recorded.reference), 303)
    return redirect(url_for("doses.done", reference=recorded.reference), 303)


def _already(services: Services, read: Read) -> AnyResponse:
    """The form was recorded, gone back to and changed: what came first stands."""
    with services.db.read() as conn:
        earlier = events.find(conn, dose_form.event_id_of(me(), read.typed["key"]))
        row = notifications.get(conn, earlier.notification_id) if earlier and earlier.notification_id else None
    problem = Problem("", "recorded-before", "this form was recorded before")
    body = _form(services, Read(read.typed, problems=(problem,)), earlier=row.reference if row else None)
    return make_response(body, 409)
