"""Cases that end, are merged and are written to at the same moment: nothing goes on in a case that nobody looks at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.engine import Connection

from notifier.core.errors import Refused
from notifier.core.states import CaseKind, CaseOutcome, OtpAnswer, StepKind
from notifier.services import Services
from notifier.store import case_reports, cases
from notifier.support.missing import trackers
from tests.conftest import Build
from tests.databases import postgres_database
from tests.letters import FREE_WORDS, a_letter, taken
from tests.messages.test_races import waits_for_a_lock
from tests.polling import eventually
from tests.requirements import require
from tests.support.account.phones import code_of
from tests.support.missing.reporting import case_of, reported, steps_of

STAFF = "staff:00000000-0000-7000-8000-000000000001"


@pytest.fixture
def at_postgres(build_services: Build) -> Iterator[Services]:
    require("postgres")
    with postgres_database() as url:
        services = build_services(database_url=url)
        yield services
        services.db.close()


def while_closing(services: Services, case_id: str, deed: Callable[[], object]) -> None:
    """`deed` begins while somebody is closing a case, and waits until they have."""
    other = threading.Thread(target=deed)
    with services.db.write() as conn:
        at = services.clock.now()
        assert cases.close(conn, case_id, outcome=CaseOutcome.CLOSED, by=STAFF, at=at)
        other.start()
        eventually(lambda: waits_for_a_lock(services))
    other.join()


def reference_of(services: Services, case_id: str) -> str:
    with services.db.read() as conn:
        row = case_reports.get(conn, case_id)
    assert row is not None
    return str(row.reference)


def merged(services: Services, one: str, into: str) -> None:
    with services.db.write() as conn:
        rows = case_reports.hold(conn, [one, into])
        trackers.merge(conn, services, rows[one], rows[into], actor=STAFF, at=services.clock.now())


def test_a_report_that_is_proven_while_its_double_closes_stays_open_itself(at_postgres: Services) -> None:
    services = at_postgres
    double = reported(services)
    mine = reported(services, is_proven=False, form="form-2")
    challenge = trackers.send_code(services, mine.token, language="id", address="198.51.100.7").challenge
    said: list[OtpAnswer] = []

    def confirm() -> None:
        said.append(trackers.confirm(services, mine.token, challenge, code_of(services, challenge)))

    while_closing(services, double.case_id, confirm)
    assert said == [OtpAnswer.RIGHT]
    row = case_of(services, mine.reference)
    assert (row.status, row.merged_into, row.confirmed_at is not None) == ("open", None, True)


def test_nobody_withdraws_or_adds_to_a_case_that_closes_at_that_moment(at_postgres: Services) -> None:
    services = at_postgres
    first, goes_on = reported(services), reported(services, is_proven=False, form="form-2")
    with services.db.write() as conn:
        case_reports.change(conn, goes_on.case_id, confirmed_at=services.clock.now())
    merged(services, first.case_id, goes_on.case_id)
    said: list[str] = []

    def withdraw() -> None:
        try:
            trackers.withdraw(services, first.token)
        except Refused as refused:
            said.append(refused.reason)

    while_closing(services, goes_on.case_id, withdraw)
    assert said == ["case-closed"]
    assert case_of(services, goes_on.reference).outcome == CaseOutcome.CLOSED
    assert StepKind.WITHDRAWN not in steps_of(services, goes_on.case_id)


def test_what_is_reported_once_more_while_its_case_closes_is_a_case_of_its_own(at_postgres: Services) -> None:
    services = at_postgres
    first = reported(services)
    again: list[str] = []
    while_closing(services, first.case_id, lambda: again.append(reported(services, works=False).case_id))
    assert again != [first.case_id]
    assert case_of(services, reference_of(services, again[0])).status == "open"
    assert StepKind.JOINED not in steps_of(services, first.case_id)


def test_a_letter_that_comes_while_its_case_closes_is_a_case_of_its_own(at_postgres: Services) -> None:
    services = at_postgres
    taken(services, a_letter(FREE_WORDS))
    with services.db.read() as conn:
        [first] = cases.listed(conn, kind=CaseKind.ASKED, status=None, facility_id=None, limit=9)
    second = a_letter(FREE_WORDS, message_id="<2@surat.example>")
    while_closing(services, first.id, lambda: taken(services, second))
    with services.db.read() as conn:
        rows = cases.listed(conn, kind=CaseKind.ASKED, status=None, facility_id=None, limit=9)
    assert sorted(row.status for row in rows) == ["closed", "open"]


def test_of_two_cases_that_are_merged_into_each_other_at_once_one_goes_on(at_postgres: Services) -> None:
    services = at_postgres
    pairs = []
    for number in range(8):
        one, two = (reported(services, is_proven=False, form=f"{number}-{name}", works=False) for name in "ab")
        pairs += [(one.case_id, two.case_id), (two.case_id, one.case_id)]
        services.clock.tick(days=2)  # type: ignore[attr-defined]  # a number reports three a day

    def press(pair: tuple[str, str]) -> bool:
        try:
            merged(services, *pair)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(press, pairs))
    assert [sorted(done[at : at + 2]) for at in range(0, len(done), 2)] == [[False, True]] * 8


@pytest.mark.parametrize("ended", ["the one", "the other"])
def test_nothing_is_merged_into_or_out_of_a_case_that_has_ended(services: Services, ended: str) -> None:
    one, other = (reported(services, is_proven=False, form=name) for name in "ab")
    at = services.clock.now()
    with services.db.write() as conn:
        closed = one if ended == "the one" else other
        stale = case_reports.hold(conn, [one.case_id, other.case_id])
        cases.close(conn, closed.case_id, outcome=CaseOutcome.CLOSED, by=STAFF, at=at)
    with pytest.raises(Refused, match="case-closed"), services.db.write() as conn:
        _merge(conn, services, stale[one.case_id], stale[other.case_id])
    assert case_of(services, one.reference).merged_into is None


def _merge(conn: Connection, services: Services, one: case_reports.Row, into: case_reports.Row) -> None:
    trackers.merge(conn, services, one, into, actor=STAFF, at=services.clock.now())
