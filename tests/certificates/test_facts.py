"""What a certificate says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.certificates.facts import dose_words, headline, masked_nik, status_words
from tests.canaries import stands_in
from tests.certificates.samples import SAMPLE_NIK, SECOND_DOSE, certificate_facts


def test_a_masked_nik_shows_only_its_first_and_last_four_digits():
    assert masked_nik("3174014105840009") == "3174••••••••0009"


@given(st.text(alphabet="0123456789", min_size=16, max_size=16))
def test_the_birth_date_inside_a_nik_cannot_be_told_from_its_mask(nik: str):
    other_birth_date = nik[:6] + "010100" + nik[12:]
    assert masked_nik(nik) == masked_nik(other_birth_date)


@pytest.mark.parametrize("odd", ["", "317401410584000", "31740141058400099", "3174-0141-0584-0", "٣١٧٤٠١٤١٠٥٨٤٠٠٠٩"])
def test_what_is_not_a_nik_is_hidden_whole(odd: str):
    assert masked_nik(odd) == "•" * 16


@pytest.mark.parametrize(
    ("number", "total", "indonesian", "english"),
    [
        (2, 2, "Dosis 2 dari 2", "Dose 2 of 2"),
        (1, None, "Dosis 1", "Dose 1"),
        (3, 2, "Dosis 3", "Dose 3"),
        (None, 2, "", ""),
        (None, None, "", ""),
    ],
)
def test_a_dose_is_named_as_far_as_it_is_known(number: int | None, total: int | None, indonesian: str, english: str):
    assert (dose_words(number, total, "id"), dose_words(number, total, "en")) == (indonesian, english)


def test_each_status_has_its_word_in_both_languages():
    words = [(status_words(status, "id"), status_words(status, "en")) for status in ("valid", "replaced", "revoked")]
    assert words == [("Sah", "Valid"), ("Diganti", "Replaced"), ("Dicabut", "Revoked")]


def test_the_headline_is_status_and_dose():
    assert headline(certificate_facts(), "id") == "Sah · dosis 2 dari 2"
    assert headline(certificate_facts(status="revoked"), "en") == "Revoked · dose 2 of 2"


def test_the_headline_of_a_dose_without_number_is_the_status_alone():
    unnumbered = replace(SECOND_DOSE, number=None)
    assert headline(certificate_facts(doses=(unnumbered,), this_dose=unnumbered), "id") == "Sah"


def test_who_the_person_is_does_not_show_in_a_traceback():
    shown = repr(certificate_facts())
    assert not [secret for secret in ("Siti", SAMPLE_NIK, "1984", "FK8917") if stands_in(secret, shown)]


def test_an_issue_time_without_a_zone_is_refused_by_name():
    with pytest.raises(ValueError, match="issued_at"):
        certificate_facts(issued_at=datetime(2026, 5, 23, 2, 0))  # noqa: DTZ001 - the mistake is the test


def test_an_unknown_status_is_refused_by_name():
    with pytest.raises(ValueError, match="status"):
        certificate_facts(status="expired")
