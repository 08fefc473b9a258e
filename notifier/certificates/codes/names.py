"""Names as the EU's certificates spell them: the name itself, and letters A to Z by ICAO 9303 part 3, section 6."""

from __future__ import annotations

import unicodedata

from notifier.certificates.codes.card import Missing, NoCode

LONGEST = 50  # characters; later versions of the schema allow 80
_FILLER = "<"
#: letters that are not a basic letter with a mark; the rest of Latin is decomposed
_LETTERS = {
    "Ä": "AE",
    "Å": "AA",
    "Æ": "AE",
    "Ð": "D",
    "Đ": "D",
    "Ħ": "H",
    "I": "I",
    "ı": "I",
    "Ĳ": "IJ",
    "Ŀ": "L",
    "Ł": "L",
    "Ŋ": "N",
    "Ö": "OE",
    "Ø": "OE",
    "Œ": "OE",
    "ß": "SS",
    "ẞ": "SS",
    "Ŧ": "T",
    "Ü": "UE",
    "Þ": "TH",
}
_LEFT_OUT = frozenset("'’‘ʼʻʽ`´.,·\"“”()")  # apostrophes and points vanish; what they stood between grows together
_GAPS = frozenset(" -‐‑‒–—/&+_")


def name_fields(name: str) -> dict[str, str]:
    """`fn` and `fnt` of a name. The whole name is the primary identifier: Indonesian names have no family name that a
    registry could tell us, and ICAO 9303 wants a name that is not divided there. `fn` is left out where it is longer
    than the format allows, `fnt` is cut as in a passport.

    Raises NoCode for letters whose transliteration we do not know for sure.
    """
    plain = unicodedata.normalize("NFC", name).strip()
    fields = {"fn": plain} if len(plain) <= LONGEST else {}
    return fields | {"fnt": transliterated(plain)[:LONGEST].rstrip(_FILLER)}


def transliterated(name: str) -> str:
    """DCERVENKOVA<PANKLOVA: letters A to Z, words parted by one `<`. Raises NoCode(name-not-latin)."""
    spelled = "".join(_spelled(letter) for letter in unicodedata.normalize("NFC", name))
    words = [word for word in spelled.split(_FILLER) if word]
    if not words:
        raise NoCode(Missing.NAME_NOT_LATIN)
    return _FILLER.join(words)


def _spelled(letter: str) -> str:
    if letter in _LEFT_OUT:
        return ""
    if letter in _GAPS or letter.isspace():
        return _FILLER
    upper = letter if letter in _LETTERS else letter.upper()
    if upper in _LETTERS:
        return _LETTERS[upper]
    basic = "".join(part for part in unicodedata.normalize("NFKD", upper) if not unicodedata.combining(part))
    if not basic and unicodedata.combining(letter):
        return ""  # a mark on its own, which no single letter contains
    if basic.isascii() and basic.isalpha():
        return basic.upper()
    raise NoCode(Missing.NAME_NOT_LATIN)
