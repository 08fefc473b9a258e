"""CBOR from strangers, read strictly: a fraction of RFC 8949, since a general decoder would do what a code's text says
(tags that build objects, lengths in gigabytes, nesting without end)."""

from __future__ import annotations

import struct
from typing import Any

_DEEPEST = 12
_TAG = 6


class BadCbor(ValueError):
    """Not CBOR, or more of it than a health certificate needs."""


def loads(data: bytes, *, tag: int | None = None) -> Any:
    """The one value that `data` holds: integers, byte and text strings, arrays, maps (keys: integers or text), finite
    floats, true, false, null. `tag` may stand before it, once. Everything else raises BadCbor: other tags, indefinite
    lengths, a key twice, bytes behind the value."""
    if tag is not None and data[:1] == bytes([_TAG << 5 | tag]):
        data = data[1:]
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise BadCbor("bytes behind the value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise BadCbor("nested too deep")
        first = self._take(1)[0]
        major, info = first >> 5, first & 31
        if major == 7:
            return self._simple(info)
        number = self._number(info)
        match major:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self._take(number)
            case 3:
                return self._text(number)
            case 4:
                return [self.value(depth + 1) for _ in range(self._fitting(number))]
            case 5:
                return self._map(self._fitting(number), depth)
        raise BadCbor("a tag")

    def _map(self, length: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(length):
            key = self.value(depth + 1)
            if type(key) not in (int, str) or key in found:
                raise BadCbor("a key twice, or of a strange kind")
            found[key] = self.value(depth + 1)
        return found

    def _simple(self, info: int) -> Any:
        if info in (20, 21, 22):
            return {20: False, 21: True, 22: None}[info]
        formats = {25: ">e", 26: ">f", 27: ">d"}
        if info not in formats:
            raise BadCbor("a strange simple value")
        value: float = struct.unpack(formats[info], self._take(1 << info - 24))[0]
        if value - value != 0:
            raise BadCbor("not a finite number")
        return value

    def _number(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise BadCbor("an indefinite length")
        return int.from_bytes(self._take(1 << info - 24), "big")

    def _fitting(self, count: int) -> int:
        """A count of items that the rest can hold at all: each needs a byte."""
        if count > len(self._data) - self.at:
            raise BadCbor("cut short")
        return count

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise BadCbor("not UTF-8") from None

    def _take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self._data):
            raise BadCbor("cut short")
        taken = self._data[self.at : end]
        self.at = end
        return taken
