"""What somebody means by a message, before any step looks at it: numbers, ways back, languages. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from enum import StrEnum


class Way(StrEnum):
    """What is understood at every step."""

    MENU = "menu"
    BACK = "back"
    CANCEL = "cancel"
    TO_ENGLISH = "en"
    TO_INDONESIAN = "id"


_NO_WORD = re.compile(r"[\W_]+")
_WAYS: dict[Way, tuple[str, ...]] = {
    Way.MENU: ("menu", "hai", "hi", "hello", "halo", "hallo", "hey", "hei", "assalamualaikum", "selamat pagi",
               "selamat siang", "selamat sore", "selamat malam", "pagi", "siang", "sore", "malam", "good morning",
               "good afternoon", "good evening", "mulai lagi dari awal", "awal", "beranda"),
    Way.BACK: ("0", "nol", "kembali", "balik", "back", "zero"),
    Way.CANCEL: ("batal", "batalkan", "cancel", "keluar", "exit", "udahan", "tidak jadi", "gak jadi", "nggak jadi"),
    Way.TO_ENGLISH: ("en", "eng", "english", "inggris", "bahasa inggris", "in english"),
    Way.TO_INDONESIAN: ("id", "ind", "indonesia", "bahasa indonesia", "indonesian", "bahasa"),
}  # fmt: skip
_BY_WORD = {word: way for way, words in _WAYS.items() for word in words}
_POLITE = frozenset(
    {"tolong", "mohon", "please", "pls", "kak", "pak", "bu", "min", "admin", "ya", "dong", "deh", "juga"}
)
_NUMBERS = {word: number for number, words in enumerate(
    (("1", "satu", "one"), ("2", "dua", "two"), ("3", "tiga", "three"), ("4", "empat", "four"), ("5", "lima", "five"),
     ("6", "enam", "six"), ("7", "tujuh", "seven"), ("8", "delapan", "eight"), ("9", "sembilan", "nine")), 1)
    for word in words}  # fmt: skip
_CHOSEN = re.compile(r"(?:(?:no|nomor|nomer|pilih|pilihan|option|number|angka)\s+)?(\S+)")
_DAY = re.compile(r"(\d{1,2})[\s/.\-]+(\d{1,2}|[a-z]+)[\s/.\-]+(\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_MONTHS = {name: number for number, names in enumerate(
    (("januari", "january", "jan"), ("februari", "february", "feb", "pebruari"), ("maret", "march", "mar"),
     ("april", "apr"), ("mei", "may"), ("juni", "june", "jun"), ("juli", "july", "jul"),
     ("agustus", "august", "agu", "agt", "aug"), ("september", "sep", "sept"), ("oktober", "october", "okt", "oct"),
     ("november", "nov", "nop", "nopember"), ("desember", "december", "des", "dec")), 1)
    for name in names}  # fmt: skip


def plain(text: str) -> str:
    """A message for comparing: folded, without punctuation and politeness."""
    words = _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split()
    return " ".join([word for word in words if word not in _POLITE] or words)


def way_of(text: str) -> Way | None:
    """What a message means at every step; None where the step has to look."""
    return _BY_WORD.get(plain(text))


def choice_of(text: str, count: int, labels: Sequence[str] = ()) -> int | None:
    """Which of `count` numbered things a message chooses, from 0: by its number, in digits or as a word, or by its
    label. None where it chooses none."""
    said = plain(text)
    for place, label in enumerate(labels):
        if said and said == plain(label):
            return place
    found = _CHOSEN.fullmatch(said)
    number = _NUMBERS.get(found[1]) if found else None
    return number - 1 if number is not None and number <= count else None


def keyword_of(text: str, words: Sequence[tuple[str, ...]]) -> int | None:
    """Whose words a message holds, from 0; None where nobody's, or those of more than one."""
    said = set(plain(text).split())
    found = [place for place, known in enumerate(words) if said & set(known)]
    return found[0] if len(found) == 1 else None


def day_of(text: str) -> date | None:
    """A day as people write it (17-08-1984, 17 Agustus 1984, 1984-08-17); None where it is none."""
    said = unicodedata.normalize("NFKC", text).strip().casefold()
    if found := _ISO.fullmatch(said):
        year, month, day = found[1], found[2], found[3]
    elif found := _DAY.fullmatch(said):
        day, month, year = found[1], str(_MONTHS.get(found[2], found[2])), found[3]
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
