"""Segments: the edges of GSM-7 and UCS-2, and a second, plainer count over random texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.core.segments import GSM_BASIC, GSM_EXTENSION, measure


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€", "GSM-7", 2, 1),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # the escape may not end a segment
        ("a" * 69 + "’", "UCS-2", 70, 1),
        ("a" * 70 + "’", "UCS-2", 71, 2),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 67, "UCS-2", 134, 3),  # 33 pairs a segment: a pair never straddles
        ("_@£$é", "GSM-7", 5, 1),
        ("ç", "UCS-2", 1, 1),  # only the capital is in GSM 03.38
        ("Ç", "GSM-7", 1, 1),
    ],
)
def test_edges(text: str, encoding: str, units: int, segments: int) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.segments) == (encoding, units, segments)


def plainly(text: str) -> int:
    """Segments by cutting the text greedily, as a phone would put it together."""
    gsm = set(text) <= GSM_BASIC | GSM_EXTENSION
    costs = [(2 if ch in GSM_EXTENSION else 1) if gsm else len(ch.encode("utf-16-be")) // 2 for ch in text]
    single, part = (160, 153) if gsm else (70, 67)
    if sum(costs) <= single:
        return 1
    parts: list[list[int]] = [[]]
    for cost in costs:
        if sum(parts[-1]) + cost > part:
            parts.append([])
        parts[-1].append(cost)
    return len(parts)


@given(st.text(alphabet=st.sampled_from("ab€^é😀’\n"), max_size=400))
def test_the_count_agrees_with_a_plainer_one(text: str) -> None:
    assert measure(text).segments == plainly(text)


def test_the_alphabet_has_its_128_places() -> None:
    assert len(GSM_BASIC) == 127  # and the escape
    assert not GSM_BASIC & GSM_EXTENSION
