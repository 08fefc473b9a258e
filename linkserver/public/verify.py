"""/verify and /cek: is this certificate genuine? By its number, its code, our link, or a picture of it.

Says nothing about the person but what a code in the visitor's hands holds itself. Works without JavaScript.
"""

from __future__ import annotations

from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from linkserver.devices import device_kind
from linkserver.public.face import Face, dose_words
from linkserver.public.pages import LIMITED, state_page
from linkserver.security import InMemory, drain
from notifier.certificates.check import Check, Verdict, check_picture, check_text
from notifier.certificates.codes.vaccines import names_of_codes
from notifier.certificates.limits import PICTURES
from notifier.certificates.pasted import LONGEST_NUMBER
from notifier.certificates.pictures import LARGEST
from notifier.certificates.view import TooManyChecks, count_check
from notifier.core.errors import Refused

_LARGEST_BODY = LARGEST + 64 * 1024  # a form puts something around a picture
_PARSED = 512 * 1024

_VACCINES = names_of_codes()
_STATUS = {Verdict.UNKNOWN: 404, Verdict.UNREADABLE: 422}


def add_routes(app: Flask, face: Face) -> None:
    """Opens the door `verify`."""
    app.request_class = InMemory

    @app.get("/cek")
    @app.get("/verify")
    def verify() -> Response:
        typed = request.args.get("n", "").strip()[:LONGEST_NUMBER]
        return _of_text(face, typed) if typed else _page()

    @app.post("/cek")
    @app.post("/verify")
    def verify_typed() -> Response:
        typed = request.form.get("n", "").strip()
        return _of_text(face, typed) if typed else _page(problem="number-missing")

    @app.get("/verify/picture")
    def verify_picture_again() -> AnyResponse:
        return redirect(url_for("verify", lang=request.args.get("lang")))

    @app.post("/verify/picture")
    def verify_picture() -> Response:
        address = request.remote_addr or ""
        try:
            count_check(face.services, address=address, limits=PICTURES)
        except TooManyChecks as error:
            drain()
            return state_page(LIMITED, retry_after_s=error.retry_after_s)
        if (request.content_length or 0) > _LARGEST_BODY:
            drain()
            return _page(problem="picture-large")
        request.max_content_length = _LARGEST_BODY
        request.max_form_memory_size = _PARSED  # also the parser's buffer, which takes a file in pieces
        try:
            sent = request.files.get("picture")
            data, device = sent.read() if sent else b"", device_kind(request.user_agent.string)
            checks = check_picture(face.services, data, address=address, device=device)
        except TooManyChecks as error:
            return state_page(LIMITED, retry_after_s=error.retry_after_s)
        except RequestEntityTooLarge:  # a body that did not say its length
            return _page(problem="picture-large")
        except Refused as error:
            return _page(problem=error.reason)
        return _page(checks[0], others=len(checks) - 1)


def _of_text(face: Face, text: str) -> Response:
    try:
        device = device_kind(request.user_agent.string)
        check = check_text(face.services, text, address=request.remote_addr or "", device=device)
        return _page(check, typed=text)
    except TooManyChecks as error:
        return state_page(LIMITED, retry_after_s=error.retry_after_s)


def _page(check: Check | None = None, *, typed: str = "", problem: str | None = None, others: int = 0) -> Response:
    """The form; above it the verdict of a check, or what is wrong with what was sent."""
    holds = check.holds.doses if check and check.holds else ()
    page = render_template(
        "verify.html",
        check=check,
        doses=[(dose_words(dose.number, dose.series_total), dose) for dose in holds],
        vaccines=_VACCINES,
        typed=typed[:LONGEST_NUMBER] if check and check.verdict is Verdict.UNKNOWN else "",
        others=others,
        problem=problem,
    )
    response = make_response(page)
    response.status_code = _STATUS.get(check.verdict, 200) if check else 422 if problem else 200
    return response
