"""The start page: every number leads to exactly the rows behind it, and a facility sees its own."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from linkserver.staff import charts
from notifier.access.roles import Role
from notifier.core.schedule import read_quiet_hours
from notifier.core.states import State
from notifier.gateways import Outcome, OutcomeClass
from notifier.messages import circuit, tallies
from notifier.services import Services
from notifier.store import certificates, openings
from notifier.store.circuits import CircuitMode
from notifier.store.openings import OpeningKind
from notifier.store.tables import notification, tally_run
from notifier.support import dashboard, resend
from tests.desk import Desk as Installation
from tests.fakes import FakeClock
from tests.web.staff.conftest import FACILITY, OTHER_FACILITY, Desk, NewDesk

JAKARTA = ZoneInfo("Asia/Jakarta")
_LINK = re.compile(r'<a href="(/messages[^"]*)">([\d.]+)</a>')


@pytest.fixture
def busy(services: Services, clock: FakeClock) -> Installation:
    """Two days, two facilities, and messages in many states."""
    desk = Installation(services)
    numbers = iter(range(1000))

    def add(facility_id: str, number: int) -> None:
        for _ in range(number):
            n = next(numbers)
            person = {"id": f"p{n}", "nik": None, "phone": f"0812-3456-7{n:03d}"}
            desk.record(event_id=f"e{n}", person=person, dose={"id": f"d{n}", "facility_id": facility_id})

    add(FACILITY, 4)
    answers = iter([None, None, Outcome(OutcomeClass.PERMANENT, code="21211"), None])
    desk.gateway.answer = lambda sms: next(answers, None) or desk.gateway.accept(sms)
    desk.send()
    desk.receive("delivered", 0)
    _opened(services, desk.rows()[-1].link_id, OpeningKind.OPENED, OpeningKind.PDF)
    clock.tick(days=1)
    add(OTHER_FACILITY, 3)
    desk.send()
    desk.receive("delivered", -1)
    desk.receive("undelivered", -2, code="30005")
    add(FACILITY, 2)
    resend.cancel(services, desk.rows()[0].reference, reason="salah", actor="test")
    clock.tick(hours=1)
    tallies.refresh(services)
    return desk


def _opened(services: Services, link_id: str, *kinds: OpeningKind) -> None:
    at = services.clock.now()
    with services.db.write() as conn:
        seen = openings.find(conn, certificates.load_links(conn, [link_id])[link_id].public_id)
        assert seen is not None
        certificates.mark_opened(conn, link_id, at)
        for kind in kinds:
            openings.add(conn, seen, kind=kind, device="phone", at=at)


def links(page: str) -> list[tuple[str, int]]:
    """(address, the number that leads there)."""
    main = page.partition("<main")[2]
    return [(html.unescape(address), int(number.replace(".", ""))) for address, number in _LINK.findall(main)]


def rows_behind(desk: Desk, address: str) -> int:
    return desk.get(address).text.count('<td class="num" data-label="Acuan">')


@pytest.mark.parametrize(("role", "facility"), [(Role.OPERATOR, None), (Role.HEALTH_WORKER, FACILITY)])
def test_every_number_leads_to_as_many_rows(
    busy: Installation, new_desk: NewDesk, role: Role, facility: str | None
) -> None:
    desk = new_desk("wati", role, facility)
    found = links(desk.get("/").text)
    assert len(found) > 15
    wrong = [(address, number) for address, number in found if rows_behind(desk, address) != number]
    assert wrong == []


def test_the_figures_are_those_of_what_happened(busy: Installation, services: Services) -> None:
    seen = dashboard.look(services, only_facility=None)
    states = [row.status for row in busy.rows()]
    for group, members in dashboard.GROUPS.items():
        assert seen.totals.numbers[group] == sum(state in members for state in states), group
    assert (seen.totals.numbers["opened"], seen.totals.numbers["downloaded"]) == (1, 1)
    assert seen.now.standing.due == 1
    assert seen.now.standing.oldest_due == max(row.due_at for row in busy.rows() if row.status == State.SCHEDULED)
    by_day = {line.key: line.numbers["made"] for line in seen.days if line.numbers["made"]}
    assert by_day["2026-11-23"] == 4
    assert sum(by_day.values()) == len(states)
    assert (State.FAILED, "refused", 1) in [(one.state, one.reason, one.number) for one in seen.reasons]


def test_a_facility_sees_its_own_numbers_and_no_senders_pace(busy: Installation, new_desk: NewDesk) -> None:
    own = dashboard.look(busy.services, only_facility=FACILITY)
    everybody = dashboard.look(busy.services, only_facility=None)
    assert own.totals.numbers["made"] == 6
    assert everybody.totals.numbers["made"] > 6
    assert (own.facilities, own.pace) == ((), None)
    assert [line.key for line in everybody.facilities] == [FACILITY, OTHER_FACILITY]
    page = new_desk("sari", Role.HEALTH_WORKER).get("/").text
    assert "Per fasilitas" not in page
    assert "Laju" not in page


def test_a_facility_cannot_look_at_another_through_the_filter(busy: Installation, new_desk: NewDesk) -> None:
    worker = new_desk("sari", Role.HEALTH_WORKER)
    assert rows_behind(worker, f"/messages?facility={OTHER_FACILITY}") == 6
    operator = new_desk("wati", Role.OPERATOR, None)
    assert 0 < rows_behind(operator, f"/messages?facility={OTHER_FACILITY}") != 6


@pytest.mark.parametrize(
    "query",
    [
        "day=yesterday",
        "day=0001-01-01",
        "day=9999-12-31",
        "since=x",
        "which=everything",
        "which=due&which=risk",
        "state=nonsense&state=failed",
        "reason=%27%20OR%201%3D1--",
        "reason=%3Cscript%3E",
        "facility=%00",
        "facility=" + "x" * 3000,
        "before=0000000000&day=2026-11-23",
    ],
)
def test_rubbish_in_the_filter_is_no_fault(busy: Installation, new_desk: NewDesk, query: str) -> None:
    page = new_desk("wati", Role.OPERATOR, None).get(f"/messages?{query}")
    assert page.status_code == 200
    assert "<script>" not in page.text


def test_an_older_page_keeps_the_filter(busy: Installation, new_desk: NewDesk) -> None:
    for place in range(60):
        n = 500 + place
        person = {"id": f"p{n}", "nik": None, "phone": f"0813-3456-7{n:03d}"}
        busy.record(event_id=f"e{n}", person=person, dose={"id": f"d{n}", "facility_id": FACILITY})
    operator = new_desk("wati", Role.OPERATOR, None)
    page = operator.get(f"/messages?state=scheduled&state=held&facility={FACILITY}&day=2026-11-24").text
    [older] = re.findall(r'href="([^"]+)">Lebih lama', page)
    assert 50 + rows_behind(operator, html.unescape(older)) == 61


def test_an_empty_start_page_is_friendly(new_desk: NewDesk) -> None:
    assert "Dosis pertama datang dari" in new_desk("wati", Role.OPERATOR, None).get("/").text
    page = new_desk("sari", Role.HEALTH_WORKER).get("/").text
    assert "Catat dosis pertama" in page
    assert "<svg" not in page


def test_before_the_first_count_it_says_so(desk: Installation, new_desk: NewDesk) -> None:
    desk.record()
    page = new_desk("wati", Role.OPERATOR, None).get("/").text
    assert "Hitungan pertama sedang dibuat" in page
    assert links(page) == [("/messages?which=due", 1)]


def test_it_says_when_it_was_counted_and_that_counting_stopped(
    busy: Installation, new_desk: NewDesk, clock: FakeClock
) -> None:
    operator = new_desk("wati", Role.OPERATOR, None)
    assert "Dihitung 24 November 2026 11.00 WIB" in operator.get("/").text
    assert "terlambat: periksa" not in operator.get("/").text
    clock.tick(minutes=16)
    assert "terlambat: periksa" in operator.get("/").text


def test_the_kill_switch_is_a_band_with_who_when_and_why(busy: Installation, new_desk: NewDesk) -> None:
    boss = new_desk("rini", Role.SUPERVISOR, None)
    boss.get("/settings")
    boss.post("/settings/hold", {"reason": "penyedia rusak"})
    page = boss.get("/").text
    assert "Semua pengiriman SMS sedang ditahan" in page
    assert "24 November 2026 11.00 WIB, oleh Rini: penyedia rusak" in page
    assert "Belum dapat dikira-kira selama pengiriman berhenti" in page


def test_the_circuit_is_told_in_words(busy: Installation, new_desk: NewDesk) -> None:
    operator = new_desk("wati", Role.OPERATOR, None)
    assert "Menerima SMS seperti biasa." in operator.get("/").text
    circuit.pin(busy.services, CircuitMode.CLOSED, reason="kami yakin", actor="test")
    assert "Operator membuat SMS tetap dikirim" in operator.get("/").text
    circuit.pin(busy.services, CircuitMode.OPEN, reason="jangan dulu", actor="test")
    assert "Operator yang menghentikannya" in operator.get("/").text


def test_a_promise_at_risk_is_counted_and_found(busy: Installation, new_desk: NewDesk) -> None:
    with busy.services.db.write() as conn:
        waiting = notification.c.status == State.SCHEDULED.value
        conn.execute(notification.update().where(waiting).values(alarmed_at=busy.services.clock.now()))
    for desk in (new_desk("wati", Role.OPERATOR, None), new_desk("sari", Role.HEALTH_WORKER)):
        page = desk.get("/").text
        assert ("/messages?which=risk", 1) in links(page)
        assert rows_behind(desk, "/messages?which=risk") == 1


def test_more_than_are_counted_live_come_from_the_newest_count(busy: Installation) -> None:
    with busy.services.db.write() as conn:
        conn.execute(tally_run.update().values(due=1_234_567))
    now = dashboard.look(busy.services, only_facility=None, most_due=1).now
    assert (now.standing.due, now.due_is_older) == (1_234_567, True)
    own = dashboard.look(busy.services, only_facility=FACILITY, most_due=1).now
    assert (own.standing.due, own.due_is_older) == (1, False)


@pytest.mark.parametrize(
    ("quiet", "hour", "seconds", "expected"),
    [
        ("off", 10, 3600 * 20, "2026-11-24T06:00"),
        ("20:00-08:00", 10, 3600, "2026-11-23T11:00"),
        ("20:00-08:00", 10, 3600 * 10, "2026-11-23T20:00"),
        ("20:00-08:00", 10, 3600 * 11, "2026-11-24T09:00"),
        ("20:00-08:00", 22, 60, "2026-11-24T08:01"),
        ("20:00-08:00", 10, 3600 * 36, "2026-11-26T10:00"),
        ("20:00-08:00", 10, 1e30, None),
    ],
)
def test_the_forecast_sends_in_allowed_hours_alone(quiet: str, hour: int, seconds: float, expected: str | None) -> None:
    now = datetime(2026, 11, 23, hour, tzinfo=JAKARTA)
    done = dashboard.through_at(now, seconds, read_quiet_hours(quiet), JAKARTA)
    assert (done and f"{done.astimezone(JAKARTA):%Y-%m-%dT%H:%M}") == expected


def test_the_forecast_goes_by_the_senders_rate(services: Services, new_desk: NewDesk, clock: FakeClock) -> None:
    limited = replace(services, settings=services.settings.model_copy(update={"sender_rate": 0.5}))
    desk = Installation(services)
    for place in range(3):
        desk.record(event_id=f"e{place}", dose={"id": f"d{place}"})
    pace = dashboard.look(limited, only_facility=None).pace
    assert pace is not None
    assert pace.done_at == clock.now() + timedelta(seconds=6)


def test_columns_are_as_high_as_their_share_and_stand_on_each_other() -> None:
    none = dict.fromkeys(charts.STACK, 0)
    chart = charts.columns([none | {"delivered": 30, "missed": 10}, none], ["1", "2"], str)
    first, second = chart.rects
    bottom, scale = chart.lines[-1], chart.lines[-1] - chart.lines[0]
    assert (first.kind, first.y + first.height, first.height) == ("delivered", bottom, scale * 30 / 40)
    assert (second.kind, second.y + second.height, second.height) == ("missed", first.y, scale * 10 / 40)
    assert [label.text for label in chart.labels] == ["40", "1", "2"]


@pytest.mark.parametrize(("number", "top"), [(0, 1), (1, 1), (7, 8), (9, 10), (11, 15), (101, 150), (250_000, 250_000)])
def test_a_scale_ends_with_a_round_number(number: int, top: int) -> None:
    none = dict.fromkeys(charts.STACK, 0)
    assert charts.columns([none | {"delivered": number}], ["1"], str).labels[0].text == str(top)


def test_rows_share_the_width_of_the_longest() -> None:
    none = dict.fromkeys(charts.STACK, 0)
    chart = charts.rows([none | {"delivered": 8, "missed": 2}, none | {"missed": 5}], ["a" * 60, "b"])
    widths = [rect.width for rect in chart.rects]
    assert widths == [chart.width * 0.8, chart.width * 0.2, chart.width * 0.5]
    assert "…" in chart.labels[0].text
