"""The public face over a temporary database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from linkserver import create_public_app
from notifier.services import Services
from tests.builders import MadeCertificate, a_certificate

RIGHT = {"day": "10", "month": "2", "year": "1989"}
WRONG = {"day": "1", "month": "5", "year": "1980"}


@dataclass(frozen=True)
class Visitor:
    """A browser with its own cookies."""

    client: FlaskClient

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> TestResponse:
        return self.client.post(path, data=data, **options)

    def opened(self, made: MadeCertificate) -> str:
        """Opens a link with the right date; the address of the view."""
        response = self.post(f"/c/{made.token}", RIGHT)
        assert response.status_code == 303
        return response.location


NewVisitor = Callable[..., Visitor]


@pytest.fixture
def new_visitor(services: Services) -> NewVisitor:
    """A fresh browser at the public face; `new_visitor(other_services)` at a face of its own."""

    def make(at: Services | None = None) -> Visitor:
        return Visitor(create_public_app(at or services).test_client())

    return make


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    return new_visitor()


@pytest.fixture
def made(services: Services) -> MadeCertificate:
    """Siti's certificate, with a live link."""
    return a_certificate(services)


#: headers that differ between any two answers
CHANGING = frozenset({"X-Request-Id", "Date"})


def told(response: TestResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    """All that an answer tells: status, body, headers."""
    headers = [(name, value) for name, value in response.headers.items() if name not in CHANGING]
    return response.status_code, response.data, headers
