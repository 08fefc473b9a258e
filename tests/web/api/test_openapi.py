"""The description: it names each route for machines and no other, its examples hold, and the page shows all of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from schemathesis.openapi import from_dict

from linkserver.staff.gate import access_of
from notifier.access.api_keys import Scope
from notifier.support.magic_numbers import NUMBERS
from tests.web.api.conftest import Post


@pytest.fixture
def described(client: FlaskClient) -> dict[str, Any]:
    found = client.get("/api/openapi.json").json
    assert found is not None
    return found


def _operations(described: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (path, method): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def test_the_description_names_every_route_for_machines_and_no_other(
    client: FlaskClient, described: dict[str, Any]
) -> None:
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(("/api", "/fhir"))
    }
    assert routes == set(_operations(described))


def test_each_operation_names_the_scope_that_its_route_asks_for(client: FlaskClient, described: dict[str, Any]) -> None:
    for rule in client.application.url_map.iter_rules():
        if not rule.rule.startswith(("/api", "/fhir")):
            continue
        access = access_of(client.application.view_functions[rule.endpoint])
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = described["paths"][rule.rule.replace("<", "{").replace(">", "}")][method.lower()]
            if isinstance(access, Scope):
                assert operation["x-scope"] == access.value
                assert "401" in operation["responses"]
                assert "security" not in operation
            else:
                assert operation["security"] == []


def test_the_description_is_one_that_a_tool_can_use(described: dict[str, Any]) -> None:
    schema = from_dict(described)
    schema.validate()
    assert len(list(schema.get_all_operations())) == len(_operations(described))
    names = [operation["operationId"] for operation in _operations(described).values()]
    assert len(names) == len(set(names))
    text = str(described)
    used = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert used == set(described["components"]["schemas"])


def test_the_examples_of_what_is_sent_are_taken(post: Post, described: dict[str, Any]) -> None:
    for path, name in (("/api/v1/vaccinations", "application/json"), ("/fhir/R4", "application/fhir+json")):
        example = described["paths"][path]["post"]["requestBody"]["content"][name]["example"]
        assert post(path, example, content_type=name).status_code in {200, 202}
    example = described["paths"]["/fhir/R4/Immunization"]["post"]["requestBody"]["content"]["application/fhir+json"][
        "example"
    ]
    assert post("/fhir/R4/Immunization", example, content_type="application/fhir+json").status_code == 200


def test_the_page_shows_every_operation_number_and_a_command(client: FlaskClient, described: dict[str, Any]) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    for (path, method), operation in _operations(described).items():
        if "security" not in operation:
            assert f"{method.upper()} {path}" in page.text
            assert operation["x-codeSamples"][0]["source"].startswith("curl")
    for magic in NUMBERS:
        assert magic.number in page.text
        assert magic.number in described["info"]["description"]
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)
    assert "<script" not in page.text
