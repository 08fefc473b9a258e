"""Which element of a Patient or Immunization becomes which field of the event."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notifier.intake.fhir_fields import KFA_SYSTEM as KFA
from tests.builders import CVX_SYSTEM, fhir_bundle, fhir_immunization, fhir_patient
from tests.intake.fhir_reading import event_of


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-21", date(2026, 11, 21)),
        ("2026-11-21T20:00:00+00:00", date(2026, 11, 22)),  # already tomorrow in Jakarta
        ("2026-11-21T20:00:00Z", date(2026, 11, 22)),
        ("2026-11-21T23:30:00+09:00", date(2026, 11, 21)),  # the facility's own clock
    ],
)
def test_the_day_of_a_dose_is_the_day_at_the_facility(text: str, day: date) -> None:
    assert event_of(fhir_immunization(occurrenceDateTime=text)).dose.given_on == day


def test_the_zone_of_utc_times_can_be_handed_in() -> None:
    immunization = fhir_immunization(occurrenceDateTime="2026-11-21T15:30:00Z")
    assert event_of(immunization).dose.given_on == date(2026, 11, 21)
    assert event_of(immunization, zone=ZoneInfo("Asia/Jayapura")).dose.given_on == date(2026, 11, 22)


def test_the_moment_of_recording_is_kept() -> None:
    event = event_of(fhir_immunization(recorded="2026-11-23T09:00:00+07:00"))
    assert event.recorded_at == datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("codings", "chosen"),
    [
        ([("loinc", "1"), (CVX_SYSTEM, "140"), (KFA, "VG17"), (KFA, "93001282")], "93001282"),
        ([("loinc", "1"), (KFA, "VG17"), (CVX_SYSTEM, "140")], "140"),
        ([(None, "9"), ("loinc", "1")], "1"),
        ([(None, "9")], "9"),
    ],
)
def test_the_vaccine_is_the_kfa_product_then_cvx_then_any_code(
    codings: list[tuple[str | None, str]], chosen: str
) -> None:
    coding = [{"system": system, "code": code} if system else {"code": code} for system, code in codings]
    assert event_of(fhir_immunization(vaccineCode={"coding": coding})).dose.vaccine_code == chosen


def test_a_vaccine_in_words_alone_is_a_product() -> None:
    immunization = {**fhir_immunization(), "vaccineCode": {"text": "Bio Farma Td"}}
    assert (event_of(immunization).dose.vaccine_code, event_of(immunization).dose.product) == (None, "Bio Farma Td")


@pytest.mark.parametrize(
    ("protocol", "number", "total"),
    [
        ({"doseNumberPositiveInt": 2, "seriesDosesPositiveInt": 3}, 2, 3),
        ({"doseNumberString": "2", "seriesDosesString": "3"}, 2, 3),
        ({"doseNumberString": "booster"}, None, None),
    ],
)
def test_dose_numbers_are_read_from_both_choices(protocol: dict[str, Any], number: int | None, total: int) -> None:
    dose = event_of(fhir_immunization(protocolApplied=[protocol])).dose
    assert (dose.number, dose.series_total) == (number, total)


@pytest.mark.parametrize(
    ("changes", "historical"),
    [({"primarySource": True}, False), ({"primarySource": False}, True), ({"reportOrigin": {"text": "card"}}, True)],
)
def test_a_copy_from_a_card_is_marked_historical(changes: dict[str, Any], historical: bool) -> None:
    assert event_of(fhir_immunization(**changes)).historical is historical


def phone_of(**changes: Any) -> str | None:
    person = event_of(fhir_bundle(fhir_patient(**changes), fhir_immunization())).person
    assert person is not None
    return person.phone


def test_the_mobile_number_comes_first_and_old_ones_never() -> None:
    home = {"system": "phone", "value": "021555", "use": "home"}
    mobile = {"system": "phone", "value": "0812", "use": "mobile"}
    old = {"system": "phone", "value": "0899", "use": "old"}
    mail = {"system": "email", "value": "a@example.org"}
    assert phone_of(telecom=[mail, old, home, mobile]) == "0812"
    assert phone_of(telecom=[mail, old, home]) == "021555"
    assert phone_of(telecom=[old]) is None


def test_a_baby_is_reached_through_the_parent() -> None:
    contact = [{"telecom": [{"system": "phone", "value": "0813", "use": "mobile"}]}]
    assert phone_of(telecom=[], contact=contact) == "0813"
    assert phone_of(contact=contact) == "081234567890"


def test_a_name_is_the_official_one_without_titles() -> None:
    names = [
        {"use": "maiden", "family": "Old"},
        {"use": "official", "family": "Chalmers", "given": ["Peter", "James"], "prefix": ["Mr."]},
    ]
    person = event_of(fhir_bundle(fhir_patient(name=names), fhir_immunization())).person
    assert person is not None
    assert person.name == "Peter James Chalmers"


def test_a_place_that_came_along_lends_its_name() -> None:
    bundle = fhir_bundle(
        fhir_patient(),
        {"resourceType": "Location", "id": "l1", "name": "Puskesmas Menteng"},
        fhir_immunization(location={"reference": "Location/l1"}),
    )
    dose = event_of(bundle).dose
    assert (dose.facility, dose.facility_id) == ("Puskesmas Menteng", "l1")


def test_the_vaccinator_is_not_the_facility() -> None:
    performer = [
        {"actor": {"reference": "Practitioner/n1", "display": "dr. Budi"}},
        {"actor": {"reference": "Organization/o1", "display": "RS Harapan"}},
    ]
    dose = event_of(fhir_immunization(performer=performer)).dose
    assert (dose.facility, dose.facility_id) == ("RS Harapan", "o1")
    assert event_of(fhir_immunization(performer=performer[:1])).dose.facility is None
