"""The SMS at each step of a case: "there is news", with the link to its tracker, and not a word more."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, seconds_to_wait
from notifier.core.states import Kind
from notifier.messages import plan
from notifier.services import Services
from notifier.store import case_reports, contacts

#: SMS about one person's cases a day; the tracker says it all the same
MOST = Limit("case-sms:number", 3, timedelta(days=1))


def tell(conn: Connection, services: Services, case: case_reports.Row, *, at: datetime) -> bool:
    """Plans the SMS that something has happened to a case; whether one goes. None to a number that nobody has proven,
    none beside one that still waits, and a few a day: whoever reported can always look."""
    if case.contact_id is None or case.confirmed_at is None or case.public_id is None:
        return False
    known = contacts.load(conn, services.sealer, [case.contact_id]).get(case.contact_id)
    if known is None or contacts.has_waiting(conn, contact_id=case.contact_id, subject_id=case.id):
        return False
    if case.phone_index is None or seconds_to_wait(conn, MOST, case.phone_index.hex(), at):
        return False
    plan.add_to_contact(conn, services, known, Kind.CASE, subject_id=case.id, at=at)
    return True
