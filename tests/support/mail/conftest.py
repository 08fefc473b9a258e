"""An installation with a mailbox on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from notifier.services import Services
from tests.mail_server import MailServer, a_mail_server


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    with a_mail_server() as server:
        yield server


@pytest.fixture
def posted(build_services: Callable[..., Services], mailbox: MailServer) -> Services:
    """Services that read `mailbox`."""
    return build_services(**mailbox.settings)


@pytest.fixture
def each_posted(build_services: Callable[..., Services], mailbox: MailServer, each_database_url: str) -> Services:
    """The same on SQLite, then on PostgreSQL."""
    values: dict[str, Any] = mailbox.settings | {"database_url": each_database_url}
    return build_services(**values)
