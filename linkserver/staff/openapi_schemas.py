"""The shapes in the API's description: what is sent and what is answered, as JSON Schema 2020-12."""

from __future__ import annotations

from typing import Any

from notifier.core.reasons import MAX_REASON_LENGTH
from notifier.core.schedule import MAX_DELAY_HOURS
from notifier.core.states import Channel, Kind, Reason, RegistryEvent, State
from notifier.intake.event import EventType
from notifier.intake.record import RecordOutcome
from notifier.support.api_desk import PAGE
from notifier.support.registry_values import DOSE_FIELDS, PERSON_FIELDS

EVENT_EXAMPLE: dict[str, Any] = {
    "event_id": "simpus-2026-000123-1",
    "event_type": "recorded",
    "recorded_at": "2026-11-23T03:12:00Z",
    "person": {
        "id": "simpus-pasien-77",
        "name": "Siti Aminah",
        "nik": None,
        "birth_date": "1989-02-10",
        "phone": "0812-0000-0001",
        "language": "id",
    },
    "dose": {
        "id": "simpus-2026-000123",
        "number": 1,
        "series_total": 2,
        "vaccine_code": "140",
        "vaccine_system": "http://hl7.org/fhir/sid/cvx",
        "product": "Influenza",
        "lot": "LOT-7",
        "given_on": "2026-11-22",
        "facility": "Puskesmas Menteng",
        "facility_id": "pkm-menteng",
    },
    "notify": {"delay_hours": 0},
}
NOTIFICATION_EXAMPLE: dict[str, Any] = {
    "reference": "7K2M9QX4TB",
    "kind": "certificate",
    "channel": "sms",
    "generation": 1,
    "state": "delivered",
    "reason": None,
    "provider_code": None,
    "attempts": 1,
    "accepted_at": "2026-11-23T03:12:01Z",
    "due_at": "2026-11-23T03:12:01Z",
    "left_at": "2026-11-23T03:12:02Z",
    "ended_at": "2026-11-23T03:12:07Z",
}
RECORDED_EXAMPLE: dict[str, Any] = {
    "outcome": "planned",
    "event_id": "simpus-2026-000123-1",
    "reference": "7K2M9QX4TB",
    "state": "scheduled",
    "reason": None,
    "due_at": "2026-11-23T03:12:01Z",
    "warnings": [],
}
REGISTRY_EVENT_EXAMPLE: dict[str, Any] = {
    "event_id": "0193a1b2-0000-7000-8000-000000000000",
    "event_type": "person.corrected",
    "occurred_at": "2026-11-23T03:12:00Z",
    "dose_ids": ["simpus-2026-000123"],
    "changed": ["name"],
    "values": {"name": "Siti Aminah"},
}
IMMUNIZATION_EXAMPLE: dict[str, Any] = {
    "resourceType": "Immunization",
    "id": "imunisasi-1",
    "status": "completed",
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140", "display": "Influenza"}]},
    "patient": {"reference": "#pasien"},
    "occurrenceDateTime": "2026-11-22",
    "contained": [
        {
            "resourceType": "Patient",
            "id": "pasien",
            "name": [{"text": "Siti Aminah"}],
            "telecom": [{"system": "phone", "value": "0812-0000-0001"}],
            "birthDate": "1989-02-10",
        }
    ],
}


def schemas() -> dict[str, Any]:
    """Every named shape."""
    return {
        "Event": _event(),
        "Recorded": _recorded(),
        "Notification": _notification(),
        "NotificationPage": _page(),
        "Resend": _object({"reason": _reason(), "at": maybe("string", format="date-time")}, "reason"),
        "Cancel": _object({"reason": _reason()}, "reason"),
        "RegistryEvent": _registry_event(),
        "OperationOutcome": _operation_outcome(),
        "Bundle": _bundle(),
        "Problem": _problem(),
        "Rule": _rule(),
    }


def ref(name: str) -> dict[str, str]:
    """A named shape."""
    return {"$ref": f"#/components/schemas/{name}"}


def maybe(kind: str, **more: Any) -> dict[str, Any]:
    """A value that may be null."""
    return {"type": [kind, "null"], **more}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return made | {"required": list(required)} if required else made


def _event() -> dict[str, Any]:
    text, day = maybe("string"), maybe("string", format="date")
    count = maybe("integer", minimum=1, maximum=99)
    person = {
        "id": maybe("string", description="the source's own, stable; without it a person is matched by NIK or never"),
        "name": {"type": "string", "maxLength": 200},
        "nik": maybe("string", description="16 digits"),
        "birth_date": day | {"description": "it opens the certificate"},
        "phone": maybe("string", description="0812... or +62...; see the magic numbers of test keys"),
        "language": maybe("string", examples=["id", "en"]),
        "time_zone": maybe("string", examples=["Asia/Makassar"]),
    }
    dose = {
        "id": {"type": "string", "description": "the same in every event of this dose", "maxLength": 200},
        "number": count,
        "series_total": count,
        **{name: text for name in ("vaccine_code", "vaccine_system", "product", "lot")},
        "given_on": day,
        "facility": text,
        "facility_id": maybe("string", description="a key of one facility writes its own alone; null is filled in"),
    }
    delay = maybe("number", minimum=0, maximum=MAX_DELAY_HOURS)
    found = _object(
        {
            "event_id": {"type": "string", "description": "unique for each event", "maxLength": 300},
            "event_type": {"enum": [kind.value for kind in EventType]},
            "recorded_at": maybe("string", format="date-time"),
            "person": {"oneOf": [_object(person, "name"), {"type": "null"}]},
            "dose": _object(dose, "id"),
            "notify": {"oneOf": [_object({"delay_hours": delay}), {"type": "null"}]},
        },
        "event_id",
        "event_type",
        "dose",
    )
    return found | {"examples": [EVENT_EXAMPLE]}


def _recorded() -> dict[str, Any]:
    return _object(
        {
            "outcome": {"enum": [outcome.value for outcome in RecordOutcome]},
            "event_id": {"type": "string"},
            "reference": maybe("string", description="of the message; null where there is none"),
            "state": {"enum": [*(state.value for state in State), None]},
            "reason": {"enum": [*(reason.value for reason in Reason), None]},
            "due_at": maybe("string", format="date-time"),
            "warnings": {"type": "array", "items": ref("Rule")},
        },
        "outcome",
        "event_id",
    ) | {"examples": [RECORDED_EXAMPLE]}


def _notification() -> dict[str, Any]:
    moment = maybe("string", format="date-time")
    return _object(
        {
            "reference": {"type": "string"},
            "kind": {"enum": [kind.value for kind in Kind]},
            "channel": {"enum": [channel.value for channel in Channel]},
            "generation": {"type": "integer", "minimum": 1},
            "state": {"enum": [state.value for state in State]},
            "reason": {"enum": [*(reason.value for reason in Reason), None]},
            "provider_code": maybe("string"),
            "attempts": {"type": "integer", "minimum": 0},
            **{name: moment for name in ("accepted_at", "due_at", "left_at", "ended_at")},
        },
        "reference",
        "state",
    ) | {"examples": [NOTIFICATION_EXAMPLE]}


def _page() -> dict[str, Any]:
    following = maybe("string", description=f"the cursor of the next page; pages have {PAGE} unless `limit` says more")
    found = {"notifications": {"type": "array", "items": ref("Notification")}, "next": following}
    return _object(found, "notifications", "next")


def _registry_event() -> dict[str, Any]:
    text, count = maybe("string"), maybe("integer")
    fields = {name: text for name in (*PERSON_FIELDS, *DOSE_FIELDS)} | {"number": count, "series_total": count}
    names = {"type": "array", "items": {"type": "string"}}
    return _object(
        {
            "event_id": {"type": "string"},
            "event_type": {"enum": [kind.value for kind in RegistryEvent]},
            "occurred_at": {"type": "string", "format": "date-time"},
            "dose_ids": names | {"description": "the registry's own"},
            "changed": names,
            "values": _object(fields) | {"description": "of what `changed` names, as it stands now"},
        },
        "event_id",
        "event_type",
        "values",
    ) | {"examples": [REGISTRY_EVENT_EXAMPLE]}


def _reason() -> dict[str, Any]:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_REASON_LENGTH,
        "description": "why, kept in the audit; without a person's data",
    }


def _problem() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "RFC 9457",
        "properties": {
            "type": {"const": "about:blank"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": ref("Rule")},
        },
        "required": ["type", "title", "status", "detail", "errors"],
    }


def _rule() -> dict[str, Any]:
    """Which field breaks which rule; never with the value."""
    text = {"type": "string"}
    return _object({"field": text, "rule": text, "detail": text}, "field", "rule", "detail")


def _operation_outcome() -> dict[str, Any]:
    issue = {
        "type": "object",
        "properties": {"severity": {"enum": ["error", "information"]}, "code": {"type": "string"}},
        "required": ["severity", "code"],
    }
    return {
        "type": "object",
        "description": "FHIR R4 OperationOutcome; `expression` names the element, `details` the rule",
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {"type": "array", "items": issue, "minItems": 1},
        },
        "required": ["resourceType", "issue"],
    }


def _bundle() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "FHIR R4 Bundle: one entry for each Immunization",
        "properties": {
            "resourceType": {"const": "Bundle"},
            "type": {"enum": ["batch-response", "transaction-response"]},
            "entry": {"type": "array", "items": {"type": "object", "required": ["response"]}},
        },
        "required": ["resourceType", "type", "entry"],
    }
