"""What the doors for machines share: bodies, and errors as RFC 9457 problems.

The gate asks for the API key. No cookie is read behind these doors, so no other site can make a browser use them, and
they need no CSRF token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException, InternalServerError

from notifier.core.errors import BadInput, Conflict, NotFound, Problem, Refused
from notifier.intake.answer import problems as as_json
from notifier.intake.event import MAX_EVENT_BYTES
from notifier.intake.json_text import BODY
from notifier.store.health import AWAY
from notifier.support.magic_numbers import ANSWERS

#: faults of the text, not of what it says
_TEXT_RULES = frozenset({"encoding", "json", "too-deep", "duplicate-key", "json-constant", "json-number"})

Answer = Callable[["Fault"], Response]


class Fault(Exception):
    """An answer other than success. `problems` never hold a value."""

    def __init__(
        self, status: HTTPStatus, problems: Iterable[Problem] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.problems = tuple(problems)
        self.headers = dict(headers or {})
        super().__init__(status.phrase)


def fault_of(error: BadInput | Conflict) -> Fault:
    """400 for a text that cannot be read, 413 for one too long, 422 for one that breaks a rule, 409 for a conflict,
    403 for what is another facility's."""
    if isinstance(error, Conflict):
        return Fault(HTTPStatus.CONFLICT, [Problem("event_id", "conflict", str(error))])
    if any(problem.rule == "other-facility" for problem in error.problems):
        return Fault(HTTPStatus.FORBIDDEN, error.problems)
    rules = {problem.rule for problem in error.problems if problem.field == BODY}
    if "too-large" in rules:
        return Fault(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.problems)
    status = HTTPStatus.BAD_REQUEST if rules & _TEXT_RULES else HTTPStatus.UNPROCESSABLE_ENTITY
    return Fault(status, error.problems)


def peek_body() -> bytes:
    """The request's body, kept for whoever reads it next. Raises RequestEntityTooLarge for one that is too long."""
    request.max_content_length = MAX_EVENT_BYTES
    return request.get_data(cache=True)


def read_body(*types: str) -> bytes:
    """The request's body. Raises Fault 415 for another media type or a packed body, 413 for one that is too long."""
    if request.mimetype not in types:
        problem = Problem("Content-Type", "media-type", f"send {' or '.join(types)}")
        raise Fault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, [problem])
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        problem = Problem("Content-Encoding", "media-type", "send the body as it is, not packed")
        raise Fault(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, [problem])
    request.max_content_length = MAX_EVENT_BYTES
    return request.get_data(cache=False)


def problem_json(fault: Fault) -> Response:
    """RFC 9457: `type` is about:blank, so `title` is the status' own phrase; `errors` name field and rule."""
    told = [problem.detail for problem in fault.problems]
    answer = jsonify(
        {
            "type": "about:blank",
            "title": fault.status.phrase,
            "status": fault.status.value,
            "detail": "; ".join(told) or _ADVICE.get(fault.status, fault.status.phrase),
            "errors": as_json(fault.problems),
        }
    )
    return finished(answer, fault, "application/problem+json")


_ADVICE = {
    HTTPStatus.NOT_FOUND: "there is nothing here; /api/docs names every address",
    HTTPStatus.METHOD_NOT_ALLOWED: "this address takes other methods; Allow names them",
    HTTPStatus.INTERNAL_SERVER_ERROR: "a fault of ours; send the same again, nothing happens twice",
}


def answer_faults(blueprint: Blueprint, answer: Answer) -> None:
    """Makes `answer` the one way in which this blueprint's routes fail."""

    @blueprint.errorhandler(Fault)
    def _fault(fault: Fault) -> Response:
        return answer(fault)

    @blueprint.errorhandler(BadInput)
    @blueprint.errorhandler(Conflict)
    def _refusal(error: BadInput | Conflict) -> Response:
        return answer(fault_of(error))

    @blueprint.errorhandler(NotFound)
    def _not_there(error: NotFound) -> Response:
        return answer(Fault(HTTPStatus.NOT_FOUND, [Problem("reference", "not-found", str(error))]))

    @blueprint.errorhandler(Refused)
    def _refused(refused: Refused) -> Response:
        return answer(fault_of_refusal(refused))

    @blueprint.errorhandler(InternalServerError)
    @blueprint.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        return answer(fault_of_http(error))

    for kind in AWAY:
        blueprint.register_error_handler(kind, lambda _error: answer(away()))


def fault_of_refusal(refused: Refused) -> Fault:
    """409 where the state of things forbids what was asked for; the status of a test key's magic number."""
    if refused.reason in ANSWERS:
        problem = Problem("person.phone", refused.reason, "this number asks for this answer")
        return Fault(HTTPStatus(ANSWERS[refused.reason]), [problem], {"Retry-After": "1"})
    return Fault(HTTPStatus.CONFLICT, [Problem("reference", refused.reason, "as things stand this cannot be done")])


def fault_of_http(error: HTTPException) -> Fault:
    """What the server itself refuses: a body too long, a method that an address does not take."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    too_large = Problem(BODY, "too-large", f"send at most {MAX_EVENT_BYTES} bytes")
    allow = error.get_response().headers.get("Allow")
    problems = [too_large] if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE else []
    return Fault(status, problems, {"Allow": allow} if allow else None)


def away() -> Fault:
    """The database does not answer."""
    problem = Problem("server", "away", "the database is away; send the same again, nothing happens twice")
    return Fault(HTTPStatus.SERVICE_UNAVAILABLE, [problem], {"Retry-After": "60"})


def finished(answer: Response, fault: Fault, media_type: str) -> Response:
    """`answer` with the fault's status and headers."""
    answer.status_code = fault.status
    answer.mimetype = media_type
    answer.headers.extend(fault.headers)
    return answer
