"""What a key does, on SQLite and PostgreSQL alike: pages, the sandbox, and two requests at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from notifier.access import api_keys, api_limits
from notifier.access.api_keys import ApiKey, KeyKind, Scope
from notifier.core.errors import NotFound, Refused
from notifier.core.states import State
from notifier.intake.record import Door, Recorded
from notifier.services import Services
from notifier.support import api_desk
from notifier.support.api_desk import Wanted, read_wanted
from tests.builders import an_event
from tests.conftest import Build
from tests.desk import Desk
from tests.fakes import FakeClock


def _key(services: Services, **changes: Any) -> ApiKey:
    told = {"name": "SIMRS", "scopes": list(Scope), "actor": "test"} | changes
    found = api_keys.check(services, api_keys.add(services, **told).text)
    assert found is not None
    return found


def _walk(services: Services, key: ApiKey, **words: str) -> list[str]:
    asked = {"state": None, "since": None, "facility": None, "cursor": None, "limit": "2"} | words
    seen: list[str] = []
    while True:
        page = api_desk.listed(services, key, read_wanted(**asked))
        seen += [one["reference"] for one in page["notifications"]]
        if page["next"] is None:
            return seen
        asked["cursor"] = page["next"]


@pytest.mark.parametrize("kind", KeyKind)
def test_pages_are_walked_newest_first_without_a_gap(each_services: Services, clock: FakeClock, kind: KeyKind) -> None:
    key = _key(each_services, kind=kind)
    made = []
    for number in range(7):
        event = an_event(event_id=f"e{number}", dose={"id": f"d{number}"}, person={"id": f"p{number}", "nik": None})
        made.append(api_desk.take(each_services, key, event, Door.API).reference)
        clock.tick(seconds=number % 3)
    assert sorted(_walk(each_services, key)) == sorted(str(one) for one in made)
    assert _walk(each_services, key)[0] in made[-2:]
    assert len(_walk(each_services, key, since=clock.now().isoformat())) < 7
    assert _walk(each_services, key, state="cancelled") == []


def test_a_facilitys_key_lists_its_own_alone(each_desk: Desk) -> None:
    for number, facility in enumerate(("a", "b", "a")):
        each_desk.record(
            event_id=f"e{number}",
            dose={"id": f"d{number}", "facility_id": facility},
            person={"id": f"p{number}", "nik": None},
        )
    services = each_desk.services
    key = _key(services, facility_id="a")
    assert len(_walk(services, key)) == 2
    assert len(_walk(services, _key(services), facility="b")) == 1
    with pytest.raises(NotFound):
        api_desk.listed(services, key, Wanted(facility_id="b"))


def test_the_same_test_event_at_once_makes_one_test_message(each_services: Services) -> None:
    key = _key(each_services, kind=KeyKind.TEST)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: api_desk.take(each_services, key, an_event(), Door.API), range(8), timeout=60))
    assert [one.outcome for one in found].count("planned") == 1
    assert {one.outcome for one in found} == {"planned", "repeated"}
    assert len({one.reference for one in found}) == 1


def test_of_two_cancellations_of_a_test_message_one_wins(each_services: Services) -> None:
    key = _key(each_services, kind=KeyKind.TEST)
    reference = str(api_desk.take(each_services, key, an_event(), Door.API).reference)

    def cancel(_: int) -> str:
        try:
            return str(api_desk.take_back(each_services, key, reference, reason="x")["state"])
        except Refused as refused:
            return refused.reason

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(cancel, range(4))) == ["already-stopped"] * 3 + ["cancelled"]


def test_a_transaction_of_test_events_is_rehearsed_without_a_trace(each_services: Services) -> None:
    key = _key(each_services, kind=KeyKind.TEST)
    answers = api_desk.rehearse(each_services, key, [an_event()], Door.FHIR)
    assert [one.outcome for one in answers if isinstance(one, Recorded)] == ["planned"]
    assert _walk(each_services, key) == []


def test_a_batch_tells_of_each_event_in_its_place(each_services: Services) -> None:
    key = _key(each_services, facility_id="a")
    batch = [
        an_event(event_id=f"e{n}", dose={"id": f"d{n}", "facility_id": facility}, person={"id": f"p{n}", "nik": None})
        for n, facility in enumerate(("a", "b", None, "b", "a", "a", "a"))
    ]
    answers = api_desk.take_many(each_services, key, batch, Door.API)
    assert [isinstance(one, Recorded) for one in answers] == [True, False, True, False, True, True, True]
    assert len(_walk(each_services, key)) == 5


def test_an_allowance_is_one_number_over_many_processes(build_services: Build, each_database_url: str) -> None:
    services = build_services(api_rate=5, database_url=each_database_url)
    key = _key(services)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: api_limits.take(services, key), range(24)))
    assert [one.granted for one in found if one].count(True) == 10


def test_what_another_key_cancelled_stays_cancelled(each_desk: Desk) -> None:
    services = each_desk.services
    reference = str(each_desk.record(dose={"facility_id": "a"}).reference)
    for facility in ("b", None):
        key = _key(services, facility_id=facility, kind=KeyKind.TEST if facility is None else KeyKind.LIVE)
        with pytest.raises(NotFound):
            api_desk.take_back(services, key, reference, reason="x")
        with pytest.raises(NotFound):
            api_desk.send_again(services, key, reference, at=None, reason="x")
    assert (
        api_desk.take_back(services, _key(services, facility_id="a"), reference, reason="x")["state"] == State.CANCELLED
    )
