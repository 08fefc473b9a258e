"""A certificate to draw, and eyes for what was drawn: readers of PNG, PGM and QR that share no code with ours."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import zxingcpp

from notifier.certificates.facts import CertificateFacts, DoseFacts

TEMPLATES = Path(__file__).parents[2] / "templates" / "certificate"
QR_TEXT = "https://vaks.id/verify?n=SRT-7K2M-9QXD"
SAMPLE_NIK = "3174014105840009"
SECOND_DOSE = DoseFacts(2, 2, "Comirnaty (Pfizer-BioNTech)", "208", "FK8917", date(2026, 5, 23), "Puskesmas Tebet")
FIRST_DOSE = replace(SECOND_DOSE, number=1, lot="FF2832", given_on=date(2026, 4, 11))


def certificate_facts(**changes: Any) -> CertificateFacts:
    """The second of two doses of Siti, valid, issued on 23 May 2026 at 09.00 WIB; `changes` replace fields."""
    return replace(
        CertificateFacts(
            number="SRT-7K2M-9QXD",
            status="valid",
            issuer="Kementerian Kesehatan",
            name="Siti Nurhaliza Rahmawati",
            nik=SAMPLE_NIK,
            birth_date=date(1984, 5, 1),
            issued_at=datetime(2026, 5, 23, 2, 0, tzinfo=UTC),
            time_zone="Asia/Jakarta",
            verify_host="vaks.id",
            doses=(FIRST_DOSE, SECOND_DOSE),
            this_dose=SECOND_DOSE,
        ),
        **changes,
    )


def read_codes(width: int, height: int, grey: bytes) -> list[zxingcpp.Barcode]:
    """The QR codes in a raw picture of one byte a pixel."""
    picture = memoryview(grey).cast("B", (height, width))
    return list(zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode))


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the IHDR chunk."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def png_green(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and the green channel of an 8-bit RGB or RGBA picture, decoded after the PNG specification."""
    width, height = png_size(data)
    depth, colour, _compression, _filter, interlace = data[24:29]
    assert (depth, interlace) == (8, 0)
    step = {2: 3, 6: 4}[colour]
    raw = zlib.decompress(b"".join(_chunks(data, b"IDAT")))
    above, picture = bytes(width), []
    for at in range(0, len(raw), 1 + width * step):
        # every channel is filtered for itself, so one is enough
        above = _unfiltered(raw[at], raw[at + 2 : at + 1 + width * step : step], above)
        picture.append(above)
    return width, height, b"".join(picture)


def _chunks(data: bytes, wanted: bytes) -> list[bytes]:
    found, at = [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == wanted:
            found.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    return found


def _unfiltered(kind: int, row: bytes, above: bytes) -> bytes:
    if kind == 0:
        return row
    if kind == 1:
        return bytes(accumulate(row, lambda left, delta: (left + delta) & 255))
    if kind == 2:
        return bytes((up + delta) & 255 for up, delta in zip(above, row, strict=True))
    out, left, corner = bytearray(), 0, 0
    for delta, up in zip(row, above, strict=True):
        guess = (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
        left, corner = (guess + delta) & 255, up
        out.append(left)
    return bytes(out)


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda near: abs(estimate - near))


def pgm(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and pixels of a binary PGM, as `pdftoppm -gray` writes it."""
    header = re.match(rb"P5\s+(\d+)\s+(\d+)\s+255\s", data)
    assert header is not None
    return int(header[1]), int(header[2]), data[header.end() :]
