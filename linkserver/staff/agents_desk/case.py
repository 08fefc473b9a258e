"""`/desk/<reference>`: one case with all that came and went, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from linkserver.staff.vocabulary.agents import LETTER_STATES
from linkserver.staff.vocabulary.case_reports import CASE_SOURCES, CAUSES, STEPS
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Refused
from notifier.core.ids import new_id
from notifier.core.states import CaseKind, CaseStatus
from notifier.services import Services
from notifier.support.agents import blocks, merging, queue, replies, seen
from notifier.support.mail import outbox

_UNREADABLE, _CONFLICT = 422, 409


def _hand(services: Services, reference: str, field: Callable[[str], str], staff_id: str) -> None:
    queue.hand_over(services, reference, to=field("to"), note=field("note"), staff_id=staff_id)


def _by_email(services: Services, reference: str, field: Callable[[str], str], staff_id: str) -> None:
    replies.by_email(
        services,
        reference,
        to=field("letter"),
        text=field("text"),
        language=field("language"),
        form=field("form"),
        staff_id=staff_id,
    )


def _letter(services: Services, reference: str, field: Callable[[str], str], staff_id: str) -> None:
    again = field("again") == "yes"
    outbox.decide(services, field("letter"), case_id_of(services, reference), again=again, actor=f"staff:{staff_id}")


def case_id_of(services: Services, reference: str) -> str:
    """The id of a case. Raises NotFound."""
    with services.db.read() as conn:
        return str(queue.find(conn, reference).id)


#: what can be done: the case's reference, the form's fields, who does it; the reference of another case to go on with
_DEEDS: dict[str, Callable[[Services, str, Callable[[str], str], str], str | None]] = {
    "take": lambda services, reference, field, who: queue.take(services, reference, staff_id=who),
    "hand": _hand,
    "note": lambda services, reference, field, who: queue.note(services, reference, words=field("note"), staff_id=who),
    "email": _by_email,
    "sms": lambda services, reference, field, who: replies.by_sms(
        services, reference, text=field("text"), staff_id=who
    ),
    "merge": lambda services, reference, field, who: merging.merge(
        services, reference, other=field("other"), staff_id=who
    ),
    "unmerge": lambda services, reference, field, who: merging.undo(
        services, reference, other=field("other"), staff_id=who
    ),
    "letter": _letter,
    "close": lambda services, reference, field, who: queue.close(
        services, reference, cause=field("cause"), facility=field("facility"), reason=field("reason"), staff_id=who
    ),
}


def add_routes(part: Blueprint, services: Services) -> None:
    """`/desk/<reference>` and its deeds."""

    @part.get("/desk/<reference>")
    @needs(Permission.DESK)
    def show(reference: str) -> str:
        done = request.args.get("done")
        return _page(services, reference, done=done if done in {*_DEEDS, "call"} else None)

    @part.post("/desk/<reference>/reveal")
    @needs(Permission.DESK)
    def reveal(reference: str) -> AnyResponse:
        """The numbers in the letters stand in this answer alone; asking again asks for a reason again."""
        try:
            seen.reveal(services, reference, reason=request.form.get("reason", ""), actor=me().actor)
        except BadInput as bad:
            return make_response(_page(services, reference, deed="reveal", problems=problems_of(bad)), _UNREADABLE)
        return make_response(_page(services, reference, revealed=True))

    for deed in _DEEDS:
        _add_deed(part, services, deed)


def _add_deed(part: Blueprint, services: Services, deed: str) -> None:
    @part.post(f"/desk/<reference>/{deed}", endpoint=deed)
    @needs(Permission.DESK)
    def act(reference: str) -> AnyResponse:
        if request.form.get("step") == "insert":
            return make_response(_page(services, reference, deed=deed, inserted=True))
        try:
            on = _DEEDS[deed](services, reference, lambda name: request.form.get(name, ""), me().staff_id)
        except BadInput as bad:
            return make_response(_page(services, reference, deed=deed, problems=problems_of(bad)), _UNREADABLE)
        except Refused as refused:
            return make_response(_page(services, reference, deed=deed, refused=refused.reason), _CONFLICT)
        return redirect(url_for("desk.show", reference=on or reference, done=deed), 303)


def _page(services: Services, reference: str, **more: Any) -> str:
    looked = seen.look(services, reference, staff_id=me().staff_id)
    shown: dict[str, Any] = {
        "deed": None,
        "problems": {},
        "refused": None,
        "done": None,
        "inserted": False,
        "revealed": False,
    }
    case = looked.case
    language = request.form.get("language") or case.language or "id"
    ready = blocks.listed(services, language if language in {"id", "en"} else "id")
    return render_template(
        "desk_case.html",
        seen=looked,
        case=case,
        form=request.form,
        form_id=request.form.get("form") or new_id(),
        is_open=case.status == CaseStatus.OPEN,
        is_asked=case.kind == CaseKind.ASKED,
        now=services.clock.now(),
        blocks=ready,
        text=_text(ready) if more.get("inserted") else request.form.get("text", ""),
        chosen_language=language,
        can_mail=services.settings.mail_host is not None and "email" in services.settings.doors,
        step_words=STEPS,
        causes=CAUSES,
        source_names=CASE_SOURCES,
        letter_states=LETTER_STATES,
        most_letter=replies.MAX_LETTER,
        most_words=replies.MAX_SMS_WORDS,
        most_note=queue.MAX_NOTE,
        **(shown | more),
    )


def _text(ready: list[blocks.Block]) -> str:
    """What was typed, with the chosen ready-made text behind it."""
    wanted, typed = request.form.get("block", ""), request.form.get("text", "").strip()
    chosen = next((one.text for one in ready if one.name == wanted), "")
    return "\n\n".join(part for part in (typed, chosen) if part)
