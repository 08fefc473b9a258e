"""A client of the staff face with an API key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from linkserver import create_staff_app
from notifier.access import api_keys
from notifier.access.api_keys import Scope
from notifier.services import Services

SAMPLES = Path(__file__).parents[2] / "samples"
Post = Callable[..., TestResponse]


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_staff_app(services).test_client()


@pytest.fixture
def key(services: Services) -> str:
    """A key with every scope."""
    return api_keys.add(services, name="SIMPUS", scopes=list(Scope), actor="system").text


@pytest.fixture
def post(client: FlaskClient, key: str) -> Post:
    """Posts JSON with the key; `data` sends bytes as they are."""

    def send(path: str, value: Any = None, **more: Any) -> TestResponse:
        arguments = {"data": json.dumps(value), "content_type": "application/json"} | more
        headers = {"Authorization": f"Bearer {key}"} | arguments.pop("headers", {})
        return client.post(path, headers=headers, **arguments)

    return send


def sample(name: str) -> dict[str, Any]:
    """A file of tests/samples."""
    found: dict[str, Any] = json.loads((SAMPLES / name).read_text())
    return found
