"""Links on paper: each sheet has one of its own, one of a dose is good at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.certificates.opening import LinkState, look
from notifier.core.errors import BadSettings, Refused
from notifier.core.states import State
from notifier.store import audit, notifications, persons
from notifier.store.tables import link
from notifier.support import print_desk
from notifier.support.print_desk import MOST, Sheet
from tests.desk import Desk
from tests.fakes import FakeClock


def a_row(desk: Desk, **changes: Any) -> Any:
    return desk.row(desk.record(**changes).reference)


def make(desk: Desk, row: Any) -> Sheet:
    return print_desk.make_sheet(desk.services, row, actor="staff:worker-1")


def state(desk: Desk, sheet: Sheet) -> LinkState:
    return look(desk.services, sheet.link.rpartition("/")[2]).state


def test_a_sheet_has_a_link_of_its_own_and_the_sms_keeps_its_own(each_desk: Desk) -> None:
    row = a_row(each_desk)
    sheet = make(each_desk, row)
    assert state(each_desk, sheet) is LinkState.LIVE
    assert (sheet.initial, sheet.dose_number, sheet.turned_off) == ("S", 1, 0)
    assert sheet.link not in repr(sheet)
    each_desk.send()
    assert len(each_desk.gateway.sent) == 1
    assert sheet.link not in each_desk.gateway.sent[0].text
    assert each_desk.link(row.reference).revoked_at is None
    assert each_desk.state(row.reference) == State.ACCEPTED


def test_the_next_sheet_turns_the_one_before_off(each_desk: Desk) -> None:
    row = a_row(each_desk)
    first, second = make(each_desk, row), make(each_desk, row)
    assert state(each_desk, first) is LinkState.REVOKED
    assert state(each_desk, second) is LinkState.LIVE
    assert second.turned_off == 1
    assert each_desk.link(row.reference).revoked_at is None


def test_another_dose_has_a_sheet_of_its_own(each_desk: Desk) -> None:
    first = make(each_desk, a_row(each_desk))
    make(each_desk, a_row(each_desk, event_id="event-2", dose={"id": "dose-2", "number": 2}))
    assert state(each_desk, first) is LinkState.LIVE


def test_so_many_sheets_a_dose_and_day(each_desk: Desk) -> None:
    row, clock = a_row(each_desk), each_desk.services.clock
    assert isinstance(clock, FakeClock)
    for made in range(MOST):
        assert print_desk.look(each_desk.services, row) == print_desk.Desk(MOST - made, None)
        last = make(each_desk, row)
    assert print_desk.look(each_desk.services, row) == print_desk.Desk(0, "print-limit")
    with pytest.raises(Refused, match="print-limit"):
        make(each_desk, row)
    assert state(each_desk, last) is LinkState.LIVE
    clock.tick(hours=24)
    assert state(each_desk, make(each_desk, row)) is LinkState.LIVE


def test_of_sheets_made_at_once_one_is_good_and_none_too_many_are_made(each_desk: Desk) -> None:
    row = a_row(each_desk)

    def try_it(_: int) -> Sheet | None:
        try:
            return make(each_desk, row)
        except Refused:
            return None

    with ThreadPoolExecutor(8) as pool:
        sheets = [sheet for sheet in pool.map(try_it, range(8)) if sheet]
    assert len(sheets) == MOST
    assert sorted(state(each_desk, sheet) for sheet in sheets) == [LinkState.LIVE] + [LinkState.REVOKED] * (MOST - 1)


def test_a_correction_a_withdrawal_and_a_new_number_end_it_as_any_other_link(desk: Desk) -> None:
    row = a_row(desk)
    sheet = make(desk, row)
    desk.record(event_id="event-2", person={"phone": "0812-9876-5432"})
    assert state(desk, sheet) is LinkState.REVOKED
    desk.send()
    sheet = make(desk, row)
    desk.record(event_id="event-3", event_type="corrected", person={"phone": "0812-9876-5432"}, dose={"lot": "OTHER"})
    assert state(desk, sheet) is LinkState.REVOKED
    sheet = make(desk, row)
    desk.record(event_id="event-4", event_type="entered_in_error")
    assert state(desk, sheet) is LinkState.REVOKED
    with pytest.raises(Refused, match="withdrawn"):
        make(desk, row)


def test_a_person_without_a_phone_gets_a_sheet(desk: Desk) -> None:
    row = a_row(desk, person={"phone": None})
    assert row.status == State.SUPPRESSED
    assert state(desk, make(desk, row)) is LinkState.LIVE


def test_no_sheet_for_a_locked_person_whose_link_would_not_open(desk: Desk) -> None:
    row = a_row(desk)
    with desk.services.db.write() as conn:
        for _ in range(persons.MAX_WRONG_TRIES):
            persons.count_wrong_try(conn, row.person_id, desk.services.clock.now())
    assert print_desk.look(desk.services, row).refused == "person-locked"
    with pytest.raises(Refused, match="person-locked"):
        make(desk, row)


def test_no_sheet_for_a_message_about_no_dose(desk: Desk) -> None:
    row = a_row(desk)
    with desk.services.db.write() as conn:
        conn.execute(notifications.notification.update().values(dose_id=None))
    row = desk.row(row.reference)
    assert print_desk.look(desk.services, row).refused == "no-valid-certificate"
    with pytest.raises(Refused):
        make(desk, row)


def test_the_audit_says_who_and_never_the_link(desk: Desk) -> None:
    row = a_row(desk)
    make(desk, row)
    sheet = make(desk, row)
    with desk.services.db.read() as conn:
        [_, second] = [one for one in audit.of_subjects(conn, [row.dose_id]) if one.action == "link.printed"]
        stored = [dict(one._mapping) for one in conn.execute(sa.select(link))]
    assert second.actor == "staff:worker-1"
    assert second.detail == {"reference": row.reference, "ended": 1}
    token = sheet.link.rpartition("/")[2]
    assert token not in str(stored)


def test_where_the_link_cannot_be_made_the_sheet_before_it_stays_good(each_desk: Desk) -> None:
    row = a_row(each_desk)
    first = make(each_desk, row)
    with pytest.raises(BadSettings):
        print_desk.make_sheet(replace(each_desk.services, link_signer=None), row, actor="staff:worker-1")
    assert state(each_desk, first) is LinkState.LIVE
    assert print_desk.look(each_desk.services, row).left == MOST - 1
