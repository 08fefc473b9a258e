"""A desk: two agents, letters that came, a person with a dose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from notifier.access.roles import Role
from notifier.services import Services
from notifier.store import staff
from notifier.store.tables import mail_in, support_case
from notifier.support.mail import work
from tests.letters import a_letter
from tests.mail_server import MailServer, a_mail_server
from tests.web.staff.conftest import add_staff


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    with a_mail_server() as server:
        yield server


@pytest.fixture
def services(build_services: Callable[..., Services], mailbox: MailServer) -> Services:
    """Services that read `mailbox`."""
    return build_services(**mailbox.settings)


@pytest.fixture
def agents(services: Services) -> tuple[str, str]:
    """The ids of Oki and Ani, who are operators."""
    return add_staff(services, "oki", Role.OPERATOR, None), add_staff(services, "ani", Role.OPERATOR, None)


Write = Callable[..., str]


@pytest.fixture
def written(services: Services, mailbox: MailServer) -> Write:
    """Somebody writes: `written(...)` as a_letter; the reference of the case that it belongs to."""

    def write(*args: Any, **more: Any) -> str:
        mailbox.put(a_letter(*args, **more))
        work.run(services)
        with services.db.read() as conn:
            newest = mail_in.select().order_by(mail_in.c.received_at.desc(), mail_in.c.id.desc()).limit(1)
            case_id = conn.execute(newest).one().case_id
            return str(conn.execute(support_case.select().where(support_case.c.id == case_id)).one().reference)

    return write


def name_of(services: Services, staff_id: str) -> str:
    with services.db.read() as conn:
        row = staff.get(conn, staff_id)
        assert row is not None
        return str(row.username)
