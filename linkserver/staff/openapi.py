"""What the doors for machines take and answer, as OpenAPI 3.1. A test holds it against the routes."""

from __future__ import annotations

from typing import Any

from notifier.core.schedule import MAX_DELAY_HOURS
from notifier.core.states import Reason, State
from notifier.intake.event import MAX_EVENT_BYTES, EventType
from notifier.intake.record import RecordOutcome

_FHIR_JSON = "application/fhir+json"


def document(server: str) -> dict[str, Any]:
    """The description; `server` is the staff face's address."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sertilink",
            "version": "1",
            "description": "Doses in, and what became of their SMS out. Times are RFC 3339 in UTC. Sending the same "
            f"event again is safe: nothing happens twice. A body has at most {MAX_EVENT_BYTES} bytes.",
        },
        "servers": [{"url": server}],
        "security": [{"apiKey": []}],
        "paths": {
            "/api/v1/vaccinations": {"post": _vaccinations()},
            "/api/v1/notifications/{reference}": {"get": _notification()},
            "/fhir/R4/Immunization": {"post": _immunization()},
            "/fhir/R4": {"post": _bundle()},
        },
        "components": {
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "sertilink apikey add"}},
            "schemas": {
                "Event": _event(),
                "Recorded": _recorded(),
                "Notification": _notification_row(),
                "Problem": _problem(),
                "Rule": _rule(),
            },
        },
    }


def _vaccinations() -> dict[str, Any]:
    answers = {"202": ("recorded", "Recorded"), "200": ("known already; nothing new happened", "Recorded")}
    return {
        "operationId": "addVaccination",
        "summary": "Record a dose, its correction or its withdrawal; scope vaccinations:write",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Event")}}},
        "responses": {
            **{code: _answer(text, schema) for code, (text, schema) in answers.items()},
            **_problems("400", "401", "403", "409", "413", "415", "422", "503"),
        },
    }


def _notification() -> dict[str, Any]:
    return {
        "operationId": "getNotification",
        "summary": "Where a message stands; scope notifications:read",
        "parameters": [{"name": "reference", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {
            "200": _answer("where it stands, without personal data", "Notification"),
            **_problems("401", "403", "404", "503"),
        },
    }


def _immunization() -> dict[str, Any]:
    return {
        "operationId": "addImmunization",
        "summary": "Record a FHIR R4 Immunization, its Patient contained or known; scope vaccinations:write",
        "requestBody": {"required": True, "content": {_FHIR_JSON: {"schema": {"type": "object"}}}},
        "responses": {
            "202": _fhir("recorded: OperationOutcome with the reference"),
            "200": _fhir("known already; nothing new happened"),
            **_outcomes("400", "409", "413", "415", "422", "503"),
            **_problems("401", "403"),
        },
    }


def _bundle() -> dict[str, Any]:
    return {
        "operationId": "addBundle",
        "summary": "Record the Immunizations of a FHIR R4 Bundle; scope vaccinations:write",
        "description": "A transaction is taken whole or refused whole; in any other Bundle each Immunization stands "
        "for itself. The answer has one entry for each Immunization, in order, with the fullUrl that it came with.",
        "requestBody": {"required": True, "content": {_FHIR_JSON: {"schema": {"type": "object"}}}},
        "responses": {
            "200": _fhir("Bundle of type batch-response or transaction-response"),
            **_outcomes("400", "409", "413", "415", "422", "503"),
            **_problems("401", "403"),
        },
    }


_MEANINGS = {
    "400": "the text cannot be read",
    "401": "no live API key",
    "403": "the key lacks the scope",
    "404": "there is no such notification",
    "409": "the event_id came before with other content",
    "413": "too large",
    "415": "another media type, or a packed body",
    "422": "a field breaks a rule; each one is named",
    "503": "the database is away; send the same again",
}


def _problems(*codes: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {code: {"description": _MEANINGS[code], "content": content} for code in codes}


def _outcomes(*codes: str) -> dict[str, Any]:
    return {code: _fhir(f"OperationOutcome: {_MEANINGS[code]}") for code in codes}


def _fhir(text: str) -> dict[str, Any]:
    return {"description": text, "content": {_FHIR_JSON: {"schema": {"type": "object"}}}}


def _answer(text: str, schema: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": _ref(schema)}}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _maybe(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more}


def _event() -> dict[str, Any]:
    text, day = _maybe("string"), _maybe("string", format="date")
    count = _maybe("integer", minimum=1, maximum=99)
    person = {
        "id": text,
        "name": {"type": "string", "maxLength": 200},
        "nik": _maybe("string", description="16 digits"),
        "birth_date": day,
        "phone": _maybe("string", description="0812... or +62..."),
        "language": _maybe("string", examples=["id", "en"]),
        "time_zone": _maybe("string", examples=["Asia/Makassar"]),
    }
    dose = {
        "id": {"type": "string", "description": "the same in every event of this dose", "maxLength": 200},
        "number": count,
        "series_total": count,
        **{name: text for name in ("vaccine_code", "vaccine_system", "product", "lot")},
        "given_on": day,
        "facility": text,
        "facility_id": text,
    }
    delay = _maybe("number", minimum=0, maximum=MAX_DELAY_HOURS)
    return _object(
        {
            "event_id": {"type": "string", "description": "unique for each event", "maxLength": 300},
            "event_type": {"enum": [kind.value for kind in EventType]},
            "recorded_at": _maybe("string", format="date-time"),
            "person": {"oneOf": [_object(person, "name"), {"type": "null"}]},
            "dose": _object(dose, "id"),
            "notify": {"oneOf": [_object({"delay_hours": delay}), {"type": "null"}]},
        },
        "event_id",
        "event_type",
        "dose",
    )


def _recorded() -> dict[str, Any]:
    return _object(
        {
            "outcome": {"enum": [outcome.value for outcome in RecordOutcome]},
            "event_id": {"type": "string"},
            "reference": _maybe("string"),
            "state": {"enum": [*(state.value for state in State), None]},
            "reason": {"enum": [*(reason.value for reason in Reason), None]},
            "due_at": _maybe("string", format="date-time"),
            "warnings": {"type": "array", "items": _ref("Rule")},
        },
        "outcome",
        "event_id",
    )


def _notification_row() -> dict[str, Any]:
    moment = _maybe("string", format="date-time")
    return _object(
        {
            "reference": {"type": "string"},
            "kind": {"type": "string"},
            "channel": {"type": "string"},
            "generation": {"type": "integer"},
            "state": {"enum": [state.value for state in State]},
            "reason": {"enum": [*(reason.value for reason in Reason), None]},
            "provider_code": _maybe("string"),
            "attempts": {"type": "integer"},
            **{name: moment for name in ("accepted_at", "due_at", "left_at", "ended_at")},
        },
        "reference",
        "state",
    )


def _problem() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "errors": {"type": "array", "items": _ref("Rule")},
        },
        "required": ["title", "status"],
    }


def _rule() -> dict[str, Any]:
    """Which field breaks which rule; never with the value."""
    text = {"type": "string"}
    return _object({"field": text, "rule": text, "detail": text}, "field", "rule", "detail")


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return made | {"required": list(required)} if required else made
