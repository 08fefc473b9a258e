"""What follows from the doses that somebody has had."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.certificates.codes.vaccines import CVX
from notifier.support.vaccination_status.programmes import FILE, Programmes, programmes, read_span
from notifier.support.vaccination_status.rules import Doubt, HadDose, SeriesStatus, Status, work_out

BORN = date(1989, 2, 10)
TODAY = date(2026, 11, 23)
FIRST = date(2026, 11, 2)
BABY = date(2026, 6, 1)


def had(given_on: date | None, product: str = "CoronaVac", number: int | None = None, **more: Any) -> HadDose:
    """A dose as the file would have it."""
    code, system = more.pop("code", None), more.pop("system", None)
    name = more.pop("dose_id", f"{product}/{given_on}/{number}/{more.get('facility')}")
    known = programmes().known(system, code, product)
    return HadDose(name, number, more.pop("total", None), given_on, product, more.pop("facility", None), known)


def status(*doses: HadDose, born: date | None = BORN, today: date = TODAY) -> Status:
    return work_out(programmes(), doses, born, today)


def only(*doses: HadDose, **more: Any) -> SeriesStatus:
    found = status(*doses, **more)
    assert len(found.series) == 1
    assert found.others == ()
    return found.series[0]


def test_after_a_first_dose_the_second_has_its_earliest_day() -> None:
    series = only(had(FIRST, number=1))
    assert (series.had, series.total, series.is_complete, series.doubt) == (1, 2, False, None)
    assert series.next is not None
    assert (series.next.number, series.next.earliest) == (2, FIRST + timedelta(days=28))
    assert "4638" in series.next.source


@pytest.mark.parametrize(
    ("product", "days"),
    [("CoronaVac", 28), ("BBIBP-CorV", 21), ("Vaxzevria", 56), ("Covishield", 56), ("Spikevax", 28),
     ("Comirnaty", 21), ("Nuvaxovid", 21), ("Covovax", 21), ("Sputnik V", 21), ("Covaxin", 28)],
)  # fmt: skip
def test_each_product_of_two_doses_has_its_interval(product: str, days: int) -> None:
    following = only(had(FIRST, product)).next
    assert following is not None
    assert following.earliest == FIRST + timedelta(days=days)


@pytest.mark.parametrize("product", ["Jcovden", "Convidecia"])
def test_one_dose_of_some_products_is_the_whole_series(product: str) -> None:
    series = only(had(FIRST, product, 1, total=1))
    assert series.is_complete
    assert series.next is not None
    assert (series.next.is_booster, series.next.earliest) == (True, date(2027, 2, 2))


def test_a_complete_series_offers_a_booster_and_says_that_it_is_one() -> None:
    series = only(had(date(2026, 1, 31), number=1), had(date(2026, 8, 31), number=2))
    assert series.is_complete
    assert series.next is not None
    assert (series.next.number, series.next.is_booster) == (3, True)
    assert series.next.earliest == date(2026, 11, 30)  # three calendar months, by the last day of a shorter one


def test_nobody_waits_years_for_a_booster() -> None:
    child = only(had(date(2026, 7, 1), number=1), had(date(2026, 8, 1), number=2), born=date(2018, 1, 1))
    assert child.is_complete
    assert (child.next, child.doubt) == (None, None)


def test_after_the_last_booster_of_the_programme_nothing_is_promised() -> None:
    days = [date(2021, 3, 1), date(2021, 4, 1), date(2022, 3, 1), date(2023, 3, 1)]
    series = only(*(had(day, number=place) for place, day in enumerate(days, 1)))
    assert (series.had, series.is_complete, series.next, series.doubt) == (4, True, None, None)


def test_mixed_products_are_one_series_and_the_dose_before_says_how_long() -> None:
    series = only(had(FIRST, "Vaxzevria", 1), had(FIRST + timedelta(days=60), "Comirnaty", 2), today=date(2027, 2, 1))
    assert (series.had, series.is_complete) == (2, True)
    mixed = only(had(FIRST, "Jcovden", 1), had(FIRST + timedelta(days=91), "Comirnaty", 2), today=date(2027, 3, 1))
    assert (mixed.had, mixed.total) == (2, 1)


def test_doses_come_in_any_order() -> None:
    doses = [had(FIRST, number=1), had(FIRST + timedelta(days=30), number=2), had(date(2026, 1, 1), "Influenza")]
    assert len({status(*some) for some in permutations(doses)}) == 1


def test_dose_numbers_may_be_missing() -> None:
    assert only(had(FIRST), had(FIRST + timedelta(days=28))).had == 2
    assert only(had(FIRST, number=2)).had == 2  # the first was given where nobody reports to us
    assert only(had(FIRST, number=2), had(FIRST + timedelta(days=100))).had == 3


def test_one_dose_that_two_facilities_reported_counts_once() -> None:
    series = only(had(FIRST, number=1, facility="Puskesmas Menteng"), had(FIRST, facility="RS Cikini"))
    assert (series.had, series.doubt) == (1, None)
    assert [(dose.number, dose.records) for dose in series.doses] == [(1, 2)]


def test_a_record_without_the_product_says_no_more_than_the_one_with_it() -> None:
    for some in permutations([had(FIRST, "CoronaVac", 1), had(FIRST, "Vaksin COVID-19")]):
        series = only(*some)
        assert (series.had, series.doubt, series.next is not None) == (1, None, True)


@pytest.mark.parametrize(
    ("doses", "doubt"),
    [
        ([had(FIRST, number=1), had(FIRST + timedelta(days=40), number=1)], Doubt.NUMBERS),
        ([had(FIRST, number=2), had(FIRST + timedelta(days=40), number=1)], Doubt.NUMBERS),
        ([had(FIRST, number=1), had(FIRST, number=2)], Doubt.NUMBERS),
        ([had(FIRST, "CoronaVac"), had(FIRST, "Comirnaty")], Doubt.NUMBERS),
        ([had(None, number=1)], Doubt.NO_DAY),
        ([had(FIRST, number=1), had(FIRST + timedelta(days=9), number=2)], Doubt.TOO_EARLY),
        ([had(FIRST, "Vaksin COVID-19", 1)], Doubt.PRODUCT),
        ([had(FIRST, "Sputnik Light", 1)], Doubt.PRODUCT),
        ([had(FIRST, number=1, total=6)], Doubt.MORE_DOSES),
    ],
)
def test_where_the_record_leaves_a_doubt_there_is_no_date(doses: list[HadDose], doubt: Doubt) -> None:
    series = only(*doses)
    assert (series.doubt, series.next, series.is_complete) == (doubt, None, False)
    assert status(*doses).due == ()


def test_a_dose_within_the_days_of_grace_counts() -> None:
    assert only(had(FIRST, number=1), had(FIRST + timedelta(days=10), number=2)).doubt is None  # CoronaVac: 14 days
    assert only(had(FIRST, number=1), had(FIRST + timedelta(days=9), number=2)).doubt is Doubt.TOO_EARLY


def test_a_vaccine_that_no_table_has_is_listed_and_nothing_is_promised() -> None:
    found = status(had(FIRST, "Influenza", 1, total=2, code="140", system=CVX), had(FIRST, "Td"), had(FIRST, "IPV"))
    assert {dose.product for dose in found.others} == {"IPV", "Influenza", "Td"}
    assert (found.series, found.due, found.next) == ((), (), None)


def test_code_and_name_that_contradict_each_other_are_no_series() -> None:
    assert programmes().known(CVX, "198", "Campak-Rubela") is None
    assert programmes().known(CVX, "20", "Pentabio") is None  # DTaP by its code
    known = programmes().known("http://sys-ids.kemkes.go.id/kfa", "93001282", "Vaksin DTP-HB-Hib (PENTABIO)")
    assert known is not None
    assert known.series == "dpt-hb-hib"


def test_a_baby_s_next_dose_waits_for_the_age_and_for_the_interval() -> None:
    by_age = only(had(date(2026, 8, 1), "Pentabio", 1), born=BABY).next
    assert by_age is not None
    assert by_age.earliest == date(2026, 9, 1)
    by_interval = only(had(date(2026, 9, 20), "Pentabio", 1), born=BABY).next
    assert by_interval is not None
    assert by_interval.earliest == date(2026, 10, 18)
    third = only(*(had(date(2026, 8 + month, 1), "Pentabio", month + 1) for month in range(3)), born=BABY)
    assert third.next is not None
    assert (third.had, third.total, third.next.earliest) == (3, 4, date(2027, 12, 1))


def test_a_child_s_schedule_needs_the_birth_date() -> None:
    assert only(had(FIRST, "Campak-Rubela", 1), born=None).doubt is Doubt.BIRTH_DATE
    assert only(had(FIRST, number=1), born=None).next is not None  # COVID-19, the second: not by age


def test_nothing_is_promised_past_the_age_of_the_programme() -> None:
    late = only(had(date(2026, 8, 1), "PCV13", 1), born=BABY, today=date(2027, 7, 1))
    assert (late.doubt, late.next) == (Doubt.TOO_OLD, None)


def test_a_measles_dose_before_nine_months_may_not_count() -> None:
    assert only(had(date(2026, 12, 1), "MR", 1), born=BABY).doubt is Doubt.TOO_EARLY


def test_a_registry_may_say_that_one_covid_dose_is_enough() -> None:
    series = only(had(FIRST, number=1, total=1))
    assert (series.is_complete, series.next) == (True, None)


def test_the_first_due_dose_is_the_one_to_speak_of_and_a_booster_is_the_last() -> None:
    doses = [had(date(2026, 1, 1), number=1), had(date(2026, 2, 1), number=2), had(FIRST, "MR", 1)]
    found = status(*doses, born=date(1990, 1, 1))
    assert [one.series for one in found.due] == ["covid-19", "measles-rubella"]
    assert found.next is not None
    assert found.next.series == "measles-rubella"


def test_each_row_of_the_tables_has_a_source_that_is_spelled_out() -> None:
    data = tomllib.loads(FILE.read_text("utf-8"))
    steps = [step for series in data["series"] for step in series["step"]]
    rows = [*data["covid"], *data["covid_booster"], *steps]
    assert all(len(data["sources"][row["source"]]) > 20 for row in rows)
    named = {row[name] for row in rows for name in ("source", "minimum_source") if name in row} | {"cdc-grace"}
    assert named == set(data["sources"])
    assert all(("minimum_source" in row) >= bool({"minimum"} & set(row)) for row in rows)
    Programmes(data)


@pytest.mark.parametrize("text", ["", "4", "4x", "-4d", "4 w", "1000d", "d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a span"):
        read_span(text)


@given(st.dates(), st.sampled_from(["0d", "28d", "12w", "1m", "18m", "18y", "99y"]))
def test_a_span_never_goes_back_and_never_fails(day: date, text: str) -> None:
    assert read_span(text).after(day) >= day


_PRODUCTS = ["CoronaVac", "Vaxzevria", "Vaksin COVID-19", "Sputnik Light", "Pentabio", "MR", "BCG", "PCV13", "Td", ""]
_DOSES = st.builds(
    had,
    st.none() | st.dates(date(2020, 1, 1), TODAY),
    st.sampled_from(_PRODUCTS),
    st.none() | st.integers(1, 12),
    total=st.none() | st.integers(1, 12),
    facility=st.none() | st.sampled_from(["A", "B"]),
)


@given(st.lists(_DOSES, max_size=8), st.none() | st.dates(date(1900, 1, 1), TODAY), st.randoms())
def test_whatever_is_recorded_the_status_is_one_and_promises_nothing_with_a_doubt(
    doses: list[HadDose], born: date | None, chance: Any
) -> None:
    found = status(*doses, born=born)
    mixed = list(doses)
    chance.shuffle(mixed)
    again = status(*mixed, born=born)
    assert [(one.id, one.had, one.doubt, one.next and one.next.earliest) for one in found.series] == [
        (one.id, one.had, one.doubt, one.next and one.next.earliest) for one in again.series
    ]
    told = [dose for series in found.series for dose in series.doses] + list(found.others)
    assert sum(dose.records for dose in told) == len(doses)  # none is lost
    for series in found.series:
        assert series.next is None or series.doubt is None
        if series.next is not None:
            assert series.next.number == series.had + 1
            last = series.doses[-1].given_on
            assert last is not None
            assert series.next.earliest >= last
