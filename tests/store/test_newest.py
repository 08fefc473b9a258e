"""The newest messages of a facility are the same ones, in the same order, whichever way they are looked for."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from notifier.store.newest import newest
from notifier.store.tables import dose, notification
from tests.desk import Desk
from tests.fakes import FakeClock


@pytest.mark.parametrize("few", [0, 100])
def test_a_facility_finds_its_own_messages_newest_first(each_desk: Desk, clock: FakeClock, few: int) -> None:
    for number in range(12):
        facility = f"pkm-{number % 3}"
        each_desk.record(
            event_id=f"e{number}",
            person={"id": f"p{number}", "nik": None},
            dose={"id": f"d{number}", "facility_id": facility},
        )
        clock.tick(minutes=1)
    with each_desk.services.db.read() as conn:
        found = newest(conn, [], facility_id="pkm-1", limit=3, few=few)
        whose = {row.id: row.facility_id for row in conn.execute(sa.select(dose.c.id, dose.c.facility_id))}
        older = newest(conn, [notification.c.created_at < found[-1].created_at], facility_id="pkm-1", limit=9, few=few)
        everyone = newest(conn, [], facility_id=None, limit=99, few=few)
    assert [row.created_at for row in found] == sorted((row.created_at for row in found), reverse=True)
    assert {whose[row.dose_id] for row in [*found, *older]} == {"pkm-1"}
    assert (len(found), len(older), len(everyone)) == (3, 1, 12)
