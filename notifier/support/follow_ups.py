"""What lower rooms left for this one to do. Each is done in one transaction with the row that asks for it, so that a
worker that dies leaves it undone and whole; one that fails waits, longer each time, and keeps no other waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.core.states import CaseKind, FollowUp
from notifier.services import Services
from notifier.store import cases, follow_ups, persons
from notifier.support import lockouts, otp
from notifier.support.missing import arrivals
from notifier.support.own_corrections import tending

_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(hours=1)
_MOST = 200  # in one go; the next tick finds the rest

_log = logging.getLogger(__name__)


def run(services: Services) -> int:
    """Does what is due; how many were taken up. Safe to run anywhere, any number at once."""
    taken = 0
    while taken < _MOST and _do_one(services):
        taken += 1
    return taken


def _do_one(services: Services) -> bool:
    at, row = services.clock.now(), None
    try:
        with services.db.write() as conn:
            row = follow_ups.take(conn, at)
            if row is None:
                return False
            _DEEDS[FollowUp(row.kind)](conn, services, row.subject_id, since=row.created_at)
            follow_ups.done(conn, row.id, at)
    except Exception as error:
        if row is None:
            raise
        _log.error("a follow-up failed", extra={"error": type(error).__name__, "kind": row.kind, "row_id": row.id})
        with services.db.write() as conn:
            follow_ups.put_off(conn, row.id, until=at + min(_FIRST_WAIT * 2 ** min(row.attempts, 20), _LONGEST_WAIT))
    return True


def _settle_number(conn: Connection, services: Services, person_id: str, *, since: datetime) -> None:
    """Another number came: what was said of the old one needs nobody any more. Its pause stays, should it come back."""
    persons.hold(conn, person_id)
    mobile = persons.get(conn, services.sealer, person_id).mobile
    now = persons.phone_index(services.sealer, mobile) if mobile else None
    for case in cases.open_of_person(conn, person_id, CaseKind.NOT_ME):
        if case.phone_index != now:
            lockouts.close_corrected(conn, case, services.clock.now())


_DEEDS: dict[FollowUp, Callable[..., None]] = {
    FollowUp.PERSON_LOCKED: lockouts.tell_owner,
    FollowUp.BIRTH_DATE_CORRECTED: lockouts.start_anew,
    FollowUp.NUMBER_CORRECTED: _settle_number,
    FollowUp.CODE_ASKED: otp.send_code,
    FollowUp.DOSE_ARRIVED: arrivals.dose_arrived,
    FollowUp.CASE_REPORTED: arrivals.case_reported,
    FollowUp.CORRECTION_DUE: tending.tend,
}
