"""/me: the number, the code, the full name the first time; and signing out.

What is said, done and set before the code is right is the same for every number (notifier/support/otp.py).
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, request, url_for

from linkserver.public.buttons import lead
from linkserver.public.me.desk import Desk
from linkserver.public.me.words import ASKED_OFTEN, NAME_LOCKED, PHONE_WORDS
from linkserver.public.pages import UNREADABLE, state_page
from linkserver.security import is_cross_site
from linkserver.words import language
from notifier.core.errors import BadInput
from notifier.core.phones import masked_phone
from notifier.core.states import OtpAnswer, OtpPurpose
from notifier.support import otp
from notifier.support.account import family
from notifier.support.account.session import Session
from notifier.support.otp import Asked

_FOR = OtpPurpose.ACCOUNT
_LONGEST = 40
_LONGEST_NAME = 200
_HOUR_S = 3600


def add_routes(app: Flask, desk: Desk) -> None:
    """Part of the door `me`."""

    def add(path: str, name: str, act: Callable[[Desk], Response], method: str) -> None:
        """A route for whoever is not signed in yet; no form comes from another site."""

        def view() -> Response:
            return state_page(UNREADABLE, status=403) if is_cross_site() else act(desk)

        app.add_url_rule(path, name, view, methods=(method,))

    def add_inside(path: str, name: str, act: Callable[[Desk, Session], Response], method: str) -> None:
        def view(session: Session) -> Response:
            return act(desk, session)

        app.add_url_rule(path, name, desk.guarded(view), methods=(method,))

    add("/me", "me-ask", _ask, "POST")
    app.add_url_rule("/me/code", "me-code", lambda: _code_page(desk))
    add("/me/code", "me-check", _check, "POST")
    app.add_url_rule("/me/code/again", "me-again-page", lambda: lead(url_for("me-code"), 303))
    add("/me/code/again", "me-again", _again, "POST")
    add_inside("/me/name", "me-name", _name_page, "GET")
    add_inside("/me/name", "me-tell-name", _tell_name, "POST")
    add_inside("/me/sign-out", "me-sign-out", _sign_out, "POST")


def _ask(desk: Desk) -> Response:
    typed = request.form.get("phone", "")[:_LONGEST]
    try:
        asked = otp.request(desk.services, typed, purpose=_FOR, language=language(), address=_address())
    except BadInput as error:
        problem = PHONE_WORDS[error.problems[0].rule if typed.strip() else "phone-missing"]
        return desk.page("sign-in", status=422, problem=problem, typed=typed)
    return _asked(desk, asked)


def _again(desk: Desk) -> Response:
    challenge = desk.cookies.read("me-code")
    if challenge is None:
        return lead(url_for("me"), 303)
    asked = otp.request_again(desk.services, challenge, purpose=_FOR, language=language(), address=_address())
    if 0 < asked.wait_s < _HOUR_S:
        return _code_page(desk, wait_s=asked.wait_s)
    return _asked(desk, asked)


def _check(desk: Desk) -> Response:
    challenge = desk.cookies.read("me-code")
    if challenge is None:
        return lead(url_for("me"), 303)
    checked = otp.check(desk.services, challenge, request.form.get("code", "")[:_LONGEST], purpose=_FOR)
    if checked.answer is OtpAnswer.RIGHT and checked.phone is not None:
        return desk.enter(checked.phone)
    return _code_page(desk, answer=checked.answer, left=checked.tries_left)


def _asked(desk: Desk, asked: Asked) -> Response:
    if asked.wait_s:
        # the page counts in minutes; who has to wait for hours is told so in words
        shown = asked.wait_s if asked.wait_s < _HOUR_S else 0
        response = state_page(ASKED_OFTEN, retry_after_s=shown)
        response.headers["Retry-After"] = str(asked.wait_s)
        return response
    return desk.asked(lead(url_for("me-code"), 303), asked.challenge)


def _code_page(desk: Desk, *, answer: OtpAnswer | None = None, left: int = 0, wait_s: int = 0) -> Response:
    challenge = desk.cookies.read("me-code")
    phone = otp.phone_of(desk.services, challenge) if challenge else None
    if phone is None:
        return lead(url_for("me"), 303)
    status = 429 if wait_s else 422 if answer else 200
    return desk.page(
        "code",
        status=status,
        retry_after_s=wait_s,
        phone=masked_phone(phone),
        answer=answer.value if answer else None,
        left=left,
        wait_s=wait_s,
    )


def _name_page(desk: Desk, session: Session) -> Response:
    if family.family(desk.services, session).is_named:
        return lead(url_for("me"), 303)
    return desk.page("name", tries_left=None, is_missing=False)


def _tell_name(desk: Desk, session: Session) -> Response:
    typed = request.form.get("name", "")[:_LONGEST_NAME]
    if family.family(desk.services, session).is_named:
        return lead(url_for("me"), 303)
    if not typed.strip():
        return desk.page("name", status=422, tries_left=None, is_missing=True)
    tried = family.tell_name(desk.services, session, typed)
    if tried.is_right:
        return lead(url_for("me"), 303)
    if tried.is_locked:
        return state_page(NAME_LOCKED)
    return desk.page("name", status=422, tries_left=tried.tries_left, is_missing=False)


def _sign_out(desk: Desk, _session: Session) -> Response:
    desk.leave()
    response = lead(url_for("me", done="signed-out"), 303)
    desk.cookies.drop(response, "me")
    views, secure = desk.face.views.cookie, desk.services.settings.secure
    response.delete_cookie(views, secure=secure, httponly=True, samesite="Lax")
    return response


def _address() -> str:
    return request.remote_addr or ""
