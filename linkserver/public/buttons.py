"""/c/<token>/stop, not-me, renew, birth-date: what the buttons on a link's pages do.

Everything here is a POST. A GET, which previews and scanners send too, leads to the landing or to the page of the
link's state. A page that is the same for every link cannot name its link's address: its buttons post to the address
that it has, and each of these leads on by a 307, which keeps the form. No page names a person or a number.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, make_response, redirect, render_template, request, url_for

from linkserver.public.face import Face
from linkserver.public.pages import (
    BIRTH_DATE_REPORTED,
    LIMITED,
    NO_NUMBER,
    RENEWED,
    UNREADABLE,
    StatePage,
    link_page,
    state_page,
)
from linkserver.security import is_cross_site
from notifier.certificates.opening import LinkState, Look, look
from notifier.services import Services
from notifier.support.link_buttons import Pressed
from notifier.support.lockouts import report_birth_date
from notifier.support.not_me import look_at_claim, say_not_me, unsay_not_me
from notifier.support.opt_out import NumberLook, Standing, look_at_number, start_by_link, stop_by_link
from notifier.support.renewal import renew

#: what a button says; its field is its route's name
ASK, YES, UNDO = "ask", "yes", "undo"
#: the buttons by route, and the states of a link whose pages have them
BUTTONS = {
    "stop": {LinkState.LIVE},
    "not-me": {LinkState.LIVE, LinkState.PAUSED},
    "renew": {LinkState.EXPIRED},
    "birth-date": {LinkState.LIVE, LinkState.LOCKED},
}
Act = Callable[..., NumberLook]


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `link`."""
    services = face.services
    stops: dict[str, Act] = {YES: stop_by_link, UNDO: start_by_link}
    claims: dict[str, Act] = {YES: say_not_me, UNDO: unsay_not_me}
    _add(app, face, "stop", lambda token, said: _asked(services, "stop", token, look_at_number, stops.get(said)))
    _add(app, face, "not-me", lambda token, said: _asked(services, "not-me", token, look_at_claim, claims.get(said)))
    _add(app, face, "renew", lambda token, _: _answered(renew(services, token, address=_address()), RENEWED))
    _add(
        app,
        face,
        "birth-date",
        lambda token, _: _answered(report_birth_date(services, token, address=_address()), BIRTH_DATE_REPORTED),
    )


def is_pressed() -> bool:
    """Whether the form at hand is one of a button."""
    return any(name in request.form for name in BUTTONS)


def led_on(token: str, seen: Look) -> Response:
    """To the address of the button that was pressed, where the link stands so that it has one; else to its page."""
    for name, states in BUTTONS.items():
        if name in request.form and seen.state in states:
            return lead(url_for(name, token=token), 307)
    return link_page(seen) if seen.state is not LinkState.LIVE else lead(url_for("landing", token=token), 303)


def lead(location: str, code: int) -> Response:
    """A redirect without a body, which would repeat the address."""
    response = redirect(location, code, Response=Response)
    assert isinstance(response, Response)  # noqa: S101  # the class that was asked for
    response.set_data(b"")
    return response


def _add(app: Flask, face: Face, name: str, press: Callable[[str, str], Response]) -> None:
    @app.get(f"/c/<token>/{name}", endpoint=f"{name}-page")
    def page(token: str) -> Response:
        seen = look(face.services, token)
        return link_page(seen) if seen.state is not LinkState.LIVE else lead(url_for("landing", token=token), 302)

    @app.post(f"/c/<token>/{name}", endpoint=name)
    def pressed(token: str) -> Response:
        if is_cross_site():
            return state_page(UNREADABLE, status=403)
        if name not in request.form and is_pressed():
            return led_on(token, look(face.services, token))  # a state's page was shown at this address
        return press(token, request.form.get(name, ASK))


def _asked(
    services: Services, name: str, token: str, look_at: Callable[[Services, str], NumberLook], act: Act | None
) -> Response:
    """What is asked about on a page of its own first. Without an act the question, or how it stands already."""
    seen = act(services, token, address=_address()) if act else look_at(services, token)
    if seen.retry_after_s:
        return state_page(LIMITED, retry_after_s=seen.retry_after_s)
    if seen.standing is None:
        return link_page(seen.look)
    if seen.standing is Standing.NO_NUMBER:
        return state_page(NO_NUMBER)
    shown = ASK if act is None and seen.standing is Standing.RECEIVES else seen.standing.value
    return make_response(render_template(f"{name}.html", shown=shown))


def _answered(pressed: Pressed[bool], page: StatePage) -> Response:
    """One page for whatever came of it, so that nobody learns anything about the person."""
    if pressed.retry_after_s:
        return state_page(LIMITED, retry_after_s=pressed.retry_after_s)
    if pressed.result is not None:
        return state_page(page)
    return link_page(pressed.look)


def _address() -> str:
    return request.remote_addr or ""
