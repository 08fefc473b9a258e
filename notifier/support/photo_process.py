"""A process of its own that draws one photo anew: `python -I photo_process.py < picture > picture`.

As certificates/picture_process.py: image decoders are the code that hostile files break, so this program holds no key,
no setting and no database, imports nothing of ours, limits its own time and memory, opens no file and no connection,
and is gone after one picture. Of the picture only what can be seen comes out: a JPEG of our own, without place, date,
comment or preview. Prints `ok` and a line's end and the JPEG, or `refused` and the reason.
"""

from __future__ import annotations

import os
import re
import resource
import sys
from io import BytesIO

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
MOST_PIXELS = {"PNG": 25_000_000, "JPEG": 50_000_000, "WEBP": 25_000_000}
SIDE = 1_600  # a card's small print can be read
LEAST_SIDE = 200
QUALITY = 80
_CPU_S = 6
_MEMORY = 900 * 1024 * 1024
#: what makes a second file of a picture, beside or behind what is drawn; long enough that no photo has it by chance
_SECOND_FILES = re.compile(rb"%pdf-|<script|<html|<!doctype|<\?php|<svg[ >]")
_END_OF_ZIP, _ITS_LONGEST = b"PK\x05\x06", 65_557  # an archive is found by its end (APPNOTE 4.3.16)
_LOADED = (
    *(ExifTags, ImageFile, ImagePalette, JpegImagePlugin),
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


def redraw(data: bytes) -> bytes:
    """The answer: `ok\\n` and a JPEG, or `refused ` and why: `format`, `second-file`, `pixels`, `small`, `damaged`."""
    kind = next((name for name, start in FORMATS.items() if re.match(start, data, re.DOTALL)), None)
    if kind is None:
        return b"refused format"
    if _SECOND_FILES.search(_beside(kind, data).lower()) or _END_OF_ZIP in data[-_ITS_LONGEST:]:
        return b"refused second-file"
    try:
        picture = Image.open(BytesIO(data), formats=[kind])
        if picture.width * picture.height > MOST_PIXELS[kind]:
            return b"refused pixels"
        if min(picture.size) < LEAST_SIDE:
            return b"refused small"
        return b"ok\n" + _drawn(picture)
    except (Image.DecompressionBombError, MemoryError):
        return b"refused pixels"
    except Exception:
        return b"refused damaged"


def _beside(kind: str, data: bytes) -> bytes:
    """Where words can stand in a file: of a JPEG before its scans and behind its end, where phones put previews and
    films; of the others anywhere."""
    if kind != "JPEG":
        return data
    scan = data.find(b"\xff\xda")
    end = data.find(b"\xff\xd9", scan)
    return data if scan < 0 or end < 0 else data[:scan] + data[end:]


def _drawn(picture: Image.Image) -> bytes:
    picture.draft("RGB", (SIDE, SIDE))  # a JPEG is unpacked at a half, a quarter or an eighth
    picture.load()
    seen = ImageOps.exif_transpose(picture)
    if seen.has_transparency_data:
        seen = seen.convert("RGBA")
        paper = Image.new("RGBA", seen.size, "white")
        paper.alpha_composite(seen)
        seen = paper
    seen = seen.convert("RGB")
    seen.thumbnail((SIDE, SIDE))
    new = Image.frombytes("RGB", seen.size, seen.tobytes())  # nothing but what can be seen
    out = BytesIO()
    new.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


if __name__ == "__main__":
    _limit()
    sys.stdout.buffer.write(redraw(sys.stdin.buffer.read()))
