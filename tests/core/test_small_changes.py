"""Small changes of a name and of a NIK: what is a slip, and what might be somebody else."""

from __future__ import annotations

from datetime import date
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.identity import neighbours_of, nik_agrees_with
from notifier.core.small_changes import NameChange, NikChange, is_namesake, name_change, nik_change

#: names that people have, a letter apart from each other
_PEOPLE = """
Adi Ani Ari Arif Agus Agung Andi Andin Anti Asih Asep Ayu Bayu Budi Rudi Dedi Dewi Devi Dian Diana Dina Dini Dino Eka
Eko Endang Hasan Husen Hasna Hesti Indra Indah Intan Joko Kartini Kartono Lestari Lina Lisa Made Maria Mario Marni
Marno Nana Nina Nani Novi Nova Nur Nuri Putra Putri Rani Ratna Ratno Rina Rino Rita Sari Santi Santo Sinta Siti Sita
Slamet Sri Suharti Suharto Sumarni Sumarno Suparmi Suparmin Suparti Suparto Surya Suryo Susi Susanti Susanto Sutarni
Sutarno Tini Tino Tono Tina Tuti Umar Wati Wayan Yana Yani Yanti Yanto Yati Yuli Yulia Yuni
"""
WRITTEN_APART = [
    ("siti aminah", "Siti Aminah"),
    ("SITI  AMINAH", "Siti Aminah"),
    ("Nur Hidayah", "Nurhidayah"),
    ("Ja'far Shodiq", "Jafar Shodiq"),
    ("Hj. Siti Aminah, S.Pd., M.Si", "Siti Aminah"),
    ("Prof. Dr. H. Budi Hartono", "Budi Hartono"),
    ("Soeharto", "Suharto"),
    ("Moh. Ridwan", "Muhammad Ridwan"),
    ("Nguyễn", "Nguyen"),
]
SLIPS = [
    ("Siti Amniah", "Siti Aminah"),
    ("Siti Amina", "Siti Aminah"),
    ("Ahmad Hasan", "Ahmad Hassan"),
    ("Rudy Hartono", "Rudi Hartono"),
    ("Safitri", "Syafitri"),
    ("Wayan Sudrma", "Wayan Sudarma"),
    ("Faris Rivaldi", "Faris Rifaldi"),
]
OTHERS = [
    ("Siti Aminah", "Siti Maryam"),
    ("Siti Aminah", "Siti"),
    ("Siti Aminah", "Aminah Siti"),
    ("Siti Aminah", "Siti Aminah Rahma"),
    ("Budi Hartono", "Rudi Hartono"),
    ("Budi Hartono", "Budi Hartini"),
    ("Dewi Sartika Sari", "Dedi Sartika Sari"),
    ("By. Ny. Sulastri", "Sulastri"),
    ("Rudy Rivaldi", "Rudi Rifaldi"),  # a slip in every word
    ("M. Ali", "Muhammad Ali"),  # or Made, or Maria
    ("王", "李"),
]
names = st.sampled_from([name for pair in WRITTEN_APART + SLIPS + OTHERS for name in pair]) | st.text(max_size=12)


@pytest.mark.parametrize("pair", WRITTEN_APART)
def test_the_same_name_in_another_writing(pair: tuple[str, str]) -> None:
    assert name_change(*pair) is NameChange.WRITING
    assert is_namesake(*pair)


@pytest.mark.parametrize("pair", SLIPS)
def test_a_slip_of_the_hand(pair: tuple[str, str]) -> None:
    assert name_change(*pair) is NameChange.SLIP
    assert not is_namesake(*pair)


@pytest.mark.parametrize("pair", OTHERS)
def test_perhaps_somebody_else(pair: tuple[str, str]) -> None:
    assert name_change(*pair) is NameChange.OTHER


def test_no_two_names_that_people_have_are_a_slip_apart() -> None:
    apart = {pair for pair in combinations(_PEOPLE.split(), 2) if name_change(*pair) is not NameChange.OTHER}
    assert apart == set()


@given(names, names)
def test_it_is_the_same_both_ways_and_says_none_of_the_same_alone(one: str, other: str) -> None:
    assert name_change(one, other) is name_change(other, one)
    assert (name_change(one, other) is NameChange.NONE) == (one == other)


@given(st.text("abdehimnorsuty ", min_size=1, max_size=14), st.text("abdehimnorsuty ", min_size=1, max_size=14))
def test_a_slip_leaves_the_number_of_words_and_their_first_letters(one: str, other: str) -> None:
    if name_change(one, other) is NameChange.SLIP:
        assert [word[0] for word in one.split()] == [word[0] for word in other.split()]
        assert abs(len(one.replace(" ", "")) - len(other.replace(" ", ""))) <= (len(one.split()) + 1) // 2


BORN = date(1989, 2, 10)
RIGHT = "3174031002890009"  # a man's of that day


@pytest.mark.parametrize(
    "wrong",
    ["3174031003890009", "3174031002980009", "3174031102890009", "3174031020890009"],
    ids=["month", "swapped year", "day", "swapped month"],
)
def test_one_slip_in_the_birth_date_proves_itself(wrong: str) -> None:
    assert nik_change(wrong, RIGHT, BORN) is NikChange.PROVED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("3174031002890009", "3174031002890008"),  # a twin's
        ("3174031002890009", "3174041002890009"),  # another district's
        ("3174031002890009", "3174035002890009"),  # a woman's of the same day
        ("3174039002890009", "3174031002890009"),  # a man's or a woman's: who can tell?
        ("3174031002890009", "3174031003890009"),  # away from the birth date
    ],
)
def test_what_does_not_prove_itself_is_only_near(old: str, new: str) -> None:
    assert nik_change(old, new, BORN) is NikChange.NEAR


def test_a_nik_that_is_new_or_quite_another_proves_nothing() -> None:
    assert nik_change(None, RIGHT, BORN) is NikChange.OTHER
    assert nik_change("3273010101800001", RIGHT, BORN) is NikChange.OTHER
    assert nik_change("3174031003890009", RIGHT, None) is NikChange.NEAR
    assert nik_change(RIGHT, RIGHT, BORN) is NikChange.NONE


@given(st.text("0123456789", min_size=16, max_size=16), st.dates(date(1930, 1, 1), date(2026, 1, 1)), st.data())
def test_what_is_proved_is_the_only_one_that_could_be(old: str, born: date, data: st.DataObject) -> None:
    month_day = f"{born:%d%m%y}"
    old = data.draw(st.sampled_from([old, old[:6] + month_day + old[12:], old[:6] + month_day[::-1] + old[12:]]))
    new = data.draw(st.sampled_from(sorted(neighbours_of(old))))
    if nik_change(old, new, born) is NikChange.PROVED:
        assert nik_agrees_with(new, born)
        assert not nik_agrees_with(old, born)
        assert (old[:6], old[12:]) == (new[:6], new[12:])
        proved = [near for near in neighbours_of(old) if nik_change(old, near, born) is NikChange.PROVED]
        assert proved == [new]
