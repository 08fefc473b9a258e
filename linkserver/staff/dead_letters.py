"""Dead letters: events that could not be taken; opened for a reason, corrected and replayed, or discarded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff import vocabulary
from linkserver.staff.gate import me, needs
from linkserver.staff.vocabulary import problems_of
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Problem, Refused
from notifier.core.ids import read_reference
from notifier.core.states import DeadLetterStatus
from notifier.services import Services
from notifier.support import dead_letters

_UNREADABLE, _CONFLICT = 422, 409
_OURS = frozenset({"reason", "body"})  # fields of the form; the others stand in what was typed
_MOST_BYTES = 6 * dead_letters.MOST_EDITED  # a letter may take several bytes, and the form its own


def blueprint(services: Services) -> Blueprint:
    """`/work/dead-letters` and what can be done there."""
    part = Blueprint("dead_letters", __name__)
    _lists(part, services)
    _deeds(part, services)

    @part.record_once
    def _before_the_csrf_check(state: BlueprintSetupState) -> None:
        state.app.before_request_funcs.setdefault(None, []).insert(0, _make_room)

    return part


def _make_room() -> None:
    """Before anything reads the form: a corrected event is longer than other forms."""
    if request.endpoint == "dead_letters.replay":
        request.max_content_length = request.max_form_memory_size = _MOST_BYTES


def _lists(part: Blueprint, services: Services) -> None:
    @part.get("/work/dead-letters")
    @needs(Permission.DEAD_LETTERS_READ)
    def page() -> str:
        return _list_page(services)

    @part.post("/work/dead-letters/discard-alike")
    @needs(Permission.DEAD_LETTERS_ACT)
    def discard_alike() -> AnyResponse:
        key, until = request.form.get("key", "").replace("\0", ""), _moment(request.form.get("until", ""))
        reason = request.form.get("reason", "")
        try:
            count = dead_letters.discard_alike(services, key, received_until=until, reason=reason, actor=me().actor)
        except BadInput as bad:
            return make_response(_list_page(services, problems=problems_of(bad), wrong_key=key), _UNREADABLE)
        return redirect(url_for("dead_letters.page", done=count), 303)

    @part.get("/work/dead-letters/<letter>")
    @needs(Permission.DEAD_LETTERS_READ)
    def show(letter: str) -> str:
        done, reference = request.args.get("done"), request.args.get("reference", "")
        return _page(
            services,
            letter,
            done=done if done in {"accepted", "discarded"} else None,
            reference=read_reference(reference)[:10] or None,
        )


def _deeds(part: Blueprint, services: Services) -> None:
    @part.post("/work/dead-letters/<letter>/open")
    @needs(Permission.DEAD_LETTERS_ACT)
    def open_it(letter: str) -> AnyResponse:
        """The body stands in this answer alone; asking again asks for a reason again."""

        def do(reason: str) -> AnyResponse:
            opened = dead_letters.show(services, letter, reason=reason, actor=me().actor)
            return make_response(_page(services, letter, opened=opened, body=opened.text))

        return _tried(services, letter, "open", do)

    @part.post("/work/dead-letters/<letter>/replay")
    @needs(Permission.DEAD_LETTERS_ACT)
    def replay(letter: str) -> AnyResponse:
        body = request.form.get("body", "")

        def do(reason: str) -> AnyResponse:
            recorded = dead_letters.replay(services, letter, body, reason=reason, actor=me().actor)
            return redirect(
                url_for("dead_letters.show", letter=letter, done="accepted", reference=recorded.reference), 303
            )

        return _tried(services, letter, "replay", do, body=body)

    @part.post("/work/dead-letters/<letter>/discard")
    @needs(Permission.DEAD_LETTERS_ACT)
    def discard(letter: str) -> AnyResponse:
        def do(reason: str) -> AnyResponse:
            dead_letters.discard(services, letter, reason=reason, actor=me().actor)
            return redirect(url_for("dead_letters.show", letter=letter, done="discarded"), 303)

        return _tried(services, letter, "discard", do)


def _tried(
    services: Services, letter: str, deed: str, do: Callable[[str], AnyResponse], body: str | None = None
) -> AnyResponse:
    try:
        return do(request.form.get("reason", ""))
    except BadInput as bad:
        problems = problems_of(BadInput(one for one in bad.problems if one.field in _OURS))
        faults = [one for one in bad.problems if one.field not in _OURS]
        if faults:
            problems.setdefault("body", vocabulary.OTHER_RULE)
        shown = _page(services, letter, deed=deed, problems=problems, faults=_said(faults), body=body)
        return make_response(shown, _UNREADABLE)
    except Refused as refused:
        return make_response(_page(services, letter, deed=deed, refused=refused.reason), _CONFLICT)


def _said(problems: list[Problem]) -> list[dict[str, str]]:
    return [{"field": one.field, "rule": one.rule, "detail": one.detail} for one in problems]


def _moment(text: str) -> datetime:
    """The moment that the page itself wrote into its form."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        abort(_UNREADABLE)
    return moment if moment.tzinfo else abort(_UNREADABLE)


def _list_page(services: Services, problems: dict[str, str] | None = None, wrong_key: str = "") -> str:
    status = request.args.get("status", "")
    chosen = DeadLetterStatus(status) if status in set(DeadLetterStatus) else DeadLetterStatus.OPEN
    key = request.args.get("key", "").replace("\0", "") or None
    lines, more = dead_letters.listed(services, status=chosen, key=key, after=request.args.get("after"))
    done = request.args.get("done", "")
    return render_template(
        "dead_letters.html",
        lines=lines,
        more=more,
        chosen=chosen,
        key=key,
        groups=dead_letters.commonest(services) if chosen is DeadLetterStatus.OPEN and key is None else [],
        done=int(done) if done.isascii() and done.isdigit() and len(done) < 6 else None,
        problems=problems or {},
        wrong_key=wrong_key,
        words=vocabulary.rule_words,
        has_words=vocabulary.has_words,
    )


def _page(services: Services, letter: str, **more: Any) -> str:
    row, settled_by = dead_letters.find(services, letter)
    shown: dict[str, Any] = {
        "deed": None,
        "problems": {},
        "faults": [],
        "refused": None,
        "done": None,
        "reference": None,
        "opened": None,
        "body": None,
    }
    return render_template(
        "dead_letter.html",
        row=row,
        settled_by=settled_by,
        most=dead_letters.MOST_EDITED,
        form=request.form,
        words=vocabulary.rule_words,
        has_words=vocabulary.has_words,
        **(shown | more),
    )
