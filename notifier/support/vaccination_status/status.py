"""The status of one person on file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.messages import plan
from notifier.services import Services
from notifier.store import doses, persons
from notifier.store.persons import Person
from notifier.support.vaccination_status.programmes import programmes
from notifier.support.vaccination_status.rules import HadDose, Status, work_out


def status_of(conn: Connection, services: Services, person_id: str, *, today: date) -> Status:
    """What somebody has had, whoever gave it, and what comes next. `today`: in the person's zone (`plan.zone_of`).
    Withdrawn doses are not counted. Raises SealBroken where the person's row cannot be opened; there is no such person:
    an empty status."""
    person = persons.load(conn, services.sealer, [person_id]).get(person_id)
    if person is None:
        return Status((), (), today)
    return of_doses(doses.of_person(conn, person_id), person.birth_date, today)


def of_person(services: Services, person: Person) -> Status:
    """The same of somebody who was read already, as of today where they are."""
    with services.db.read() as conn:
        shots = doses.of_person(conn, person.id)
        zone = plan.zone_of(services, person, last_zone(conn, shots))
    return of_doses(shots, person.birth_date, services.clock.now().astimezone(zone).date())


def last_zone(conn: Connection, shots: Sequence[sa.Row[Any]]) -> str | None:
    """The zone of whoever gave the last of some doses, where somebody set one."""
    facility_id = shots[-1].facility_id if shots else None
    return doses.facility_zone(conn, facility_id) if facility_id else None


def of_doses(rows: Sequence[sa.Row[Any]], born: date | None, today: date) -> Status:
    """The status by rows of the dose table, none of them withdrawn."""
    return work_out(programmes(), [_had(row) for row in rows], born, today)


def _had(row: sa.Row[Any]) -> HadDose:
    return HadDose(
        dose_id=row.id,
        number=row.number,
        total=row.series_total,
        given_on=row.given_on,
        product=row.product or row.vaccine_code or "",
        facility=row.facility or row.facility_id,
        known=programmes().known(row.vaccine_system, row.vaccine_code, row.product),
    )
