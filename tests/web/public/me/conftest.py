"""A browser at /me, and the phone beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from notifier.services import Services
from tests.builders import MadeCertificate, a_certificate
from tests.support.account.phones import KNOWN, sms_of
from tests.web.public.conftest import NewVisitor, Visitor

NAME = "Siti Aminah"
_KEY = re.compile(r'name="key" value="([0-9a-f]+)"')
_CODE = re.compile(r"\b(\d{6})\b")


@dataclass
class Owner:
    """Somebody with a browser at /me and a phone."""

    visitor: Visitor
    services: Services
    phone: str = KNOWN
    address: str = "203.0.113.1"

    def get(self, path: str = "/me") -> TestResponse:
        return self.visitor.get(path)

    def post(self, path: str, **form: str) -> TestResponse:
        """A form of a page of ours, with its key; through `press` without looking for one."""
        page = self.get("/me").text if "/me" in path else ""
        found = _KEY.search(page) or _KEY.search(self.get("/me/name").text)
        return self.press(path, **({"key": found.group(1)} if found else {}), **form)

    def press(self, path: str, **form: str) -> TestResponse:
        return self.visitor.post(path, form, environ_base={"REMOTE_ADDR": self.address})

    def ask(self, phone: str | None = None) -> TestResponse:
        return self.press("/me", phone=phone or self.phone)

    def code(self) -> str:
        """The newest one that came to the phone."""
        texts = [sms.text for sms in sms_of(self.services) if sms.to == self.phone and _CODE.search(sms.text)]
        found = _CODE.search(texts[-1])
        assert found is not None
        return found.group(1)

    def enter(self) -> TestResponse:
        """Signs in; the answer to the code."""
        assert self.ask().status_code == 303
        return self.press("/me/code", code=self.code())

    def sign_in(self, name: str = NAME) -> Owner:
        """In, with the name told."""
        assert self.enter().status_code == 303
        if self.get("/me").status_code == 303:
            assert self.post("/me/name", name=name).status_code == 303
        assert self.get("/me").status_code == 200
        return self

    def open(self, person_id: str, day: str = "10", month: str = "2", year: str = "1989") -> TestResponse:
        return self.post(f"/me/{person_id}", day=day, month=month, year=year)

    def certificate(self, made: MadeCertificate) -> TestResponse:
        """Opens a certificate; the way to its view."""
        return self.post(f"/me/{made.person_id}/certificate", certificate=made.certificate_id)


@pytest.fixture
def owner(services: Services, new_visitor: NewVisitor) -> Owner:
    return Owner(new_visitor(), services)


@pytest.fixture
def siti(services: Services) -> MadeCertificate:
    return a_certificate(services)
