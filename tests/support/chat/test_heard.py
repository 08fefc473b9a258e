"""What a message means before any step looks at it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.support.chat.heard import Way, choice_of, day_of, keyword_of, plain, way_of
from notifier.support.chat.texts import MENU_WORDS


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("hai", Way.MENU),
        ("  Halo!! ", Way.MENU),
        ("Selamat pagi, kak", Way.MENU),
        ("0", Way.BACK),
        ("kembali", Way.BACK),
        ("BATAL", Way.CANCEL),
        ("tolong batalkan ya", Way.CANCEL),
        ("cancel", Way.CANCEL),
        ("EN", Way.TO_ENGLISH),
        ("bahasa Inggris", Way.TO_ENGLISH),
        ("ID", Way.TO_INDONESIAN),
        ("apakah janji saya batal?", None),
        ("1", None),
        ("", None),
    ],
)
def test_what_is_understood_at_every_step(text: str, way: Way | None) -> None:
    assert way_of(text) is way


@pytest.mark.parametrize(
    ("text", "choice"),
    [("1", 0), ("1.", 0), ("2)", 1), ("dua", 1), ("nomor 3", 2), ("pilih tiga", 2), ("three", 2), ("no. 1", 0),
     ("*2*", 1), ("4", None), ("12", None), ("satu dua", None), ("", None), ("-1", 0), ("0", None)],
)  # fmt: skip
def test_a_choice_is_a_number_in_digits_or_words(text: str, choice: int | None) -> None:
    assert choice_of(text, 3) == choice


def test_a_choice_is_a_label_too() -> None:
    assert choice_of("unduh Sertifikat", 2, ("Unduh sertifikat", "Status")) == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("saya mau unduh sertifikat", 0),
        ("mau lihat status", 1),
        ("nama saya salah", 2),
        ("bicara sama orang", 4),
        ("sertifikat saya belum keluar", None),  # names two things: the menu asks
        ("apa kabar", None),
    ],
)
def test_words_choose_where_they_name_one_thing(text: str, place: int | None) -> None:
    assert keyword_of(text, MENU_WORDS) == place


@pytest.mark.parametrize(
    "text", ["17-08-1984", "17/8/1984", "17 8 1984", "17.08.1984", "17 Agustus 1984", "17 august 1984", "1984-08-17"]
)
def test_days_are_read_as_people_write_them(text: str) -> None:
    assert day_of(text) == date(1984, 8, 17)


@pytest.mark.parametrize("text", ["", "kemarin", "31-02-1984", "17-08-84", "17-13-1984", "0-0-0000", "99999-99-99"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert day_of(text) is None


@given(st.text(max_size=80))
def test_no_text_is_too_strange(text: str) -> None:
    way_of(text), choice_of(text, 5), day_of(text), keyword_of(text, MENU_WORDS)
    assert isinstance(plain(text), str)
