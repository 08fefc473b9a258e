"""Phones, NIK, names, references, dates: the small words."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.identity import (
    BadNik,
    clean_name,
    initial_of,
    initials_of,
    name_words,
    neighbours_of,
    nik_agrees_with,
    read_nik,
)
from notifier.core.ids import REFERENCE_ALPHABET, new_id, new_reference, new_secret_id, read_reference
from notifier.core.phones import BadPhone, masked_phone, national_form, read_mobile
from notifier.core.words import clock_time, full_moment, known_language, long_date, long_moment


@pytest.mark.parametrize(
    "text", ["081234567890", "0812-3456-7890", "+62 812 3456 7890", "+6281234567890", "(0812) 3456.7890"]
)
def test_a_mobile_is_read_in_every_spelling(text: str) -> None:
    phone = read_mobile(text, region="ID", allowed={"ID"})
    assert (phone.e164, phone.national) == ("+6281234567890", "0812-3456-7890")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("021 345 6789", "phone-not-mobile"),
        ("+1 202 456 1111", "phone-country"),
        ("555-978-4581", "phone-undialable"),
        ("0812", "phone-undialable"),
        ("halo", "phone-unreadable"),
        ("", "phone-unreadable"),
        ("0812-3456-7890 ext. 5", "phone-undialable"),
        ("8" * 60, "phone-unreadable"),
        # the library drops a letter (O for 0) and dials words: both lead to a stranger
        ("0812-3456-78O0", "phone-unreadable"),
        ("0812-345-CALL", "phone-unreadable"),
        ("081234567890/081298765432", "phone-unreadable"),
        ("0812-3456-7890 atau 0813-3456-7890", "phone-unreadable"),
        ("+62 21 345 6789", "phone-not-mobile"),
        ("1500567", "phone-not-mobile"),
    ],
)
def test_a_number_that_cannot_receive_says_why_and_is_not_repeated(text: str, rule: str) -> None:
    with pytest.raises(BadPhone) as refused:
        read_mobile(text, region="ID", allowed={"ID"})
    assert refused.value.rule == rule
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("text", ["tel:+6281234567890", "HP: 0812-3456-7890", "No. 081234567890", "WA 0812 3456 7890"])
def test_a_label_before_the_number_is_no_part_of_it(text: str) -> None:
    assert read_mobile(text, region="ID", allowed={"ID"}).e164 == "+6281234567890"


def test_a_number_of_another_allowed_country_is_read() -> None:
    assert read_mobile("+1 202 456 1111", region="ID", allowed={"ID", "US"}).e164 == "+12024561111"


def test_a_masked_phone_shows_too_little_to_call() -> None:
    assert masked_phone("+6281234567890") == "0812••••90"
    assert national_form("+6281234567890") == "0812-3456-7890"


@pytest.mark.parametrize(("text", "rule"), [("317403100289000", "nik-length"), ("31740310028900O9", "nik-digits")])
def test_what_is_no_nik_is_refused(text: str, rule: str) -> None:
    with pytest.raises(BadNik) as refused:
        read_nik(text)
    assert refused.value.rule == rule


def test_a_nik_with_an_impossible_date_or_place_is_a_nik() -> None:
    assert read_nik("3174 0399 9989 0009") == "3174039999890009"
    assert read_nik("9971011708450001") == "9971011708450001"


def test_the_birth_date_inside_a_nik() -> None:
    assert nik_agrees_with("3174031002890009", date(1989, 2, 10))
    assert nik_agrees_with("3174035002890009", date(1989, 2, 10))  # a woman: day + 40
    assert not nik_agrees_with("3174031002890009", date(1945, 11, 17))
    assert not nik_agrees_with("3174039999890009", date(1989, 2, 10))


@pytest.mark.parametrize(
    ("name", "initial"),
    [
        ("\u02bcAisyah", "A"),  # a modifier letter: an apostrophe, though Unicode calls it a letter
        ("\u0640\u0639\u0644\u064a", "\u0639"),  # a tatweel stretches, it names nobody
        ("siti", "S"),
        ("Élodie", "E"),
        ("'Abdul", "A"),
        ("  budi", "B"),
        ("123", ""),
        ("", ""),
        ("😀 Ani", "A"),
    ],
)
def test_initials(name: str, initial: str) -> None:
    assert initial_of(name) == initial


def test_names_are_kept_as_written_but_clean() -> None:
    assert clean_name("  Siti\tAminah\u0000\n") == "Siti Aminah"
    assert clean_name("e\u0301") == "é"
    assert clean_name("Budi\u2028\u0085Santoso\x1b") == "Budi Santoso"
    assert clean_name("d'ARC-van der Berg") == "d'ARC-van der Berg"
    assert clean_name("Suharto") == "Suharto"


def test_a_name_is_found_by_its_words() -> None:
    assert name_words("Siti AMINAH, S.Kom") == {"siti", "aminah", "kom"}
    assert name_words("Élodie") == name_words("elodie") == {"elodie"}
    assert name_words("Nu\u02bcman") == name_words("Nu'man")
    assert name_words("İbrahim Straße") == {"ibrahim", "strasse"}
    assert name_words("A") == name_words("") == frozenset()


@given(st.text(max_size=50))
def test_any_text_makes_words_and_initials(text: str) -> None:
    name_words(text)
    assert len(initial_of(clean_name(text))) <= 1


def test_row_ids_are_ordered_uuids_of_version_7() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {uuid.UUID(row_id).version for row_id in ids} == {7}
    assert [row_id[:13] for row_id in ids] == sorted(row_id[:13] for row_id in ids)


def test_a_reference_survives_a_phone_call() -> None:
    reference = new_reference()
    assert set(reference) <= set(REFERENCE_ALPHABET)
    assert read_reference(f" {reference.lower()[:5]}-{reference[5:]} ") == reference
    assert read_reference("OIL") == "011"


def test_secret_ids_have_their_bits() -> None:
    assert len(new_secret_id(128)) == 22


def test_dates_and_times_as_people_read_them() -> None:
    moment = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    jakarta, jayapura = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Jayapura")
    assert long_date(date(2026, 11, 23), "id") == "23 November 2026"
    assert clock_time(moment, jakarta, "id") == "09.00 WIB"
    assert clock_time(moment, jayapura, "en") == "11:00 WIT"
    assert long_moment(moment, jakarta, "en") == "Tuesday 24 November 09:00 WIB"
    assert long_moment(moment, jakarta, "id") == "Selasa 24 November 09.00 WIB"
    assert full_moment(moment, jakarta, "id") == "24 November 2026 09.00 WIB"


@pytest.mark.parametrize(
    ("tag", "language"), [("id-ID", "id"), ("en_US", "en"), (None, "id"), ("fr", "id"), ("EN", "en")]
)
def test_languages_fall_back_to_indonesian(tag: str | None, language: str) -> None:
    assert known_language(tag) == language


def test_neighbours_are_one_digit_or_one_swap_away() -> None:
    nik = "3174031002890009"
    found = neighbours_of(nik)
    swaps = sum(a != b for a, b in itertools.pairwise(nik))
    assert nik not in found
    assert len(found) == 16 * 9 + swaps
    assert {"3174031002890008", "1374031002890009"} <= found
    assert "3174031002890018" not in found


@given(st.text("0123456789", min_size=16, max_size=16))
def test_being_neighbours_is_mutual(nik: str) -> None:
    assert all(nik in neighbours_of(near) for near in neighbours_of(nik))


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Siti Aminah", "S. A."),
        ("Sulastri", "S."),
        ("ʿUmar é. 3 kecil", "U. E. K."),
        ("a b c d e", "A. B. C. D."),
        ("12", ""),
    ],
)
def test_initials_name_nobody(name: str, initials: str) -> None:
    assert initials_of(name) == initials
