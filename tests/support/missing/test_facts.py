"""What is typed into a report: whatever it is, it is read or every fault has its words."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from linkserver.public.cases.words import FIELD_WORDS
from notifier.core.errors import BadInput
from notifier.support.missing.facts import Facts, first_word, is_same_day, read_facts
from tests.support.missing.reporting import FACTS, PHONE

TODAY = date(2026, 11, 23)
NUMBERS = st.integers(-5, 3000).map(str)
TYPED = (
    st.text(max_size=30)
    | NUMBERS
    | st.sampled_from(["", " ", "Februari", "x" * 600, "\x00", "１２", "3174035002890009"])
)
FIELDS = (
    *("name", "day", "month", "year", "nik", "given_day", "given_month", "given_year"),
    *("place", "vaccine", "dose_number", "words"),
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, TYPED)))
def test_whatever_is_typed_is_read_or_has_its_words(form: dict[str, str]) -> None:
    problems, facts = (), None
    try:
        facts = read_facts(form, phone=PHONE, today=TODAY)
    except BadInput as error:
        problems = error.problems
    assert {problem.rule for problem in problems} <= FIELD_WORDS.keys()
    assert {problem.field for problem in problems} <= set(FIELDS)
    assert bool(problems) == (facts is None)
    if facts is None:
        return
    assert facts.birth_date <= facts.given_on <= TODAY
    assert Facts.from_json(facts.as_json()) == facts
    assert PHONE not in repr(facts)


RIGHT: dict[str, Any] = {
    "name": " Siti\tAminah ",
    "day": "10",
    "month": "Februari",
    "year": "1989",
    "given_day": "13",
    "given_month": "11",
    "given_year": "2026",
    "place": "Puskesmas Menteng",
}


def test_what_people_type_is_cleaned_and_kept() -> None:
    assert read_facts(RIGHT, phone=PHONE, today=TODAY) == FACTS


@given(st.text(max_size=40))
def test_every_name_has_a_first_word(name: str) -> None:
    assert first_word(name) == first_word(name.upper()) or not name.isascii()


def test_people_mistake_a_day_by_three() -> None:
    days = [day for day in range(1, 31) if is_same_day(FACTS, date(2026, 11, day))]
    assert days == [10, 11, 12, 13, 14, 15, 16]
    assert not is_same_day(FACTS, None)
