"""The next dose as an entry of a calendar (RFC 5545), and the status in sentences."""

from __future__ import annotations

import re
from datetime import UTC, date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkserver.words import Catalogue
from notifier.core.errors import NotFound
from notifier.services import Services
from notifier.store.persons import Person
from notifier.support.vaccination_status import Status, as_lines, next_dose_ics, status_of
from notifier.support.vaccination_status.calendar import escape, fold
from notifier.support.vaccination_status.words import Say
from tests.canaries import stands_in
from tests.desk import Desk
from tests.fakes import FakeClock
from tests.support.vaccination_status.test_rules import FIRST, had, status

SITI = Person("0193-id", "Siti Aminah", "3174031002890009", date(1989, 2, 10), "+6281234567890", None, "id", None)


def in_english(text: str) -> str:
    return Catalogue().say("en", text)


def unfolded(raw: bytes) -> list[str]:
    """The content lines, as a calendar reads them."""
    text = raw.decode("utf-8")
    assert text.endswith("\r\n")
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def entry(services: Services, told: Status, say: Say = str) -> dict[str, str]:
    lines = unfolded(next_dose_ics(services, SITI, told, say))
    pairs = [(name, value) for name, _, value in (line.partition(":") for line in lines)]
    return dict(reversed(pairs))  # the entry's own lines come before its alarm's


def test_a_whole_day_with_all_that_the_standard_asks_for(services: Services) -> None:
    raw = next_dose_ics(services, SITI, status(had(FIRST, number=1)), str)
    lines = unfolded(raw)
    assert lines[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sertilink//Sertilink//ID"]
    assert "DTSTART;VALUE=DATE:20261130" in lines
    assert "DTEND;VALUE=DATE:20261201" in lines
    assert f"DTSTAMP:{services.clock.now().astimezone(UTC):%Y%m%dT%H%M%SZ}" in lines
    begun = [line.partition(":")[2] for line in lines if line.startswith("BEGIN:")]
    ended = [line.partition(":")[2] for line in lines if line.startswith("END:")]
    assert (begun, ended) == (["VCALENDAR", "VEVENT", "VALARM"], ["VALARM", "VEVENT", "VCALENDAR"])
    assert all(len(line.encode()) <= 75 for line in raw.decode().split("\r\n"))


def test_the_title_has_the_initial_and_no_name_number_vaccine_or_id(services: Services) -> None:
    raw = next_dose_ics(services, SITI, status(had(FIRST, number=1)), str).decode()
    assert "SUMMARY:Vaksinasi S.\\, dosis 2" in raw
    assert [secret for secret in ("Siti", "Aminah", "3174", "8123", "1989", "0193-id") if stands_in(secret, raw)] == []


def test_the_same_dose_has_one_uid_and_another_dose_another(services: Services) -> None:
    first = entry(services, status(had(FIRST, number=1)))["UID"]
    moved = entry(services, status(had(date(2026, 11, 9), number=1)))["UID"]
    other = entry(services, status(had(FIRST, "Campak-Rubela", 1), born=date(2026, 1, 1)))["UID"]
    assert first == moved
    assert first != other
    assert re.fullmatch(r"[0-9a-f]{32}@127\.0\.0\.1", first)


def test_a_day_that_is_past_is_shown_today(services: Services) -> None:
    told = entry(services, status(had(date(2026, 6, 1), number=1)))
    assert told["DTSTART;VALUE=DATE"] == "20261123"
    assert "boleh diberikan sejak 29 Juni 2026" in told["DESCRIPTION"]


def test_where_no_date_can_be_said_there_is_no_calendar(services: Services) -> None:
    with pytest.raises(NotFound):
        next_dose_ics(services, SITI, status(had(FIRST, "Influenza")), str)


@given(st.text(max_size=300))
def test_any_text_is_folded_between_letters_and_read_again(text: str) -> None:
    line = f"SUMMARY:{escape(text)}"
    raw = fold(line)
    assert all(len(part) <= 75 for part in raw.split(b"\r\n"))
    assert raw.decode("utf-8").replace("\r\n ", "") == line + "\r\n"
    assert not re.search(r"[\x00-\x1f]", line)
    kept = "".join(ch for ch in text.replace("\r\n", "\n") if ch == "\n" or ch.isprintable())
    read = re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], line.removeprefix("SUMMARY:"))
    assert read == kept


def test_the_chat_says_it_line_by_line() -> None:
    told = status(had(FIRST, number=1, facility="Puskesmas Menteng"), had(date(2026, 1, 2), "Influenza"))
    assert as_lines(told, str) == [
        "COVID-19: 1 dari 2 dosis.",
        "- Dosis 1: 2 November 2026, CoronaVac, Puskesmas Menteng",
        "Dosis 2 paling cepat 30 November 2026.",
        "Vaksin lain:",
        "- Dosis: 2 Januari 2026, Influenza",
        "Tanyakan dosis berikutnya kepada petugas kesehatan. Bawa kartu vaksin.",
    ]
    assert as_lines(told, in_english, "en")[:3] == [
        "COVID-19: 1 of 2 doses.",
        "- Dose 1: 2 November 2026, CoronaVac, Puskesmas Menteng",
        "Dose 2 may be given from 30 November 2026 at the earliest.",
    ]


def test_the_chat_sends_to_a_health_worker_where_it_cannot_say() -> None:
    told = status(had(FIRST, number=1), had(FIRST, number=2))
    assert as_lines(told, str)[-1] == (
        "Nomor dosis yang tercatat tidak cocok dengan tanggalnya. "
        "Tanyakan dosis berikutnya kepada petugas kesehatan. Bawa kartu vaksin."
    )
    assert as_lines(status(), str) == ["Belum ada dosis yang tercatat."]
    whole = as_lines(status(had(date(2026, 8, 1), number=1), had(FIRST, number=2)), str)
    assert whole[0] == "COVID-19: lengkap, 2 dosis."
    assert whole[-1] == "Dosis tambahan paling cepat 2 Februari 2027."


def test_the_status_of_somebody_on_file_leaves_withdrawn_doses_out(each_desk: Desk, clock: FakeClock) -> None:
    covid = {"vaccine_code": "511", "product": "CoronaVac", "given_on": "2026-11-02"}
    recorded = each_desk.record(dose=covid)
    each_desk.record(event_id="2", dose=covid | {"id": "dose-2", "given_on": "2026-11-20", "facility_id": "f-2"})
    each_desk.record(event_id="3", event_type="entered_in_error", dose={"id": "dose-2"}, recorded_at=None)
    person_id = each_desk.row(recorded.reference).person_id
    with each_desk.services.db.read() as conn:
        found = status_of(conn, each_desk.services, person_id, today=clock.now().date())
        nobody = status_of(conn, each_desk.services, "00000000-0000-0000-0000-000000000000", today=clock.now().date())
    assert [(one.had, one.next and one.next.earliest) for one in found.series] == [(1, date(2026, 11, 30))]
    assert (nobody.series, nobody.others) == ((), ())
