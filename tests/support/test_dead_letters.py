"""Dead letters, on both databases: opened for a reason, corrected and taken, discarded one or alike, two at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from notifier.core.errors import BadInput, NotFound, Problem, Refused
from notifier.core.states import DeadLetterStatus
from notifier.faults import FaultPoint
from notifier.intake import readers
from notifier.intake.record import Door, RecordOutcome, dead_letter
from notifier.services import Services
from notifier.store import audit, events
from notifier.store import dead_letters as rows
from notifier.support import dead_letters
from tests.builders import event_json
from tests.desk import Desk
from tests.fakes import FakeClock

ACTOR = "staff:00000000-0000-7000-8000-000000000001"
GOOD = event_json()
BAD = event_json(dose={"number": 0}, person={"birth_date": "10 Feb"})


def buried(services: Services, body: bytes | dict[str, Any] = BAD, door: Door = Door.STREAM) -> str:
    """A letter as the stream leaves it; its row id."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BadInput) as caught:
        readers.from_json(services, raw)
    dead_letter(services, door=door, body=raw, problems=caught.value.problems)
    with services.db.read() as conn:
        return str(rows.listed(conn, status=DeadLetterStatus.OPEN, limit=1000)[-1].id)


def status(services: Services, row_id: str) -> str:
    return str(dead_letters.find(services, row_id)[0].status)


def deeds(services: Services, row_id: str) -> list[tuple[str, Any]]:
    with services.db.read() as conn:
        return [(row.action, row.detail) for row in audit.of_subjects(conn, [row_id])]


def replay(services: Services, row_id: str, event: object = GOOD, reason: str = "diperbaiki") -> Any:
    text = event if isinstance(event, str) else json.dumps(event)
    return dead_letters.replay(services, row_id, text, reason=reason, actor=ACTOR)


def test_a_letter_is_listed_without_its_body_and_opened_for_a_reason(each_services: Services) -> None:
    row_id = buried(each_services)
    [row], more = dead_letters.listed(each_services, after=None)
    assert (row.id, row.door, row.times, more) == (row_id, "stream", 1, False)
    assert {(one["field"], one["rule"]) for one in row.problems} >= {("dose.number", "count")} or row.problems
    assert "body_sealed" not in row._fields
    with pytest.raises(BadInput):
        dead_letters.show(each_services, row_id, reason=" ", actor=ACTOR)
    seen = dead_letters.show(each_services, row_id, reason="laporan dinas", actor=ACTOR)
    assert json.loads(seen.text) == BAD
    assert (seen.is_exact, seen.is_short) == (True, True)
    assert deeds(each_services, row_id) == [("dead-letter.revealed", {"reason": "laporan dinas"})]


@pytest.mark.parametrize(
    ("body", "text", "is_exact"),
    [(b"\xff\xfe{}", "\ufffd\ufffd{}", False), (b'{"a":1,"a":2}', '{"a":1,"a":2}', True), (b"{", "{", True)],
)
def test_what_is_no_event_at_all_is_shown_as_it_came(
    each_services: Services, body: bytes, text: str, is_exact: bool
) -> None:
    seen = dead_letters.show(each_services, buried(each_services, body), reason="x", actor=ACTOR)
    assert (seen.text, seen.is_exact) == (text, is_exact)


def test_a_corrected_letter_is_taken_once_and_the_original_is_kept(each_desk: Desk) -> None:
    services = each_desk.services
    row_id = buried(services)
    recorded = replay(services, row_id)
    assert recorded.outcome is RecordOutcome.PLANNED
    assert each_desk.state(recorded.reference) == "scheduled"
    row, _ = dead_letters.find(services, row_id)
    assert (row.status, row.event_id, row.settled_by) == ("accepted", "event-1", ACTOR)
    with services.db.read() as conn:
        assert json.loads(rows.body(conn, services.sealer, row_id)) == BAD
        event = events.find(conn, "event-1")
    assert event is not None
    assert event.door == "stream"
    assert deeds(services, row_id) == [("dead-letter.replayed", {"reason": "diperbaiki"})]
    with pytest.raises(Refused, match="settled-meanwhile"):
        replay(services, row_id)
    assert dead_letters.listed(services, after=None) == ([], False)
    assert len(dead_letters.listed(services, status=DeadLetterStatus.ACCEPTED, after=None)[0]) == 1


def test_what_is_still_wrong_names_its_fields_and_changes_nothing(each_desk: Desk) -> None:
    services = each_desk.services
    row_id = buried(services)
    each_desk.record(person={"name": "Budi"})
    for event, reason, field in (
        (event_json(event_id="event-2", dose={"number": 0}), "x", "dose.number"),
        ("{", "x", "body"),
        (" " * 40_001, "x", "body"),
        (GOOD, " ", "reason"),
        (GOOD, "x", "event_id"),  # came before, with another name
    ):
        with pytest.raises(BadInput) as caught:
            replay(services, row_id, event, reason)
        assert [one.field for one in caught.value.problems] == [field]
    assert status(services, row_id) == "open"
    assert deeds(services, row_id) == []
    assert len(each_desk.rows()) == 1


def test_two_who_replay_at_once_make_one_message_whatever_each_wrote(each_desk: Desk) -> None:
    services = each_desk.services
    row_id = buried(services)
    wanted = [event_json(event_id=f"event-{number}", dose={"id": f"dose-{number}"}) for number in range(4)]

    def one(event: dict[str, Any]) -> bool:
        try:
            replay(services, row_id, event)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, wanted)) == 1
    assert len(each_desk.rows()) == 1
    assert len(deeds(services, row_id)) == 1


class _Killed(BaseException):
    pass


def test_killed_before_the_commit_the_letter_is_where_it_was(each_desk: Desk) -> None:
    services = each_desk.services
    row_id = buried(services)

    class Killing:
        def reached(self, point: FaultPoint) -> None:
            if point is FaultPoint.INTAKE_BEFORE_COMMIT:
                raise _Killed

    kept = services.faults
    object.__setattr__(services, "faults", Killing())
    with pytest.raises(_Killed):
        replay(services, row_id)
    object.__setattr__(services, "faults", kept)
    assert (status(services, row_id), each_desk.rows(), deeds(services, row_id)) == ("open", [], [])
    assert replay(services, row_id).outcome is RecordOutcome.PLANNED


def test_a_letter_is_discarded_once(each_services: Services) -> None:
    row_id = buried(each_services)
    with pytest.raises(BadInput):
        dead_letters.discard(each_services, row_id, reason="", actor=ACTOR)
    dead_letters.discard(each_services, row_id, reason="uji coba", actor=ACTOR)
    assert status(each_services, row_id) == "discarded"
    for again in (lambda: dead_letters.discard(each_services, row_id, reason="x", actor=ACTOR),):
        with pytest.raises(Refused, match="settled-meanwhile"):
            again()
    with pytest.raises(Refused, match="settled-meanwhile"):
        replay(each_services, row_id)
    assert deeds(each_services, row_id) == [("dead-letter.discarded", {"reason": "uji coba"})]


def test_the_same_body_again_opens_a_discarded_letter_anew(each_services: Services) -> None:
    row_id = buried(each_services)
    dead_letters.discard(each_services, row_id, reason="uji coba", actor=ACTOR)
    assert buried(each_services) == row_id
    row, _ = dead_letters.find(each_services, row_id)
    assert (row.status, row.times) == ("open", 2)


def test_letters_alike_are_discarded_together_but_none_that_came_later(
    each_services: Services, clock: FakeClock
) -> None:
    alike = [buried(each_services, event_json(event_id=f"e-{number}", dose={"number": 0})) for number in range(3)]
    other = buried(each_services, b"{")
    [first, second] = dead_letters.commonest(each_services)
    assert (first.count, second.count) == (3, 1)
    assert [one["field"] for one in first.problems] == ["dose.number"]
    assert len(dead_letters.listed(each_services, key=first.key, after=None)[0]) == 3
    clock.tick(minutes=1)
    later = buried(each_services, event_json(event_id="e-9", dose={"number": 0}))
    until = first.newest
    how: dict[str, Any] = {"received_until": until, "actor": ACTOR}
    with pytest.raises(BadInput):
        dead_letters.discard_alike(each_services, first.key, reason="", **how)
    assert dead_letters.discard_alike(each_services, first.key, reason="uji coba", **how) == 3
    assert dead_letters.discard_alike(each_services, first.key, reason="uji coba", **how) == 0
    assert {status(each_services, one) for one in alike} == {"discarded"}
    assert {status(each_services, one) for one in (other, later)} == {"open"}
    assert {action for one in alike for action, _ in deeds(each_services, one)} == {"dead-letter.discarded"}


def test_more_alike_than_one_batch_are_all_discarded(each_services: Services, clock: FakeClock) -> None:
    with each_services.db.write() as conn:
        for number in range(1100):
            events.add_dead_letter(
                conn,
                each_services.sealer,
                door="stream",
                body=b"%d" % number,
                problems=[Problem("body", "object", "write an object")],
                at=clock.now() - timedelta(seconds=number),
            )
    [group] = dead_letters.commonest(each_services)
    assert group.count == 1100
    page, more = dead_letters.listed(each_services, after=None)
    following, _ = dead_letters.listed(each_services, after=page[-1].id)
    assert more
    assert page[-1].received_at < following[0].received_at
    done = dead_letters.discard_alike(
        each_services, group.key, received_until=group.newest, reason="kiriman uji", actor=ACTOR
    )
    assert done == 1100


@pytest.mark.parametrize("row_id", ["nonsense", "01a21d8f-6649-7329-8651-8fa4778f4c30", "0" * 36, "\0" * 36])
def test_a_letter_that_is_not_there_is_not_found(each_services: Services, row_id: str) -> None:
    with pytest.raises(NotFound):
        dead_letters.find(each_services, row_id)
    with pytest.raises(NotFound):
        replay(each_services, row_id)
