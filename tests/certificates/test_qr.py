"""The QR code: readable by somebody else's reader, stored small, drawn dark on white."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.certificates.qr import QUIET_ZONE, QrMatrix, make_qr
from tests.certificates.samples import QR_TEXT, read_codes
from tests.drawn_codes import strokes

_RECTANGLE = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


def stroked(code: QrMatrix) -> list[tuple[int, int, int]]:
    """Where the path of a page paints: left, top and width of each line, one unit high."""
    return strokes(code.to_svg_path(), code.side)


def filled(code: QrMatrix) -> list[tuple[int, int, int]]:
    """Where the picture for print paints."""
    path = code.to_svg().rpartition(' d="')[2].removesuffix('"/></svg>')
    assert _RECTANGLE.sub("", path) == ""
    assert all(width == back for _left, _top, width, back in _RECTANGLE.findall(path))
    return [(int(left), int(top), int(width)) for left, top, width, _back in _RECTANGLE.findall(path)]


def painted(code: QrMatrix, lines: list[tuple[int, int, int]], scale: int = 3) -> bytes:
    """What was drawn, on white paper, one byte a pixel."""
    paper = [bytearray(b"\xff" * code.side * scale) for _ in range(code.side)]
    for x, y, width in lines:
        paper[y][x * scale : (x + width) * scale] = b"\0" * width * scale
    return b"".join(bytes(row) * scale for row in paper)


@settings(max_examples=30)
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=600))
def test_what_was_put_in_is_read_from_the_page_and_from_print(text: str):
    code = make_qr(text)
    side = code.side * 3
    for lines in (stroked(code), filled(code)):
        assert [found.text for found in read_codes(side, side, painted(code, lines))] == [text]


def test_a_stained_code_is_still_read_because_error_correction_is_m():
    code = make_qr(QR_TEXT)
    side = code.side * 3
    (found,) = read_codes(side, side, painted(code, stroked(code)))
    assert found.ec_level == "M"


def test_the_path_leaves_four_modules_of_white_on_each_side():
    code = make_qr(QR_TEXT)
    picture = painted(code, stroked(code), scale=1)
    rows = [picture[at : at + code.side] for at in range(0, len(picture), code.side)]
    inner = range(QUIET_ZONE, code.side - QUIET_ZONE)
    dark = [(x, y) for y, row in enumerate(rows) for x, pixel in enumerate(row) if pixel == 0]
    assert all(x in inner and y in inner for x, y in dark)
    assert (QUIET_ZONE, QUIET_ZONE) in dark


def test_the_picture_brings_its_own_white_paper():
    svg = make_qr(QR_TEXT).to_svg()
    assert svg.index('fill="#fff"') < svg.index("<path d=")


@settings(max_examples=30)
@given(st.text(alphabet="ABC123 $%*+-./:", min_size=1, max_size=900))
def test_a_stored_code_comes_back_as_it_was(text: str):
    code = make_qr(text)
    assert QrMatrix.from_bytes(code.to_bytes()) == code


def test_a_verifiable_code_of_500_characters_is_stored_in_under_700_bytes():
    code = make_qr("HC1:" + "6BFOXN%TS3DH0YOJ58S" * 26)
    assert code.size == 73
    assert len(code.to_bytes()) < 700


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: b"",
        lambda stored: stored[:-1],
        lambda stored: stored + b"\0",
        lambda stored: b"\x02" + stored[1:],
        lambda stored: stored[:1] + b"\x16" + stored[2:],
        lambda stored: stored[:-1] + bytes((stored[-1] | 1,)),
    ],
    ids=["empty", "short", "long", "other format", "impossible size", "bits behind the end"],
)
def test_spoilt_storage_is_refused(spoil):
    with pytest.raises(ValueError, match=r"stored QR code|size|bits"):
        QrMatrix.from_bytes(spoil(make_qr(QR_TEXT).to_bytes()))


@pytest.mark.parametrize(
    ("size", "modules"), [(22, bytes(484)), (21, bytes(440)), (21, bytes(449)), (21, b"\2" + bytes(440)), (21, b"")]
)
def test_a_matrix_that_is_no_qr_code_is_refused(size: int, modules: bytes):
    with pytest.raises(ValueError, match=r"size|modules|bits"):
        QrMatrix.of_modules(size, modules)


@settings(max_examples=30)
@given(st.sampled_from([21, 25, 37, 41, 177]), st.integers(min_value=0))
def test_modules_and_bits_are_the_same_square(size: int, seed: int):
    modules = bytes(seed >> place & 1 for place in range(size**2))
    code = QrMatrix.of_modules(size, modules)
    assert code.modules == modules
    assert sum(width for _x, _y, width in stroked(code)) == sum(width for _x, _y, width in filled(code)) == sum(modules)


@pytest.mark.parametrize("text", ["", "rahasia" * 400])
def test_a_text_that_fits_no_code_is_refused_without_repeating_it(text: str):
    with pytest.raises(ValueError, match="QR code") as refused:
        make_qr(text)
    assert "rahasia" not in str(refused.value)
    assert refused.value.__context__ is None
