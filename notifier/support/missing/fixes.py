"""What one tap can do about a cause. Looked at again in the transaction that does it: a page may be an hour old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from notifier.core.causes import Fix
from notifier.core.errors import NotFound, Refused
from notifier.core.states import CaseKind, CaseOutcome
from notifier.services import Services
from notifier.store import audit, cases, persons, suppressions
from notifier.support.missing.causes import Finding, causes_of
from notifier.support.new_link import plan_new_link
from notifier.support.opt_out import LIFTED


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was mended. `wait_s`: seconds until the person may be sent a link again; what else was asked for is done."""

    fix: Fix
    wait_s: int = 0


def fix(
    services: Services,
    *,
    phone: str,
    person_id: str,
    dose_id: str,
    wish: Fix,
    by: str,
    is_theirs: Callable[[Connection], bool] | None = None,
) -> Fixed:
    """Mends what keeps the certificate of a dose from whoever proved the number (E.164) and to be the person; `by`: an
    actor of the audit; `is_theirs`: whether what was proved holds still, asked with the person held. A new link goes
    with every fix, to the number on file.

    Raises NotFound where the number is not on file for the person any more or the dose is not theirs, and Refused
    (`nothing-to-mend`) where the cause is another one by now.
    """
    number, at = persons.phone_index(services.sealer, phone), services.clock.now()
    with services.db.write() as conn:
        persons.hold(conn, person_id)
        if person_id not in persons.ids_with_phone(conn, number) or not (is_theirs is None or is_theirs(conn)):
            raise NotFound("the number is not on file for this person")
        found = next((one for one in causes_of(conn, services, [person_id]) if one.dose_id == dose_id), None)
        if found is None:
            raise NotFound("the person has no such dose")
        if found.fix is not wish or wish is Fix.CORRECT_NUMBER:
            raise Refused("nothing-to-mend")
        if wish is Fix.ALLOW_SMS:
            _allow(conn, number, by, at)
        elif wish is Fix.NUMBER_IS_MINE:
            _resume(conn, person_id, number, by, at)
        return Fixed(wish, _send_link(conn, services, found, by, at))


def _send_link(conn: Connection, services: Services, found: Finding, by: str, at: datetime) -> int:
    if found.certificate_id is None:
        return 0
    wait = plan_new_link(conn, services, found.certificate_id, at=at)
    if not wait:
        _audit(conn, at, by, "missing.new-link", "person", found.person_id, reason=found.cause.value)
    return wait


def _allow(conn: Connection, number: bytes, by: str, at: datetime) -> None:
    row = suppressions.standing(conn, number)
    if row is not None and suppressions.lift(conn, number, at):
        _audit(conn, at, by, LIFTED, "suppression", row.id, channel=row.channel)


def _resume(conn: Connection, person_id: str, number: bytes, by: str, at: datetime) -> None:
    """Whoever holds the phone and knows the birth date says that the number is theirs: as the page of the link does,
    as long as no staff have made sure of the contrary."""
    if not cases.lift_pause(conn, person_id=person_id, phone_index=number, at=at):
        return
    for case in cases.open_of_person(conn, person_id, CaseKind.NOT_ME):
        if case.phone_index == number:
            cases.close(conn, case.id, outcome=CaseOutcome.UNDONE, by=by, at=at)
            _audit(conn, at, by, "not-me.undone", "case", case.id)


def _audit(conn: Connection, at: datetime, by: str, action: str, subject: str, row_id: str, **detail: str) -> None:
    audit.write(conn, at=at, actor=by, action=action, subject=subject, subject_id=row_id, **detail)
