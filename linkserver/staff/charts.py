"""Bar charts as server-side SVG: where each rectangle stands. Colours and sizes of letters are the style sheet's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

_WIDTH = 640.0
_TALL, _TOP, _FOOT = 200.0, 26.0, 30.0
_ROW, _BAR = 52.0, 16.0
_NAME = (26, 16)  # letters of a long name that are kept, at its beginning and its end

#: what is stacked, from the bottom or the left; each has a class of its own in the style sheet
STACK = ("delivered", "moving", "waiting", "missed", "stopped")


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float
    text: str
    is_small: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    width: float
    height: float
    rects: tuple[Rect, ...]
    labels: tuple[Label, ...]
    lines: tuple[float, ...] = ()  #: where the scale's lines run, by y


def columns(numbers: Sequence[Mapping[str, int]], names: Sequence[str], number: Callable[[int], str]) -> Chart:
    """A stacked column for each of `numbers`, as high as its share of the highest."""
    top = _round_up(max((sum(one[kind] for kind in STACK) for one in numbers), default=0))
    step = _WIDTH / max(len(numbers), 1)
    rects, labels = [], [Label(0, _TOP - 5, number(top), is_small=True)]
    for place, one in enumerate(numbers):
        base = _TOP + _TALL
        for kind in STACK:
            height = one[kind] / top * _TALL
            if height:
                base -= height
                rects.append(Rect(_r(place * step + step * 0.15), _r(base), _r(step * 0.7), _r(max(height, 1)), kind))
        labels.append(Label(_r(place * step + step / 2), _TOP + _TALL + 24, names[place]))
    return Chart(_WIDTH, _TOP + _TALL + _FOOT, tuple(rects), tuple(labels), (_TOP, _TOP + _TALL / 2, _TOP + _TALL))


def rows(numbers: Sequence[Mapping[str, int]], names: Sequence[str]) -> Chart:
    """A stacked row for each of `numbers`, its name above it, as long as its share of the longest."""
    top = max((sum(one[kind] for kind in STACK) for one in numbers), default=0) or 1
    rects, labels = [], []
    for place, one in enumerate(numbers):
        y, x = place * _ROW, 0.0
        labels.append(Label(0, y + 21, _short(names[place]), is_small=True))
        for kind in STACK:
            width = one[kind] / top * _WIDTH
            if width:
                rects.append(Rect(_r(x), y + 29, _r(max(width, 1)), _BAR, kind))
                x += width
    return Chart(_WIDTH, max(len(numbers), 1) * _ROW, tuple(rects), tuple(labels))


def _round_up(number: int) -> int:
    """The next number that a scale may end with: 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 40, ..."""
    step = 1
    while True:
        for tenths in (10, 15, 20, 25, 30, 40, 50, 60, 80):
            if tenths * step % 10 == 0 and tenths * step // 10 >= number:
                return tenths * step // 10
        step *= 10


def _short(name: str) -> str:
    start, end = _NAME
    return name if len(name) <= start + end + 1 else f"{name[:start].rstrip()}…{name[-end:].lstrip()}"


def _r(value: float) -> float:
    return round(value, 2)
