"""The QR code of a certificate: made once, stored as a few hundred bytes, drawn as often as somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from math import ceil, isqrt
from struct import Struct
from typing import Literal

import zxingcpp

QUIET_ZONE = 4  # modules of white on each side, ISO/IEC 18004
_FORMAT = 1
_SIDES = range(21, 178, 4)  # versions 1 to 40
_HEADER = 2
#: the way around so many modules in a row
_RECTANGLES = [f"h{run}v1h-{run}z" for run in range(_SIDES[-1] + 1)]
_PIECE = 11  # modules that are drawn at once: versions 3 and 6 fill whole pieces


@dataclass(frozen=True, slots=True)
class QrMatrix:
    """A square of modules, row by row; `modules[row * size + column]` is 1 where it is dark. No quiet zone inside."""

    size: int
    modules: bytes

    def __post_init__(self) -> None:
        """:raises ValueError: the size is not that of a QR code, or the modules do not fill it with 0 and 1."""
        if self.size not in _SIDES:
            raise ValueError("size: a QR code has 21 to 177 modules a side, in steps of 4")
        if len(self.modules) != self.size**2 or self.modules.strip(b"\0\1"):
            raise ValueError("modules: must be size * size bytes of 0 or 1")

    def to_bytes(self) -> bytes:
        """The form for a database column: a format byte, the size, then the modules as bits, highest first."""
        bits = int(self.modules.translate(_DIGITS), 2)
        length = ceil(self.size**2 / 8)
        return bytes((_FORMAT, self.size)) + (bits << (length * 8 - self.size**2)).to_bytes(length, "big")

    @classmethod
    def from_bytes(cls, stored: bytes) -> QrMatrix:
        """What `to_bytes` stored.

        :raises ValueError: another format, a wrong length, or bits set behind the last module.
        """
        if len(stored) < _HEADER or stored[0] != _FORMAT:
            raise ValueError("stored QR code: unknown format")
        size = stored[1]
        cells, length = size**2, ceil(size**2 / 8)
        if size not in _SIDES or len(stored) != _HEADER + length:
            raise ValueError("stored QR code: length does not fit the size")
        bits, padding = divmod(int.from_bytes(stored[_HEADER:], "big"), 1 << (length * 8 - cells))
        if padding:
            raise ValueError("stored QR code: bits behind the last module")
        return cls(size, f"{bits:0{cells}b}".encode().translate(_BITS))

    @property
    def side(self) -> int:
        """Modules a side with the quiet zone: the width and height of the viewBox in which `to_svg_path` draws."""
        return self.size + 2 * QUIET_ZONE

    def to_svg_path(self) -> str:
        """The `d` of one path for `viewBox="0 0 side side"`, to be stroked one unit wide: a line along each row, with
        gaps where it is light.

        The strokes of a single path are painted together, so no light seams appear between rows.
        """
        pieces, rows = _drawing(self.size)
        return rows % tuple(map(_STROKES.__getitem__, pieces(self.modules)))

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
        for row in range(self.size):
            x, y = QUIET_ZONE, row + QUIET_ZONE
            for run in self.modules[row * self.size : (row + 1) * self.size].split(b"\0"):
                if run:
                    parts.append(f"M{x} {y}{_RECTANGLES[len(run)]}")
                x += len(run) + 1
        return "".join(parts)


class _Strokes(dict[bytes, str]):
    """The strokes of a few modules in a row, each worked out once; at most twice 2 ** _PIECE of them."""

    def __missing__(self, piece: bytes) -> str:
        runs = ((dark, len(list(run))) for dark, run in groupby(piece))
        drawn = self[piece] = "".join(f"h{length}" if dark else f"m{length} 0" for dark, length in runs)
        return drawn


@cache
def _drawing(size: int) -> tuple[Callable[[bytes], tuple[bytes, ...]], str]:
    """What cuts the modules of a code of that size into pieces, and the path into which the strokes of all go."""
    whole, rest = divmod(size, _PIECE)
    row = f"{_PIECE}s" * whole + (f"{rest}s" if rest else "")
    lines = (f"M{QUIET_ZONE} {place + QUIET_ZONE}.5" + "%s" * row.count("s") for place in range(size))
    return Struct(row * size).unpack, "".join(lines)


_STROKES = _Strokes()
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
    return QrMatrix(isqrt(len(pixels)), pixels.translate(_DARK))
