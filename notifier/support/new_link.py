"""A new link to the number on file, asked for by somebody who holds an old one: so many a person and day, no more.

The message is planned like any other and decided about again before it leaves: whoever asks learns nothing from here,
neither the number nor whether it takes messages.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, seconds_to_wait
from notifier.core.states import Kind, State
from notifier.messages import plan
from notifier.messages.plan import PlanOptions, Subject
from notifier.services import Services
from notifier.store import certificates, doses, notifications, persons

#: messages that somebody may have sent to a person by asking; each costs, and rings
NEW_LINKS = Limit("new-link:person", 3, timedelta(hours=24))
_GOING = (State.SCHEDULED, State.CLAIMED)
_AT_ONCE = PlanOptions(delay=timedelta(0), any_hour=True)


def plan_new_link(
    conn: Connection, services: Services, certificate_id: str, *, at: datetime, limit: Limit = NEW_LINKS
) -> int:
    """Plans a renewal with a link of its own for a certificate, to go at once. 0 where it is planned, or one that was
    asked for still waits; else the seconds until the person may be sent one again.

    A number that cannot receive gets a row that is `suppressed` and says why, for staff.
    """
    row = certificates.get(conn, certificate_id)
    # two who ask at once for one person wait for each other at this count
    wait = seconds_to_wait(conn, limit, row.person_id, at)
    if wait or _one_waits(conn, row.dose_id):
        return wait
    add_renewal(conn, services, certificate_id, at=at)
    return 0


def add_renewal(conn: Connection, services: Services, certificate_id: str, *, at: datetime) -> notifications.Row:
    """The message itself, due now; whoever calls this has looked at the limits."""
    row = certificates.get(conn, certificate_id)
    shot = doses.get(conn, row.dose_id)
    zone = doses.facility_zone(conn, shot.facility_id) if shot.facility_id else None
    person = persons.get(conn, services.sealer, row.person_id)
    subject = Subject(person, row.dose_id, certificate_id, zone)
    return plan.add(conn, services, subject, Kind.RENEWAL, accepted_at=at, options=_AT_ONCE, due_at=at)


def _one_waits(conn: Connection, dose_id: str) -> bool:
    return any(row.kind == Kind.RENEWAL and row.status in _GOING for row in notifications.of_dose(conn, dose_id))
