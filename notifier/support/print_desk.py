"""The print desk: a certificate's link on paper, for people without signal or telephone.

Each sheet has a link of its own, which lives as long as others and opens with the birth date like others. Making one
turns the sheets before it off, so that one sheet of a dose is good at a time; none can be shown a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from notifier.certificates.qr import QrMatrix, make_qr
from notifier.core.errors import Refused, SealBroken
from notifier.core.identity import initial_of
from notifier.core.states import DoseStatus, Reason
from notifier.services import Services
from notifier.store import audit, certificates, doses, locks, persons, printed
from notifier.store.desk import Row

MOST = 5  #: sheets of one dose in a day
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the print desk says beforehand. `refused` says why no sheet can be made now."""

    left: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is printed. `link` and `qr` are the person's secret: they stand in one answer and nowhere else."""

    link: str = field(repr=False)
    qr: QrMatrix = field(repr=False)
    initial: str
    dose_number: int | None
    facility: str | None
    made_at: datetime
    expires_at: datetime
    turned_off: int  #: sheets made before, which open no more


def look(services: Services, row: Row) -> Desk:
    """Whether a sheet can be made for the dose of a notification, and how many more today."""
    with services.db.read() as conn:
        return _look(conn, services, row, services.clock.now())


def make_sheet(services: Services, row: Row, *, actor: str) -> Sheet:
    """A new sheet for the dose of a notification; those before it open no more. Raises Refused with the reason."""
    now = services.clock.now()
    expires_at = now + timedelta(days=services.settings.link_days)
    with services.db.write() as conn:
        if row.dose_id is None:
            raise Refused("no-valid-certificate")
        shot = doses.get(conn, row.dose_id)
        # two at once, or an event of the same dose, stand in line
        locks.hold(conn, locks.dose_key(services.sealer, shot.source_id))
        shot = doses.get(conn, row.dose_id)
        desk = _look(conn, services, row, now)
        certificate_id = certificates.valid_of_dose(conn, shot.id)
        if desk.refused or certificate_id is None:
            raise Refused(desk.refused or "no-valid-certificate")
        turned_off = printed.revoke(conn, shot.id, at=now)
        public_id = printed.add(
            conn, certificate_id=certificate_id, person_id=shot.person_id, at=now, expires_at=expires_at
        )
        person = persons.get(conn, services.sealer, shot.person_id)
        audit.write(
            conn,
            at=now,
            actor=actor,
            action="link.printed",
            subject="dose",
            subject_id=shot.id,
            reference=row.reference,
            ended=turned_off,
        )
        # still inside: where the link cannot be signed, the sheet before it stays good
        link = services.link_url(public_id)
        code = make_qr(link)
    return Sheet(link, code, initial_of(person.name), shot.number, shot.facility, now, expires_at, turned_off)


def _look(conn: Connection, services: Services, row: Row, now: datetime) -> Desk:
    if row.dose_id is None:
        return Desk(0, "no-valid-certificate")
    shot = doses.get(conn, row.dose_id)
    left = max(0, MOST - printed.count_since(conn, shot.id, now - DAY))
    return Desk(left, _refusal(conn, services, shot, left))


def _refusal(conn: Connection, services: Services, shot: Row, left: int) -> str | None:
    if shot.status == DoseStatus.WITHDRAWN:
        return Reason.WITHDRAWN.value
    if certificates.valid_of_dose(conn, shot.id) is None:
        return "no-valid-certificate"
    try:
        person = persons.get(conn, services.sealer, shot.person_id)
    except SealBroken:
        return Reason.UNREADABLE.value
    if person.locked_at is not None:
        return "person-locked"  # its sheet would open nothing
    return None if left else "print-limit"
