"""A birth date in three fields, as people type it."""

from __future__ import annotations

from datetime import date

import pytest

from notifier.certificates.birth_dates import read_birth_date
from notifier.core.errors import BadInput

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [
        ("17", "8", "1984"),
        ("17", "08", "1984"),
        (" 17 ", "Agustus", "1984"),
        ("17", "AGU", "1984 "),
        ("17.", "august", "1984"),
        ("１７", "８", "１９８４"),
        ("١٧", "٨", "١٩٨٤"),
        ("17", "Ags.", "1984"),
    ],
)
def test_numbers_names_and_stray_blanks_are_read(day: str, month: str, year: str) -> None:
    assert read_birth_date(day, month, year, today=TODAY) == date(1984, 8, 17)


@pytest.mark.parametrize(
    ("typed", "rules"),
    [
        (("", "", ""), {"day-missing", "month-missing", "year-missing"}),
        (("32", "8", "1984"), {"day-unreadable"}),
        (("0", "8", "1984"), {"day-unreadable"}),
        (("-1", "8", "1984"), {"day-unreadable"}),
        (("1e1", "8", "1984"), {"day-unreadable"}),
        (("²", "8", "x"), {"year-digits"}),
        (("17", "13", "1984"), {"month-unreadable"}),
        (("17", "Augustus Caesar", "1984"), {"month-unreadable"}),
        (("17", "8", "84"), {"year-digits"}),
        (("17", "8", "19845"), {"year-digits"}),
        (("17", "8", "1884"), {"date-too-early"}),
        (("31", "2", "1984"), {"date-impossible"}),
        (("29", "2", "1985"), {"date-impossible"}),
        (("24", "11", "2026"), {"date-future"}),
        (("x" * 20, "\x00", "😀"), {"day-unreadable", "month-unreadable", "year-digits"}),
    ],
)
def test_what_cannot_be_a_birth_date_names_the_field_and_the_rule(typed: tuple[str, str, str], rules: set[str]) -> None:
    with pytest.raises(BadInput) as caught:
        read_birth_date(*typed, today=TODAY)
    assert {problem.rule for problem in caught.value.problems} == rules
    assert all(word not in str(caught.value) for word in typed if len(word) > 3)


def test_today_is_a_birth_date() -> None:
    assert read_birth_date("23", "11", "2026", today=TODAY) == TODAY
