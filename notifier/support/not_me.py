"""\"This is not for me\": whoever has the number says that the person does not. Links and SMS to that number about that
person pause at once, and a case asks the facility to look. Others on the same phone are not touched.

The page undoes what the page did, as long as no staff have decided (support.cases).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.limits import Limit, TryLimits
from notifier.certificates.opening import DOOR, LinkState, look
from notifier.core.states import CaseKind, CaseOutcome
from notifier.services import Services
from notifier.store import audit, cases, notifications, openings
from notifier.support.link_buttons import DUE_AFTER, number_of, press
from notifier.support.opt_out import NumberLook, Standing

#: for the buttons of the page: each yes puts a case on somebody's list
NOT_MES = TryLimits(
    overall=Limit("not-me:all", 600, timedelta(minutes=1)),
    address=Limit("not-me:address", 60, timedelta(minutes=10)),
    link=Limit("not-me:link", 8, timedelta(hours=1)),
)
_OPEN_TO = frozenset({LinkState.LIVE, LinkState.PAUSED})


def look_at_claim(services: Services, token: str) -> NumberLook:
    """What the page shows. Reads only; a forged token reads nothing."""
    seen = look(services, token)
    if seen.state not in _OPEN_TO or seen.public_id is None:
        return NumberLook(seen)
    with services.db.read() as conn:
        row = openings.find(conn, seen.public_id)
        return NumberLook(seen, _standing(conn, row) if row is not None else None)


def say_not_me(services: Services, token: str, *, address: str, limits: TryLimits = NOT_MES) -> NumberLook:
    """Pauses the links and SMS about this link's person to the number that it was sent to, and opens a case; said twice
    it is one."""

    def deed(conn: Connection, row: sa.Row[Any], at: datetime) -> Standing:
        number = number_of(conn, row)
        if number is not None:
            facility_id = cases.facility_of_link(conn, row.link_id)
            pause(conn, row.person_id, number, at=at, link_id=row.link_id, facility_id=facility_id)
        return _standing(conn, row)

    pressed = press(services, token, deed, states=_OPEN_TO, address=address, limits=limits)
    return NumberLook(pressed.look, pressed.result, pressed.retry_after_s)


def unsay_not_me(services: Services, token: str, *, address: str, limits: TryLimits = NOT_MES) -> NumberLook:
    """Takes it back: links and SMS go on, the case is closed as undone."""

    def deed(conn: Connection, row: sa.Row[Any], at: datetime) -> Standing:
        number = number_of(conn, row)
        if number is not None:
            unpause(conn, row.person_id, number, at=at)
        return _standing(conn, row)

    pressed = press(services, token, deed, states=_OPEN_TO, address=address, limits=limits)
    return NumberLook(pressed.look, pressed.result, pressed.retry_after_s)


def pause(
    conn: Connection,
    person_id: str,
    number: bytes,
    *,
    at: datetime,
    actor: str = DOOR,
    link_id: str | None = None,
    facility_id: str | None = None,
) -> bool:
    """Pauses what goes to a number (its blind index) about a person, and opens a case for the facility; False where it
    was so. The caller holds the person still."""
    if cases.pause_in_force(conn, person_id=person_id, phone_index=number) is not None:
        return False
    # a sender that has read that nothing is paused loses its lease, or is waited for
    notifications.unclaim_person(conn, person_id, at=at)
    opened = cases.insert_new(
        conn,
        kind=CaseKind.NOT_ME,
        opened_at=at,
        due_at=at + DUE_AFTER,
        person_id=person_id,
        link_id=link_id,
        facility_id=facility_id,
        phone_index=number,
    )
    case = opened or _open_case(conn, person_id, number)
    cases.pause_number(conn, person_id=person_id, phone_index=number, case_id=case.id, at=at)
    _audit(conn, case.id, "not-me.said", at, actor, link=link_id)
    return True


def unpause(conn: Connection, person_id: str, number: bytes, *, at: datetime, actor: str = DOOR) -> bool:
    """Takes a pause back; False where there was none."""
    if not cases.lift_pause(conn, person_id=person_id, phone_index=number, at=at):
        return False
    case = _open_case(conn, person_id, number)
    cases.close(conn, case.id, outcome=CaseOutcome.UNDONE, by=actor, at=at)
    _audit(conn, case.id, "not-me.undone", at, actor)
    return True


def _open_case(conn: Connection, person_id: str, number: bytes) -> cases.Row:
    return next(case for case in cases.open_of_person(conn, person_id, CaseKind.NOT_ME) if case.phone_index == number)


def _standing(conn: Connection, row: sa.Row[Any]) -> Standing:
    number = number_of(conn, row)
    if number is None:
        return Standing.NO_NUMBER
    paused = cases.pause_in_force(conn, person_id=row.person_id, phone_index=number)
    return Standing.RECEIVES if paused is None else Standing.PAUSED


def _audit(conn: Connection, case_id: str, action: str, at: datetime, actor: str, **detail: str | None) -> None:
    audit.write(conn, at=at, actor=actor, action=action, subject="case", subject_id=case_id, **detail)
