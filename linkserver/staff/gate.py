"""The gate: every route says who may call it. A route that says nothing is closed to everybody."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.machine import Fault, away, problem_json
from notifier.access import api_keys, api_limits, sessions
from notifier.access.api_keys import ApiKey, Scope
from notifier.access.roles import Permission
from notifier.access.sessions import HalfIn, SignedIn, Stage
from notifier.core.errors import Problem
from notifier.services import Services
from notifier.store.health import AWAY

TOKEN = "token"  # noqa: S105  # the name under which the cookie keeps it
_ATTRIBUTE = "sertilink_access"
#: the one page that a session opens until its stage is done
STAGE_PAGES = {
    Stage.CODE: "sign_in.code",
    Stage.PASSWORD: "sign_in.own_password",
    Stage.ENROL: "sign_in.second_factor",
}
_MOST_BYTES = "sertilink_most_bytes"
_FORM_BUFFER = 512 * 1024  # also the parser's, which takes a file in pieces
_LONGEST_NEXT = 500

View = TypeVar("View", bound=Callable[..., Any])


class Anyone:
    """Open without a sign-in."""


ANYONE = Anyone()
Access = Anyone | Permission | Scope | Stage


def anyone(view: View) -> View:
    """For a route that needs no sign-in."""
    return _declare(view, ANYONE)


def needs(permission: Permission) -> Callable[[View], View]:
    """For a route of a signed-in person whose role has `permission`."""
    return lambda view: _declare(view, permission)


def with_key(scope: Scope) -> Callable[[View], View]:
    """For a route of another system, by `Authorization: Bearer <API key>` with `scope`; `the_key()` is whose."""
    return lambda view: _declare(view, scope)


def half_in(stage: Stage) -> Callable[[View], View]:
    """For a page of somebody who is half-way through the sign-in; `half()` is who."""
    return lambda view: _declare(view, stage)


def takes_file(most_bytes: int) -> Callable[[View], View]:
    """For a route with a file in its form, behind `needs`: its own limit of a whole body. It is raised before the form
    is read, and for those alone who may call the route."""

    def declare(view: View) -> View:
        setattr(view, _MOST_BYTES, most_bytes)
        return view

    return declare


def access_of(view: Callable[..., Any]) -> Access | None:
    """What a route declared."""
    declared: Access | None = getattr(view, _ATTRIBUTE, None)
    return declared


def _declare(view: View, access: Access) -> View:
    setattr(view, _ATTRIBUTE, access)
    return view


def me() -> SignedIn:
    """Who is signed in. Only behind `needs`."""
    person: SignedIn = g.me
    return person


def half() -> HalfIn:
    """Who is half-way in. Only behind `half_in`."""
    person: HalfIn = g.half
    return person


def the_key() -> ApiKey:
    """The API key of this request. Only behind `with_key`."""
    key: ApiKey = g.api_key
    return key


def install_gate(app: Flask, services: Services) -> None:
    """Asks before every view. Must be installed before anything that reads the form."""
    app.after_request(_say_allowance)

    @app.before_request
    def _ask() -> AnyResponse | None:
        if request.endpoint is None:
            _look_who(services)  # the page that says "not found" has a navigation too
            return None
        view = current_app.view_functions[request.endpoint]
        access = access_of(view)
        if access is None:
            current_app.logger.error("a route without a declared access: %s", request.endpoint)
            abort(403)
        if isinstance(access, Scope):
            return _key_in(services, access)
        _look_who(services)
        return None if isinstance(access, Anyone) else _person_in(view, access)


def _person_in(view: Callable[..., Any], access: Permission | Stage) -> AnyResponse | None:
    if g.half is not None:
        return None if g.half.stage is access else redirect(url_for(STAGE_PAGES[g.half.stage]), 303)
    if g.me is None:
        return _to_sign_in()
    if isinstance(access, Stage):
        return redirect("/", 303)
    if not g.me.may(access):
        abort(403)
    if (most_bytes := getattr(view, _MOST_BYTES, None)) is not None:
        request.max_content_length, request.max_form_memory_size = most_bytes, _FORM_BUFFER
    return None


def _look_who(services: Services) -> None:
    """`g.me`: who is in; `g.half`: who is half-way in."""
    token = session.get(TOKEN)
    person = sessions.who(services, token) if isinstance(token, str) else None
    g.me = person if isinstance(person, SignedIn) else None
    g.half = person if isinstance(person, HalfIn) else None


def _to_sign_in() -> AnyResponse:
    # only pages are come back to: a form that was sent after the session had ended is filled in again
    wanted = request.path if request.method == "GET" and request.path != "/" else None
    return redirect(url_for("sign_in.page", next=wanted), 303)


def _key_in(services: Services, scope: Scope) -> Response | None:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    try:
        key = api_keys.check(services, text.strip()) if kind.casefold() == "bearer" else None
        if key is None:
            return _no_key()
        allowance = g.allowance = api_limits.take(services, key)
    except AWAY:
        return problem_json(away())  # nobody gets in uncounted
    if allowance is not None and not allowance.granted:
        problem = Problem("Authorization", "rate-limit", "this key asks too often; wait for Retry-After")
        headers = {"Retry-After": str(allowance.retry_in_s)}
        return problem_json(Fault(HTTPStatus.TOO_MANY_REQUESTS, [problem], headers))
    if scope not in key.scopes:
        problem = Problem("Authorization", "scope", f"this key lacks the scope {scope.value}")
        return problem_json(Fault(HTTPStatus.FORBIDDEN, [problem]))
    g.api_key = key
    return None


def _no_key() -> Response:
    problem = Problem("Authorization", "api-key", "send a live API key as Authorization: Bearer <key>")
    headers = {"WWW-Authenticate": 'Bearer realm="sertilink"'}
    return problem_json(Fault(HTTPStatus.UNAUTHORIZED, [problem], headers))


def _say_allowance(response: Response) -> Response:
    """What the key has left (draft-ietf-httpapi-ratelimit-headers-10)."""
    allowance = g.get("allowance")
    if allowance is not None:
        response.headers["RateLimit-Policy"] = f'"key";q={allowance.quota};w={allowance.window_s}'
        response.headers["RateLimit"] = f'"key";r={allowance.left};t={allowance.full_in_s}'
    return response


def safe_next(wanted: str | None) -> str:
    """A path of ours to go to after the sign-in; the start page for anything that could lead elsewhere."""
    text = wanted or ""
    parts = urlsplit(text) if text.isprintable() and "\\" not in text and len(text) <= _LONGEST_NEXT else None
    if parts is None or parts.scheme or parts.netloc or not text.startswith("/") or text.startswith("//"):
        return "/"
    return parts.path
