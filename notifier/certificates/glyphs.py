"""Which characters we can print: text made safe for the page, measured against the fonts that are shipped.

A missing glyph is an error in PDF/UA and an empty box in a picture, so it is replaced before anything is drawn.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

REPLACEMENT = "?"
BREAK = "\u200b"  # ZERO WIDTH SPACE: a place where a line may end
_WORDS = re.compile(r"[^ -]+")
_JOINERS = frozenset("\u200c\u200d")  # spelling in Arabic, Javanese and Balinese; other format characters only mislead


class BadFont(Exception):
    """A font file has no character table that we can read."""


@dataclass(frozen=True, slots=True)
class Printable:
    """A text that can be printed, and how many characters of it had to become a question mark."""

    text: str
    replaced: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """The characters that at least one of our fonts has a glyph for."""

    characters: frozenset[int]

    @classmethod
    def of(cls, fonts: Iterable[Path]) -> Coverage:
        """Read from the fonts' own tables.

        :raises BadFont: a file is not a TrueType font with a Unicode table.
        """
        return cls(frozenset(code for font in fonts for code in _characters_of(font.read_bytes())))

    def printable(self, text: str) -> Printable:
        """`text` in NFC, blanks made single, control and direction characters left out, the unprintable replaced."""
        composed = unicodedata.normalize("NFC", "".join(_plain(ch) for ch in text))
        shown = ["" if ch in _JOINERS and ord(ch) not in self.characters else self._shown(ch) for ch in composed]
        replaced = sum(new != old and new == REPLACEMENT for new, old in zip(shown, composed, strict=True))
        return Printable(" ".join("".join(shown).split()), replaced)

    def _shown(self, ch: str) -> str:
        return ch if ch == " " or ord(ch) in self.characters else REPLACEMENT


def breakable(text: str, longest: int) -> str:
    """`text` with a chance to break the line in each word longer than `longest`, about every half of that, before a
    letter or a digit, so that no accent is parted from its letter. Lines break after a hyphen anyway."""
    return _WORDS.sub(lambda word: _broken(word[0], max(longest // 2, 1)) if len(word[0]) > longest else word[0], text)


def _broken(word: str, every: int) -> str:
    pieces, since = [], 0
    for ch in word:
        if since >= every and unicodedata.category(ch)[0] in "LN":
            pieces.append(BREAK)
            since = 0
        pieces.append(ch)
        since += 1
    return "".join(pieces)


def _plain(ch: str) -> str:
    category = unicodedata.category(ch)
    if category in {"Zs", "Zl", "Zp"} or ch in "\t\n\r\v\f":
        return " "
    if category == "Cc" or (category == "Cf" and ch not in _JOINERS):
        return ""
    return ch


def _characters_of(font: bytes) -> Iterator[int]:
    """The code points of a font's `cmap` table, formats 4 and 12 (OpenType 1.9)."""
    try:
        start = _table(font, b"cmap")
        (tables,) = struct.unpack_from(">H", font, start + 2)
        readers: dict[int, int] = {}
        for index in range(tables):
            platform, _encoding, offset = struct.unpack_from(">HHI", font, start + 4 + index * 8)
            (kind,) = struct.unpack_from(">H", font, start + offset)
            if platform in {0, 3} and kind in _READERS:
                readers[kind] = start + offset
        if readers:
            widest = max(readers)  # 12 covers all planes, 4 only the basic one
            yield from _READERS[widest](font, readers[widest])
            return
    except struct.error as error:
        raise BadFont("the font file is cut short") from error
    raise BadFont("the font has no Unicode character table")


def _table(font: bytes, tag: bytes) -> int:
    (tables,) = struct.unpack_from(">H", font, 4)
    for index in range(tables):
        name, _checksum, offset, _length = struct.unpack_from(">4sIII", font, 12 + index * 16)
        if name == tag:
            return int(offset)
    raise BadFont("the font has no character table")


def _segments(font: bytes, at: int) -> Iterator[int]:
    """Format 4: runs of code points in the basic plane; a glyph number 0 is no glyph."""
    (double,) = struct.unpack_from(">H", font, at + 6)
    row = f">{double // 2}H"
    ends_at = at + 14
    starts_at, deltas_at, ranges_at = (ends_at + 2 + double * step for step in (1, 2, 3))
    ends, starts, deltas, ranges = (
        struct.unpack_from(row, font, where) for where in (ends_at, starts_at, deltas_at, ranges_at)
    )
    for index, (first, last, delta, offset) in enumerate(zip(starts, ends, deltas, ranges, strict=True)):
        for code in range(first, min(last, 0xFFFE) + 1):
            glyph = code
            if offset:
                (glyph,) = struct.unpack_from(">H", font, ranges_at + index * 2 + offset + (code - first) * 2)
            if glyph and (glyph + delta) & 0xFFFF:
                yield code


def _groups(font: bytes, at: int) -> Iterator[int]:
    """Format 12: runs of code points over all planes."""
    (groups,) = struct.unpack_from(">I", font, at + 12)
    for index in range(groups):
        first, last, glyph = struct.unpack_from(">III", font, at + 16 + index * 12)
        yield from range(first if glyph else first + 1, last + 1)


_READERS = {4: _segments, 12: _groups}
