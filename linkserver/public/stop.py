"""/c/<token>/stop: no more SMS to the number that this link was sent to, after a question; and back again.

Everything here is a POST. A GET, which previews and scanners send too, leads to the landing. No page names the number:
we hold none that could be shown without opening the person's row.
"""

from __future__ import annotations

from flask import Flask, Response, make_response, redirect, render_template, request, url_for

from linkserver.public.face import Face
from linkserver.public.pages import LIMITED, NO_NUMBER, UNREADABLE, link_page, state_page
from linkserver.security import is_cross_site
from notifier.certificates.opening import LinkState
from notifier.support.opt_out import NumberLook, Standing, look_at_number, start_by_link, stop_by_link

#: the field by which the landing leads here and its pages act, and what its buttons say
FIELD = "stop"
ASK, YES, UNDO = "ask", "yes", "undo"
_DEEDS = {YES: stop_by_link, UNDO: start_by_link}


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""

    @app.get("/c/<token>/stop")
    def stop_landing(token: str) -> Response:
        seen = look_at_number(face.services, token).look
        if seen.state is not LinkState.LIVE:
            return link_page(seen)
        return lead(url_for("landing", token=token), 302)

    @app.post("/c/<token>/stop")
    def stop(token: str) -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        deed = _DEEDS.get(request.form.get(FIELD, ASK))
        if deed is None:
            return _page(look_at_number(face.services, token), asked=True)
        return _page(deed(face.services, token, address=request.remote_addr or ""), asked=False)


def lead(location: str, code: int) -> Response:
    """A redirect without a body, which would repeat the address."""
    response = redirect(location, code, Response=Response)
    assert isinstance(response, Response)  # noqa: S101  # the class that was asked for
    response.set_data(b"")
    return response


def _page(seen: NumberLook, *, asked: bool) -> Response:
    """`asked`: the question stands before the number is stopped; else the page says that it receives again."""
    if seen.retry_after_s:
        return state_page(LIMITED, retry_after_s=seen.retry_after_s)
    if seen.standing is None:
        return link_page(seen.look)
    if seen.standing is Standing.NO_NUMBER:
        return state_page(NO_NUMBER)
    shown = "ask" if asked and seen.standing is Standing.RECEIVES else seen.standing.value
    return make_response(render_template("stop.html", shown=shown))
