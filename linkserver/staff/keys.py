"""API keys: listed, made, rotated, revoked. A secret stands in one answer alone, the one to the form that made it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from linkserver.staff.gate import me, needs
from linkserver.staff.screen import viewer_zone
from linkserver.staff.vocabulary import problems_of
from notifier.access import api_keys
from notifier.access.api_keys import KeyKind, NewKey, Scope
from notifier.access.roles import Permission
from notifier.core.errors import BadInput, Problem, Refused
from notifier.core.ids import new_id
from notifier.services import Services

_UNREADABLE, _CONFLICT = 422, 409
_OVERLAPS = ("0", "1", "7", "30")


def blueprint(services: Services) -> Blueprint:
    """`/keys` and what can be done there."""
    part = Blueprint("keys", __name__)

    @part.get("/keys")
    @needs(Permission.API_KEYS_MANAGE)
    def page() -> AnyResponse:
        return _page(services)

    @part.post("/keys")
    @needs(Permission.API_KEYS_MANAGE)
    def add() -> AnyResponse:
        return _made(services, "add", lambda: _add(services, request.form))

    @part.post("/keys/<prefix>/rotate")
    @needs(Permission.API_KEYS_MANAGE)
    def rotate(prefix: str) -> AnyResponse:
        def do() -> NewKey:
            days = request.form.get("overlap", "")
            if days not in _OVERLAPS:
                raise BadInput.of("overlap", "choice", f"choose one of {', '.join(_OVERLAPS)} days")
            overlap, successor = timedelta(days=int(days)), _form_id(request.form)
            return api_keys.rotate(services, prefix, overlap=overlap, actor=me().actor, successor_id=successor)

        return _made(services, "rotate", do, prefix)

    @part.post("/keys/<prefix>/revoke")
    @needs(Permission.API_KEYS_MANAGE)
    def revoke(prefix: str) -> AnyResponse:
        def do() -> None:
            api_keys.revoke(services, prefix, reason=request.form.get("reason", ""), actor=me().actor)

        return _made(services, "revoke", do, prefix)

    return part


def _made(services: Services, deed: str, do: Callable[[], NewKey | None], prefix: str = "") -> AnyResponse:
    """Does it, and shows the list with the new key, with what is wrong, or with what somebody else did first."""
    at: dict[str, Any] = {"deed": deed, "prefix": prefix}
    try:
        made = do()
    except BadInput as bad:
        problems = problems_of(bad)
        return _page(services, _UNREADABLE, problems=problems, **at)
    except Refused as refused:
        return _page(services, _CONFLICT, refused=refused.reason, **at)
    return _page(services, made=made, done=deed, **at)


def _add(services: Services, form: Mapping[str, str]) -> NewKey:
    problems: list[Problem] = []
    kind, expires_at = form.get("kind", ""), None
    if kind not in set(KeyKind):
        problems.append(Problem("kind", "choice", "choose live or test"))
    try:
        expires_at = _end(form.get("expires", "").strip(), services)
    except BadInput as bad:
        problems += bad.problems
    scopes = [Scope(word) for word in request.form.getlist("scopes") if word in set(Scope)]
    if problems:
        raise BadInput(problems)
    return api_keys.add(
        services,
        name=form.get("name", ""),
        scopes=scopes,
        kind=KeyKind(kind),
        facility_id=form.get("facility_id", ""),
        expires_at=expires_at,
        key_id=_form_id(form),
        actor=me().actor,
    )


def _end(text: str, services: Services) -> datetime | None:
    """The end of a day in the reader's zone; None for a key without an end."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=1)
        return datetime.combine(day, time.min, viewer_zone(services))
    except (ValueError, OverflowError):
        raise BadInput.of("expires_at", "expiry", "choose a day that is to come") from None


def _form_id(form: Mapping[str, str]) -> str:
    """The id that the form came with: sent twice it makes one key."""
    try:
        return str(uuid.UUID(form.get("form_id", "")))
    except ValueError:
        return new_id()


def _page(services: Services, status: int = 200, **more: Any) -> AnyResponse:
    told: dict[str, Any] = {
        "problems": {},
        "refused": None,
        "made": None,
        "done": None,
        "deed": None,
        "prefix": "",
    } | more
    failed = bool(told["problems"]) and told["deed"] == "add"
    body = render_template(
        "keys.html",
        keys=api_keys.listed(services),
        scopes=list(Scope),
        chosen=request.form.getlist("scopes") if failed else [Scope.VACCINATIONS_WRITE, Scope.NOTIFICATIONS_READ],
        typed=request.form if failed else {},
        overlaps=_OVERLAPS,
        new_id=new_id,
        **told,
    )
    return make_response(body, status)
