"""Which changes of a name or a NIK are the slip of whoever wrote it down, and can hardly be another person. Pure.

A name: the same letters in other capitals, spaces, signs, titles or in the old spelling (oe for u), or one slip in few
of its words. The first letter of a word always stays, and so does its end, but for what is written both ways (Aminah,
Amina; Rudy, Rudi): Yanto and Yanti, Dian and Diana, Budi and Rudi are six people.

A NIK: only where it proves itself. Its digits 7 to 12 are the birth date (PP 40/2019 article 30), for women the day
plus 40. Where they contradicted the recorded birth date, and one slip in them alone explains it, in one way alone, the
new one is the only one that can be meant. A slip in the region or in the serial number leads to a neighbour or a twin,
and nothing in the digits could tell.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from enum import StrEnum

from notifier.core.identity import neighbours_of, nik_agrees_with

_SPELLINGS = (("oe", "u"), ("dj", "j"), ("tj", "c"), ("sj", "sy"), ("nj", "ny"), ("ch", "kh"))
#: one name, written in many ways
_MUHAMMAD = frozenset({
    "muh", "moh", "mhd", "mohd", "muhd", "muhammad", "muhamad", "mohammad", "mohamad", "mokhammad", "mokhamad",
    "muhammed", "mohammed",
})  # fmt: skip
_TITLES_BEFORE = frozenset({"h", "hj", "kh", "dr", "drg", "drs", "dra", "ir", "prof", "tn"})
_TITLES_BEHIND = frozenset({
    "se", "sh", "st", "sp", "spd", "ssi", "ssos", "sag", "sip", "skm", "skom", "skep", "ners", "amd", "amdkeb",
    "amdkep", "mm", "mt", "mh", "msi", "mpd", "mkes", "mkom", "mag", "phd",
})  # fmt: skip
_ALIKE = tuple(frozenset(pair) for pair in ("iy", "jy", "fv", "fp", "pv", "sz", "kq", "ck", "cq", "ou"))
_SHORTEST_SWAPPED, _SHORTEST_DOUBLED, _SHORTEST_ADDED = 4, 3, 5
_DATE_DIGITS = slice(6, 12)


class NameChange(StrEnum):
    """How far one name is from another."""

    NONE = "none"
    WRITING = "writing"  #: capitals, spaces, signs, titles, old spelling
    SLIP = "slip"  #: a letter too much, left out, swapped, or another of the same sound
    OTHER = "other"


class NikChange(StrEnum):
    """How far one NIK is from another."""

    NONE = "none"
    PROVED = "proved"  #: one slip in the birth date, which agrees now and could not in any other way
    NEAR = "near"  #: one slip away, which nothing proves
    OTHER = "other"


def name_change(old: str, new: str) -> NameChange:
    """How far `new` is from `old`; the same both ways round."""
    if old == new:
        return NameChange.NONE
    before, after = _words(old), _words(new)
    if not before or not after:
        return NameChange.OTHER
    if "".join(before) == "".join(after):
        return NameChange.WRITING
    if len(before) != len(after):
        return NameChange.OTHER
    changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
    few = len(changed) <= (len(before) + 1) // 2
    return NameChange.SLIP if few and all(_is_slip(*pair) for pair in changed) else NameChange.OTHER


def nik_change(old: str | None, new: str, born: date | None) -> NikChange:
    """How far `new` is from `old`; `born`: the recorded birth date."""
    if old == new:
        return NikChange.NONE
    if old is None or new not in neighbours_of(old):
        return NikChange.OTHER
    if born is None or nik_agrees_with(old, born) or not nik_agrees_with(new, born):
        return NikChange.NEAR
    could_be = [near for near in neighbours_of(old) if _only_date_differs(old, near) and nik_agrees_with(near, born)]
    return NikChange.PROVED if could_be == [new] else NikChange.NEAR


def is_namesake(one: str, other: str) -> bool:
    """Whether two names are the same once capitals, spaces, signs, titles and the old spelling are left out."""
    return bool(_words(one)) and "".join(_words(one)) == "".join(_words(other))


def _only_date_differs(one: str, other: str) -> bool:
    return (one[: _DATE_DIGITS.start], one[_DATE_DIGITS.stop :]) == (
        other[: _DATE_DIGITS.start],
        other[_DATE_DIGITS.stop :],
    )


def _words(name: str) -> list[str]:
    """The words of a name as they are compared; titles left out, unless nothing else is there."""
    plain = "".join(ch for ch in unicodedata.normalize("NFKD", name) if not unicodedata.combining(ch)).casefold()
    kept, _, behind = plain.partition(",")
    words = [word for word in map(_letters, kept.replace("-", " ").split()) if word]
    more = [word for word in map(_letters, behind.replace(",", " ").split()) if word and word not in _TITLES_BEHIND]
    words += more  # what stands behind a comma and is no title belongs to the name
    while len(words) > 1 and words[0] in _TITLES_BEFORE:
        words = words[1:]
    while len(words) > 1 and words[-1] in _TITLES_BEHIND:
        words = words[:-1]
    return [_spelling(word) for word in words]


def _letters(text: str) -> str:
    return "".join(ch for ch in text if ch.isalnum() and unicodedata.category(ch) != "Lm")


def _spelling(word: str) -> str:
    for old, new in _SPELLINGS:
        word = word.replace(old, new)
    return "muhammad" if word in _MUHAMMAD else word


def _is_slip(one: str, other: str) -> bool:
    if one[0] != other[0]:
        return False
    if len(one) == len(other):
        return _is_swapped(one, other) or _sounds_alike(one, other)
    short, long = sorted((one, other), key=len)
    return len(long) == len(short) + 1 and _is_letter_added(short, long)


def _is_swapped(one: str, other: str) -> bool:
    at = next(place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    swapped = one[:at] + one[at : at + 2][::-1] + one[at + 2 :]
    is_inside = at + 2 < len(one)  # Dian and Dina are two people
    return len(one) >= _SHORTEST_SWAPPED and is_inside and swapped == other


def _sounds_alike(one: str, other: str) -> bool:
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    pair = frozenset((one[places[0]], other[places[0]]))
    is_end = places[0] == len(one) - 1
    return len(places) == 1 and pair in _ALIKE and not (is_end and pair == frozenset("ou"))


def _is_letter_added(short: str, long: str) -> bool:
    """One letter more, wherever a run of the same letters lets it stand: an h or a doubled one, or inside of a long
    word."""
    places = [place for place in range(1, len(long)) if long[:place] + long[place + 1 :] == short]
    if not places:
        return False
    letter = long[places[0]]
    is_doubled = letter == long[places[0] - 1]
    if letter == "h" or is_doubled:
        return len(short) >= _SHORTEST_DOUBLED
    return len(short) >= _SHORTEST_ADDED and places[-1] < len(long) - 1
