"""Pictures that somebody uploads: read in a process of their own, and whatever they are, ours goes on."""

from __future__ import annotations

import errno
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from notifier.certificates import picture_process
from notifier.certificates.pictures import LARGEST, read_picture
from notifier.core.errors import Refused
from tests.certificates.pictures import png_bomb, qr_picture, saved

LINK = "https://sertifikat.example.id/verify?n=7K3M-9QXT-2B4D"
CODE = "HC1:" + "6BFOXN%TSMAHN-H3YS1IK47ES6IXJR4E47X5" * 15


def refusal(data: bytes, **options: float) -> str:
    with pytest.raises(Refused) as refused:
        read_picture(data, **options)
    return refused.value.reason


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_each_allowed_format_is_read(kind: str) -> None:
    assert read_picture(saved(qr_picture(LINK), kind)) == (LINK,)


@pytest.mark.parametrize("mode", ["1", "P", "I;16", "RGBA"])
def test_each_kind_of_pixel_is_read_though_nothing_more_can_be_loaded(mode: str) -> None:
    seen = qr_picture(LINK).convert("L")
    assert read_picture(saved(seen.convert(mode))) == (LINK,)


def test_photos_of_phones_and_printers_are_read() -> None:
    seen = qr_picture(LINK)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Contoh"
    assert read_picture(saved(seen.convert("CMYK"), "JPEG")) == (LINK,)
    assert read_picture(saved(seen.convert("RGB"), "JPEG", exif=exif)) == (LINK,)
    assert read_picture(saved(seen.convert("RGB"), "MPO", save_all=True, append_images=[seen.convert("RGB")])) == (
        LINK,
    )
    assert read_picture(saved(seen.convert("RGB"), "WEBP", exif=exif)) == (LINK,)


@pytest.mark.parametrize(
    "deed", ["open('/etc/hostname')", "socket.socket()", "open('/proc/self/environ')", "os.pipe()"]
)
def test_whoever_breaks_a_decoder_opens_no_file_and_no_connection(deed: str) -> None:
    folder = str(Path(picture_process.__file__).parent)
    lines = [
        "import os, socket, sys",
        f"sys.path.insert(0, {folder!r})",
        "import picture_process",
        "picture_process._limit()",
        "try:",
        f"    {deed}",
        "except OSError as error:",
        "    print(error.errno)",
    ]
    done = subprocess.run([sys.executable, "-I", "-c", "\n".join(lines)], capture_output=True, check=True)
    assert int(done.stdout) == errno.EMFILE


def test_a_photo_of_a_whole_page_is_read() -> None:
    photo = qr_picture(CODE, scale=5, size=(4000, 3000)).rotate(7, fillcolor=200, expand=True).convert("RGB")
    assert read_picture(saved(photo, "JPEG", quality=70)) == (CODE,)


def test_a_transparent_picture_lies_on_white() -> None:
    ink = qr_picture(LINK)
    clear = Image.merge("LA", (Image.new("L", ink.size, 0), ink.point(lambda value: 255 - value)))
    assert read_picture(saved(clear)) == (LINK,)
    assert read_picture(saved(clear.convert("RGBA"), "WEBP", lossless=True)) == (LINK,)


def test_several_codes_are_all_read_each_once() -> None:
    assert sorted(read_picture(saved(qr_picture(LINK, CODE, LINK, scale=3)))) == sorted([LINK, CODE])


def test_no_code_is_told_apart_from_no_picture() -> None:
    assert refusal(saved(Image.new("RGB", (300, 300), "white"))) == "picture-no-code"
    assert refusal(b"") == "picture-empty"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "ICO"])
def test_other_formats_are_not_even_opened(kind: str) -> None:
    assert refusal(saved(qr_picture(LINK), kind)) == "picture-format"


def test_an_animated_gif_an_svg_and_a_pdf_are_refused() -> None:
    frames = [Image.new("L", (50, 50), shade) for shade in range(0, 250, 5)]
    assert refusal(saved(frames[0], "GIF", save_all=True, append_images=frames[1:])) == "picture-format"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><image href="http://127.0.0.1/x"/></svg>'
    assert refusal(svg) == "picture-format"
    assert refusal(b"%PDF-1.7\n") == "picture-pdf"


def test_a_polyglot_is_only_ever_a_picture() -> None:
    page = b"<script>alert(1)</script>PK\x03\x04"
    assert read_picture(saved(qr_picture(LINK)) + page) == (LINK,)
    assert refusal(page + saved(qr_picture(LINK))) == "picture-format"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_truncated_picture_is_damaged(kind: str) -> None:
    whole = saved(qr_picture(CODE, scale=6).convert("RGB"), kind)
    assert refusal(whole[: len(whole) // 2]) == "picture-damaged"


@pytest.mark.parametrize("size", [(50_000, 50_000), (8_000, 8_000), (2**31 - 1, 2**31 - 1), (60_000_000, 1)])
def test_a_bomb_is_refused_by_its_size_before_it_is_unpacked(size: tuple[int, int]) -> None:
    bomb = png_bomb(*size)
    assert len(bomb) < 5_000
    assert refusal(bomb) in {"picture-pixels", "picture-format"}


def test_a_bomb_below_the_limit_ends_at_most_its_own_process() -> None:
    assert refusal(png_bomb(5_000, 5_000, unpacked=40_000_000)) == "picture-damaged"
    assert read_picture(saved(qr_picture(LINK))) == (LINK,)


def test_more_than_eight_megabytes_are_not_handed_on() -> None:
    assert refusal(b"\x89PNG\r\n\x1a\n" + bytes(LARGEST)) == "picture-large"


def test_a_picture_that_takes_too_long_is_given_up() -> None:
    assert refusal(saved(qr_picture(LINK)), time_s=0.001) == "picture-busy"


def test_mangled_pictures_make_no_fault() -> None:
    dice = random.Random(7)
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = saved(qr_picture(LINK).convert("RGB"), kind)
        for _ in range(60):
            mangled = bytearray(whole)
            for _ in range(dice.randint(1, 12)):
                mangled[dice.randrange(len(mangled))] = dice.randrange(256)
            assert set(picture_process.read(bytes(mangled))) <= {"texts", "refused"}
