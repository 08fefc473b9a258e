"""The work lists in the browser: counts, ticked rows, what was taken by somebody else, whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from notifier.access.roles import Role
from notifier.core.states import Channel, Reason, State
from notifier.services import Services
from notifier.store import notifications, persons, suppressions
from notifier.store.suppressions import Source
from notifier.store.tables import notification, suppression
from notifier.support import opt_out
from tests.fakes import FakeClock
from tests.web.staff.conftest import OTHER_FACILITY, Desk, NewDesk


def standing(services: Services, reference: str) -> str:
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
    assert row is not None
    return str(row.status)


def put(services: Services, reference: str, **values: Any) -> str:
    with services.db.write() as conn:
        conn.execute(notification.update().where(notification.c.reference == reference).values(**values))
    return reference


@pytest.fixture
def held(worker: Desk, services: Services) -> list[str]:
    references = [worker.entered(name=f"Orang {number}", nik="", phone=f"0812-3456-78{number:02}") for number in "123"]
    return [put(services, one, status=State.HELD.value, reason=Reason.PAST_DUE.value) for one in references]


def stopped(services: Services) -> str:
    index = persons.phone_index(services.sealer, "+6281234567890")
    opt_out.stop(services, index, channel=Channel.SMS, source=Source.INBOUND, actor=opt_out.INBOUND_DOOR)
    with services.db.read() as conn:
        return str(conn.execute(suppression.select()).one().id)


def test_the_overview_counts_and_each_line_leads_to_its_rows(
    operator: Desk, worker: Desk, services: Services, held: list[str], clock: FakeClock
) -> None:
    clock.tick(hours=47)
    operator.sign_in("oki")
    page = operator.get("/work").text
    links = [part.partition('"')[0] for part in page.partition('class="counts work"')[2].split('href="')[1:8]]
    assert len(links) == 7
    assert [operator.get(link.replace("&amp;", "&")).status_code for link in links] == [200] * 7
    line = page.partition('href="/work/held"')[2].partition("</a>")[0]
    assert "<b>3</b>" in line
    assert "47 jam" in line
    assert "<b>3</b>" in page.partition('href="/work/late"')[2].partition("</a>")[0]
    assert all(reference in operator.get("/work/held").text for reference in held)


def test_ticked_rows_are_released_together_and_what_a_colleague_took_is_told(
    operator: Desk, new_desk: NewDesk, services: Services, held: list[str]
) -> None:
    other = new_desk("rina", Role.OPERATOR, None)
    for desk in (operator, other):
        desk.get("/work/held")
    response = other.post("/work/held", {"row": [held[0]], "deed": "cancel", "reason": "salah orang"})
    assert response.status_code == 303
    response = operator.post("/work/held", {"row": held, "deed": "release", "reason": "jaringan pulih"})
    page = operator.get(response.location).text
    assert "Selesai untuk 2 baris." in page
    assert "Tidak dilakukan untuk 1 baris:" in page
    assert f'/messages/{held[0]}"' in page
    assert "Petugas lain sudah memutuskannya" in page
    assert [standing(services, one) for one in held] == ["cancelled", "scheduled", "scheduled"]


def test_without_a_tick_or_a_reason_nothing_is_done_and_the_ticks_are_kept(
    operator: Desk, services: Services, held: list[str]
) -> None:
    operator.get("/work/held")
    response = operator.post("/work/held", {"deed": "release", "reason": "jaringan pulih"})
    assert response.status_code == 422
    assert "Centang paling sedikit satu baris" in response.text
    assert 'value="jaringan pulih"' in response.text
    response = operator.post("/work/held", {"row": held[:1], "deed": "release", "reason": ""})
    assert response.status_code == 422
    assert f'value="{held[0]}" checked' in response.text
    for form in ({"deed": "lift"}, {"deed": "again"}, {"deed": "x"}, {}):
        assert operator.post("/work/held", {"row": held, "reason": "x"} | form).status_code == 422
    assert {standing(services, one) for one in held} == {"held"}


def test_unknown_outcomes_are_sent_again_once(operator: Desk, services: Services, held: list[str]) -> None:
    put(services, held[0], status=State.UNKNOWN.value, reason=Reason.OUTCOME_UNKNOWN.value, look_up_at=None)
    form = {"row": [held[0]], "deed": "again", "reason": "orangnya menunggu"}
    operator.get("/work/unknown")
    assert "Selesai untuk 1 baris." in operator.get(operator.post("/work/unknown", form).location).text
    operator.get("/work/unknown")
    assert "Selesai untuk 0 baris." in operator.get(operator.post("/work/unknown", form).location).text
    with services.db.read() as conn:
        row = notifications.find(conn, held[0])
        assert row is not None
        assert len(notifications.of_dose(conn, row.dose_id)) == 2


def test_a_facility_sees_and_decides_about_its_own(
    worker: Desk, new_desk: NewDesk, services: Services, held: list[str]
) -> None:
    other = new_desk("made", Role.HEALTH_WORKER, OTHER_FACILITY)
    assert held[0] in worker.get("/work/held").text
    assert "<b>0</b>" in other.get("/work").text.partition('href="/work/held"')[2].partition("</a>")[0]
    for path in ("/work/held", "/work/held?facility=pkm-1"):
        assert held[0] not in other.get(path).text
    response = other.post("/work/held", {"row": held, "deed": "release", "reason": "x", "facility": "pkm-1"})
    assert "Selesai untuk 0 baris." in other.get(response.location).text
    assert standing(services, held[0]) == "held"
    assert other.get("/work/dead-letters").status_code == 403


def test_an_operator_narrows_to_a_facility(operator: Desk, held: list[str]) -> None:
    page = operator.get("/work/held").text
    assert "/work/held?facility=pkm-1" in page
    page = operator.get("/work/held?facility=pkm-1").text
    assert "Puskesmas pkm-1" in page
    assert held[0] in page
    assert operator.get("/work/held?facility=nowhere").status_code == 404


def test_a_stopped_number_is_lifted_only_where_the_person_asked(
    operator: Desk, worker: Desk, new_desk: NewDesk, services: Services
) -> None:
    worker.entered()
    row_id = stopped(services)
    operator.get("/work/stopped")
    response = operator.post("/work/stopped", {"row": [row_id], "reason": "diminta"})
    assert response.status_code == 422
    assert "Centang ini bila orangnya sendiri yang meminta" in response.text
    form = {"row": [row_id], "reason": "diminta", "asked": "yes"}
    worker.get("/work/stopped")
    assert worker.post("/work/stopped", form).status_code == 403
    auditor = new_desk("tuti", Role.AUDITOR, None)
    page = auditor.get("/work/stopped").text
    assert "dengan membalas STOP" in page
    assert "Siti" not in page
    assert "••••" not in page
    assert "Siti Aminah" in operator.get("/work/stopped").text
    assert "Selesai untuk 1 baris." in operator.get(operator.post("/work/stopped", form).location).text
    with services.db.read() as conn:
        index = persons.phone_index(services.sealer, "+6281234567890")
        assert suppressions.standing(conn, index) is None


def test_an_auditor_sees_lists_without_names_or_buttons(new_desk: NewDesk, held: list[str]) -> None:
    auditor = new_desk("tuti", Role.AUDITOR, None)
    page = auditor.get("/work/held").text
    assert held[0] in page
    assert "Orang 1" not in page
    assert 'name="deed"' not in page
    assert auditor.post("/work/held", {"row": held, "deed": "release", "reason": "x"}).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/work/held?after=nonsense",
        "/work/held?after=%00",
        "/work/stopped?after=nonsense",
        "/work/held?done=9999&deed=release",
        "/work/held?done=1&deed=release&refused=<script>.x",
        "/work/held?done=1&deed=explode",
        "/work/dead-letters?after=x&status=x&done=x&key=%00",
    ],
)
def test_rubbish_in_an_address_harms_nothing(operator: Desk, held: list[str], path: str) -> None:
    response = operator.get(path)
    assert response.status_code == 200
    assert "<script" not in response.text


def test_a_list_that_is_not_there_is_not_found(operator: Desk) -> None:
    assert operator.get("/work/gossip").status_code == 404
    operator.get("/work")
    assert operator.post("/work/gossip", {"deed": "release"}).status_code == 404


def test_empty_lists_say_what_would_be_there(operator: Desk) -> None:
    for name in ("late", "unknown", "held", "numbers", "stopped", "dead-letters"):
        page = operator.get(f"/work/{name}").text
        assert 'class="empty"' in page
        assert "di sini" in page


def test_all_rows_of_the_page_as_it_was_shown_are_decided(
    operator: Desk, worker: Desk, services: Services, held: list[str]
) -> None:
    shown = [part.partition('"')[0] for part in operator.get("/work/held").text.split('name="shown" value="')[1:]]
    assert sorted(shown) == sorted(held)
    later = put(services, worker.entered(name="Ujang", nik="", phone="0812-3456-7899"), status=State.HELD.value)
    response = operator.post("/work/held", {"shown": shown, "all": "yes", "deed": "release", "reason": "pulih"})
    assert "Selesai untuk 3 baris." in operator.get(response.location).text
    assert standing(services, later) == "held"
