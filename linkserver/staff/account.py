"""The own account: live sessions, password, second factor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import TOKEN, me, needs
from linkserver.staff.second_factor import codes_page, setup_page
from linkserver.staff.sign_in import goodbye, keep, new_password
from linkserver.staff.vocabulary import problems_of
from notifier.access import own_account, sessions, tries
from notifier.access.passwords import Passwords
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Refused
from notifier.services import Services
from notifier.store import desk

_UNREADABLE, _CONFLICT, _TOO_MANY = 422, 409, 429
_DONE = frozenset({"ended", "others-ended", "password", "factor-removed"})


def blueprint(services: Services, passwords: Passwords) -> Blueprint:
    """`/account` and what can be done there."""
    part = Blueprint("account", __name__)

    @part.get("/account")
    @needs(Permission.HOME)
    def page() -> str:
        done = request.args.get("done")
        return _page(services, done=done if done in _DONE else None)

    _sessions(part, services)
    _password(part, services, passwords)
    _second_factor(part, services, passwords)
    _kept_second_factor(part, services, passwords)
    return part


def _sessions(part: Blueprint, services: Services) -> None:
    @part.post("/account/end-session")
    @needs(Permission.HOME)
    def end_session() -> AnyResponse:
        """One of the own sessions. One that has ended meanwhile is what was wanted."""
        try:
            which = bytes.fromhex(request.form.get("session", ""))
        except ValueError:
            which = b""
        sessions.end_one(services, me().staff_id, which, actor=me().actor)
        return goodbye() if which == sessions.hash_of(session[TOKEN]) else _done("ended")

    @part.post("/account/end-other-sessions")
    @needs(Permission.HOME)
    def end_others() -> AnyResponse:
        sessions.end_others(services, me().staff_id, session[TOKEN], actor=me().actor)
        return _done("others-ended")

    @part.post("/account/sign-out-everywhere")
    @needs(Permission.HOME)
    def leave_everywhere() -> AnyResponse:
        sessions.end_all(services, me().staff_id, actor=me().actor)
        return goodbye()


def _password(part: Blueprint, services: Services, passwords: Passwords) -> None:
    @part.post("/account/password")
    @needs(Permission.HOME)
    def change_password() -> AnyResponse:
        def do() -> AnyResponse:
            entered = own_account.change_password(
                services,
                passwords,
                session[TOKEN],
                me().staff_id,
                old=request.form.get("old", ""),
                new=new_password(),
            )
            keep(entered)
            return _done("password")

        return _tried(services, "password", do)


def _second_factor(part: Blueprint, services: Services, passwords: Passwords) -> None:
    @part.post("/account/second-factor")
    @needs(Permission.HOME)
    def begin_second_factor() -> AnyResponse:
        def do() -> AnyResponse:
            own_account.begin_second_factor(
                services, passwords, session[TOKEN], me().staff_id, password=request.form.get("password", "")
            )
            return redirect(url_for("account.second_factor"), 303)

        return _tried(services, "begin", do)

    @part.get("/account/second-factor")
    @needs(Permission.HOME)
    def second_factor() -> AnyResponse:
        page = setup_page(services, me(), url_for("account.confirm_second_factor"))
        return page or redirect(url_for("account.page"), 303)

    @part.post("/account/second-factor/confirm")
    @needs(Permission.HOME)
    def confirm_second_factor() -> AnyResponse:
        try:
            entered, codes = own_account.confirm_second_factor(
                services, session[TOKEN], me().staff_id, code=request.form.get("code", "")
            )
        except BadInput as bad:
            page = setup_page(services, me(), url_for("account.confirm_second_factor"), problems=problems_of(bad))
            return page or redirect(url_for("account.page"), 303)
        except Refused:  # nothing is being set up: it was done before, or by another page
            return redirect(url_for("account.page"), 303)
        keep(entered)
        return codes_page(codes, username=me().username, onward=url_for("account.page"))


def _kept_second_factor(part: Blueprint, services: Services, passwords: Passwords) -> None:
    @part.post("/account/second-factor/recovery-codes")
    @needs(Permission.HOME)
    def renew_recovery_codes() -> AnyResponse:
        def do() -> AnyResponse:
            codes = own_account.renew_recovery_codes(
                services, me().staff_id, code=request.form.get("code", ""), address=request.remote_addr or "-"
            )
            return codes_page(codes, username=me().username, onward=url_for("account.page"))

        return _tried(services, "renew", do)

    @part.post("/account/second-factor/remove")
    @needs(Permission.HOME)
    def remove_second_factor() -> AnyResponse:
        def do() -> AnyResponse:
            own_account.remove_second_factor(
                services, passwords, me().staff_id, password=request.form.get("password", "")
            )
            return _done("factor-removed")

        return _tried(services, "remove", do)


def _tried(services: Services, deed: str, do: Callable[[], AnyResponse]) -> AnyResponse:
    """What `do` answers, or the page again with what is wrong beside the fields of `deed`."""
    try:
        return do()
    except BadInput as bad:
        return make_response(_page(services, deed=deed, problems=problems_of(bad)), _UNREADABLE)
    except Refused as refused:
        if refused.reason == sessions.ENDED:
            return goodbye()
        too_many = refused.reason == tries.TOO_MANY
        response = make_response(
            _page(services, deed=deed, refused=refused.reason), _TOO_MANY if too_many else _CONFLICT
        )
        if too_many:
            response.headers["Retry-After"] = str(int(tries.WINDOW.total_seconds()))
        return response


def _page(services: Services, **more: Any) -> str:
    facility_id = me().facility_id
    with services.db.read() as conn:
        facility = (desk.facility_name(conn, facility_id) or facility_id) if facility_id else None
    shown: dict[str, Any] = {"deed": None, "problems": {}, "refused": None, "done": None}
    return render_template(
        "account.html",
        facility=facility,
        live=sessions.live(services, me().staff_id),
        this=sessions.hash_of(session[TOKEN]),
        codes_left=own_account.recovery_codes_left(services, me().staff_id),
        **(shown | more),
    )


def _done(what: str) -> AnyResponse:
    return redirect(url_for("account.page", done=what), 303)
