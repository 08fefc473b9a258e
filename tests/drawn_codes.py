"""QR codes as a page draws them, seen with somebody else's reader."""

from __future__ import annotations

import re

import zxingcpp
from PIL import Image, ImageDraw

from notifier.certificates.qr import QUIET_ZONE

_CODE = re.compile(r'<svg class="qr" viewBox="0 0 (\d+) \1".*?stroke="#000" d="([^"]+)"', re.DOTALL)
_PATH = re.compile(r"M(\d+) (\d+)\.5((?:h\d+|m-?\d+ [01])+)")
_STEP = re.compile(r"(h|m)(-?\d+)(?: (\d))?")
_SCALE = 6


def strokes(path: str, side: int) -> list[tuple[int, int, int]]:
    """Where the path of a code with its quiet zone paints: left, top and width of each line, one unit high. The pen
    ends where the last row does."""
    whole = _PATH.fullmatch(path)
    assert whole is not None
    lines, x, y = [], int(whole[1]), int(whole[2])
    for step, right, down in _STEP.findall(whole[3]):
        lines += [(x, y, int(right))] if step == "h" else []
        x, y = x + int(right), y + int(down or 0)
    assert (x, y) == (side - QUIET_ZONE, side - QUIET_ZONE - 1)
    return lines


def code_on(page: str) -> str:
    """What the one code on a page says."""
    [(side, path)] = _CODE.findall(page)
    image = Image.new("L", (int(side) * _SCALE,) * 2, 255)
    pen = ImageDraw.Draw(image)
    for x, y, width in strokes(path, int(side)):
        pen.rectangle((x * _SCALE, y * _SCALE, (x + width) * _SCALE - 1, (y + 1) * _SCALE - 1), fill=0)
    [found] = zxingcpp.read_barcodes(image)
    return str(found.text)
