"""What the doors for machines take and answer, as OpenAPI 3.1. Tests hold it against the routes and the answers."""

from __future__ import annotations

import json
from typing import Any

from linkserver.staff.openapi_schemas import (
    EVENT_EXAMPLE,
    IMMUNIZATION_EXAMPLE,
    NOTIFICATION_EXAMPLE,
    RECORDED_EXAMPLE,
    REGISTRY_EVENT_EXAMPLE,
    ref,
    schemas,
)
from notifier.access.api_keys import Scope
from notifier.core.states import State
from notifier.intake.event import MAX_EVENT_BYTES
from notifier.support.api_desk import MOST, PAGE
from notifier.support.magic_numbers import NUMBERS, RULES

_JSON, _FHIR_JSON, _PROBLEM_JSON = "application/json", "application/fhir+json", "application/problem+json"
_REFERENCE = {
    "name": "reference",
    "in": "path",
    "required": True,
    "description": "10 letters and digits, as the answer to the event said",
    "schema": {"type": "string", "minLength": 1},
    "example": NOTIFICATION_EXAMPLE["reference"],
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "a new one for each deed, such as a UUID: sent twice, it is done once and answered alike for a day",
    "schema": {"type": "string", "pattern": "^[0-9A-Za-z-]{1,255}$"},
    "example": "6d1f2a0e-6a51-4d7e-9f4c-1c7c4d2f6f0a",
}


def document(server: str) -> dict[str, Any]:
    """The description; `server` is the staff face's address."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sertilink", "version": "1", "description": _about()},
        "servers": [{"url": server}],
        "security": [{"apiKey": []}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": _paths(server),
        "components": {
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "`sertilink apikey add`, or /keys"}
            },
            "schemas": schemas(),
        },
    }


_TAGS = {
    "doses": "Doses in, as our own JSON or as FHIR R4.",
    "notifications": "What became of their SMS, and what can be done about one. Nothing of whom it is about.",
    "corrections": "What was corrected here, for the registry that was told of it (docs/registry.md).",
    "description": "This description.",
}


def _about() -> str:
    magic = "\n".join(f"- `{one.number}`: {one.meaning}" for one in NUMBERS)
    rules = "\n".join(f"- `{text}`: {what}" for text, what in RULES)
    return (
        "Doses in, and what became of their SMS out. Times are RFC 3339 in UTC. Sending the same event again is safe: "
        f"nothing happens twice. A body has at most {MAX_EVENT_BYTES} bytes.\n\n"
        "Keys have scopes, perhaps one facility whose rows they reach, and a kind: with a test key (`sl_test_...`) "
        "every rule is asked and answered, but nothing is recorded or sent. These numbers in `person.phone` choose "
        f"what becomes of a test message, some seconds after it falls due:\n\n{magic}\n{rules}\n"
    )


def _paths(server: str) -> dict[str, Any]:
    one = "/api/v1/notifications/{reference}"
    return {
        "/api/v1/vaccinations": {"post": _vaccinations(server)},
        "/api/v1/notifications": {"get": _list(server)},
        one: {"get": _notification(server)},
        f"{one}/resend": {"post": _resend(server)},
        f"{one}/cancel": {"post": _cancel(server)},
        "/api/v1/registry-events/{event}": {"get": _registry_event(server)},
        "/fhir/R4/Immunization": {"post": _immunization(server)},
        "/fhir/R4": {"post": _bundle(server)},
        "/api/openapi.json": {"get": _open("getDescription", "This description", _JSON)},
        "/api/docs": {"get": _open("getDocumentation", "This description, to be read", "text/html")},
    }


def _vaccinations(server: str) -> dict[str, Any]:
    return {
        **_head("addVaccination", "doses", "Record a dose, its correction or its withdrawal", Scope.VACCINATIONS_WRITE),
        "parameters": [_IDEMPOTENCY],
        "requestBody": _body(_JSON, ref("Event"), EVENT_EXAMPLE),
        "responses": {
            "202": _answer("recorded; `Location` is where its message stands", "Recorded", RECORDED_EXAMPLE),
            "200": _answer("known already; nothing new happened", "Recorded"),
            **_problems("400", "401", "403", "409", "413", "415", "422", "429", "503"),
        },
        "x-codeSamples": _curl("POST", f"{server}/api/v1/vaccinations", _JSON, EVENT_EXAMPLE),
    }


def _list(server: str) -> dict[str, Any]:
    def query(name: str, text: str, **schema: Any) -> dict[str, Any]:
        return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}

    return {
        **_head("listNotifications", "notifications", "List messages, newest first", Scope.NOTIFICATIONS_READ),
        "description": "Follow `next` until it is null. With a test key a page may hold fewer than `limit`.",
        "parameters": [
            query("state", "only those that stand so", enum=[state.value for state in State]),
            query("since", "only those added at this moment or later", type="string", format="date-time"),
            query("facility", "only those about doses of this facility", type="string", minLength=1, maxLength=200),
            query("cursor", "`next` of the page before", type="string"),
            query("limit", f"how many a page; {PAGE} if left out", type="integer", minimum=1, maximum=MOST),
        ],
        "responses": {
            "200": _answer("a page", "NotificationPage", {"notifications": [NOTIFICATION_EXAMPLE], "next": None}),
            **_problems("401", "403", "404", "422", "429", "503"),
        },
        "x-codeSamples": _curl("GET", f"{server}/api/v1/notifications?state=undelivered&limit=100"),
    }


def _notification(server: str) -> dict[str, Any]:
    return {
        **_head("getNotification", "notifications", "Where a message stands", Scope.NOTIFICATIONS_READ),
        "parameters": [_REFERENCE],
        "responses": {
            "200": _answer("where it stands, without personal data", "Notification", NOTIFICATION_EXAMPLE),
            **_problems("401", "403", "404", "429", "503"),
        },
        "x-codeSamples": _curl("GET", f"{server}/api/v1/notifications/{NOTIFICATION_EXAMPLE['reference']}"),
    }


def _resend(server: str) -> dict[str, Any]:
    example = {"reason": "the person asked at the counter", "at": "2026-11-24T02:00:00Z"}
    path = f"{server}/api/v1/notifications/{NOTIFICATION_EXAMPLE['reference']}/resend"
    return {
        **_head("resendNotification", "notifications", "Send again, with a new link", Scope.NOTIFICATIONS_ACT),
        "description": "`at` null or left out: now, or at the next allowed hour. A held message is released instead.",
        "parameters": [_REFERENCE, _IDEMPOTENCY],
        "requestBody": _body(_JSON, ref("Resend"), example),
        "responses": {
            "202": _answer("the message that will be sent", "Notification", NOTIFICATION_EXAMPLE),
            **_problems("400", "401", "403", "404", "409", "413", "415", "422", "429", "503"),
        },
        "x-codeSamples": _curl("POST", path, _JSON, example),
    }


def _cancel(server: str) -> dict[str, Any]:
    example = {"reason": "entered twice"}
    path = f"{server}/api/v1/notifications/{NOTIFICATION_EXAMPLE['reference']}/cancel"
    return {
        **_head("cancelNotification", "notifications", "Take back what has not left yet", Scope.NOTIFICATIONS_ACT),
        "parameters": [_REFERENCE, _IDEMPOTENCY],
        "requestBody": _body(_JSON, ref("Cancel"), example),
        "responses": {
            "200": _answer("the message, cancelled", "Notification"),
            **_problems("400", "401", "403", "404", "409", "413", "415", "422", "429", "503"),
        },
        "x-codeSamples": _curl("POST", path, _JSON, example),
    }


def _registry_event(server: str) -> dict[str, Any]:
    return {
        **_head("getRegistryEvent", "corrections", "The values of what was corrected", Scope.CORRECTIONS_READ),
        "description": "A person's data: each reading is in the audit. Not for test keys or keys of one facility.",
        "parameters": [
            {
                **_REFERENCE,
                "name": "event",
                "description": "the `event_id` that the registry was told",
                "example": REGISTRY_EVENT_EXAMPLE["event_id"],
            }
        ],
        "responses": {
            "200": _answer("the event, with values", "RegistryEvent", REGISTRY_EVENT_EXAMPLE),
            **_problems("401", "403", "404", "429", "503"),
        },
        "x-codeSamples": _curl("GET", f"{server}/api/v1/registry-events/{REGISTRY_EVENT_EXAMPLE['event_id']}"),
    }


def _immunization(server: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"resourceType": {"const": "Immunization"}}, "required": ["resourceType"]}
    return {
        **_head("addImmunization", "doses", "Record a FHIR R4 Immunization", Scope.VACCINATIONS_WRITE),
        "description": "Its Patient is contained, or known already.",
        "parameters": [_IDEMPOTENCY],
        "requestBody": _body(_FHIR_JSON, schema, IMMUNIZATION_EXAMPLE, _JSON),
        "responses": {
            "202": _fhir("recorded: OperationOutcome with the reference", "OperationOutcome"),
            "200": _fhir("known already; nothing new happened", "OperationOutcome"),
            **_outcomes("400", "409", "413", "415", "422"),
            **_either("403", "429", "503"),
            **_problems("401"),
        },
        "x-codeSamples": _curl("POST", f"{server}/fhir/R4/Immunization", _FHIR_JSON, IMMUNIZATION_EXAMPLE),
    }


def _bundle(server: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"resourceType": {"const": "Bundle"}}, "required": ["resourceType"]}
    example = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": IMMUNIZATION_EXAMPLE}]}
    return {
        **_head("addBundle", "doses", "Record the Immunizations of a FHIR R4 Bundle", Scope.VACCINATIONS_WRITE),
        "description": "A transaction is taken whole or refused whole; in any other Bundle each Immunization stands "
        "for itself. The answer has one entry for each Immunization, in order, with the fullUrl that it came with.",
        "parameters": [_IDEMPOTENCY],
        "requestBody": _body(_FHIR_JSON, schema, example, _JSON),
        "responses": {
            "200": _fhir("Bundle of type batch-response or transaction-response", "Bundle"),
            **_outcomes("400", "409", "413", "415", "422"),
            **_either("403", "429", "503"),
            **_problems("401"),
        },
        "x-codeSamples": _curl("POST", f"{server}/fhir/R4", _FHIR_JSON, example),
    }


def _open(operation: str, summary: str, media_type: str) -> dict[str, Any]:
    """What needs no key."""
    schema = {"type": "object"} if media_type == _JSON else {"type": "string"}
    return {
        "operationId": operation,
        "tags": ["description"],
        "summary": summary,
        "security": [],
        "responses": {"200": {"description": summary, "content": {media_type: {"schema": schema}}}},
    }


_MEANINGS = {
    "400": "the text, or the Idempotency-Key, cannot be read",
    "401": "no live API key",
    "403": "the key lacks the scope, or belongs to another facility",
    "404": "there is no such thing, or the key does not reach it",
    "409": "as things stand it cannot be done: the event_id came before with other content, the message has left, or "
    "the first request with this Idempotency-Key is not answered yet (Retry-After)",
    "413": "too large",
    "415": "another media type, or a packed body",
    "422": "a field breaks a rule; each one is named. Or the Idempotency-Key came before with another request",
    "429": "the key asks too often; wait for Retry-After",
    "503": "the database is away; send the same again",
}


def _head(operation: str, tag: str, summary: str, scope: Scope) -> dict[str, Any]:
    return {
        "operationId": operation,
        "tags": [tag],
        "summary": f"{summary}; scope {scope.value}",
        "x-scope": scope.value,
    }


def _body(media_type: str, schema: dict[str, Any], example: dict[str, Any], *others: str) -> dict[str, Any]:
    told = {"schema": schema, "example": example}
    return {"required": True, "content": {kind: told for kind in (media_type, *others)}}


def _problems(*codes: str) -> dict[str, Any]:
    return {code: _refusal(code, _told(_PROBLEM_JSON, "Problem")) for code in codes}


def _outcomes(*codes: str) -> dict[str, Any]:
    return {code: _refusal(code, _told(_FHIR_JSON, "OperationOutcome")) for code in codes}


def _either(*codes: str) -> dict[str, Any]:
    """What the gate answers, which comes before FHIR, or the door behind it."""
    content = _told(_PROBLEM_JSON, "Problem") | _told(_FHIR_JSON, "OperationOutcome")
    return {code: _refusal(code, content) for code in codes}


def _refusal(code: str, content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": _MEANINGS[code], "content": content}
    if code in {"429", "503"}:
        schema = {"type": "integer", "minimum": 1}
        found["headers"] = {"Retry-After": {"description": "seconds", "required": True, "schema": schema}}
    return found


def _fhir(text: str, schema: str) -> dict[str, Any]:
    return {"description": text, "content": _told(_FHIR_JSON, schema)}


def _answer(text: str, schema: str, example: dict[str, Any] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = _told(_JSON, schema)
    if example is not None:
        content[_JSON]["example"] = example
    return {"description": text, "content": content}


def _told(media_type: str, schema: str) -> dict[str, Any]:
    return {media_type: {"schema": ref(schema)}}


def _curl(
    method: str, url: str, media_type: str | None = None, body: dict[str, Any] | None = None
) -> list[dict[str, str]]:
    lines = [
        f"curl '{url}'" if method == "GET" else f"curl -X {method} '{url}'",
        '  -H "Authorization: Bearer $SERTILINK_KEY"',
    ]
    if body is not None:
        lines += [
            f"  -H 'Content-Type: {media_type}'",
            '  -H "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)"',
            f"  -d '{json.dumps(body, ensure_ascii=False, indent=2)}'",
        ]
    return [{"lang": "curl", "source": " \\\n".join(lines)}]
