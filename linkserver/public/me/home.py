"""/me: the persons on the number that was proved, and whether SMS go there."""

from __future__ import annotations

from flask import Flask, Response, request, url_for

from linkserver.public.buttons import lead
from linkserver.public.me.desk import Desk
from linkserver.public.me.words import DONE
from notifier.core.phones import masked_phone
from notifier.support.account import deeds
from notifier.support.account.family import family
from notifier.support.account.session import Session


def add_routes(app: Flask, desk: Desk) -> None:
    """Part of the door `me`."""

    @app.get("/me", endpoint="me")
    def home() -> Response:
        session = desk.session()
        if session is None:
            return desk.page("sign-in", problem=None, typed="", done=DONE.get(request.args.get("done", "")))
        return _home(desk, session)

    @app.get("/me/sms", endpoint="me-sms")
    @desk.guarded
    def sms(session: Session) -> Response:
        return desk.page("sms", refusal=deeds.refusal(desk.services, session), phone=masked_phone(session.phone))

    @app.post("/me/sms", endpoint="me-sms-set")
    @desk.guarded
    def set_sms(session: Session) -> Response:
        wish = request.form.get("sms")
        if wish == "stop":
            deeds.stop_sms(desk.services, session)
            return lead(url_for("me", done="stopped"), 303)
        if wish == "start" and deeds.start_sms(desk.services, session):
            return lead(url_for("me", done="started"), 303)
        return lead(url_for("me-sms"), 303)


def _home(desk: Desk, session: Session) -> Response:
    found = family(desk.services, session)
    if not found.is_named:
        return lead(url_for("me-name"), 303)
    return desk.page(
        "home",
        members=found.members,
        phone=masked_phone(session.phone),
        refusal=deeds.refusal(desk.services, session),
        done=DONE.get(request.args.get("done", "")),
    )
