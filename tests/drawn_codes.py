"""QR codes as a page draws them, seen with somebody else's reader."""

from __future__ import annotations

import re

import zxingcpp
from PIL import Image, ImageDraw

_CODE = re.compile(r'<svg class="qr" viewBox="0 0 (\d+) \1".*?stroke="#000" d="([^"]+)"', re.DOTALL)
_ROW = re.compile(r"M(\d+) (\d+)\.5((?:h\d+|m\d+ 0)+)")
_STEP = re.compile(r"(h|m)(\d+)")
_SCALE = 6


def code_on(page: str) -> str:
    """What the one code on a page says."""
    [(side, path)] = _CODE.findall(page)
    image = Image.new("L", (int(side) * _SCALE,) * 2, 255)
    pen = ImageDraw.Draw(image)
    for left, top, steps in _ROW.findall(path):
        x, y = int(left), int(top)
        for step, length in _STEP.findall(steps):
            if step == "h":
                box = (x * _SCALE, y * _SCALE, (x + int(length)) * _SCALE - 1, (y + 1) * _SCALE - 1)
                pen.rectangle(box, fill=0)
            x += int(length)
    [found] = zxingcpp.read_barcodes(image)
    return str(found.text)
