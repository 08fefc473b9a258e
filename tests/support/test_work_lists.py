"""The work lists, on both databases: what is on them, whose it is, several decided at once, two who decide at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.errors import BadInput, NotFound
from notifier.core.states import Channel, Reason, State
from notifier.gateways import Outcome, OutcomeClass
from notifier.services import Services
from notifier.store import persons, suppressions
from notifier.store import work as rows
from notifier.store.suppressions import Source
from notifier.store.tables import notification
from notifier.store.work import Pile
from notifier.support import opt_out, work
from notifier.support.work import Deed
from tests.desk import Desk
from tests.fakes import FakeClock

MENTENG, CIKINI = "facility-1", "facility-2"
ACTOR = "staff:00000000-0000-7000-8000-000000000001"


def recorded(desk: Desk, number: int, place: str = MENTENG, **changes: Any) -> str:
    made = desk.record(
        event_id=f"e-{number}",
        person={"id": f"p-{number}", "nik": None, "name": f"Orang {number}", "phone": f"0812-3456-{number:04}"}
        | changes.pop("person", {}),
        dose={"id": f"d-{number}", "facility_id": place, "facility": f"Puskesmas {place}"},
        **changes,
    )
    assert made.reference is not None
    return made.reference


def stand(desk: Desk, reference: str, **values: Any) -> str:
    """Puts a row where only days of look-ups would bring it."""
    with desk.services.db.write() as conn:
        conn.execute(notification.update().where(notification.c.reference == reference).values(**values))
    return reference


def an_unknown(desk: Desk, number: int, place: str = MENTENG) -> str:
    reference = recorded(desk, number, place)
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.UNKNOWN)
    desk.send()
    desk.gateway.answer = desk.gateway.accept
    return stand(desk, reference, look_up_at=None)


def a_held(desk: Desk, number: int, place: str = MENTENG) -> str:
    reference = recorded(desk, number, place)
    return stand(desk, reference, status=State.HELD.value, reason=Reason.PAST_DUE.value)


def references(services: Services, pile: Pile, **narrowed: Any) -> list[str]:
    found = work.page(services, pile, **({"only_facility": None, "with_persons": True} | narrowed))
    return [line.notification.reference for line in found.lines if line.notification is not None]


def decided(desk: Desk, deed: Deed, ids: list[str], only: str | None = None) -> tuple[int, list[str]]:
    result = work.decide(desk.services, deed, ids, reason="dicek", actor=ACTOR, only_facility=only)
    return result.done, [rule for _, rule in result.refused]


def seen(desk: Desk, only: str | None = None) -> work.Overview:
    return work.overview(desk.services, only_facility=only, with_cases=True, with_letters=True)


def test_an_empty_desk_has_nothing_to_do(each_desk: Desk) -> None:
    found = seen(each_desk)
    assert {waiting.count for waiting in found.piles.values()} == {0}
    assert (found.broken, found.stopped.count, found.not_me, found.dead_letters) == (
        0,
        0,
        work.Waiting(0, None),
        work.Waiting(0, None),
    )
    assert all(references(each_desk.services, pile) == [] for pile in Pile)


def test_unknown_outcomes_are_listed_longest_first_and_one_decision_each_is_made(
    each_desk: Desk, clock: FakeClock
) -> None:
    first = an_unknown(each_desk, 1001)
    clock.tick(minutes=5)
    second, third = an_unknown(each_desk, 1002), an_unknown(each_desk, 1003, CIKINI)
    services = each_desk.services
    assert references(services, Pile.UNKNOWN)[0] == first
    assert seen(each_desk).piles[Pile.UNKNOWN].count == 3
    assert references(services, Pile.UNKNOWN, only_facility=CIKINI) == [third]
    assert references(services, Pile.UNKNOWN, facility=CIKINI) == [third]
    assert [
        (row.id, row.waiting)
        for row in work.page(services, Pile.UNKNOWN, only_facility=None, with_persons=True).facilities
    ] == [(MENTENG, 2), (CIKINI, 1)]

    assert decided(each_desk, Deed.LEAVE, [first]) == (1, [])
    assert decided(each_desk, Deed.AGAIN, [first, second, second]) == (1, ["changed-meanwhile"])
    assert decided(each_desk, Deed.LEAVE, [second, third]) == (1, ["changed-meanwhile"])
    assert references(services, Pile.UNKNOWN) == []
    assert len(each_desk.rows()) == 4
    assert [each_desk.row(one).reason for one in (first, second, third)] == ["left-alone", "sent-again", "left-alone"]


def test_what_was_sent_again_and_has_left_is_not_sent_a_third_time_from_an_old_page(each_desk: Desk) -> None:
    reference = an_unknown(each_desk, 1001)
    assert decided(each_desk, Deed.AGAIN, [reference]) == (1, [])
    each_desk.send()
    assert decided(each_desk, Deed.AGAIN, [reference]) == (0, ["changed-meanwhile"])
    assert len(each_desk.gateway.sent) == 2


def test_held_ones_are_released_or_cancelled_and_what_was_released_is_not_taken_back(each_desk: Desk) -> None:
    one, two, three = (a_held(each_desk, 1001 + number) for number in range(3))
    assert sorted(references(each_desk.services, Pile.HELD)) == sorted([one, two, three])
    assert decided(each_desk, Deed.RELEASE, [one, two]) == (2, [])
    assert decided(each_desk, Deed.CANCEL, [two, three]) == (1, ["changed-meanwhile"])
    each_desk.send()
    assert decided(each_desk, Deed.RELEASE, [one, two, three]) == (0, ["changed-meanwhile"] * 3)
    assert decided(each_desk, Deed.CANCEL, [one, three]) == (0, ["has-left", "already-stopped"])
    assert len(each_desk.gateway.sent) == 2
    assert [each_desk.state(reference) for reference in (one, two, three)] == ["accepted", "accepted", "cancelled"]


@pytest.mark.parametrize("deeds", [(Deed.RELEASE, Deed.CANCEL), (Deed.AGAIN, Deed.LEAVE)])
def test_two_who_decide_about_the_same_rows_at_once_make_one_decision_a_row(
    each_desk: Desk, deeds: tuple[Deed, Deed]
) -> None:
    make = a_held if deeds[0] is Deed.RELEASE else an_unknown
    rows = [make(each_desk, 1001 + number) for number in range(6)]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda deed: decided(each_desk, deed, rows), deeds))
    assert sum(done for done, _ in both) == len(rows)
    assert sum(len(refused) for _, refused in both) == len(rows)
    actions = [action for one in rows for action in each_desk.audit(each_desk.row(one).id)]
    assert len([action for action in actions if action.startswith("notification.")]) == len(rows)


def test_a_facility_decides_about_its_own_alone(each_desk: Desk) -> None:
    own, theirs = a_held(each_desk, 1001), a_held(each_desk, 1002, CIKINI)
    assert decided(each_desk, Deed.RELEASE, [own, theirs, "0000000000"], only=MENTENG) == (1, ["not-there"] * 2)
    assert each_desk.state(theirs) == State.HELD


def test_nothing_chosen_or_no_reason_does_nothing(each_desk: Desk) -> None:
    reference = a_held(each_desk, 1001)
    for ids, reason, field in (([], "dicek", "row"), ([reference], "  ", "reason")):
        with pytest.raises(BadInput) as caught:
            work.decide(each_desk.services, Deed.RELEASE, ids, reason=reason, actor=ACTOR, only_facility=None)
        assert [one.field for one in caught.value.problems] == [field]
    assert each_desk.state(reference) == State.HELD


def test_a_promise_is_listed_hours_before_it_breaks_and_counted_when_it_has(each_desk: Desk, clock: FakeClock) -> None:
    waiting = recorded(each_desk, 1001, notify={"delay_hours": 47})
    sent = recorded(each_desk, 1002)
    each_desk.send()
    clock.tick(hours=43)
    assert seen(each_desk).piles[Pile.LATE].count == 0
    clock.tick(hours=2)
    assert references(each_desk.services, Pile.LATE) == [waiting]
    assert seen(each_desk).broken == 0
    clock.tick(hours=4)
    found = seen(each_desk)
    assert (found.piles[Pile.LATE].count, found.broken) == (1, 1)
    assert work.deadline(each_desk.row(waiting)) == clock.now() - timedelta(hours=1)
    assert references(each_desk.services, Pile.LATE, only_facility=CIKINI) == []
    assert each_desk.state(sent) == State.ACCEPTED


def test_numbers_that_take_no_sms_are_listed_until_a_newer_message_tells_more(
    each_desk: Desk, clock: FakeClock
) -> None:
    none = recorded(each_desk, 1001, person={"phone": None})
    landline = recorded(each_desk, 1002, CIKINI, person={"phone": "021 345 6789"})
    recorded(each_desk, 1003)
    assert sorted(references(each_desk.services, Pile.NUMBERS)) == sorted([none, landline])
    assert references(each_desk.services, Pile.NUMBERS, only_facility=CIKINI) == [landline]
    clock.tick(minutes=1)
    each_desk.record(
        event_id="e-corrected",
        event_type="corrected",
        person={"id": "p-1001", "nik": None, "name": "Orang 1001", "phone": "0812-1111-2222"},
        dose={"id": "d-1001", "facility_id": MENTENG, "facility": f"Puskesmas {MENTENG}"},
    )
    assert references(each_desk.services, Pile.NUMBERS) == [landline]
    assert seen(each_desk).piles[Pile.NUMBERS].count == 1


def test_a_long_list_goes_on_where_the_page_ends(each_desk: Desk, clock: FakeClock) -> None:
    made = [a_held(each_desk, 1000 + number) for number in range(work.PAGE + 3)]
    first = work.page(each_desk.services, Pile.HELD, only_facility=None, with_persons=False)
    shown = [line.notification.reference for line in first.lines if line.notification is not None]
    rest = references(each_desk.services, Pile.HELD, after=shown[-1])
    assert (first.more, len(shown), len(rest)) == (True, work.PAGE, 3)
    assert sorted(shown + rest) == sorted(made)
    assert all(line.person is None for line in first.lines)


def test_a_stopped_number_is_lifted_once_and_only_by_those_who_see_it(each_desk: Desk, clock: FakeClock) -> None:
    services = each_desk.services
    recorded(each_desk, 1001)
    recorded(each_desk, 1002, CIKINI, person={"phone": "0812-3456-1001"})
    index = persons.phone_index(services.sealer, "+6281234561001")
    nobodys = persons.phone_index(services.sealer, "+6281299990000")
    for number in (index, nobodys):
        opt_out.stop(services, number, channel=Channel.SMS, source=Source.INBOUND, actor=opt_out.INBOUND_DOOR)
    lines, more = work.stopped(services, only_facility=None, with_persons=True)
    assert (len(lines), more, seen(each_desk).stopped.count) == (2, False, 2)
    [line] = [line for line in lines if line.people]
    assert sorted(person.name for person in line.people) == ["Orang 1001", "Orang 1002"]
    [own], _ = work.stopped(services, only_facility=CIKINI, with_persons=True)
    assert [person.name for person in own.people] == ["Orang 1002"]
    assert work.stopped(services, only_facility="facility-9", with_persons=True) == ([], False)

    assert decided(each_desk, Deed.LIFT, [line.row.id], only="facility-9") == (0, ["changed-meanwhile"])
    assert decided(each_desk, Deed.LIFT, [line.row.id, "nonsense"]) == (1, ["changed-meanwhile"])
    assert decided(each_desk, Deed.LIFT, [line.row.id]) == (0, ["changed-meanwhile"])
    with services.db.read() as conn:
        assert suppressions.standing(conn, index) is None
        assert suppressions.standing(conn, nobodys) is not None
    assert each_desk.audit(line.row.id) == ["opt-out.stopped", "opt-out.lifted"]


def test_a_facility_that_is_not_known_is_not_there(each_desk: Desk) -> None:
    with pytest.raises(NotFound):
        work.page(each_desk.services, Pile.HELD, only_facility=None, facility="nowhere", with_persons=False)


@pytest.mark.parametrize(
    ("pile", "index"),
    [
        (Pile.UNKNOWN, "ix_notification_"),
        (Pile.HELD, "ix_notification_"),
        (Pile.LATE, "ix_notification_waiting"),
        (Pile.NUMBERS, "ix_notification_bad_number"),
    ],
)
def test_each_list_is_read_by_a_partial_index(each_desk: Desk, pile: Pile, index: str) -> None:
    """A bound parameter where the index has a literal would have three million rows read."""
    statements: list[tuple[str, Any]] = []
    with each_desk.services.db.read() as conn:
        is_sqlite = conn.dialect.name == "sqlite"
        if not is_sqlite:
            conn.execute(sa.text("SET enable_seqscan = off"))  # no transaction is open here
        sa.event.listen(conn, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
        rows.listed(conn, pile, facility_id=None, limit=51, promised_before=each_desk.services.clock.now())
        text, values = statements[0]
        plan = conn.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{text}", values).all()
    assert index in str(plan), f"{pile}: {plan}"
