"""People who report a missing certificate, and what reaches them."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from notifier.core.states import CaseParty, CaseSource, StepKind
from notifier.services import Services
from notifier.store import case_reports, case_steps
from notifier.store.tables import support_case
from notifier.support import follow_ups
from notifier.support.missing.facts import Facts
from notifier.support.missing.reports import Reported, report

PHONE, OTHER = "+6281234567890", "+6285700001111"
ADDRESS = "198.51.100.7"
#: as tests.builders.an_event has it, reported from memory
FACTS = Facts(
    name="Siti Aminah",
    birth_date=date(1989, 2, 10),
    given_on=date(2026, 11, 13),
    place="Puskesmas Menteng",
    phone=PHONE,
)


def reported(services: Services, facts: Facts = FACTS, *, works: bool = True, **options: Any) -> Reported:
    """A report; `works`: the workers have done their part too."""
    asked = {"source": CaseSource.WEB, "language": "id", "address": ADDRESS, "is_proven": True} | options
    answer = report(services, facts, **asked)
    if works:
        follow_ups.run(services)
    return answer


def case_of(services: Services, reference: str) -> Any:
    with services.db.read() as conn:
        return conn.execute(sa.select(support_case).where(support_case.c.reference == reference)).one()


def steps_of(services: Services, case_id: str) -> list[StepKind]:
    with services.db.read() as conn:
        return [StepKind(step.kind) for step in case_steps.of_case(conn, case_id)]


def at_facility(services: Services, facility_id: str, facts: Facts = FACTS, **options: Any) -> str:
    """The reference of a report that a facility has to answer."""
    made = reported(services, facts, **options)
    with services.db.write() as conn:
        case_reports.change(conn, made.case_id, facility_id=facility_id, waits_for=CaseParty.FACILITY.value)
    return made.reference
