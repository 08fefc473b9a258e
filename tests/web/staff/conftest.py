"""The staff face over a temporary database, and colleagues of each role at their browsers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from linkserver import create_staff_app
from notifier.access import accounts
from notifier.access.passwords import Passwords
from notifier.access.roles import Role
from notifier.services import Services

PASSWORD = "tiga kucing oren"
FACILITY = "pkm-1"
OTHER_FACILITY = "pkm-2"
_HASH = Passwords(memory_kib=64, passes=1)
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')

#: what Siti's form holds before anything is changed
SITI = {
    "nik": "3174035002890009",
    "name": "Siti Aminah",
    "birth_day": "10",
    "birth_month": "2",
    "birth_year": "1989",
    "phone": "0812-3456-7890",
    "no_phone": "",
    "product": "CoronaVac",
    "lot": "BX-2201",
    "number": "1",
    "series_total": "2",
    "given_day": "23",
    "given_month": "11",
    "given_year": "2026",
    "delay": "default",
    "delay_hours": "",
    "language": "id",
}


def add_staff(services: Services, username: str, role: Role, facility_id: str | None = FACILITY) -> str:
    """An account with PASSWORD; its id."""
    return accounts.add(
        services,
        _HASH,
        username=username,
        display_name=username.capitalize(),
        password=PASSWORD,
        role=role,
        actor="test",
        facility_id=facility_id,
        facility_name=f"Puskesmas {facility_id}" if facility_id else None,
    )


@dataclass
class Desk:
    """One colleague's browser. `post` adds the CSRF token that its last page held, as a form does."""

    client: FlaskClient
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self._kept(self.client.get(path, headers=self.headers, **more))

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        return self._kept(
            self.client.post(path, data={"csrf_token": self.token} | (data or {}), headers=self.headers, **more)
        )

    def sign_in(self, username: str, password: str = PASSWORD, next_path: str = "/") -> TestResponse:
        self.get("/sign-in")
        response = self.post("/sign-in", {"username": username, "password": password, "next": next_path})
        if response.status_code == 303:
            self.get("/account")  # a fresh CSRF token: the old one ended with the old cookie
        return response

    def key(self) -> str:
        """The hidden key of a fresh dose form."""
        found = re.search(r'name="key" value="([^"]+)"', self.get("/doses/new").text)
        assert found
        return found[1]

    def enter_dose(self, **changes: str) -> TestResponse:
        """Types a dose and confirms it; the page after."""
        typed = SITI | {"key": self.key()} | changes
        checked = self.post("/doses/new", typed | {"step": "check"})
        assert checked.status_code == 200, checked.text
        box = re.search(r'name="checked" value="([^"]+)"', checked.text)
        return self.post("/doses/new", typed | {"step": "record"} | ({"checked": box[1]} if box else {}))

    def entered(self, **changes: str) -> str:
        """The reference of a dose that was typed and recorded."""
        response = self.enter_dose(**changes)
        assert response.status_code == 303, response.text
        return response.location.rpartition("/")[2]

    def _kept(self, response: TestResponse) -> TestResponse:
        found = _CSRF.search(response.text) if response.mimetype == "text/html" else None
        if found:
            self.token = found[1]
        return response


@pytest.fixture
def app(services: Services) -> Flask:
    return create_staff_app(services)


NewDesk = Callable[..., Desk]


@pytest.fixture
def new_desk(app: Flask, services: Services) -> NewDesk:
    """A browser; `new_desk("sari", Role.HEALTH_WORKER)` is signed in."""

    def make(username: str | None = None, role: Role | None = None, facility_id: str | None = FACILITY) -> Desk:
        desk = Desk(app.test_client())
        if username is not None and role is not None:
            add_staff(services, username, role, facility_id)
            assert desk.sign_in(username).status_code == 303
        return desk

    return make


@pytest.fixture
def worker(new_desk: NewDesk) -> Desk:
    """A health worker of FACILITY."""
    return new_desk("sari", Role.HEALTH_WORKER)


@pytest.fixture
def operator(new_desk: NewDesk) -> Desk:
    return new_desk("oki", Role.OPERATOR, None)
