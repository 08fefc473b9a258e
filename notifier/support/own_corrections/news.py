"""SMS about a request: that there is news, never what. Whoever reads it opens their account to see."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from notifier.services import Services
from notifier.store.own_corrections import Row


def tell(conn: Connection, services: Services, row: Row, *, person_id: str) -> None:
    """Plans an SMS to the person's number, where there is one."""
