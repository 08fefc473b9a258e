"""The rows of uploaded lists, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from notifier.core.errors import Refused
from notifier.intake.uploads import deeds, steps
from notifier.services import Services
from notifier.store import several, uploads
from notifier.store.uploads import UploadStatus
from tests.fakes import FakeClock
from tests.uploads import a_list, an_uploader, checked, received, row, seen, work

LEASE = timedelta(seconds=60)


def waiting(services: Services, *facilities: str) -> list[str]:
    """Lists that wait to be checked, the oldest first."""
    references = []
    for facility_id in facilities:
        by = an_uploader(services, facility_id, f"staff-of-{facility_id}")
        reference = received(services, by, a_list([row(1)]))
        deeds.name_columns(services, reference, seen(services, reference).columns, by=by)
        references.append(reference)
    return references


def test_of_many_workers_each_claims_another_list(each_services: Services) -> None:
    references = waiting(each_services, "pkm-1", "pkm-2", "pkm-3")

    def claim(number: int) -> str | None:
        with each_services.db.write() as conn:
            found = uploads.claim(conn, f"worker-{number}", each_services.db.lease(LEASE))
        return found.reference if found else None

    with ThreadPoolExecutor(6) as pool:
        claimed = sorted(filter(None, pool.map(claim, range(6))))
    # one that is passed by while another worker holds its row is found by the next wake-up
    claimed += filter(None, (claim(number) for number in range(6, 9)))
    assert sorted(claimed) == sorted(references)


def test_a_lease_that_ran_out_is_anothers_and_its_first_holder_writes_nothing(
    each_services: Services, clock: FakeClock
) -> None:
    waiting(each_services, "pkm-1")
    with each_services.db.write() as conn:
        first = uploads.claim(conn, "first", each_services.db.lease(LEASE))
        assert first is not None
        assert several.any_of(conn, uploads.due(clock.now()), uploads.overdue(clock.now())) == [False, False]
    clock.tick(seconds=61)
    with each_services.db.write() as conn:
        assert several.any_of(conn, uploads.due(clock.now()), uploads.overdue(clock.now())) == [True, False]
        second = uploads.claim(conn, "second", each_services.db.lease(LEASE))
        assert second is not None
        assert (second.id, second.attempts) == (first.id, 2)
        assert uploads.hold(conn, first.id, "first") is None
        uploads.let_go(conn, first.id, "first", clock.now())
        assert uploads.hold(conn, first.id, "second") is not None


def test_of_many_who_start_a_list_at_once_one_wins(each_services: Services) -> None:
    by = an_uploader(each_services)
    reference = checked(each_services, by, a_list([row(1)]))

    def start(_: int) -> bool:
        try:
            deeds.record(each_services, reference, count=1, by=by)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(start, range(6))) == 1
    work(each_services)
    assert seen(each_services, reference).recorded["outcomes"] == {"planned": 1}


def test_a_list_moves_only_from_where_it_was_seen(each_services: Services, clock: FakeClock) -> None:
    reference = checked(each_services, an_uploader(each_services), a_list([row(1)]))
    before = seen(each_services, reference)
    with each_services.db.write() as conn:
        assert uploads.move(conn, before, UploadStatus.RECORDING)
        assert not uploads.move(conn, before, UploadStatus.CANCELLED)
        now = uploads.find_visible(conn, reference, "pkm-1")
        assert now is not None
        assert uploads.move(conn, now, paused_at=clock.now())
        assert not uploads.move(conn, now, UploadStatus.DONE)
        assert uploads.find_visible(conn, reference, "pkm-2") is None


def test_lists_are_listed_newest_first_page_by_page_and_by_facility(each_services: Services) -> None:
    mine, other = waiting(each_services, "pkm-1", "pkm-2")
    with each_services.db.read() as conn:
        every = [line.reference for line in uploads.listed(conn, facility_id=None, limit=5)]
        assert every == [other, mine]
        assert [line.reference for line in uploads.listed(conn, facility_id="pkm-1", limit=5)] == [mine]
        assert [line.reference for line in uploads.listed(conn, facility_id=None, limit=5, before=other)] == [mine]
        assert uploads.listed(conn, facility_id="pkm-1", limit=5, before=mine) == []


def test_old_lists_are_emptied_but_for_those_at_work(each_services: Services, clock: FakeClock) -> None:
    [working] = waiting(each_services, "pkm-1")
    by = an_uploader(each_services, "pkm-2", "made")
    idle = received(each_services, by, a_list([row(2)]))
    clock.tick(days=7, seconds=1)
    with each_services.db.write() as conn:
        old = uploads.old(conn, clock.now(), 10)
        assert [line.reference for line in old] == [idle]
        uploads.empty(conn, old[0], clock.now())
        assert uploads.old(conn, clock.now(), 10) == []
        assert uploads.chunk(conn, old[0].id, 0) is None
    assert seen(each_services, idle).status == UploadStatus.EXPIRED
    assert steps.run(each_services)
    assert seen(each_services, working).status == UploadStatus.CHECKED


@pytest.mark.parametrize("columns", [["name"], ["", "nik"]])
def test_a_mapping_is_kept_and_replaced_by_facility_and_header(
    each_services: Services, clock: FakeClock, columns: list[str]
) -> None:
    with each_services.db.write() as conn:
        assert uploads.mapping(conn, "pkm-1", b"header") is None
        uploads.keep_mapping(conn, "pkm-1", b"header", ["lot"], clock.now())
        uploads.keep_mapping(conn, "pkm-1", b"header", columns, clock.now())
        assert uploads.mapping(conn, "pkm-1", b"header") == columns
        assert uploads.mapping(conn, "pkm-2", b"header") is None
        assert uploads.mapping(conn, "pkm-1", b"other") is None
