"""Which letters the bytes of a spreadsheet's CSV stand for: UTF-8, UTF-16, or Windows-1252 of older ones."""

from __future__ import annotations

import codecs
import io

UTF_8, UTF_16, WINDOWS = "UTF-8", "UTF-16", "Windows-1252"
_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_AT_ONCE = 1 << 16


class _Recoded(io.RawIOBase):
    """A UTF-16 stream as UTF-8. What is no UTF-16 becomes bytes that are no UTF-8 either, so that its line is
    refused."""

    def __init__(self, stream: io.BufferedIOBase, codec: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(codec)("surrogatepass")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # any buffer of bytes
        while not self._ready:
            raw = self._stream.read(_AT_ONCE)
            try:
                text = self._decoder.decode(raw, final=not raw)
            except UnicodeDecodeError:
                text = "\udcff"  # half a letter at the end
                self._decoder.reset()
            if not raw and not text:
                return 0
            self._ready = text.encode("utf-8", "surrogatepass")
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size


def in_utf_8(stream: io.BufferedReader) -> tuple[io.BufferedIOBase, str | None]:
    """(the stream, recoded where it is UTF-16; its encoding where that is certain by now)."""
    start = stream.peek(4)[:4]
    codec = _MARKS.get(start[:2]) or _without_mark(start)
    if codec is None:
        return stream, None
    recoded: io.RawIOBase = _Recoded(stream, codec)
    return io.BufferedReader(recoded, _AT_ONCE), UTF_16


def _without_mark(start: bytes) -> str | None:
    """A text that begins with two Latin letters in UTF-16."""
    if len(start) < 4:
        return None
    if start[1] == start[3] == 0 and start[0] and start[2]:
        return "utf-16-le"
    return "utf-16-be" if start[0] == start[2] == 0 and start[1] and start[3] else None


class Lines:
    """Lines as text. The first one that is more than ASCII tells UTF-8 from Windows-1252, for the whole file: guessing
    line by line would make strange names of damaged ones."""

    def __init__(self, encoding: str | None) -> None:
        self._encoding = encoding

    @property
    def encoding(self) -> str:
        """What was found so far; ASCII is UTF-8."""
        return self._encoding or UTF_8

    def text(self, line: bytes) -> str:
        """The line; a surrogate for each byte that the encoding does not know, so that its row is refused."""
        if line.isascii():
            return line.decode("ascii")
        if self._encoding is None:
            try:
                line.decode("utf-8")
                self._encoding = UTF_8
            except UnicodeDecodeError:
                self._encoding = WINDOWS
        return line.decode("cp1252" if self._encoding == WINDOWS else "utf-8", "surrogateescape")
