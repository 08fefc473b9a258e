"""How many segments a text costs: GSM 03.38 (3GPP TS 23.038) and UCS-2, 160/153 and 70/67 units."""

from __future__ import annotations

from dataclasses import dataclass

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: these cost two units: an escape and the character
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

GSM_SINGLE, GSM_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67


@dataclass(frozen=True, slots=True)
class Size:
    """What a text costs. `units` are septets for GSM-7, 16-bit code units for UCS-2."""

    encoding: str
    units: int
    segments: int


def is_gsm7(text: str) -> bool:
    """Whether every character has a place in the GSM 7-bit alphabet or its extension."""
    return all(ch in GSM_BASIC or ch in GSM_EXTENSION for ch in text)


def _gsm_cost(ch: str) -> int:
    return 2 if ch in GSM_EXTENSION else 1


def _ucs2_cost(ch: str) -> int:
    return 2 if ord(ch) > 0xFFFF else 1


def measure(text: str) -> Size:
    """The exact encoding, units and segments of `text`. A pair (escape, surrogate) never straddles two segments."""
    if len(text) <= GSM_SINGLE and GSM_BASIC.issuperset(text):
        return Size("GSM-7", len(text), 1)  # nearly every SMS of ours
    gsm = is_gsm7(text)
    cost, single, part = (_gsm_cost, GSM_SINGLE, GSM_PART) if gsm else (_ucs2_cost, UCS2_SINGLE, UCS2_PART)
    encoding = "GSM-7" if gsm else "UCS-2"
    costs = [cost(ch) for ch in text]
    units = sum(costs)
    if units <= single:
        return Size(encoding, units, 1)
    segments, used = 1, 0
    for unit in costs:
        if used + unit > part:
            segments, used = segments + 1, 0
        used += unit
    return Size(encoding, units, segments)
