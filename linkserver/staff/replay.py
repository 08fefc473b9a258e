"""Puts the Idempotency-Key in front of a blueprint's POSTs: the answer of before, or the view and then its answer."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, current_app, g, request

from linkserver.staff.gate import the_key
from linkserver.staff.machine import Fault, peek_body
from notifier.core.errors import BadInput, Problem
from notifier.services import Services
from notifier.store.health import AWAY
from notifier.support import idempotency
from notifier.support.idempotency import Begun, Busy, Differs, Kept

HEADER = "Idempotency-Key"
_KEPT_HEADERS = ("Content-Type", "Location")
#: they say nothing about the deed: asked again it may be done
_PASSING = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})


def replay_answers(blueprint: Blueprint, services: Services) -> None:
    """For every POST of the blueprint that bears the header. After the gate has let the key in."""

    @blueprint.before_request
    def _before() -> Response | None:
        header = request.headers.get(HEADER)
        if request.method != "POST" or header is None:
            return None
        try:
            text = idempotency.read_key(header)
        except BadInput as bad:
            raise Fault(HTTPStatus.BAD_REQUEST, bad.problems) from None
        return _begun(services, text)

    @blueprint.after_request
    def _after(response: Response) -> Response:
        begun: Begun | None = g.pop("idempotent", None)
        if begun is not None:
            _end(services, begun, response)
        return response


def _begun(services: Services, text: str) -> Response | None:
    said = [request.method, request.path, request.query_string.decode("latin-1"), request.mimetype]
    found = idempotency.begin(services, the_key(), text, "\n".join(said).encode() + b"\n" + peek_body())
    if isinstance(found, Begun):
        g.idempotent = found
        return None
    if isinstance(found, Kept):
        response = Response(found.body, found.status, headers=dict(found.headers))
        response.headers["Idempotency-Replayed"] = "true"
        return response
    if isinstance(found, Busy):
        problem = Problem(HEADER, "in-progress", "the first request with this key is not answered yet; ask again")
        raise Fault(HTTPStatus.CONFLICT, [problem], {"Retry-After": str(found.retry_in_s)})
    assert isinstance(found, Differs)  # noqa: S101  # the union has no fifth
    problem = Problem(HEADER, "idempotency-key-reused", "this key came before with another request; make a new one")
    raise Fault(HTTPStatus.UNPROCESSABLE_ENTITY, [problem])


def _end(services: Services, begun: Begun, response: Response) -> None:
    try:
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code in _PASSING:
            idempotency.give_up(services, begun)
            return
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        idempotency.finish(services, begun, Kept(response.status_code, headers, response.get_data()))
    except AWAY as error:
        # what was done stands; the next request with this key waits for the lease and then finds it done
        current_app.logger.error("an answer could not be kept: %s", type(error).__name__)
