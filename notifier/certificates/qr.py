"""The QR code of a certificate: made once, stored as a few hundred bytes, drawn as often as somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import groupby
from math import ceil, isqrt
from operator import getitem
from typing import Literal

import zxingcpp

QUIET_ZONE = 4  # modules of white on each side, ISO/IEC 18004
_FORMAT = 1
_SIDES = range(21, 178, 4)  # versions 1 to 40
_HEADER = 2
#: the way around so many modules in a row
_RECTANGLES = [f"h{run}v1h-{run}z" for run in range(_SIDES[-1] + 1)]


@dataclass(frozen=True, slots=True)
class QrMatrix:
    """A square of `size` modules a side without a quiet zone. `bits`: one for each, row by row, highest first, 1 where
    it is dark; nothing behind the last."""

    size: int
    bits: bytes

    def __post_init__(self) -> None:
        """:raises ValueError: the size is not that of a QR code, or the bits do not fill it exactly."""
        if self.size not in _SIDES:
            raise ValueError("size: a QR code has 21 to 177 modules a side, in steps of 4")
        cells = self.size**2
        if len(self.bits) != ceil(cells / 8) or self.bits[-1] & ((1 << -cells % 8) - 1):
            raise ValueError("bits: must be one for each module, and none behind the last")

    @classmethod
    def of_modules(cls, size: int, modules: bytes) -> QrMatrix:
        """Of a byte for each module, 0 or 1.

        :raises ValueError: as the matrix itself; other bytes.
        """
        if len(modules) != size**2 or modules.strip(b"\0\1"):
            raise ValueError("modules: must be size * size bytes of 0 or 1")
        length = ceil(len(modules) / 8)
        bits = int(modules.translate(_DIGITS), 2) << (length * 8 - len(modules))
        return cls(size, bits.to_bytes(length, "big"))

    @property
    def modules(self) -> bytes:
        """A byte for each module, row by row: `modules[row * size + column]` is 1 where it is dark, else 0."""
        cells = self.size**2
        return f"{int.from_bytes(self.bits, 'big') >> -cells % 8:0{cells}b}".encode().translate(_BITS)

    def to_bytes(self) -> bytes:
        """The form for a database column: a format byte, the size, then the bits."""
        return bytes((_FORMAT, self.size)) + self.bits

    @classmethod
    def from_bytes(cls, stored: bytes) -> QrMatrix:
        """What `to_bytes` stored.

        :raises ValueError: another format, or as the matrix itself.
        """
        if len(stored) < _HEADER or stored[0] != _FORMAT:
            raise ValueError("stored QR code: unknown format")
        return cls(stored[1], stored[_HEADER:])

    @property
    def side(self) -> int:
        """Modules a side with the quiet zone: the width and height of the viewBox in which `to_svg_path` draws."""
        return self.size + 2 * QUIET_ZONE

    def to_svg_path(self) -> str:
        """The `d` of one path for `viewBox="0 0 side side"`, to be stroked one unit wide: a line along each row, with
        gaps where it is light.

        The strokes of a single path are painted together, so no light seams appear between rows. The pen starts where a
        row above the first would end.
        """
        return f"M{QUIET_ZONE + self.size} {QUIET_ZONE - 1}.5" + "".join(map(getitem, _strokes(self.size), self.bits))

    def to_svg(self) -> str:
        """A whole SVG picture for print, dark on white: every dark run of a row is one rectangle of a single filled
        path. A PDF's reader may widen thin strokes."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.side} {self.side}" '
            f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{self.side}v{self.side}H0z"/>'
            f'<path d="{self._filled()}"/></svg>'
        )

    def _filled(self) -> str:
        parts: list[str] = []
        modules = self.modules
        for row in range(self.size):
            x, y = QUIET_ZONE, row + QUIET_ZONE
            for run in modules[row * self.size : (row + 1) * self.size].split(b"\0"):
                if run:
                    parts.append(f"M{x} {y}{_RECTANGLES[len(run)]}")
                x += len(run) + 1
        return "".join(parts)


@cache
def _strokes(size: int) -> list[tuple[str, ...]]:
    """For each byte of a code of that size, what draws it, by its value; the same few over and over again."""
    places = range(0, size**2, 8)
    return [_of_byte(size, min(-place % size, 8), min(8, size**2 - place)) for place in places]


@cache
def _of_byte(size: int, left: int, count: int) -> tuple[str, ...]:
    """The strokes of `count` modules in a row, for each value of the byte that holds them. `left` of them stand before
    the pen goes back to the start of the next row, where that is among them."""
    back = f"m-{size} 1" if left < count else ""
    digits = (f"{byte:08b}"[:count] for byte in range(256))
    return tuple(f"{_drawn(each[:left])}{back}{_drawn(each[left:])}" for each in digits)


@cache
def _drawn(digits: str) -> str:
    runs = ((digit, len(list(run))) for digit, run in groupby(digits))
    return "".join(f"h{length}" if digit == "1" else f"m{length} 0" for digit, length in runs)


_DIGITS = bytes.maketrans(b"\0\1", b"01")
_BITS = bytes.maketrans(b"01", b"\0\1")
_DARK = bytes.maketrans(b"\x00\xff", b"\1\0")  # the library draws ink as 0 and paper as 255


def make_qr(text: str, error_correction: Literal["L", "M", "Q", "H"] = "M") -> QrMatrix:
    """The QR code (model 2; error correction M: 15 % may be dirt or a fold) of `text`. Digits, capitals and bytes take
    turns in it wherever that makes it smaller.

    :raises ValueError: `text` is empty or longer than a QR code can hold; the text itself is not repeated.
    """
    try:
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=error_correction)
    except ValueError:
        code = None
    if code is None:
        raise ValueError("text of a QR code: must not be empty and must fit one code (2,331 bytes)")
    image = code.to_image(scale=1, add_quiet_zones=False)
    pixels = memoryview(image).tobytes()
    return QrMatrix.of_modules(isqrt(len(pixels)), pixels.translate(_DARK))
