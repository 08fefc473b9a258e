"""The SMS text: one GSM-7 segment, little said, a link that phones keep whole."""

from __future__ import annotations

import re

import pytest

from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.core.segments import measure
from notifier.core.states import Kind
from notifier.messages.text import SmsTexts
from notifier.services import TEMPLATES

#: the longest values that LOOK names
LONGEST = {"sender": "KEMENKES-RI", "dose": 12, "link": "https://sertifikat.example.go.id/c/"[:34] + "x" * TOKEN_LENGTH}
PLANNED = [Kind.CERTIFICATE, Kind.CORRECTION, Kind.RENEWAL]


@pytest.mark.parametrize("kind", PLANNED)
@pytest.mark.parametrize("language", ["id", "en"])
def test_every_text_fits_one_segment_with_the_longest_values(kind: Kind, language: str) -> None:
    assert len(LONGEST["link"]) == 34 + TOKEN_LENGTH
    texts = SmsTexts(TEMPLATES / "sms", LONGEST["sender"])
    text = texts.render(kind, language=language, name="Siti", dose_number=12, link=LONGEST["link"])
    size = measure(text)
    assert (size.encoding, size.segments) == ("GSM-7", 1)
    assert size.units <= 160


def test_the_indonesian_text_is_the_one_of_the_style_sheet() -> None:
    texts = SmsTexts(TEMPLATES / "sms", "Kemenkes")
    text = texts.render(Kind.CERTIFICATE, language="id", name="siti", dose_number=1, link="<link>")
    assert text == "Kemenkes: Sertifikat vaksin S. dosis 1 siap. Buka <link> lalu isi tanggal lahir S."


def test_the_english_text_is_the_one_of_the_style_sheet() -> None:
    texts = SmsTexts(TEMPLATES / "sms", "Kemenkes")
    text = texts.render(Kind.CERTIFICATE, language="en-GB", name="Siti", dose_number=1, link="<link>")
    expected = "Kemenkes: S.'s vaccine certificate (dose 1) is ready. Open <link> Enter S.'s birth date."
    assert text == expected


@pytest.mark.parametrize("name", ["Siti", "é", "Ñandú", "'Abdul", "محمد", "Иван", "😀", "123", ""])
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("dose", [None, 3])
def test_no_name_makes_the_sms_longer_or_unreadable(name: str, language: str, dose: int | None) -> None:
    texts = SmsTexts(TEMPLATES / "sms", "Kemenkes")
    text = texts.render(Kind.CERTIFICATE, language=language, name=name, dose_number=dose, link="https://x.id/c/abc")
    assert measure(text).encoding == "GSM-7"
    assert "  " not in text
    assert re.search(r"https://x\.id/c/abc ", text), "a space after the link"
    assert name == "" or len(name) == 1 or name not in text


def test_a_language_without_texts_falls_back_to_indonesian() -> None:
    texts = SmsTexts(TEMPLATES / "sms", "Kemenkes")
    assert "siap" in texts.render(Kind.CERTIFICATE, language="fr", name="A", dose_number=1, link="l")
