"""/verify and /cek: is the certificate with this number valid? Says nothing about the person."""

from __future__ import annotations

from flask import Flask, Response, make_response, render_template, request

from linkserver.public.face import Face, device_kind
from linkserver.public.pages import LIMITED, state_page
from notifier.certificates.view import TooManyChecks, check_number

_LONGEST = 60


def add_routes(app: Flask, face: Face) -> None:
    """Opens the door `verify`."""

    @app.get("/verify")
    @app.get("/cek")
    def verify() -> Response:
        return _show(face, request.args.get("n", ""))

    @app.post("/verify")
    @app.post("/cek")
    def verify_typed() -> Response:
        return _show(face, request.form.get("n", ""), typed_here=True)


def _show(face: Face, number: str, *, typed_here: bool = False) -> Response:
    number = number.strip()[:_LONGEST]
    if not number:
        return _page(number, "missing" if typed_here else "ask", 422 if typed_here else 200)
    try:
        device = device_kind(request.user_agent.string)
        found = check_number(face.services, number, address=request.remote_addr or "", device=device)
    except TooManyChecks as error:
        return state_page(LIMITED, retry_after_s=error.retry_after_s)
    return _page(number, found.value, 200) if found else _page(number, "unknown", 404)


def _page(number: str, result: str, status: int) -> Response:
    """`result` is ask, missing, valid, replaced, revoked or unknown."""
    response = make_response(render_template("verify.html", number=number, result=result))
    response.status_code = status
    return response
