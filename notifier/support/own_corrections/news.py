"""SMS about a request: that there is news, never what. Whoever reads it opens their account to see."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from notifier.core.errors import SealBroken
from notifier.core.states import Kind
from notifier.messages import plan
from notifier.services import Services
from notifier.store import cases, contacts, persons
from notifier.store.own_corrections import Row


def tell(conn: Connection, services: Services, row: Row, *, person_id: str) -> None:
    """Plans an SMS to the person's number, where there is one that nobody has said not to be theirs."""
    try:
        mobile = persons.get(conn, services.sealer, person_id).mobile
    except SealBroken:
        return
    if mobile is None:
        return
    if (person_id, persons.phone_index(services.sealer, mobile)) in cases.paused_numbers(conn, {person_id}):
        return
    at = services.clock.now()
    contact = contacts.find_or_add(conn, services.sealer, phone=mobile, language=row.language, at=at)
    plan.add_to_contact(conn, services, contact, Kind.REQUEST, subject_id=row.id, at=at)
