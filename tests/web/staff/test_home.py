"""The start page says what stops the queue, and whether every dose record is accounted for."""

from __future__ import annotations

from notifier.access.roles import Role
from notifier.intake.reconciliation import reconcile_events
from notifier.intake.record import Door, record
from notifier.messages import circuit
from notifier.services import Services
from notifier.store.circuits import CircuitMode
from notifier.store.tables import event
from tests.builders import an_event
from tests.web.staff.conftest import NewDesk


def test_it_says_that_the_provider_is_not_contacted_and_since_when(services: Services, new_desk: NewDesk) -> None:
    operator = new_desk("wati", Role.OPERATOR, None)
    assert "Penyedia SMS tidak dihubungi dulu" not in operator.get("/").text
    circuit.pin(services, CircuitMode.OPEN, reason="the provider asked us to", actor="door:command")
    page = operator.get("/").text
    assert "Penyedia SMS tidak dihubungi dulu" in page
    assert "the provider asked us to" in page
    circuit.pin(services, CircuitMode.AUTO, reason="done", actor="door:command")
    assert "Penyedia SMS tidak dihubungi dulu" not in operator.get("/").text


def test_it_shows_the_newest_nightly_number(services: Services, new_desk: NewDesk) -> None:
    operator = new_desk("wati", Role.OPERATOR, None)
    assert "Pemeriksaan malam" not in operator.get("/").text
    record(services, an_event(), door=Door.API, actor="door:api")
    reconcile_events(services)
    assert "semua 1 catatan dosis punya SMS atau alasan." in operator.get("/").text

    with services.db.write() as conn:
        conn.execute(event.update().values(outcome="pending"))
    reconcile_events(services)
    assert "1 dari 1 catatan dosis tidak punya SMS maupun alasan" in operator.get("/").text
