"""/kasus: the number, and the code that goes to it. Every number is answered alike; whether it is one of ours shows in
the phone alone. Who gets no code reports all the same, and learns nothing."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request, url_for

from linkserver.public.buttons import lead
from linkserver.public.cases.asker import Asker, Askers
from linkserver.public.cases.words import ASKED_OFTEN, PHONE_WORDS
from linkserver.public.face import Face
from linkserver.public.pages import UNREADABLE, state_page
from linkserver.security import is_cross_site
from linkserver.words import language
from notifier.core.errors import BadInput
from notifier.core.phones import masked_phone, read_mobile
from notifier.core.states import OtpAnswer, OtpPurpose
from notifier.support import otp

_LONGEST = 40
_HOUR_S = 3600


def add_routes(app: Flask, face: Face, askers: Askers) -> None:
    """Part of the door `cases`."""
    services = face.services

    @app.get("/kasus", endpoint="cases")
    def start() -> Response:
        return _start_page()

    @app.post("/kasus", endpoint="cases-ask")
    def ask() -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        typed = request.form.get("phone", "")[:_LONGEST]
        address = request.remote_addr or ""
        try:
            asked = otp.request(services, typed, purpose=OtpPurpose.CASE, language=language(), address=address)
        except BadInput as error:
            rule = error.problems[0].rule if typed.strip() else "phone-missing"
            return _start_page(typed=typed, problem=PHONE_WORDS[rule], status=422)
        if asked.wait_s:
            return too_often(asked.wait_s)
        phone = read_mobile(typed, region=services.settings.country, allowed=services.settings.countries).e164
        return askers.keep(lead(url_for("cases-code"), 303), Asker(phone, asked.challenge))

    _add_code(app, face, askers)


def _add_code(app: Flask, face: Face, askers: Askers) -> None:
    @app.get("/kasus/kode", endpoint="cases-code")
    def code() -> Response:
        asker = askers.read(request)
        # whoever asked for a code on the page of a case has typed no number here
        return _code_page(asker) if asker and asker.phone else lead(url_for("cases"), 303)

    @app.post("/kasus/kode", endpoint="cases-check")
    def check() -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        asker = askers.read(request)
        if asker is None or not asker.phone:
            return lead(url_for("cases"), 303)
        typed = request.form.get("code", "")[:_LONGEST]
        checked = otp.check(face.services, asker.challenge, typed, purpose=OtpPurpose.CASE)
        if checked.answer is not OtpAnswer.RIGHT or checked.phone != asker.phone:
            return _code_page(asker, answer=checked.answer, left=checked.tries_left)
        return askers.prove(lead(url_for("cases-who"), 303), asker)


def too_often(wait_s: int) -> Response:
    """Too many codes were asked for; the page counts in minutes, whoever waits for hours is told so in words."""
    response = state_page(ASKED_OFTEN, retry_after_s=wait_s if wait_s < _HOUR_S else 0)
    response.headers["Retry-After"] = str(wait_s)
    return response


def _start_page(*, typed: str = "", problem: str | None = None, status: int = 200) -> Response:
    response = make_response(render_template("cases/start.html", typed=typed, problem=problem))
    response.status_code = status
    return response


def _code_page(asker: Asker, *, answer: OtpAnswer | None = None, left: int = 0) -> Response:
    page = render_template("cases/code.html", phone=masked_phone(asker.phone), answer=answer, left=left)
    response = make_response(page)
    response.status_code = 422 if answer else 200
    return response
