"""/kasus/<token>: how a case stands, for whoever holds its link. Names nobody; a GET changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask, Response, make_response, render_template, request, url_for

from linkserver.public.buttons import lead
from linkserver.public.cases.asker import Asker, Askers
from linkserver.public.cases.start import too_often
from linkserver.public.cases.words import END_WORDS, NEXT_WORDS, STEP_WORDS, TRACKER_EXPIRED
from linkserver.public.face import Face
from linkserver.public.pages import LIMITED, UNKNOWN, UNREADABLE, state_page
from linkserver.security import is_cross_site
from linkserver.words import N_, _, language
from notifier.core.errors import NotFound, Refused
from notifier.core.link_tokens import trimmed
from notifier.core.states import OtpAnswer
from notifier.support.missing import trackers
from notifier.support.missing.facts import MAX_WORDS
from notifier.support.missing.trackers import Tracker, TrackerState

_PROBLEMS = {
    "words-missing": N_("Tulis dulu keterangannya"),
    "words-long": N_("Keterangan ini terlalu panjang. Ringkaslah"),
}
_LONGEST_CODE = 40
_Act = Callable[[Face, Askers, str], Response]


def add_routes(app: Flask, face: Face, askers: Askers) -> None:
    """Part of the door `cases`."""

    @app.get("/kasus/<token>", endpoint="cases-tracker")
    def show(token: str) -> Response:
        canonical = trimmed(token)
        if canonical != token:
            return lead(url_for("cases-tracker", token=canonical), 302)
        asker = askers.read(request)
        return _page(face, token, code=bool(asker and asker.challenge and request.args.get("code") == "1"))

    @app.get("/kasus/<token>/<deed>", endpoint="cases-tracker-deed")
    def again(token: str, deed: str) -> Response:
        """What previews and a change of language come to."""
        return lead(url_for("cases-tracker", token=token), 302)

    for name, act in (("word", _word), ("withdraw", _withdraw), ("send-code", _send_code), ("confirm", _confirm)):
        app.add_url_rule(f"/kasus/<token>/{name}", f"cases-{name}", _pressed(face, askers, act), methods=["POST"])


def _pressed(face: Face, askers: Askers, act: _Act) -> Callable[[str], Response]:
    def pressed(token: str) -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        try:
            return act(face, askers, token)
        except NotFound:
            return state_page(UNKNOWN)
        except Refused as refused:
            if refused.reason in _PROBLEMS:
                return _page(face, token, problem=_PROBLEMS[refused.reason])
            return state_page(LIMITED) if refused.reason == "too-many" else _back(token)

    return pressed


def _word(face: Face, _askers: Askers, token: str) -> Response:
    trackers.add_word(face.services, token, request.form.get("words", "")[: MAX_WORDS + 1])
    return _back(token)


def _withdraw(face: Face, _askers: Askers, token: str) -> Response:
    if request.form.get("sure") != "yes":
        return _page(face, token, asks_sure=True)
    trackers.withdraw(face.services, token)
    return _back(token)


def _send_code(face: Face, askers: Askers, token: str) -> Response:
    asked = trackers.send_code(face.services, token, language=language(), address=request.remote_addr or "")
    if asked.wait_s:
        return too_often(asked.wait_s)
    asker = replace(askers.read(request) or Asker(""), challenge=asked.challenge)
    return askers.keep(lead(url_for("cases-tracker", token=token, code=1), 303), asker)


def _confirm(face: Face, askers: Askers, token: str) -> Response:
    asker = askers.read(request)
    typed = request.form.get("code", "")[:_LONGEST_CODE]
    answer = trackers.confirm(face.services, token, asker.challenge if asker else "", typed)
    return _back(token) if answer is OtpAnswer.RIGHT else _page(face, token, code=True, answer=answer)


def _back(token: str) -> Response:
    return lead(url_for("cases-tracker", token=token), 303)


def _page(
    face: Face,
    token: str,
    *,
    problem: str | None = None,
    asks_sure: bool = False,
    code: bool = False,
    answer: OtpAnswer | None = None,
) -> Response:
    seen = trackers.look(face.services, token)
    if seen.state is TrackerState.UNKNOWN:
        return state_page(UNKNOWN)
    if seen.state is TrackerState.EXPIRED:
        return state_page(TRACKER_EXPIRED)
    page = render_template(
        "cases/tracker.html",
        seen=seen,
        token=token,
        zone=face.services.zone,
        words=_said(seen),
        problem=problem,
        asks_sure=asks_sure,
        code=code,
        answer=answer,
        longest=MAX_WORDS,
    )
    response = make_response(page)
    response.status_code = 422 if problem or answer else 200
    return response


def _said(seen: Tracker) -> dict[str, Any]:
    closed = next((step.detail for step in reversed(seen.steps) if step.detail), None)
    end = END_WORDS.get(closed or (seen.outcome or ""), "")
    return {
        "steps": [(step.at, _(STEP_WORDS[step.kind]), step.words) for step in seen.steps],
        "next": _(NEXT_WORDS[seen.waits_for]) if seen.waits_for else "",
        "end": _(end) if end else "",
    }
