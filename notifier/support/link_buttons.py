"""What all buttons of a link's pages have in common: a proved token, limits in the database, one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from notifier.certificates.limits import TryLimits, seconds_to_wait_at_link
from notifier.certificates.opening import LinkState, Look, look, look_of
from notifier.core.states import CaseKind
from notifier.services import Services
from notifier.store import cases, openings, suppressions

#: by then somebody should have looked at a case
DUE_AFTER = timedelta(days=2)

Result = TypeVar("Result")
#: (connection, the link's row of `openings.find`, now)
Deed = Callable[[Connection, sa.Row[Any], datetime], Result]


@dataclass(frozen=True, slots=True)
class Pressed(Generic[Result]):
    """What came of a button. `look` is the link before the deed; `result` is None where nothing was done: the link
    stands otherwise, or too many pressed and `retry_after_s` says how long to wait."""

    look: Look
    result: Result | None = None
    retry_after_s: int = 0


def press(
    services: Services,
    token: str,
    deed: Deed[Result],
    *,
    states: Collection[LinkState],
    address: str,
    limits: TryLimits,
) -> Pressed[Result]:
    """Does `deed` at a link that stands in one of `states`, with its person held still. A forged token reads nothing;
    where the limits cannot be counted, nothing is done."""
    seen = look(services, token)
    if seen.state not in states or seen.public_id is None:
        return Pressed(seen)
    now = services.clock.now()
    with services.db.write() as conn:
        wait = seconds_to_wait_at_link(conn, services.sealer, limits, seen.public_id, address=address, at=now)
        if wait:
            return Pressed(seen, retry_after_s=wait)
        row = openings.find(conn, seen.public_id, for_try=True)
        seen = look_of(row, now)
        if row is None or seen.state not in states:
            return Pressed(seen)
        return Pressed(seen, deed(conn, row, now))


def number_of(conn: Connection, row: sa.Row[Any]) -> bytes | None:
    """The blind index of the number that a link's SMS went to; None where no SMS bore it."""
    return suppressions.number_of_link(conn, person_id=row.person_id, link_id=row.link_id)


def open_case(
    conn: Connection, row: sa.Row[Any], kind: CaseKind, *, at: datetime, phone_index: bytes | None = None
) -> cases.Row | None:
    """Puts what was said at a link on the list of the facility that recorded the dose behind it; None where the same
    stands there already."""
    return cases.insert_new(
        conn,
        kind=kind,
        opened_at=at,
        due_at=at + DUE_AFTER,
        person_id=row.person_id,
        link_id=row.link_id,
        facility_id=cases.facility_of_link(conn, row.link_id),
        phone_index=phone_index,
    )
