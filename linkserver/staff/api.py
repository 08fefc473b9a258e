"""The JSON door: doses in, and what became of their messages out. Routes and errors are described in openapi.py."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for

from linkserver.staff.gate import the_key, with_key
from linkserver.staff.machine import answer_faults, problem_json, read_body
from linkserver.staff.replay import replay_answers
from notifier.access.api_keys import Scope
from notifier.core.errors import BadInput, Problem
from notifier.intake import readers
from notifier.intake.answer import NOTHING_NEW, report
from notifier.intake.json_text import read_json
from notifier.intake.record import Door
from notifier.services import Services
from notifier.support import api_desk, registry_values

_MOST_BYTES = 10_000  # of a reason and a moment
_LISTED_BY = ("state", "since", "facility", "cursor", "limit")


def blueprint(services: Services) -> Blueprint:
    """The routes under /api/v1."""
    api = Blueprint("api", __name__)
    answer_faults(api, problem_json)
    replay_answers(api, services)
    _doses(api, services)
    _notifications(api, services)
    _corrections(api, services)
    return api


def _doses(api: Blueprint, services: Services) -> None:
    @api.post("/api/v1/vaccinations")
    @with_key(Scope.VACCINATIONS_WRITE)
    def add_vaccination() -> tuple[Response, int, dict[str, str]]:
        event = readers.from_json(services, read_body("application/json"))
        recorded = api_desk.take(services, the_key(), event, Door.API)
        status = HTTPStatus.OK if recorded.outcome in NOTHING_NEW else HTTPStatus.ACCEPTED
        headers = {"Location": url_for("api.notification", reference=recorded.reference)} if recorded.reference else {}
        return jsonify(report(recorded)), status, headers


def _notifications(api: Blueprint, services: Services) -> None:
    @api.get("/api/v1/notifications")
    @with_key(Scope.NOTIFICATIONS_READ)
    def notifications() -> Response:
        wanted = api_desk.read_wanted(**_query())
        page = api_desk.listed(services, the_key(), wanted)
        answer = jsonify(page)
        if page["next"]:
            following = url_for("api.notifications", **{**request.args.to_dict(), "cursor": page["next"]})
            answer.headers["Link"] = f'<{following}>; rel="next"'
        return answer

    @api.get("/api/v1/notifications/<reference>")
    @with_key(Scope.NOTIFICATIONS_READ)
    def notification(reference: str) -> Response:
        return jsonify(api_desk.look_up(services, the_key(), reference))

    @api.post("/api/v1/notifications/<reference>/resend")
    @with_key(Scope.NOTIFICATIONS_ACT)
    def resend(reference: str) -> tuple[Response, int, dict[str, str]]:
        told = _told("reason", "at")
        at = api_desk.read_moment("at", told["at"]) if told["at"] else None
        found = api_desk.send_again(services, the_key(), reference, at=at, reason=told["reason"])
        location = url_for("api.notification", reference=found["reference"])
        return jsonify(found), HTTPStatus.ACCEPTED, {"Location": location}

    @api.post("/api/v1/notifications/<reference>/cancel")
    @with_key(Scope.NOTIFICATIONS_ACT)
    def cancel(reference: str) -> Response:
        return jsonify(api_desk.take_back(services, the_key(), reference, reason=_told("reason")["reason"]))


def _corrections(api: Blueprint, services: Services) -> None:
    @api.get("/api/v1/registry-events/<event>")
    @with_key(Scope.CORRECTIONS_READ)
    def registry_event(event: str) -> Response:
        return jsonify(registry_values.look_up(services, the_key(), event))


def _query() -> dict[str, str | None]:
    """The words of the query. Raises BadInput for one that does not exist or stands twice."""
    asked = request.args
    wrong = [
        Problem("query", "unknown-field", f"there are {', '.join(_LISTED_BY)}")
        for name in asked
        if name not in _LISTED_BY
    ]
    wrong += [Problem(name, "twice", "write it once") for name in _LISTED_BY if len(asked.getlist(name)) > 1]
    if wrong:
        raise BadInput(wrong[:1] if wrong[0].field == "query" else wrong)
    return {name: asked.get(name) for name in _LISTED_BY}


def _told(*names: str) -> dict[str, str]:
    """The texts in a small JSON object. Raises BadInput."""
    data: Any = read_json(read_body("application/json"), limit=_MOST_BYTES)
    if not isinstance(data, dict):
        raise BadInput.of("body", "object", "write an object, in braces")
    if data.keys() - set(names):
        raise BadInput.of("body", "unknown-field", f"there are {', '.join(names)}")
    found = {name: data.get(name) for name in names}
    for name, value in found.items():
        if value is not None and not isinstance(value, str):
            raise BadInput.of(name, "text", "write a text")
    return {name: value or "" for name, value in found.items()}
