"""Signing in, step by step, and out; the language."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.devices import device_kind
from linkserver.staff.gate import STAGE_PAGES, TOKEN, anyone, half, half_in, me, needs, safe_next
from linkserver.staff.screen import LANGUAGE
from linkserver.staff.second_factor import codes_page, setup_page
from linkserver.staff.vocabulary import problems_of
from linkserver.words import language
from notifier.access import accounts, sessions
from notifier.access import sign_in as rules
from notifier.access.passwords import Passwords
from notifier.access.roles import Permission
from notifier.access.sessions import Entered, Stage
from notifier.core.errors import BadInput, Refused
from notifier.services import Services

_NEXT = "next"  # in the cookie, while there are steps to take
_UNREADABLE, _TOO_MANY, _GONE = 422, 429, 409


def blueprint(services: Services, passwords: Passwords) -> Blueprint:
    """`/sign-in` and its steps, `/sign-out`, `/language`."""
    part = Blueprint("sign_in", __name__)
    _door(part, services, passwords)
    _code(part, services)
    _own_password(part, services, passwords)
    _second_factor(part, services)
    _always(part, services)
    return part


def _door(part: Blueprint, services: Services, passwords: Passwords) -> None:
    @part.get("/sign-in")
    @anyone
    def page() -> AnyResponse:
        wanted = safe_next(request.args.get("next"))
        if g.me is not None:
            return redirect(wanted, 303)
        return make_response(render_template("sign_in.html", wanted=wanted, username="", refused=None))

    @part.post("/sign-in")
    @anyone
    def enter() -> AnyResponse:
        form, wanted = request.form, safe_next(request.form.get("next"))
        username = form.get("username", "")
        try:
            entered = rules.sign_in(
                services,
                passwords,
                username=username,
                password=form.get("password", ""),
                address=_address(),
                device=device_kind(request.headers.get("User-Agent", "")),
            )
        except Refused as refused:
            body = render_template("sign_in.html", wanted=wanted, username=username, refused=refused.reason)
            return _refusal(body, refused)
        before = g.me or g.half
        if before is not None:
            sessions.end(services, session[TOKEN], actor=before.actor)
        return carry_on(entered, wanted)


def _code(part: Blueprint, services: Services) -> None:
    @part.get("/sign-in/code")
    @half_in(Stage.CODE)
    def code() -> str:
        return _code_page()

    @part.post("/sign-in/code")
    @half_in(Stage.CODE)
    def show_code() -> AnyResponse:
        form = request.form
        try:
            entered = rules.show_code(
                services,
                session[TOKEN],
                half().staff_id,
                address=_address(),
                code=form.get("code", ""),
                recovery_code=form.get("recovery_code", "").strip(),
            )
        except BadInput as bad:
            return make_response(_code_page(problems=problems_of(bad)), _UNREADABLE)
        except Refused as refused:
            return _refusal(_code_page(refused=refused.reason), refused)
        return carry_on(entered)


def _code_page(**more: Any) -> str:
    return render_template("sign_in_code.html", **({"problems": {}, "refused": None} | more))


def _own_password(part: Blueprint, services: Services, passwords: Passwords) -> None:
    @part.get("/sign-in/password")
    @half_in(Stage.PASSWORD)
    def own_password() -> str:
        return render_template("sign_in_password.html", problems={})

    @part.post("/sign-in/password")
    @half_in(Stage.PASSWORD)
    def choose_password() -> AnyResponse:
        try:
            entered = rules.choose_password(
                services, passwords, session[TOKEN], half().staff_id, password=new_password()
            )
        except BadInput as bad:
            return make_response(render_template("sign_in_password.html", problems=problems_of(bad)), _UNREADABLE)
        except Refused:
            return goodbye()
        return carry_on(entered)


def _second_factor(part: Blueprint, services: Services) -> None:
    @part.get("/sign-in/second-factor")
    @half_in(Stage.ENROL)
    def second_factor() -> AnyResponse:
        return setup_page(services, half(), url_for("sign_in.enrol")) or goodbye()

    @part.post("/sign-in/second-factor")
    @half_in(Stage.ENROL)
    def enrol() -> AnyResponse:
        try:
            entered, codes = rules.enrol(services, session[TOKEN], half().staff_id, code=request.form.get("code", ""))
        except BadInput as bad:
            return setup_page(services, half(), url_for("sign_in.enrol"), problems=problems_of(bad)) or goodbye()
        except Refused:
            return goodbye()
        wanted, username = safe_next(session.get(_NEXT)), half().username
        keep(entered)
        return codes_page(codes, username=username, onward=wanted)


def _always(part: Blueprint, services: Services) -> None:
    @part.post("/sign-out")
    @needs(Permission.HOME)
    def leave() -> AnyResponse:
        sessions.end(services, session[TOKEN], actor=me().actor)
        return goodbye()

    @part.post("/language")
    @anyone
    def choose_language() -> AnyResponse:
        wish = request.form.get("language", "")
        if g.me is not None:
            accounts.choose_language(services, me().staff_id, wish)
        session[LANGUAGE] = wish
        return redirect(safe_next(request.form.get("next")), 303)


def keep(entered: Entered) -> None:
    """The session of a step into the cookie. Whatever was there before, an attacker's CSRF secret included, ends."""
    session.clear()
    session[TOKEN] = entered.token


def carry_on(entered: Entered, wanted: str | None = None) -> AnyResponse:
    """To the page of the next step, or in; `wanted`: where to, in the end, else what the cookie says."""
    target, spoken = wanted or safe_next(session.get(_NEXT)), session.get(LANGUAGE)
    keep(entered)
    if entered.stage is Stage.FULL:
        return redirect(target, 303)
    session[_NEXT] = target
    if spoken:
        session[LANGUAGE] = spoken
    return redirect(url_for(STAGE_PAGES[entered.stage]), 303)


def goodbye() -> AnyResponse:
    """Out: only the language stays."""
    spoken = language()
    session.clear()
    session[LANGUAGE] = spoken
    return redirect(url_for("sign_in.page"), 303)


def new_password() -> str:
    """The password that was typed twice. Raises BadInput where the two differ."""
    typed = request.form.get("password", "")
    if typed != request.form.get("again", ""):
        raise BadInput.of("again", "password-differs", "type the same password twice")
    return typed


def _refusal(body: str, refused: Refused) -> AnyResponse:
    if refused.reason == sessions.ENDED:
        return goodbye()
    response = make_response(body, _TOO_MANY if refused.reason == rules.TOO_MANY else _UNREADABLE)
    if refused.reason == rules.TOO_MANY:
        response.headers["Retry-After"] = str(int(rules.WINDOW.total_seconds()))
    return response


def _address() -> str:
    return request.remote_addr or "-"
