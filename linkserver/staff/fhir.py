"""The FHIR R4 door: one Immunization, or a Bundle of them; answers are FHIR too.

A transaction Bundle is taken whole or not at all; of every other Bundle each Immunization stands for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, jsonify, url_for

from linkserver.staff.gate import the_key, with_key
from linkserver.staff.machine import Fault, answer_faults, fault_of, finished, read_body
from linkserver.staff.replay import replay_answers
from notifier.access.api_keys import Scope
from notifier.core.errors import BadInput, Problem
from notifier.intake import readers
from notifier.intake.answer import NOTHING_NEW, moment
from notifier.intake.event import MAX_EVENT_BYTES, Event
from notifier.intake.fhir import FhirResult
from notifier.intake.json_text import read_json
from notifier.intake.record import Door, Recorded
from notifier.services import Services
from notifier.support import api_desk
from notifier.support.api_desk import Answer

FHIR_JSON = "application/fhir+json"
RULES = "https://sertilink.example/fhir/rules"
#: our rules -> FHIR's IssueType, where a closer one than `invalid` exists
_ISSUE_TYPES = {
    "required": "required",
    "json": "structure",
    "encoding": "structure",
    "object": "structure",
    "duplicate-key": "structure",
    "too-deep": "too-costly",
    "too-large": "too-long",
    "too-long": "too-long",
    "unknown-field": "structure",
    "resource-type": "not-supported",
    "conflict": "conflict",
    "patient-unknown": "not-found",
    "other-facility": "forbidden",
    "rate-limit": "throttled",
    "api-key": "login",
    "media-type": "not-supported",
}


def blueprint(services: Services) -> Blueprint:
    """The routes under /fhir/R4."""
    fhir = Blueprint("fhir", __name__)
    answer_faults(fhir, outcome_of_fault)
    replay_answers(fhir, services)

    @fhir.post("/fhir/R4/Immunization")
    @with_key(Scope.VACCINATIONS_WRITE)
    def add_immunization() -> tuple[Response, int, dict[str, str]]:
        (result,) = readers.from_fhir(services, _resource("Immunization"))
        if result.event is None:
            raise BadInput(result.problems)
        recorded = api_desk.take(services, the_key(), result.event, Door.FHIR)
        answer = jsonify(operation_outcome([_information(recorded)]))
        answer.mimetype = FHIR_JSON
        location = _location(recorded)
        return answer, _status(recorded), {"Location": location} if location else {}

    @fhir.post("/fhir/R4")
    @with_key(Scope.VACCINATIONS_WRITE)
    def add_bundle() -> Response:
        resource = _resource("Bundle")
        results = readers.from_fhir(services, resource)
        whole = resource.get("type") == "transaction"
        if whole:
            _refuse_unless_all(services, results)
        answers = _each(results, lambda events: api_desk.take_many(services, the_key(), events, Door.FHIR))
        entries = [_entry(resource, result, answer) for result, answer in zip(results, answers, strict=True)]
        kind = "transaction-response" if whole else "batch-response"
        response = jsonify({"resourceType": "Bundle", "type": kind, "entry": entries})
        response.mimetype = FHIR_JSON
        return response

    return fhir


def _resource(kind: str) -> dict[str, Any]:
    """The request's resource. Raises BadInput for another kind than the address takes."""
    resource = read_json(read_body(FHIR_JSON, "application/json"), limit=MAX_EVENT_BYTES)
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise BadInput.of("resourceType", "resource-type", f"send a FHIR resource of type {kind} to this address")
    return resource


def _each(results: Sequence[FhirResult], take: Callable[[list[Event]], list[Answer]]) -> list[Answer]:
    """What became of each Immunization, in the Bundle's order."""
    recorded = iter(take([result.event for result in results if result.event is not None]))
    return [BadInput(result.problems) if result.event is None else next(recorded) for result in results]


def _refuse_unless_all(services: Services, results: Sequence[FhirResult]) -> None:
    """Rehearses a transaction; raises Fault with every problem where one of its Immunizations would be refused."""
    answers = _each(results, lambda events: api_desk.rehearse(services, the_key(), events, Door.FHIR))
    refused = [
        Problem(_place(result.position, problem.field), problem.rule, problem.detail)
        for result, answer in zip(results, answers, strict=True)
        if not isinstance(answer, Recorded)
        for problem in fault_of(answer).problems
    ]
    if refused:
        found = {fault_of(answer).status for answer in answers if not isinstance(answer, Recorded)}
        worst = [one for one in (HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT) if one in found]
        raise Fault(worst[0] if worst else HTTPStatus.UNPROCESSABLE_ENTITY, refused)


def _place(position: int, field: str) -> str:
    """An element of an entry's resource, as a FHIRPath from the Bundle."""
    kind, dot, element = field.partition(".")
    if kind == "Immunization":
        return f"Bundle.entry[{position - 1}].resource{dot}{element}"
    return field if kind.startswith("Bundle") else f"Bundle.entry[{position - 1}].resource"


def _entry(bundle: dict[str, Any], result: FhirResult, answer: Answer) -> dict[str, Any]:
    """The answer to one Immunization; `fullUrl` is the one that it came with."""
    if isinstance(answer, Recorded):
        status, issues, location = _status(answer), [_information(answer)], _location(answer)
    else:
        fault = fault_of(answer)
        status, issues, location = fault.status, [issue(problem) for problem in fault.problems], None
    response: dict[str, Any] = {"status": f"{status.value} {status.phrase}", "outcome": operation_outcome(issues)}
    if location:
        response["location"] = location
    full_url = bundle["entry"][result.position - 1]
    full_url = full_url.get("fullUrl") if isinstance(full_url, dict) else None
    return {"fullUrl": full_url, "response": response} if isinstance(full_url, str) else {"response": response}


def _status(recorded: Recorded) -> HTTPStatus:
    return HTTPStatus.OK if recorded.outcome in NOTHING_NEW else HTTPStatus.ACCEPTED


def _location(recorded: Recorded) -> str | None:
    return url_for("api.notification", reference=recorded.reference) if recorded.reference else None


def _information(recorded: Recorded) -> dict[str, Any]:
    """The outcome of an event as an issue that is none."""
    words = [recorded.outcome.value, recorded.reason.value if recorded.reason else None]
    if recorded.reference:
        words.append(f"reference {recorded.reference}")
    if recorded.due_at and recorded.state == "scheduled":
        words.append(f"due {moment(recorded.due_at)}")
    text = ", ".join(word for word in words if word)
    details = {"coding": [{"system": RULES, "code": recorded.outcome.value}], "text": text}
    return {"severity": "information", "code": "informational", "details": details}


def issue(problem: Problem) -> dict[str, Any]:
    """A problem as OperationOutcome.issue: `expression` names the element, `details` the rule and what to do."""
    return {
        "severity": "error",
        "code": _ISSUE_TYPES.get(problem.rule, "invalid"),
        "details": {"coding": [{"system": RULES, "code": problem.rule}], "text": problem.detail},
        "expression": [problem.field],
    }


def operation_outcome(issues: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """FHIR's way to say what happened."""
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def outcome_of_fault(fault: Fault) -> Response:
    """A fault as FHIR says it."""
    issues = [issue(problem) for problem in fault.problems]
    plain = {"severity": "error", "code": "processing", "details": {"text": fault.status.phrase}}
    return finished(jsonify(operation_outcome(issues or [plain])), fault, FHIR_JSON)
