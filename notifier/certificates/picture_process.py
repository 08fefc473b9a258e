"""A process of its own that reads the QR codes of one picture: `python -I picture_process.py < picture`; or that draws
it anew: `python -I picture_process.py redraw < picture`.

Image decoders are the code that hostile files break. So this program holds no key, no setting and no database, imports
nothing of ours, limits its own time and memory, opens no file and no connection, and is gone after one picture. Prints
one JSON object: `{"texts": [...]}`, `{"jpeg": base64}`, or `{"refused": reason}`.
"""

from __future__ import annotations

import base64
import json
import os
import re
import resource
import sys
from collections.abc import Callable
from io import BytesIO

import zxingcpp

# all that a picture may make Pillow load later on, since nothing can be opened then
from PIL import (
    ExifTags,
    Image,
    ImageFile,
    ImageOps,
    ImagePalette,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

#: by their first bytes; nothing else is even opened
FORMATS = {"PNG": rb"\x89PNG\r\n\x1a\n", "JPEG": rb"\xff\xd8\xff", "WEBP": rb"RIFF....WEBP"}
#: a photo of a good phone as JPEG, which is unpacked at a fraction; the others are screenshots
MOST_PIXELS = {"PNG": 25_000_000, "JPEG": 50_000_000, "WEBP": 25_000_000}
_CPU_S = 6
_MEMORY = 900 * 1024 * 1024
_SIDES = (1_600, 4_000)  # a small picture is read fast; a photo of a whole page needs its detail
_REDRAWN, _QUALITY = 1_600, 78  # what is written on a card stays readable
_MOST_TEXTS = 8
_LONGEST_TEXT = 8_000
_SIGNED = ("HC1:", "shc:/")
_LOADED = (
    *(ExifTags, ImageFile, ImageOps, ImagePalette, JpegImagePlugin),
    *(MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin),
)


def _limit() -> None:
    Image.preinit()
    os.nice(10)  # whoever opens a certificate goes first
    for what, most in (
        (resource.RLIMIT_CPU, _CPU_S),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),  # what is open stays open; no file and no connection can be added
    ):
        resource.setrlimit(what, (most, most))


def read(data: bytes) -> dict[str, object]:
    """The texts of a picture's QR codes, each once; or why it was not read: `format`, `pixels`, `damaged`."""
    return _opened(data, lambda picture: {"texts": _texts(_grey(picture))})


def redraw(data: bytes) -> dict[str, object]:
    """The picture as a JPEG of our own, upright, no larger than a card needs: its pixels, and nothing else of the file
    (no place where it was taken, no thumbnail, nothing behind its end); or why not, as `read`."""
    return _opened(data, lambda picture: {"jpeg": base64.b64encode(_drawn(picture)).decode()})


def _opened(data: bytes, use: Callable[[Image.Image], dict[str, object]]) -> dict[str, object]:
    kind = next((name for name, start in FORMATS.items() if re.match(start, data, re.DOTALL)), None)
    if kind is None:
        return {"refused": "format"}
    try:
        picture = Image.open(BytesIO(data), formats=[kind])
        if picture.width * picture.height > MOST_PIXELS[kind]:
            return {"refused": "pixels"}
        return use(picture)
    except (Image.DecompressionBombError, MemoryError):
        return {"refused": "pixels"}
    except Exception:
        return {"refused": "damaged"}


def _drawn(picture: Image.Image) -> bytes:
    picture.draft("RGB", (_REDRAWN, _REDRAWN))
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    seen = upright.convert("RGBA") if upright.has_transparency_data else upright
    seen.thumbnail((_REDRAWN, _REDRAWN))
    paper = Image.new("RGB", seen.size, (255, 255, 255))
    paper.paste(seen, mask=seen.getchannel("A") if seen.mode == "RGBA" else None)
    out = BytesIO()
    paper.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _grey(picture: Image.Image) -> Image.Image:
    """In grey, on white where it lets through, no larger than we look at it."""
    picture.draft("L", (_SIDES[-1], _SIDES[-1]))  # a JPEG is unpacked at a half, a quarter or an eighth
    picture.load()
    if not picture.has_transparency_data:
        return picture.convert("L")
    seen = picture.convert("LA")
    paper = Image.new("L", picture.size, 255)
    paper.paste(seen.getchannel("L"), mask=seen.getchannel("A"))
    return paper


def _texts(grey: Image.Image) -> list[str]:
    found: dict[str, None] = {}
    for side in _SIDES:
        seen = grey.copy()
        seen.thumbnail((side, side))
        for code in zxingcpp.read_barcodes(seen, formats=zxingcpp.BarcodeFormat.QRCode):
            if code.valid and len(code.text) <= _LONGEST_TEXT:
                found[code.text] = None
        if any(text.startswith(_SIGNED) for text in found) or max(grey.size) <= side:
            break
    return list(found)[:_MOST_TEXTS]


if __name__ == "__main__":
    _limit()
    asked_for = redraw if sys.argv[1:] == ["redraw"] else read
    sys.stdout.write(json.dumps(asked_for(sys.stdin.buffer.read())))
