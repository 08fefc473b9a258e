"""Photos: what comes out is of our own making, and what is no mere picture is refused."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

import pytest
from PIL import Image

from notifier.core.errors import Refused
from notifier.support import photos


def a_photo(kind: str = "JPEG", size: tuple[int, int] = (640, 400), **more: object) -> bytes:
    out = BytesIO()
    picture = Image.effect_noise(size, 60).convert("RGB")
    picture.save(out, kind, **more)
    return out.getvalue()


def a_bomb() -> bytes:
    """A PNG of 60,000 x 60,000 white pixels in some kilobytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def a_zip() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("evil.html", "<script>")
    return out.getvalue()


def why(data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        photos.redrawn(data)
    return refused.value.reason


def test_a_photo_comes_out_anew_turned_and_without_what_cannot_be_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by the phone
    exif[0x010E] = "Rumah Bu Siti"
    exif.get_ifd(0x8825)[1] = "S"
    sent = a_photo(size=(2400, 1200), exif=exif, comment=b"a secret")
    drawn = photos.redrawn(sent)
    picture = Image.open(BytesIO(drawn))
    assert (picture.format, picture.size, picture.mode) == ("JPEG", (800, 1600), "RGB")
    assert dict(picture.getexif()) == {}
    assert b"secret" not in drawn
    assert b"Rumah" not in drawn


def test_a_film_behind_the_photo_as_phones_put_it_is_left_out() -> None:
    drawn = photos.redrawn(a_photo() + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40)
    assert b"ftyp" not in drawn


def test_png_and_webp_come_out_as_jpeg() -> None:
    for kind in ("PNG", "WEBP"):
        assert photos.redrawn(a_photo(kind)).startswith(b"\xff\xd8\xff")


def test_what_is_no_mere_picture_is_refused() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    assert why(svg) == "picture-format"
    assert why(b"GIF89a" + bytes(500)) == "picture-format"
    assert why(b"") == "picture-empty"
    assert why(a_photo()[:2_000]) == "picture-damaged"


def test_a_polyglot_is_refused_wherever_its_second_file_stands() -> None:
    assert why(a_photo() + a_zip()) == "picture-second-file"
    assert why(a_photo("PNG") + b"%PDF-1.7") == "picture-second-file"
    assert why(a_photo(comment=b"<script>alert(1)</script>")) == "picture-second-file"
    assert why(a_photo() + b"<SVG onload=alert(1)>") == "picture-second-file"


def test_fifty_megabytes_and_a_bomb_are_refused() -> None:
    assert why(a_photo() + bytes(50 * 1024 * 1024)) == "picture-large"
    assert why(a_bomb()) == "picture-pixels"
