"""Pictures with QR codes on them, and pictures that are attacks."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

from notifier.certificates.qr import make_qr

_INK = bytes.maketrans(b"\0\1", b"\xff\0")


def qr_picture(*texts: str, scale: int = 4, size: tuple[int, int] | None = None) -> Image.Image:
    """QR codes beside each other on white, in the top left of `size`."""
    drawn = []
    for text in texts:
        matrix = make_qr(text)
        code = Image.frombytes("L", (matrix.size, matrix.size), matrix.modules.translate(_INK))
        drawn.append(code.resize((matrix.size * scale, matrix.size * scale), Image.Resampling.NEAREST))
    width = sum(code.width + 8 * scale for code in drawn)
    picture = Image.new(
        "L", size or (max(width, 40), max([code.height for code in drawn], default=40) + 8 * scale), 255
    )
    left = 4 * scale
    for code in drawn:
        picture.paste(code, (left, 4 * scale))
        left += code.width + 8 * scale
    return picture


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def png_bomb(width: int, height: int, unpacked: int = 1_000_000) -> bytes:
    """A PNG of a few kilobytes that claims, and partly has, far more pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(unpacked), 9)) + chunk(b"IEND", b"")
