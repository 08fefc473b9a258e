"""A new link instead of one that has expired: one tap, to the number on file, and the same answer whatever comes of it.

Whether it may be sent (opt-out, a paused number, no number) the decision before sending says, as for every message: the
reason then stands in its timeline, where staff find it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, TryLimits
from notifier.certificates.opening import DOOR, LinkState
from notifier.core.states import NOT_LEFT, Kind, State
from notifier.services import Services
from notifier.store import audit, notifications
from notifier.support.link_buttons import Pressed, press
from notifier.support.new_link import add_renewal

RENEWALS = TryLimits(
    overall=Limit("renew:all", 600, timedelta(minutes=1)),  # each costs an SMS
    address=Limit("renew:address", 60, timedelta(minutes=10)),
    link=Limit("renew:link", 12, timedelta(minutes=10)),
)
#: new links that a person's expired ones may ask for, whoever holds them
MOST_A_DAY = 3
#: taps so shortly after one another are one wish
SAME_WISH = timedelta(minutes=10)


def renew(services: Services, token: str, *, address: str, limits: TryLimits = RENEWALS) -> Pressed[bool]:
    """Plans an SMS with a new link to the certificate behind an expired one. `result` is None where the link is not
    expired or too many pressed; else whether one was planned, which nobody outside may learn."""

    def deed(conn: Connection, row: sa.Row[Any], at: datetime) -> bool:
        if not _is_due(conn, row.person_id, row.certificate_id, at):
            return False
        _plan(conn, services, row, at)
        return True

    return press(services, token, deed, states={LinkState.EXPIRED}, address=address, limits=limits)


def _is_due(conn: Connection, person_id: str, certificate_id: str, at: datetime) -> bool:
    """Not where one still waits or was asked for a moment ago, nor beyond the day's number."""
    today = notifications.of_person(conn, person_id, kind=Kind.RENEWAL, since=at - timedelta(days=1))
    same = [row for row in today if row.certificate_id == certificate_id]
    going = [row for row in same if State(row.status) in {*NOT_LEFT, State.SENDING} or row.created_at > at - SAME_WISH]
    return not going and len(today) < MOST_A_DAY


def _plan(conn: Connection, services: Services, row: sa.Row[Any], at: datetime) -> None:
    asked = add_renewal(conn, services, row.certificate_id, at=at)
    audit.write(
        conn,
        at=at,
        actor=DOOR,
        action="link.renewal-asked",
        subject="link",
        subject_id=row.link_id,
        reference=asked.reference,
    )
