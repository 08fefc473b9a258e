"""Every accepted event has one notification or a recorded reason; whatever breaks that is counted."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.core.ids import new_id, new_reference
from notifier.core.states import State
from notifier.intake.reconciliation import newest, reconcile_events
from notifier.intake.record import Door, record_many
from notifier.services import Services
from notifier.store import audit
from notifier.store.tables import attempt, dose, event, notification
from tests.builders import an_event
from tests.desk import Desk

NONE = {
    "pending": 0,
    "without_message": 0,
    "doses_untold": 0,
    "messages_waiting_twice": 0,
    "accepted_twice": 0,
}


def found(services: Services) -> dict[str, int]:
    return asdict(reconcile_events(services).unaccounted)


def test_whatever_is_recorded_is_accounted_for(each_desk: Desk) -> None:
    services = each_desk.services
    each_desk.record(person={"phone": None})
    record_many(
        services,
        [an_event(event_id=f"e{n}", dose={"id": f"d{n}"}, person={"phone": "081299998888"}) for n in range(8)],
        door=Door.IMPORT,
        actor="door:import",
    )
    each_desk.send()
    each_desk.record(event_id="e20", event_type="corrected", dose={"id": "d1", "lot": "LOT-9"})
    each_desk.record(event_id="e21", event_type="corrected", dose={"id": "d2"}, person={"phone": "081277776666"})
    each_desk.record(event_id="e22", event_type="entered_in_error", recorded_at="2026-11-23T04:00:00Z")
    each_desk.record(event_id="e23", event_type="entered_in_error", dose={"id": "nobody-knows"})
    report = reconcile_events(services)
    assert report.looked_at == 13
    assert asdict(report.unaccounted) == NONE


def unfinished(services: Services, row: Any) -> None:
    _change(services, event.update().values(outcome="pending"))


def unlinked(services: Services, row: Any) -> None:
    _change(services, event.update().values(notification_id=None))


def dangling(services: Services, row: Any) -> None:
    _change(services, event.update().values(notification_id=new_id()))


def forgotten(services: Services, row: Any) -> None:
    values = {"id": new_id(), "source_id": "other", "person_id": row.person_id, "status": "given"}
    _change(services, dose.insert().values(**values, created_at=row.created_at, updated_at=row.created_at))


def doubled(services: Services, row: Any) -> None:
    copy = dict(row._mapping) | {"id": new_id(), "reference": new_reference(), "generation": 2, "status": "held"}
    _change(services, notification.insert().values(**copy))


def sent_twice(services: Services, row: Any) -> None:
    for number in (1, 2):
        values = {"id": new_id(), "reference": new_id(), "notification_id": row.id, "number": number}
        more = {"lease_token": new_id(), "gateway": "fake", "started_at": row.created_at, "outcome": "accepted"}
        _change(services, attempt.insert().values(**values, **more))


def _change(services: Services, statement: sa.Executable) -> None:
    with services.db.write() as conn:
        conn.execute(statement)


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        (unfinished, "pending"),
        (unlinked, "without_message"),
        (dangling, "without_message"),
        (forgotten, "doses_untold"),
        (doubled, "messages_waiting_twice"),
        (sent_twice, "accepted_twice"),
    ],
)
def test_each_gap_is_counted_logged_and_kept(
    each_desk: Desk, caplog: pytest.LogCaptureFixture, fault: Callable[[Services, Any], None], counted: str
) -> None:
    services = each_desk.services
    recorded = each_desk.record()
    assert found(services) == NONE
    assert not [entry for entry in caplog.records if entry.levelno == logging.ERROR]

    fault(services, each_desk.row(recorded.reference))

    assert found(services) == NONE | {counted: 1}
    assert [entry.message for entry in caplog.records if entry.levelno == logging.ERROR] == ["events unaccounted"]
    kept = newest(services)
    assert kept is not None
    assert (kept.at, kept.looked_at, kept.unaccounted) == (services.clock.now(), 1, 1)


def test_sending_again_beside_an_unknown_outcome_is_no_gap(desk: Desk) -> None:
    row = desk.row(desk.record().reference)
    _change(desk.services, notification.update().values(status=State.UNKNOWN.value))
    again = dict(row._mapping) | {"id": new_id(), "reference": new_reference(), "generation": 2}
    _change(desk.services, notification.insert().values(**again))
    assert found(desk.services) == NONE


def test_before_the_first_count_there_is_none_and_each_leaves_its_audit_row(services: Services) -> None:
    assert newest(services) is None
    reconcile_events(services)
    with services.db.read() as conn:
        (row,) = audit.of_subjects(conn, ["events"])
    assert (row.actor, row.action) == (audit.SYSTEM, "events.reconciled")
    assert row.detail == {"looked_at": 0, "unaccounted": 0, **NONE}
    assert json.dumps(row.detail)
