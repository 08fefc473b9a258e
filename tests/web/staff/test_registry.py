"""What the registry could not be told, and a person's vaccination status, in the browser."""

from __future__ import annotations

import re
from typing import Any

import pytest

from notifier.access.roles import Role
from notifier.core.states import RegistryEvent
from notifier.services import Services
from notifier.store import audit, notifications, registry_outbox
from notifier.store.tables import registry_outbox as outbox
from tests.desk import Desk as Records
from tests.fakes import FakeClock
from tests.web.staff.conftest import Desk, NewDesk


def row(services: Services) -> Any:
    with services.db.read() as conn:
        return conn.execute(outbox.select()).one()


@pytest.fixture
def untold(worker: Desk, services: Services) -> str:
    """The id of an event that the registry refused."""
    reference, at = worker.entered(), services.clock.now()
    with services.db.write() as conn:
        message = notifications.find(conn, reference)
        assert message is not None
        registry_outbox.add(conn, RegistryEvent.PERSON_CORRECTED, message.person_id, at, fields=["name"])
        (taken,) = registry_outbox.take(conn, at, 5)
        registry_outbox.stuck(conn, taken.id, at=at, problem="http-401")
        registry_outbox.alarmed(conn, taken.id, at)
    return str(taken.id)


def test_the_work_list_leads_to_it_and_names_no_person(operator: Desk, untold: str) -> None:
    assert "Registri belum diberi tahu" in operator.get("/work").text
    page = operator.get("/work/registry").text
    assert "Registri menolak tanda tangan kami" in page
    assert "Nama lengkap" in page
    assert "Siti" not in page


def test_an_operator_has_it_tried_again_with_a_reason(operator: Desk, untold: str, services: Services) -> None:
    operator.get("/work/registry")
    refused = operator.post("/work/registry", {"deed": "again", "row": untold})
    assert refused.status_code == 422
    assert "Tulis alasannya" in refused.text
    assert "checked" in refused.text
    assert row(services).stuck_at is not None
    done = operator.post("/work/registry", {"deed": "again", "row": untold, "reason": "kunci sudah diganti"})
    assert done.status_code == 303
    assert (row(services).stuck_at, row(services).alarmed_at, row(services).due_at) == (
        None,
        None,
        services.clock.now(),
    )
    assert "Selesai untuk 1 baris" in operator.get(done.location).text
    with services.db.read() as conn:
        assert [one.action for one in audit.of_subjects(conn, [untold])] == ["registry.told-again"]


def test_it_may_have_been_told_otherwise_and_only_once(operator: Desk, untold: str, services: Services) -> None:
    operator.get("/work/registry")
    typed = {"deed": "given-up", "row": [untold, untold, "x", "\0"], "reason": "lewat surat"}
    assert operator.post("/work/registry", typed).location.endswith("done=1")
    assert row(services).done_at is not None
    assert operator.post("/work/registry", typed | {"deed": "again"}).location.endswith("done=0")
    assert row(services).done_at is not None


@pytest.mark.parametrize("typed", [{"deed": "drop"}, {"deed": "again", "reason": "x"}, {"deed": "again", "row": "?"}])
def test_rubbish_changes_nothing(operator: Desk, untold: str, services: Services, typed: dict[str, str]) -> None:
    operator.get("/work/registry")
    before = row(services)
    assert operator.post("/work/registry", typed).status_code == 422
    assert row(services) == before


def test_an_auditor_looks_and_cannot_touch(new_desk: NewDesk, untold: str) -> None:
    auditor = new_desk("audi", Role.AUDITOR, None)
    page = auditor.get("/work/registry").text
    assert "Coba lagi" not in page
    assert auditor.post("/work/registry", {"deed": "again", "row": untold, "reason": "x"}).status_code == 403


def of_siti(services: Services, *doses: dict[str, Any]) -> str:
    """The reference of a message about Siti, who had these doses."""
    recorded = [
        Records(services).record(
            event_id=f"status-{place}",
            dose={"id": f"s-{place}", "number": None, "series_total": None, "facility_id": "pkm-1"} | dose,
        )
        for place, dose in enumerate(doses)
    ]
    assert recorded[0].reference is not None
    return recorded[0].reference


COVID = {"vaccine_code": "511", "product": "CoronaVac", "given_on": "2026-11-02"}


def section(page: str) -> str:
    found = re.search(r'<h2 id="status">.*?(?=<details|<h2 id="timeline")', page, re.DOTALL)
    assert found is not None
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def test_a_person_s_page_has_series_next_dose_and_the_rule_s_source(operator: Desk, services: Services) -> None:
    reference = of_siti(services, COVID, {"given_on": "2026-01-05"})
    told = section(operator.get(f"/persons/{reference}").text)
    assert "1 dari 2 dosis" in told
    assert "dosis 2, paling cepat 30 November 2026" in told
    assert "4638/2021" in told
    assert "Di luar jadwal program: Influenza (5 Januari 2026)" in told


def test_a_worker_sees_the_count_over_all_places_but_not_where(worker: Desk, services: Services) -> None:
    other = COVID | {"given_on": "2026-10-01", "facility_id": "pkm-2", "facility": "RS Rahasia"}
    reference = of_siti(services, COVID, other)
    page = worker.get(f"/persons/{reference}").text
    assert "lengkap, 2 dosis" in section(page)
    assert "RS Rahasia" not in page


def test_a_doubt_is_said_instead_of_a_date(operator: Desk, services: Services, clock: FakeClock) -> None:
    reference = of_siti(services, COVID | {"number": 1}, COVID | {"number": 2})
    told = section(operator.get(f"/persons/{reference}").text)
    assert "belum dapat dikatakan Nomor dosis yang tercatat tidak cocok dengan tanggalnya." in told
    assert "paling cepat" not in told
