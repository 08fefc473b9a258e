"""The text of a letter, whatever its sender's program made of it. Nothing here raises for a stranger's bytes."""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from html import unescape

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
_TO_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_TAG = re.compile(r"</?([a-z][a-z0-9]{0,20})")
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})


def decoded(raw: bytes, *, encoding: str, charset: str | None) -> str:
    """The text of a part that may be cut off anywhere."""
    if encoding == "base64":
        plain = _NOT_BASE64.sub(b"", raw)
        try:
            whole = plain[:-1] if len(plain) % 4 == 1 else plain  # cut off: one letter alone says nothing
            raw = base64.b64decode(whole + b"=" * (-len(whole) % 4))
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


def of_html(html: str) -> str:
    """The words of an HTML part. Each letter is passed once: the library's parser takes minutes over markup that was
    made for it (CVE-2025-6069)."""
    pieces, place = [], 0
    lower = html.translate(_TO_LOWER)  # of ASCII alone, so that places stay the same
    while (start := html.find("<", place)) >= 0:
        pieces.append(html[place:start].replace("\n", " "))
        if html.startswith("<!--", start):
            place = _behind(html, "-->", start + 4)
            continue
        place = _behind(html, ">", start)
        name = _TAG.match(lower, start)
        if name and name[1] in _BREAKS:
            pieces.append("\n")
        if name and name[1] in _UNSEEN and not html.startswith("</", start):
            place = _behind(lower, f"</{name[1]}", place)
            place = _behind(html, ">", place)
    pieces.append(html[place:].replace("\n", " "))
    return unescape("".join(pieces))


def _behind(text: str, mark: str, place: int) -> int:
    """Where what follows `mark` begins; the end where there is none."""
    found = text.find(mark, place)
    return found + len(mark) if found >= 0 else len(text)
