"""The text of a letter, whatever its sender's program made of it. Nothing here raises for a stranger's bytes."""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from html.parser import HTMLParser

#: what a letter may be written in; Python knows codecs besides that are no alphabets (zip, idna, unicode_escape)
_ALPHABETS = re.compile(
    r"(us-)?ascii|utf-?(8|16|16le|16be)|iso-?8859-?\d{1,2}|windows-?125\d|cp125\d|latin-?1|koi8-[ru]|gb(k|2312|18030)"
    r"|big5|euc-(jp|kr)|iso-2022-jp|shift_jis"
)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_BLANKS = re.compile(r"[ \t\u00a0\u2000-\u200a\u3000]+")
_EMPTY_LINES = re.compile(r"\n{3,}")
#: where the letter that is answered to begins
_QUOTED = re.compile(
    r"^\s*(-{2,}\s*(original message|pesan asli|forwarded message|pesan terusan)\s*-{2,}"
    r"|(on|pada)\b.{5,200}\b(wrote|menulis)\s*:\s*$|_{20,}\s*$|from:\s.*@|dari:\s.*@)",
    re.IGNORECASE,
)
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "blockquote", "hr"})
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})


def decoded(raw: bytes, *, encoding: str, charset: str | None) -> str:
    """The text of a part that may be cut off anywhere."""
    if encoding == "base64":
        plain = _NOT_BASE64.sub(b"", raw)
        try:
            raw = base64.b64decode(plain[: len(plain) // 4 * 4])
        except (binascii.Error, ValueError):
            raw = b""
    elif encoding == "quoted-printable":
        raw = quopri.decodestring(raw)
    return _as_text(raw, charset)


def _as_text(raw: bytes, charset: str | None) -> str:
    name = (charset or "utf-8").strip().lower()
    if not _ALPHABETS.fullmatch(name):
        name = "utf-8"
    try:
        codecs.lookup(name)
    except LookupError:
        name = "utf-8"
    try:
        return raw.decode(name)
    except UnicodeError:  # cut off within a letter, or not what it says it is
        text = raw.decode("utf-8", "replace")
        return raw.decode("cp1252", "replace") if text.count("�") > 1 else text


def tidied(text: str) -> str:
    """One kind of line end and blank, nothing unprintable, no heaps of empty lines."""
    text = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = (_BLANKS.sub(" ", line).strip() for line in text.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def own_words(text: str) -> str:
    """A tidied text without the letter that it answers to."""
    kept = []
    for line in text.split("\n"):
        if _QUOTED.match(line):
            break
        if not line.startswith(">"):
            kept.append(line)
    return tidied("\n".join(kept))


class _Reader(HTMLParser):
    """Collects what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data.replace("\n", " "))


def of_html(html: str) -> str:
    """The words of an HTML part; "" where it is none."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError):  # the library's own, for markup that it cannot follow
        pass
    return "".join(reader.pieces)
