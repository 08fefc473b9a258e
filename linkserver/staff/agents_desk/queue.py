"""`/desk`: what waits, due first; and a call that becomes a case."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from linkserver.staff.vocabulary.agents import LETTER_KINDS
from linkserver.staff.vocabulary.case_reports import CASE_SOURCES, CAUSES
from linkserver.words import language
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Refused
from notifier.core.ids import new_id
from notifier.core.states import CaseSource
from notifier.services import Services
from notifier.support.agents import calls, queue, seen
from notifier.support.mail import take

_WHICH = ("all", "free", "late", "mine")


def add_routes(part: Blueprint, services: Services) -> None:
    """`/desk`, `/desk/next`, `/desk/new`, `/desk/letters`."""
    _letters(part, services)

    @part.get("/desk")
    @needs(Permission.DESK)
    def page() -> str:
        which, source = request.args.get("which", ""), request.args.get("source", "")
        looked = queue.look(
            services,
            staff_id=me().staff_id,
            which=which if which in _WHICH else "all",
            source=CaseSource(source) if source in set(CaseSource) else None,
            after=request.args.get("after") or None,
        )
        return render_template(
            "desk.html",
            seen=looked,
            which=which if which in _WHICH else "all",
            source=source if source in set(CaseSource) else "",
            now=services.clock.now(),
            is_claimed=queue.is_claimed,
            source_names=CASE_SOURCES,
            none_left=request.args.get("none") == "1",
            has_mail=services.mail is not None,
        )

    @part.post("/desk/next")
    @needs(Permission.DESK)
    def take_next() -> AnyResponse:
        reference = queue.take_next(services, staff_id=me().staff_id)
        if reference is None:
            return redirect(url_for("desk.page", none=1), 303)
        return redirect(url_for("desk.show", reference=reference, done="take"), 303)

    @part.get("/desk/new")
    @needs(Permission.DESK)
    def new() -> str:
        return _new_page({})

    @part.post("/desk/new")
    @needs(Permission.DESK)
    def note_call() -> AnyResponse:
        try:
            reference = calls.note_call(
                services,
                words=request.form.get("note", ""),
                cause=request.form.get("cause", ""),
                language=request.form.get("language", ""),
                form=request.form.get("form", ""),
                staff_id=me().staff_id,
            )
        except BadInput as bad:
            return make_response(_new_page(problems_of(bad)), 422)
        return redirect(url_for("desk.show", reference=reference, done="call"), 303)


def _letters(part: Blueprint, services: Services) -> None:
    @part.get("/desk/letters")
    @needs(Permission.DESK)
    def letters() -> str:
        return _letters_page(services)

    @part.post("/desk/letters/<uuid:letter>")
    @needs(Permission.DESK)
    def adopt(letter: UUID) -> AnyResponse:
        try:
            reference = take.adopt(services, str(letter), staff_id=me().staff_id)
        except Refused as refused:
            return make_response(_letters_page(services, refused.reason), 409)
        return redirect(url_for("desk.show", reference=reference, done="call"), 303)


def _letters_page(services: Services, refused: str | None = None) -> str:
    found = seen.without_case(services)
    return render_template("desk_letters.html", letters=found, kind_names=LETTER_KINDS, refused=refused)


def _new_page(problems: dict[str, str]) -> str:
    return render_template(
        "desk_new.html",
        problems=problems,
        form=request.form,
        form_id=request.form.get("form") or new_id(),
        causes=CAUSES,
        most=queue.MAX_NOTE,
        chosen_language=request.form.get("language") or language(),
    )
