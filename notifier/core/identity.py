"""NIK, names and birth dates: what is refused, what is only worth a warning."""

from __future__ import annotations

import unicodedata
from datetime import date

from stdnum.exceptions import InvalidComponent, InvalidFormat, InvalidLength
from stdnum.id import nik as stdnum_nik

NIK_LENGTH = 16
MAX_NAME_LENGTH = 200
OLDEST_BIRTH_YEAR = 1900
_MODIFIER = "Lm"  # apostrophes of transliteration and the Arabic tatweel count as letters, but name nobody


class BadNik(ValueError):
    """Not a NIK at all; `rule` is `nik-digits` or `nik-length`."""

    def __init__(self, rule: str, detail: str) -> None:
        self.rule = rule
        self.detail = detail
        super().__init__(detail)


def read_nik(text: str) -> str:
    """The 16 digits of `text`. Only digits and length are refused: by PP 40/2019 article 30 a NIK is never changed, not
    even one with an impossible birth date inside, and new provinces come faster than tables of them."""
    try:
        return str(stdnum_nik.validate(text))
    except InvalidLength as error:  # a kind of InvalidFormat, so it comes first
        raise BadNik("nik-length", f"a NIK has {NIK_LENGTH} digits") from error
    except InvalidFormat as error:
        raise BadNik("nik-digits", "a NIK has digits only") from error
    except InvalidComponent:
        return str(stdnum_nik.compact(text))


def nik_agrees_with(nik: str, birth_date: date) -> bool:
    """Whether the day, month and two-digit year inside the NIK are those of `birth_date`. False is a warning only."""
    try:
        inside = stdnum_nik.get_birth_date(nik)
    except InvalidComponent:
        return False
    return bool(inside.strftime("%d%m%y") == birth_date.strftime("%d%m%y"))


def neighbours_of(nik: str) -> frozenset[str]:
    """The NIK that a slip of the hand turns into `nik`: one digit is another (144), or two beside each other changed
    places (15 at most)."""
    one_off = {nik[:at] + digit + nik[at + 1 :] for at in range(len(nik)) for digit in "0123456789"}
    swapped = {nik[:at] + nik[at + 1] + nik[at] + nik[at + 2 :] for at in range(len(nik) - 1)}
    return frozenset((one_off | swapped) - {nik})


def clean_name(text: str) -> str:
    """A name as the registry wrote it, in NFC, with single blanks and no control characters. Case is never touched."""
    printable = "".join(" " if unicodedata.category(ch) in {"Cc", "Zl", "Zp"} else ch for ch in text)
    return " ".join(unicodedata.normalize("NFC", printable).split())


def initial_of(name: str) -> str:
    """The first letter of a name, upper case, without accents where that leaves a Latin letter; "" where none is."""
    for ch in unicodedata.normalize("NFKD", name):
        if ch.isalpha() and unicodedata.category(ch) != _MODIFIER:
            return ch.upper()[0]
    return ""


def initials_of(name: str, most: int = 4) -> str:
    """The first letters of a name's words, such as `S. A.`: enough for somebody who has the card to nod at, too little
    for a stranger to know whom."""
    letters = [letter for word in name.split() if (letter := initial_of(word))]
    return " ".join(f"{letter}." for letter in letters[:most])


def name_words(name: str) -> frozenset[str]:
    """The words by which a name is found again: folded, without accents, at least two letters."""
    plain = "".join(ch for ch in unicodedata.normalize("NFKD", name) if not unicodedata.combining(ch))
    folded = plain.casefold()
    split = "".join(ch if ch.isalnum() and unicodedata.category(ch) != _MODIFIER else " " for ch in folded).split()
    return frozenset(word for word in split if len(word) > 1)
