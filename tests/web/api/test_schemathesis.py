"""Schemathesis reads the description and tries to break the API: no 5xx, answers as described, no ignored key."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask, jsonify
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.openapi import from_wsgi
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from linkserver import create_staff_app
from linkserver.staff.gate import anyone
from linkserver.staff.openapi_schemas import NOTIFICATION_EXAMPLE
from notifier.access import api_keys
from notifier.access.api_keys import KeyKind, Scope
from notifier.services import Services
from tests.conftest import Build
from tests.desk import Desk

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
    unsupported_method,
]
_EXAMPLES = 20
_BOUNDED = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def open_handed(build_services: Build) -> Services:
    """Without a limit a key: hundreds of requests are made at one moment of a clock that stands still."""
    return build_services(api_rate=0)


def _schema(app: Flask) -> BaseSchema:
    return from_wsgi("/api/openapi.json", app)


def _operations(schema: BaseSchema) -> list[APIOperation[Any, Any, Any, Any]]:
    return [found.ok() for found in schema.get_all_operations()]


def _call(case: Case, key: str) -> int:
    answer = case.call_and_validate(headers={"Authorization": f"Bearer {key}"}, checks=list(_CHECKS))
    return int(answer.status_code)


def _example(operation: APIOperation[Any, Any, Any, Any], reference: str) -> Case:
    """The request that the description itself shows."""
    body = operation.definition.raw.get("requestBody")
    more: dict[str, Any] = {}
    if body:
        media_type, told = next(iter(body["content"].items()))
        more = {"body": told["example"], "media_type": media_type}
    if "{reference}" in operation.path:
        more["path_parameters"] = {"reference": reference}
    if "{event}" in operation.path:
        more["path_parameters"] = {"event": reference}
    return operation.Case(**more)


def _attack(cases: SearchStrategy[Case], key: str, seen: Counter[tuple[str, int]]) -> None:
    @_BOUNDED
    @given(case=cases)
    def attack(case: Case) -> None:
        seen[case.operation.label, _call(case, key)] += 1

    attack()


@pytest.mark.parametrize("kind", KeyKind)
def test_no_request_breaks_the_api_and_no_key_is_ignored(open_handed: Services, kind: KeyKind) -> None:
    key = api_keys.add(open_handed, name="fuzz", scopes=list(Scope), kind=kind, actor="system").text
    operations = _operations(_schema(create_staff_app(open_handed)))
    assert len(operations) == 9  # all but the description itself, which is the one that is read
    seen: Counter[tuple[str, int]] = Counter()
    for operation in operations:
        seen[operation.label, _call(_example(operation, "0000000000"), key)] += 1
        for mode in GenerationMode:
            with suppress(Unsatisfiable):  # nothing about this operation can be wrong
                _attack(operation.as_strategy(generation_mode=mode), key, seen)
    assert {label for label, _ in seen} == {operation.label for operation in operations}
    assert seen.total() > len(operations) * _EXAMPLES
    assert {status for _, status in seen} >= {200, 202, 404, 422}


def test_what_stands_in_the_database_is_not_given_away_or_broken(open_handed: Services) -> None:
    """The operations on one message, on one that is there: each as its example says, then with whatever body."""
    desk = Desk(open_handed)
    key = api_keys.add(open_handed, name="fuzz", scopes=list(Scope), actor="system").text
    schema = _schema(create_staff_app(open_handed))
    reference = str(desk.record().reference)
    for operation in _operations(schema):
        if "{reference}" not in operation.path:
            continue
        found: Counter[tuple[str, int]] = Counter()
        _attack(operation.as_strategy(path_parameters={"reference": reference}), key, found)
        assert not {status for _, status in found} & {401, 403, 404}


def test_a_route_that_forgot_to_ask_for_a_key_would_be_found(open_handed: Services) -> None:
    app = create_staff_app(open_handed)
    app.view_functions["api.notification"] = anyone(lambda reference: jsonify(NOTIFICATION_EXAMPLE))
    key = api_keys.add(open_handed, name="fuzz", scopes=list(Scope), actor="system").text
    operation = _schema(app)["/api/v1/notifications/{reference}"]["GET"]
    with pytest.raises(FailureGroup) as caught:
        _call(_example(operation, "0000000000"), key)
    assert "IgnoredAuth" in {type(one).__name__ for one in caught.value.exceptions}


def test_an_answer_that_is_not_as_described_would_be_found(open_handed: Services) -> None:
    app = create_staff_app(open_handed)
    real = app.view_functions["api.notification"]

    def wrong(reference: str) -> Any:
        return jsonify({"reference": reference, "state": "lost"})

    wrong.sertilink_access = real.sertilink_access  # type: ignore[attr-defined]
    app.view_functions["api.notification"] = wrong
    key = api_keys.add(open_handed, name="fuzz", scopes=list(Scope), actor="system").text
    operation = _schema(app)["/api/v1/notifications/{reference}"]["GET"]
    with pytest.raises(FailureGroup):
        _call(_example(operation, "0000000000"), key)
