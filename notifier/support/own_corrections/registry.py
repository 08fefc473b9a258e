"""The registry is told that a person was corrected, by an event that goes out once the transaction is committed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

PERSON_CORRECTED = "person.corrected"


def tell(conn: Connection, person_id: str, *, at: datetime) -> None:
    """Leaves the event in the outbox: the kind and our id of the person, nothing of what they are."""
