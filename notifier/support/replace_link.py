"""Who looked at a certificate, and "replace my link": the person shuts out whoever else holds a link to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from notifier.certificates.opening import DOOR
from notifier.core.errors import NotFound
from notifier.core.states import Reason
from notifier.messages.plan import zone_of
from notifier.services import Services
from notifier.store import audit, certificates, notifications, openings, persons
from notifier.store.openings import OpeningKind
from notifier.support.new_link import plan_new_link

#: each kind apart: whoever has the number alone can check it all day, with any agent, and hides no opening by it
_SHOWN, _SHOWN_CHECKS, _SHOWN_OF_ROBOTS = 30, 10, 5


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done; `device` is a kind of device; openings.ROBOT is nobody's browser."""

    at: datetime
    kind: OpeningKind
    device: str


@dataclass(frozen=True, slots=True)
class History:
    """The last deeds, newest first, in the person's zone; and how often each was done, people and robots apart."""

    zone: ZoneInfo
    deeds: list[Deed]
    by_people: dict[OpeningKind, int]
    by_robots: int


def history(services: Services, certificate_id: str) -> History:
    """What was done with a certificate. Raises NotFound, SealBroken."""
    with services.db.read() as conn:
        own = next((row for row in openings.certificate_with_doses(conn, certificate_id) if row.is_own), None)
        if own is None:
            raise NotFound("certificate")
        holder = persons.get(conn, services.sealer, own.person_id)
        rows = [
            *openings.of_certificate(conn, own.person_id, certificate_id, _SHOWN),
            *openings.of_certificate(conn, own.person_id, certificate_id, _SHOWN_CHECKS, checks=True),
            *openings.of_certificate(conn, own.person_id, certificate_id, _SHOWN_OF_ROBOTS, by_robots=True),
        ]
        counts = openings.counts_of_certificate(conn, own.person_id, certificate_id)
    return History(
        zone=zone_of(services, holder, own.facility_zone),
        deeds=[
            Deed(each.at, OpeningKind(each.kind), each.device)
            for each in sorted(rows, key=attrgetter("at"), reverse=True)
        ],
        by_people={kind: count for (kind, by_robot), count in counts.items() if not by_robot},
        by_robots=sum(count for (_kind, by_robot), count in counts.items() if by_robot),
    )


def replace_link(services: Services, certificate_id: str) -> int:
    """Turns off every link to a certificate that was sent, in all browsers at once, and sends a new one to the number
    on file. 0 where it is done; else, with nothing changed, the seconds until it may be done again.

    Where the number can receive nothing the links go all the same: the person wants them shut, and staff see why no
    message went.
    """
    now = services.clock.now()
    with services.db.write() as conn:
        row = certificates.get(conn, certificate_id)
        persons.hold(conn, row.person_id)
        # a sender that has read that its link is live loses its lease, or is waited for: what waits stays the new link
        notifications.unclaim_person(conn, row.person_id, at=now)
        wait = plan_new_link(conn, services, row.id, at=now)
        if wait:
            return wait
        ended = certificates.revoke_sent_links(
            conn, row.person_id, certificate_id=row.id, reason=Reason.LINK_REVOKED, at=now
        )
        audit.write(
            conn, at=now, actor=DOOR, action="link.replaced", subject="person", subject_id=row.person_id, ended=ended
        )
    return 0
