"""A batch is what its events are one after the other: the same answers and the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from notifier.core.errors import BadInput, Conflict
from notifier.faults import FaultPoint
from notifier.intake.event import Event
from notifier.intake.record import Door, Recorded, RecordOutcome, record, record_many
from notifier.services import Services
from notifier.store import tables
from tests.builders import NIK, an_event
from tests.conftest import Build
from tests.databases import postgres_database
from tests.desk import Desk
from tests.intake.same_rows import empty, snapshot
from tests.requirements import require

ACTOR = "door:import"
Way = Callable[[Services, Sequence[Event]], list[Any]]


def one_by_one(services: Services, batch: Sequence[Event]) -> list[Any]:
    answers: list[Any] = []
    for event in batch:
        try:
            answers.append(record(services, event, door=Door.IMPORT, actor=ACTOR))
        except (BadInput, Conflict) as error:
            answers.append(error)
    return answers


def at_once(services: Services, batch: Sequence[Event]) -> list[Any]:
    return list(record_many(services, batch, door=Door.IMPORT, actor=ACTOR))


def said(answer: Any) -> Any:
    """An answer without its random reference."""
    if isinstance(answer, Recorded):
        return (
            answer.outcome, answer.event_id, answer.reference is None, answer.state, answer.reason, answer.due_at,
            answer.warnings,
        )  # fmt: skip
    return type(answer), str(answer)


people = st.fixed_dictionaries(
    {
        "id": st.sampled_from([None, "person-1", "person-2"]),
        "nik": st.sampled_from([None, NIK, "3174031002890010"]),
        "name": st.sampled_from(["Siti Aminah", "Siti Aminah Putri", "Budi"]),
        "birth_date": st.sampled_from(["1989-02-10", "1989-02-10", "1945-11-17"]),
        "phone": st.sampled_from(["0812-3456-7890", "0812-3456-7890", "081299998888", None, "021-3456789"]),
        "time_zone": st.sampled_from([None, "Asia/Jayapura"]),
    }
)
moments = st.sampled_from([None, "2026-11-23T01:00:00Z", "2026-11-23T02:00:00Z", "2026-11-23T03:00:00Z"])


@st.composite
def surprises(draw: st.DrawFn) -> Event:
    """An event about a few doses and persons, whatever it says about them."""
    person = draw(people)
    facility_id, facility = draw(st.sampled_from([(None, None), ("f1", "Puskesmas A"), ("f1", "B"), ("f2", None)]))
    event = an_event(
        event_id=f"event-{draw(st.integers(1, 6))}",
        event_type=draw(st.sampled_from(["recorded", "recorded", "corrected", "entered_in_error"])),
        recorded_at=draw(moments),
        person=person,
        dose={
            "id": draw(st.sampled_from(["dose-1", "dose-2", "dose-3"])),
            "lot": draw(st.sampled_from(["LOT-7", "LOT-8"])),
            "facility_id": facility_id,
            "facility": facility,
        },
        notify={"delay_hours": draw(st.sampled_from([0, 0, 12, 48]))},
    )
    if draw(st.integers(0, 5)) == 0:
        return event.model_copy(update={"person": None, "person_ref": person["id"] or "nobody"})
    return event.model_copy(update={"historical": draw(st.integers(0, 5)) == 0})


def plain(number: int, dose: int = 1, **changes: Any) -> Event:
    """One of many events that have nothing in common but perhaps their person."""
    person = {"id": f"plain-{number}", "nik": None, "phone": f"08123456{number:04d}"} | changes.pop("person", {})
    said_at = f"2026-11-23T02:{dose:02d}:00Z"
    ids = {"id": f"plain-{number}-{dose}", "facility_id": f"f{number % 3}", "facility": "Puskesmas A"}
    return an_event(event_id=f"plain-{number}-{dose}", recorded_at=said_at, person=person, dose=ids, **changes)


@st.composite
def batches(draw: st.DrawFn) -> list[list[Event]]:
    """Batches with surprises among plain events, of which each round has enough to be written as a set."""
    found = []
    for number in range(draw(st.integers(1, 3))):
        crowd = [plain(10 * number + each, dose) for dose in (1, 2) for each in range(5)]
        found.append(draw(st.permutations([*crowd, *draw(st.lists(surprises(), max_size=8))])))
    return found


Pair = tuple[Services, Services]


def compare(pair: Pair, found: Sequence[Sequence[Event]]) -> None:
    for services in pair:
        empty(services)
    for batch in found:
        told = [[said(answer) for answer in way(s, batch)] for way, s in zip((one_by_one, at_once), pair, strict=True)]
        assert told[0] == told[1]
        first, second = (snapshot(services) for services in pair)
        for name, rows in first.items():
            assert rows == second[name], name
        for services in pair:
            Desk(services).send()


@pytest.fixture
def sqlite_pair(build_services: Build, tmp_path: Path) -> Pair:
    first, second = (f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "two"))
    quick = {"smooth_minutes": 0}
    return build_services(database_url=first, **quick), build_services(database_url=second, **quick)


@pytest.fixture
def postgres_pair(build_services: Build) -> Iterator[Pair]:
    require("postgres")
    with ExitStack() as stack:
        first, second = (stack.enter_context(postgres_database()) for _ in range(2))
        yield (
            build_services(database_url=first, smooth_minutes=0),
            build_services(database_url=second, smooth_minutes=0),
        )


several = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example writes two databases: shrinking takes too long
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@several
@given(found=batches())
def test_a_batch_is_what_its_events_are_one_by_one(sqlite_pair: Pair, found: list[list[Event]]) -> None:
    compare(sqlite_pair, found)


@settings(several, max_examples=15)
@given(found=batches())
def test_a_batch_on_postgres_is_what_its_events_are_one_by_one(postgres_pair: Pair, found: list[list[Event]]) -> None:
    compare(postgres_pair, found)


def statements(services: Services, work: Callable[[], Any]) -> int:
    """How many statements went to the database."""
    count = 0

    def seen(*_: Any) -> None:
        nonlocal count
        count += 1

    sa.event.listen(services.db.engine, "before_cursor_execute", seen)
    try:
        work()
    finally:
        sa.event.remove(services.db.engine, "before_cursor_execute", seen)
    return count


def test_a_plain_batch_takes_a_handful_of_statements_however_long_it_is(each_services: Services) -> None:
    batch = [plain(number) for number in range(200)]
    fresh = statements(each_services, lambda: at_once(each_services, batch))
    again = statements(each_services, lambda: at_once(each_services, batch))
    assert fresh < 40
    assert again < 10


def test_two_doses_of_each_person_in_one_batch_are_written_as_sets_too(each_services: Services) -> None:
    batch = [plain(number, dose) for number in range(100) for dose in (1, 2)]
    assert statements(each_services, lambda: at_once(each_services, batch)) < 80
    with each_services.db.read() as conn:
        assert len(conn.execute(tables.person.select()).all()) == 100
        assert len(conn.execute(tables.notification.select()).all()) == 200


def test_a_row_that_the_database_refuses_takes_no_other_with_it(each_services: Services) -> None:
    batch = [plain(number) for number in range(8)]
    # past the reader, which caps ids: PostgreSQL refuses this one
    odd = batch[3].model_copy(update={"event_id": batch[5].event_id, "dose": batch[3].dose})
    answers = at_once(each_services, [*batch[:3], odd, *batch[4:]])
    kinds = [type(answer).__name__ for answer in answers]
    assert kinds == ["Recorded"] * 5 + ["Conflict"] + ["Recorded"] * 2


def test_one_file_at_two_doors_at_once_is_recorded_once(each_services: Services) -> None:
    batch = [plain(number, dose) for number in range(40) for dose in (1, 2)]
    turned = list(reversed(batch))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda part: at_once(each_services, part), [batch, turned, batch, turned]))
    outcomes = [answer.outcome for answers in found for answer in answers]
    assert outcomes.count(RecordOutcome.PLANNED) == 80
    assert outcomes.count(RecordOutcome.REPEATED) == 240
    with each_services.db.read() as conn:
        assert len(conn.execute(tables.person.select()).all()) == 40


def test_a_batch_and_single_events_at_once_make_one_person_each(each_services: Services) -> None:
    batch = [plain(number, 1) for number in range(30)]
    singles = [plain(number, 2) for number in reversed(range(30))]
    with ThreadPoolExecutor(3) as pool:
        work = [
            pool.submit(at_once, each_services, batch),
            pool.submit(one_by_one, each_services, singles),
            pool.submit(one_by_one, each_services, batch),
        ]
        answers = [answer for part in work for answer in part.result(timeout=120)]
    assert all(isinstance(answer, Recorded) for answer in answers)
    with each_services.db.read() as conn:
        assert len(conn.execute(tables.person.select()).all()) == 30
        assert len(conn.execute(tables.notification.select()).all()) == 60


class Reached:
    """Remembers the points, and dies at one."""

    def __init__(self, dies_at: FaultPoint | None = None) -> None:
        self.points: list[FaultPoint] = []
        self._dies_at = dies_at

    def reached(self, point: FaultPoint) -> None:
        self.points.append(point)
        if point is self._dies_at:
            raise KeyboardInterrupt


def test_a_crash_before_the_commit_leaves_nothing_and_after_it_the_whole_batch(
    build_services: Build, each_database_url: str
) -> None:
    services = build_services(database_url=each_database_url)
    batch = [plain(number) for number in range(8)]
    for point, left in ((FaultPoint.INTAKE_BEFORE_COMMIT, 0), (FaultPoint.INTAKE_AFTER_COMMIT, 8)):
        with pytest.raises(KeyboardInterrupt):
            at_once(replace(services, faults=Reached(point)), batch)
        with services.db.read() as conn:
            assert len(conn.execute(tables.event.select()).all()) == left
    faults = Reached()
    record(replace(services, faults=faults), plain(9), door=Door.API, actor=ACTOR)
    assert faults.points == [FaultPoint.INTAKE_BEFORE_COMMIT, FaultPoint.INTAKE_AFTER_COMMIT]
