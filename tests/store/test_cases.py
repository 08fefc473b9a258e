"""The rows of cases, pauses and follow-ups, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.errors import NotFound
from notifier.core.ids import new_id
from notifier.core.states import CaseKind, CaseOutcome, CaseStatus, FollowUp
from notifier.services import Services
from notifier.store import cases, follow_ups, persons, several
from notifier.store.tables import link, number_pause, support_case
from notifier.support.cases import show
from tests.builders import MadeCertificate, a_certificate
from tests.desk import Desk
from tests.fakes import FakeClock

NUMBER, OTHER = b"number".ljust(32), b"other".ljust(32)


@pytest.fixture
def made(each_services: Services) -> MadeCertificate:
    return a_certificate(each_services)


def opened(services: Services, made: MadeCertificate, **values: Any) -> cases.Row | None:
    at = services.clock.now()
    with services.db.write() as conn:
        return cases.insert_new(
            conn,
            **({"kind": CaseKind.NOT_ME, "facility_id": "facility-1", "phone_index": NUMBER} | values),
            opened_at=at,
            due_at=at + timedelta(days=2),
            person_id=made.person_id,
            link_id=made.link_id,
        )


def test_one_case_is_open_a_person_kind_and_number(each_services: Services, made: MadeCertificate) -> None:
    rejected: dict[str, Any] = {"kind": CaseKind.BIRTH_DATE_REJECTED, "phone_index": None}
    wanted: list[dict[str, Any]] = [{}, {}, {"phone_index": OTHER}, rejected, rejected]
    first, *others = [opened(each_services, made, **values) for values in wanted]
    assert [row is not None for row in others] == [False, True, True, False]
    assert first is not None
    with each_services.db.write() as conn:
        assert cases.close(conn, first.id, outcome=CaseOutcome.UNDONE, by="test", at=each_services.clock.now())
        assert not cases.close(conn, first.id, outcome=CaseOutcome.CLOSED, by="test", at=each_services.clock.now())
        assert cases.count_open(conn, "facility-1") == 2
    assert opened(each_services, made) is not None


def test_the_same_case_opened_at_once_is_one(each_services: Services, made: MadeCertificate) -> None:
    with ThreadPoolExecutor(6) as pool:
        rows = list(pool.map(lambda _: opened(each_services, made), range(6)))
    assert sum(row is not None for row in rows) == 1


def test_a_list_is_narrowed_in_the_query_and_goes_on_where_a_page_ends(
    each_services: Services, made: MadeCertificate, clock: FakeClock
) -> None:
    references = []
    for number in range(5):
        row = opened(each_services, made, phone_index=bytes([number]) * 32, facility_id=f"facility-{number % 2}")
        assert row is not None
        references.append(row.reference)
        clock.tick(minutes=number % 2)  # some of them at one moment

    def listed(**wanted: Any) -> list[str]:
        asked = {"kind": None, "status": CaseStatus.OPEN, "facility_id": None, "limit": 10} | wanted
        with each_services.db.read() as conn:
            return [row.reference for row in cases.listed(conn, **asked)]

    assert sorted(listed()) == sorted(references)
    assert listed(limit=2) + listed(before=listed(limit=2)[-1]) == listed()
    assert sorted(listed(facility_id="facility-1")) == sorted(references[1::2])
    assert listed(kind=CaseKind.BIRTH_DATE_REJECTED) == listed(status=CaseStatus.CLOSED) == listed(facility_id="") == []
    with each_services.db.read() as conn:
        assert cases.find_visible(conn, references[0], "facility-1") is None
        assert cases.find_visible(conn, references[0], "facility-0") is not None


@pytest.mark.parametrize("reference", ["\0", "", "x" * 5000, "'; DROP TABLE support_case; --", "０１２３"])
def test_rubbish_for_a_reference_is_not_found(each_services: Services, reference: str) -> None:
    with pytest.raises(NotFound):
        show(each_services, reference, only_facility=None)


def test_a_pause_takes_the_links_that_went_to_the_number_and_no_others(each_desk: Desk) -> None:
    services = each_desk.services
    each_desk.record()
    each_desk.send()
    each_desk.record(event_id="e2", dose={"id": "d2"}, notify={"delay_hours": 5})  # waits
    each_desk.record(event_id="e3", dose={"id": "d3"}, person={"id": "p2", "name": "Budi", "nik": None})
    each_desk.send()
    sent = each_desk.rows()[-1]
    at = services.clock.now()
    with services.db.write() as conn:
        case = cases.insert_new(
            conn, kind=CaseKind.NOT_ME, opened_at=at, due_at=at, person_id=sent.person_id, phone_index=sent.phone_index
        )
        assert case is not None
        about = {"person_id": sent.person_id, "phone_index": sent.phone_index}
        assert cases.pause_number(conn, **about, case_id=case.id, at=at)
        assert not cases.pause_number(conn, **about, case_id=case.id, at=at)
        paused = set(conn.scalars(sa.select(link.c.id).where(link.c.paused_at.is_not(None))))
        assert paused == {sent.link_id}
        assert cases.count_sent_links(conn, **about) == 1
        assert cases.paused_numbers(conn, {row.person_id for row in each_desk.rows()}) == {tuple(about.values())}
        assert cases.lift_pause(conn, **about, at=at)
        assert not cases.lift_pause(conn, **about, at=at)
        assert conn.scalar(sa.select(link.c.id).where(link.c.paused_at.is_not(None))) is None
        assert cases.pause_number(conn, **about, case_id=case.id, at=at)  # a second row beside the lifted one
        assert len(list(conn.execute(number_pause.select()))) == 2


def test_a_confirmed_number_is_taken_from_that_person_alone(each_desk: Desk) -> None:
    services, at = each_desk.services, each_desk.services.clock.now()
    each_desk.record()
    each_desk.record(event_id="e2", dose={"id": "d2"}, person={"id": "p2", "name": "Budi", "nik": None})
    each_desk.send()
    row = each_desk.rows()[-1]
    with services.db.write() as conn:
        assert cases.confirm_pause(conn, person_id=row.person_id, phone_index=row.phone_index, at=at) == 1
        kept = {one.person_id: persons.get(conn, services.sealer, one.person_id).mobile for one in each_desk.rows()}
    assert kept.pop(row.person_id) is None
    assert list(kept.values()) == ["+6281234567890"]


def test_a_follow_up_is_taken_by_one_and_done_once(each_services: Services, clock: FakeClock) -> None:
    with each_services.db.write() as conn:
        assert several.any_of(conn, follow_ups.due(clock.now())) == [False]
        follow_ups.add(conn, FollowUp.PERSON_LOCKED, new_id(), at=clock.now())

    def take(_: int) -> bool:
        with each_services.db.write() as conn:
            row = follow_ups.take(conn, clock.now())
            if row is not None:
                follow_ups.done(conn, row.id, clock.now())
            return row is not None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, range(4))) == [False, False, False, True]
    with each_services.db.read() as conn:
        assert several.any_of(conn, follow_ups.due(clock.now())) == [False]


def test_one_that_was_put_off_is_due_later_and_one_that_is_done_stays_done(
    each_services: Services, clock: FakeClock
) -> None:
    with each_services.db.write() as conn:
        follow_ups.add(conn, FollowUp.PERSON_LOCKED, new_id(), at=clock.now())
        row = follow_ups.take(conn, clock.now())
        assert row is not None
        follow_ups.put_off(conn, row.id, until=clock.now() + timedelta(minutes=1))
        assert follow_ups.take(conn, clock.now()) is None
        again = follow_ups.take(conn, clock.now() + timedelta(minutes=1))
        assert again is not None
        assert (again.id, again.attempts) == (row.id, 1)
        follow_ups.done(conn, row.id, clock.now())
        follow_ups.put_off(conn, row.id, until=clock.now())
        assert several.any_of(conn, follow_ups.due(clock.now() + timedelta(days=1))) == [False]


def test_looking_for_follow_ups_reads_the_index_of_those_that_wait(each_services: Services) -> None:
    text = "SELECT id FROM follow_up WHERE done_at IS NULL AND due_at <= CURRENT_TIMESTAMP LIMIT 1"
    explain = "EXPLAIN QUERY PLAN " if each_services.db.is_sqlite else "EXPLAIN "
    with each_services.db.write() as conn:
        if not each_services.db.is_sqlite:
            conn.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = " ".join(str(row) for row in conn.exec_driver_sql(explain + text))
    assert "ix_follow_up_due" in plan


def test_two_at_one_case_stand_in_line(each_services: Services, made: MadeCertificate) -> None:
    case = opened(each_services, made)
    assert case is not None

    def close(_: int) -> bool:
        with each_services.db.write() as conn:
            persons.hold(conn, made.person_id)
            found = cases.find_visible(conn, case.reference, None, lock=True)
            assert found is not None
            if found.status == CaseStatus.CLOSED:
                return False
            return cases.close(conn, case.id, outcome=CaseOutcome.CLOSED, by="test", at=each_services.clock.now())

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(close, range(4))) == [False, False, False, True]
    with each_services.db.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(support_case)) == 1
