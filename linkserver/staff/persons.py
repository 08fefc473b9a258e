"""A person: one timeline of everything, one datum seen whole for a reason, a call noted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput
from notifier.services import Services
from notifier.support import person_deeds
from notifier.support.person_deeds import Datum
from notifier.support.person_timeline import story
from notifier.support.vaccination_status import doubt_words, of_person

_UNREADABLE = 422


def blueprint(services: Services) -> Blueprint:
    """`/persons/<reference>`, by the reference of any message about the person."""
    part = Blueprint("persons", __name__)

    @part.get("/persons/<reference>")
    @needs(Permission.PERSONS_READ)
    def show(reference: str) -> str:
        return _page(services, reference, done="call" if request.args.get("done") == "call" else None)

    @part.post("/persons/<reference>/reveal")
    @needs(Permission.PERSONS_REVEAL)
    def reveal(reference: str) -> AnyResponse:
        """What was asked for stands in this answer alone; asking again asks for a reason again."""
        wanted = request.form.get("what", "")
        if wanted not in set(Datum):
            abort(404)  # there is no such thing to show

        def do() -> AnyResponse:
            value = person_deeds.reveal(
                services,
                reference,
                Datum(wanted),
                only_facility=me().only_facility,
                reason=request.form.get("reason", ""),
                actor=me().actor,
            )
            return make_response(_page(services, reference, revealed=(wanted, _shown(wanted, value))))

        return _tried(services, reference, f"reveal-{wanted}", do)

    @part.post("/persons/<reference>/calls")
    @needs(Permission.MESSAGES_ACT)
    def note_call(reference: str) -> AnyResponse:
        def do() -> AnyResponse:
            person_deeds.note_call(
                services,
                reference,
                kind=request.form.get("kind", ""),
                note=request.form.get("note", ""),
                only_facility=me().only_facility,
                staff_id=me().staff_id,
            )
            return redirect(url_for("persons.show", reference=reference, done="call"), 303)

        return _tried(services, reference, "call", do)

    return part


def _tried(services: Services, reference: str, deed: str, do: Callable[[], AnyResponse]) -> AnyResponse:
    try:
        return do()
    except BadInput as bad:
        problems = problems_of(bad)
        return make_response(_page(services, reference, deed=deed, problems=problems), _UNREADABLE)


def _shown(what: str, value: str | None) -> str | date | None:
    return date.fromisoformat(value) if value and what == Datum.BIRTH_DATE else value


def _page(services: Services, reference: str, **more: Any) -> str:
    oldest_first = request.args.get("order") == "oldest"
    place = request.args.get("dose", "")
    chosen = int(place) if place.isascii() and place.isdigit() and len(place) <= 3 else None
    seen = story(services, reference, only_facility=me().only_facility, place=chosen, oldest_first=oldest_first)
    shown: dict[str, Any] = {"deed": None, "problems": {}, "done": None, "revealed": None, "form": request.form}
    return render_template(
        "person.html",
        seen=seen,
        person=seen.person,
        reference=reference,
        status=of_person(services, seen.person) if seen.person else None,
        doubt_words=doubt_words,
        chosen=chosen,
        oldest_first=oldest_first,
        most_note=person_deeds.MAX_NOTE_LENGTH,
        **(shown | more),
    )
