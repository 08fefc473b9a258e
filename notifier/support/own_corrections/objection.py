"""The old number is told that another one took its place, and may object for 48 hours.

An objection changes nothing back: whoever has the old number now may be a stranger to whom the provider gave it. It
ends the links at the new number and keeps SMS from it until somebody has looked; the case on the facility's list is
that of "this is not for me" (support.not_me). The links are revoked and not only paused, since the page of a paused one
can be asked to lift the pause.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from notifier.core.link_tokens import new_public_id
from notifier.core.own_corrections import OBJECTION
from notifier.core.states import CaseKind, Kind, Reason
from notifier.messages import plan
from notifier.services import Services
from notifier.store import audit, cases, certificates, contacts, notifications, own_corrections, persons
from notifier.store.own_corrections import Row
from notifier.support.link_buttons import DUE_AFTER

DOOR = "door:me"


def offer(conn: Connection, services: Services, row: Row, old_number: str) -> None:
    """Tells the number that was on file, in the transaction that changes it."""
    at = services.clock.now()
    own_corrections.note(conn, row.id, objection_id=new_public_id(), objection_until=at + OBJECTION)
    contact = contacts.find_or_add(conn, services.sealer, phone=old_number, language=row.language, at=at)
    plan.add_to_contact(conn, services, contact, Kind.NUMBER, subject_id=row.id, at=at)


def is_open(services: Services, token: str) -> bool:
    """Whether the holder of a token may object, or has. Raises BadToken for a forged one, before anything is read."""
    public_id = services.objections.read(token)
    with services.db.read() as conn:
        row = own_corrections.find_objection(conn, public_id)
    return row is not None and services.clock.now() < row.objection_until


def object_to(services: Services, token: str) -> bool:
    """Keeps SMS and links from the new number until somebody has looked; False where it is too late. Said twice it is
    one case. Raises BadToken."""
    public_id, now = services.objections.read(token), services.clock.now()
    with services.db.write() as conn:
        row = own_corrections.find_objection(conn, public_id)
        if row is None or row.person_id is None or now >= row.objection_until:
            return False
        persons.hold(conn, row.person_id)
        row = own_corrections.get(conn, row.id, lock=True)
        if row is None or row.objected_at is not None:
            return row is not None
        own_corrections.note(conn, row.id, objected_at=now)
        audit.write(conn, at=now, actor=DOOR, action="correction.objected", subject="correction", subject_id=row.id)
        _pause(conn, services, row)
    return True


def _pause(conn: Connection, services: Services, row: Row) -> None:
    """The new number, where it still is the person's."""
    now, person = services.clock.now(), persons.get(conn, services.sealer, row.person_id)
    value = own_corrections.values_of(services.sealer, row).value
    if person.mobile is None or person.mobile != value:
        return
    number = persons.phone_index(services.sealer, person.mobile)
    notifications.unclaim_person(conn, person.id, at=now)  # a sender that has read that nothing is paused is waited for
    certificates.revoke_sent_links(conn, person.id, reason=Reason.NOT_ME, at=now)
    case = cases.insert_new(
        conn,
        kind=CaseKind.NOT_ME,
        opened_at=now,
        due_at=now + DUE_AFTER,
        person_id=person.id,
        facility_id=row.facility_id,
        phone_index=number,
    )
    if case is not None:
        cases.pause_number(conn, person_id=person.id, phone_index=number, case_id=case.id, at=now)
