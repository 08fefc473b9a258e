"""Signing in and out, the own account, the language."""

from __future__ import annotations

from flask import Blueprint, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import TOKEN, anyone, me, needs, safe_next
from linkserver.staff.screen import LANGUAGE
from linkserver.words import language
from notifier.access import accounts, sessions
from notifier.access import sign_in as rules
from notifier.access.passwords import Passwords
from notifier.access.roles import Permission
from notifier.core.errors import Refused
from notifier.services import Services
from notifier.store import desk


def blueprint(services: Services, passwords: Passwords) -> Blueprint:
    """`/sign-in`, `/sign-out`, `/account`, `/language`."""
    part = Blueprint("sign_in", __name__)
    _door(part, services, passwords)
    _own_account(part, services)
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
            token = rules.sign_in(
                services,
                passwords,
                username=username,
                password=form.get("password", ""),
                address=request.remote_addr or "-",
            )
        except Refused as refused:
            body = render_template("sign_in.html", wanted=wanted, username=username, refused=refused.reason)
            response = make_response(body, 429 if refused.reason == rules.TOO_MANY else 422)
            if refused.reason == rules.TOO_MANY:
                response.headers["Retry-After"] = str(int(rules.WINDOW.total_seconds()))
            return response
        if g.me is not None:
            sessions.end(services, session[TOKEN], actor=me().actor)
        session.clear()  # whatever was in the cookie before, an attacker's CSRF secret included, ends here
        session[TOKEN] = token
        return redirect(wanted, 303)

    @part.post("/sign-out")
    @needs(Permission.HOME)
    def leave() -> AnyResponse:
        sessions.end(services, session[TOKEN], actor=me().actor)
        return _goodbye()


def _own_account(part: Blueprint, services: Services) -> None:
    @part.get("/account")
    @needs(Permission.HOME)
    def account() -> str:
        facility_id = me().facility_id
        with services.db.read() as conn:
            facility = (desk.facility_name(conn, facility_id) or facility_id) if facility_id else None
        return render_template("account.html", facility=facility)

    @part.post("/account/sign-out-everywhere")
    @needs(Permission.HOME)
    def leave_everywhere() -> AnyResponse:
        sessions.end_all(services, me().staff_id, actor=me().actor)
        return _goodbye()

    @part.post("/language")
    @anyone
    def choose_language() -> AnyResponse:
        wish = request.form.get("language", "")
        if g.me is not None:
            accounts.choose_language(services, me().staff_id, wish)
        session[LANGUAGE] = wish
        return redirect(safe_next(request.form.get("next")), 303)


def _goodbye() -> AnyResponse:
    spoken = language()
    session.clear()
    session[LANGUAGE] = spoken
    return redirect(url_for("sign_in.page"), 303)
