"""Text made safe for the page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.certificates.glyphs import BREAK, BadFont, Coverage, Printable, breakable
from tests.certificates.samples import TEMPLATES


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return Coverage.of((TEMPLATES / "fonts").glob("*-Regular.ttf"))


@pytest.mark.parametrize("name", ["Siti Nurhaliza", "Nguyễn Thị Hà", "عبد الرحمن", "ꦱꦶꦠꦶ", "ᬲᬶᬢᬶ", "Ólafur D’Angelo-Ñúñez"])
def test_names_in_the_scripts_of_our_fonts_are_printed_as_written(coverage: Coverage, name: str):
    assert coverage.printable(name) == Printable(name, 0)


def test_what_no_font_has_becomes_a_counted_question_mark(coverage: Coverage):
    assert coverage.printable("Budi 😀 日本") == Printable("Budi ? ??", 3)


def test_a_question_mark_that_was_there_is_not_counted(coverage: Coverage):
    assert coverage.printable("Siapa?") == Printable("Siapa?", 0)


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("Budi\x00 Santoso\x1b", "Budi Santoso"),
        ("Budi\t\r\nSantoso", "Budi Santoso"),
        ("Budi \u202eosotnaS", "Budi osotnaS"),
        ("Budi\u200b\u2066Santoso\ufeff", "BudiSantoso"),
        ("  Budi\u2003 Santoso  ", "Budi Santoso"),
        ("Jose\u0301", "José"),
    ],
    ids=["control", "line ends", "right-to-left override", "invisible", "blanks", "composed"],
)
def test_what_cannot_be_seen_does_not_reach_the_page(coverage: Coverage, written: str, printed: str):
    assert coverage.printable(written) == Printable(printed, 0)


@given(st.text(max_size=80))
def test_any_text_becomes_printable_and_stays_so(text: str):
    small = Coverage(frozenset(map(ord, "abcdefghij ABC?é")))
    once = small.printable(text)
    assert {ord(ch) for ch in once.text} <= small.characters
    assert small.printable(once.text) == Printable(once.text, 0)


@given(st.text(alphabet=st.characters(exclude_characters=BREAK), max_size=200), st.integers(1, 40))
def test_breaks_change_nothing_but_where_a_line_may_end(text: str, longest: int):
    assert breakable(text, longest).replace(BREAK, "") == text


@given(st.text(alphabet="abc -", max_size=200), st.integers(2, 40))
def test_no_piece_of_a_line_is_longer_than_asked(text: str, longest: int):
    pieces = breakable(text, longest).replace(BREAK, " ").replace("-", " ").split(" ")
    assert max(map(len, pieces)) <= longest


def test_a_short_word_is_left_whole():
    assert breakable("Siti Nurhaliza-Rahmawati", 10) == "Siti Nurhaliza-Rahmawati"


@pytest.mark.parametrize("cut", [0, 11, 40, 3000])
def test_a_broken_font_is_said_to_be_broken(tmp_path, cut: int):
    broken = tmp_path / "Broken-Regular.ttf"
    broken.write_bytes((TEMPLATES / "fonts" / "NotoSans-Regular.ttf").read_bytes()[:cut])
    with pytest.raises(BadFont):
        Coverage.of([broken])
