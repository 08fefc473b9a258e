"""Segments: what a text costs, at every edge, against a reference written another way."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.segments import GSM_BASIC, GSM_EXTENSION, Size, is_gsm7, measure

# 3GPP TS 23.038 section 6.2.1, row by row; ESC (0x1B) is left out
TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅå" "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ" " !\"#¤%&'()*+,-./" "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO" "PQRSTUVWXYZÄÖÑÜ§" "¿abcdefghijklmno" "pqrstuvwxyzäöñüà"
)  # fmt: skip


def reference(text: str) -> Size:
    """The text as units in which a pair is one string of two, packed greedily."""
    gsm = set(text) <= set(TABLE) | set("\f^{}\\[~]|€")
    if gsm:
        atoms = ["?" if ch in TABLE else "\x1b?" for ch in text]
        single, part, name = 160, 153, "GSM-7"
    else:
        atoms = ["?" * (len(ch.encode("utf-16-be", "surrogatepass")) // 2) for ch in text]
        single, part, name = 70, 67, "UCS-2"
    units = len("".join(atoms))
    if units <= single:
        return Size(name, units, 1)
    parts = [""]
    for atom in atoms:
        if len(parts[-1]) + len(atom) > part:
            parts.append("")
        parts[-1] += atom
    return Size(name, units, len(parts))


def test_the_alphabet_has_127_characters_and_nine_escaped_ones_and_a_page_break() -> None:
    assert frozenset(TABLE) == GSM_BASIC
    assert len(TABLE) == 127
    assert len(GSM_EXTENSION) == 10
    assert not GSM_BASIC & GSM_EXTENSION


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", Size("GSM-7", 0, 1)),
        ("a" * 160, Size("GSM-7", 160, 1)),
        ("a" * 161, Size("GSM-7", 161, 2)),
        ("a" * 306, Size("GSM-7", 306, 2)),
        ("a" * 307, Size("GSM-7", 307, 3)),
        ("€", Size("GSM-7", 2, 1)),
        ("€" * 80, Size("GSM-7", 160, 1)),
        ("€" * 80 + "a", Size("GSM-7", 161, 2)),
        # 152 letters, then an escape that would straddle units 153 and 154: it moves to the second segment
        ("a" * 152 + "€" + "a" * 151, Size("GSM-7", 305, 2)),
        ("a" * 152 + "€" + "a" * 152, Size("GSM-7", 306, 3)),
        ("a" * 151 + "€" + "a" * 153, Size("GSM-7", 306, 2)),
        ("ş" * 70, Size("UCS-2", 70, 1)),
        ("ş" * 71, Size("UCS-2", 71, 2)),
        ("ş" * 134, Size("UCS-2", 134, 2)),
        ("ş" * 135, Size("UCS-2", 135, 3)),
        ("😀" * 35, Size("UCS-2", 70, 1)),
        ("😀" * 36, Size("UCS-2", 72, 2)),
        # 66 characters, then a surrogate pair that would straddle units 67 and 68
        ("ş" * 66 + "😀" + "ş" * 65, Size("UCS-2", 133, 2)),
        ("ş" * 66 + "😀" + "ş" * 66, Size("UCS-2", 134, 3)),
        ("ş€", Size("UCS-2", 2, 1)),
    ],
)
def test_an_edge_costs_what_the_standard_says(text: str, size: Size) -> None:
    assert measure(text) == size


@pytest.mark.parametrize("ch", ["`", "ş", "ç", "“", "\u00a0", "\t", "\x1b", "á", "—", "’"])
def test_one_character_outside_the_alphabet_makes_the_whole_text_ucs2(ch: str) -> None:
    assert not is_gsm7("Sertifikat" + ch)
    assert measure("a" * 71 + ch).segments == 2


@given(st.text(st.sampled_from(TABLE + "€^{}~" + "ş😀é中"), max_size=400))
def test_any_text_costs_what_the_reference_says(text: str) -> None:
    assert measure(text) == reference(text)


@given(st.text(st.sampled_from("aé€{~"), min_size=130, max_size=320))
def test_any_gsm_text_costs_what_the_reference_says(text: str) -> None:
    assert measure(text) == reference(text)


@given(st.text(max_size=300))
def test_segments_never_undercut_the_units(text: str) -> None:
    size = measure(text)
    part = 153 if size.encoding == "GSM-7" else 67
    assert size.segments >= math.ceil(size.units / (part + 7 if size.segments == 1 else part)) or size.units == 0
