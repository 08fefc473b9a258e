"""Turning off the links to a dose's certificate, or to all of a person's: nothing is sent, the timeline says who did it
and why. The certificate itself stays as it is; a resend makes a new link."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound, Refused
from notifier.core.ids import read_reference
from notifier.core.states import Reason, State
from notifier.services import Services
from notifier.store import audit, certificates, desk, doses, locks, notifications, persons, unknowns
from notifier.support.resend import read_reason


class Scope(StrEnum):
    """Whose links end."""

    DOSE = "dose"
    PERSON = "person"  #: of all doses; for somebody of a facility: of those that the facility recorded


@dataclass(frozen=True, slots=True)
class Revoked:
    """How many links ended, and how many messages that still waited were taken back."""

    links: int
    cancelled: int


def revoke(
    services: Services, reference: str, *, scope: Scope, only_facility: str | None, reason: str, actor: str
) -> Revoked:
    """Ends every link, also in browsers that have it open; what waits is cancelled, or it would bring a dead link.
    Raises NotFound, also for another facility's, BadInput, or Refused (`no-links`)."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        row = desk.find_visible(conn, read_reference(reference), only_facility)
        if row is None or row.dose_id is None:
            raise NotFound("there is no notification about a dose with this reference")
        shots = _doses(conn, row, scope, only_facility)
        locks.hold(conn, *(locks.dose_key(services.sealer, shot.source_id) for shot in shots))
        persons.hold(conn, row.person_id)
        each = [_revoke_one(conn, services, shot.id, scope, reason, actor) for shot in shots]
        done = Revoked(sum(one.links for one in each), sum(one.cancelled for one in each))
        if not done.links and not done.cancelled:
            raise Refused("no-links")
        return done


def _doses(conn: Connection, row: notifications.Row, scope: Scope, only_facility: str | None) -> list[desk.Row]:
    if scope is Scope.DOSE:
        return [doses.get(conn, row.dose_id)]
    theirs = doses.of_person(conn, row.person_id)
    return [shot for shot in theirs if only_facility in (None, shot.facility_id)]


def _revoke_one(conn: Connection, services: Services, dose_id: str, scope: Scope, reason: str, actor: str) -> Revoked:
    now = services.clock.now()
    taken = notifications.take_back(conn, dose_id, new=State.CANCELLED, reason=Reason.LINK_REVOKED, at=now)
    unknowns.supersede(conn, dose_id, at=now)  # or an unknown outcome would be sent again, with a new link
    links = certificates.revoke_links(conn, dose_id, reason=Reason.LINK_REVOKED, at=now)
    if links or taken:
        audit.write(
            conn,
            at=now,
            actor=actor,
            action="link.revoked",
            subject="dose",
            subject_id=dose_id,
            reason=reason,
            scope=scope.value,
            links=links,
        )
    return Revoked(links, len(taken))
