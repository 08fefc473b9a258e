"""Many messages that did not arrive, for the tests of bulk resends."""

from __future__ import annotations

from typing import Any

from notifier.core.resend_filter import ResendFilter, Wanted
from notifier.core.states import State
from notifier.gateways import Outcome, OutcomeClass
from notifier.services import Services
from notifier.store import bulk_facts, bulks, notifications
from notifier.support import bulk_run
from notifier.support.bulk_resend import limits_of
from tests.desk import Desk

OPERATOR = "staff:00000000-0000-7000-8000-000000000001"
SECOND = "staff:00000000-0000-7000-8000-000000000002"
FAILED = ResendFilter(Wanted.FAILED)


def number_of(place: int) -> str:
    return f"0812{place:08d}"


def recorded(desk: Desk, place: int, **changes: Any) -> str:
    """The reference of one of many different people's messages, which waits."""
    person = {"id": f"p{place}", "nik": None, "phone": number_of(place)} | changes.pop("person", {})
    dose = {"id": f"d{place}"} | changes.pop("dose", {})
    reference = desk.record(event_id=f"e{place}", person=person, dose=dose, **changes).reference
    assert reference is not None
    return reference


def failed_each(desk: Desk, count: int, *, start: int = 0, code: str = "30005") -> list[str]:
    """So many people's messages that the provider refused; their references."""
    references = [recorded(desk, start + place) for place in range(count)]
    desk.gateway.answer = lambda _: Outcome(OutcomeClass.PERMANENT, code=code)
    while desk.send().claimed:
        pass
    desk.gateway.answer = desk.gateway.accept
    assert {desk.state(reference) for reference in references} == {State.FAILED}
    desk.gateway.sent.clear()
    return references


def go_on(services: Services, times: int = 1) -> None:
    """Workers come by."""
    for _ in range(times):
        bulk_run.run(services)


def exclusion_of(services: Services, reference: str) -> str | None:
    """Why a message would be left out of a bulk as things stand."""
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
        assert row is not None
        found = bulk_facts.judged(conn, [row.id], limits_of(services, services.clock.now()))
    return str(found[0].exclusion) if found[0].exclusion is not None else None


def tally(services: Services, row: bulks.Row) -> tuple[dict[Any, int], dict[str, int]]:
    with services.db.read() as conn:
        return bulks.tally(conn, row.id)
