"""SMS texts that the programme writes itself: a few placeholders, and what is looked at before one is saved. Pure.

A text is filled, never run: no template language is let near what somebody typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from notifier.core.segments import Size, is_gsm7, measure
from notifier.core.words import DEFAULT_LANGUAGE

SENDER, INITIAL, DOSE, LINK = "pengirim", "inisial", "dosis", "tautan"
PLACEHOLDERS = (SENDER, INITIAL, DOSE, LINK)
LONGEST = 600  # characters as typed
MOST_SEGMENTS = 2

#: (who is meant where no initial can be written, the word before the dose's number), by language
_WORDS = {"id": ("penerima vaksin", "dosis"), "en": ("the vaccinated person", "dose")}
#: the longest values that LOOK names
_LONGEST_INITIAL, _LONGEST_DOSE = "W", 12

_PLACE = re.compile(r"\(\(\s*([^()]*?)\s*\)\)")
_AT_INITIAL = re.compile(r"\(\(inisial\)\)(\.?)")
_AT_DOSE = re.compile(r"\s*\(\(dosis\)\)")
_DIGITS = re.compile(r"\d(?:[\s./-]?\d){7,}")  # a phone number, a NIK, a birth date
_ADDRESS = re.compile(r"https?:|www\.|[\w-]+\.[a-z]{2,}\b", re.IGNORECASE)
_CLICK = re.compile(r"\bklik\b|\bclick\b|\btap here\b|\bketuk di sini\b", re.IGNORECASE)
_URGENT = re.compile(r"\bsegera\b|\bhangus\b|\burgent(ly)?\b|\bimmediately\b|\bdiblokir\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text: a rule, and what broke it where that helps."""

    rule: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a text comes to. `size`: with the longest values and a link as long as ours; `samples`: as two people would
    get it, one with an initial and a dose number, one without."""

    text: str
    faults: tuple[Fault, ...]
    size: Size
    samples: tuple[str, ...]

    @property
    def is_long(self) -> bool:
        """More than one segment: allowed, and twice as dear."""
        return self.size.segments > 1


def tidied(typed: str) -> str:
    """A text as it is kept: one space between words, placeholders without spaces inside."""
    return _PLACE.sub(lambda match: f"(({match[1].lower()}))", " ".join(typed.split()))


def fill(text: str, *, language: str, sender: str, initial: str, dose: int | None, link: str | None) -> str:
    """The SMS for one person. `initial` "" and `dose` None: left out, so that the sentence still reads."""
    someone, word = _WORDS.get(language, _WORDS[DEFAULT_LANGUAGE])
    number = f" {word} {dose}" if dose else ""
    filled = _AT_INITIAL.sub(lambda match: f"{initial}." if initial else someone + match[1], text)
    filled = _AT_DOSE.sub(lambda _match: number, filled)
    filled = filled.replace(f"(({SENDER}))", sender).replace(f"(({LINK}))", link or "")
    return " ".join(filled.split())


def check(typed: str, *, language: str, sender: str, link: str, bears_link: bool) -> Checked:
    """Looks at a text before it is saved; `link` is as long as a real one."""
    text = tidied(typed)

    def filled(initial: str, dose: int | None) -> str:
        return fill(text, language=language, sender=sender, initial=initial, dose=dose, link=link)

    sizes = [measure(filled(initial, _LONGEST_DOSE)) for initial in (_LONGEST_INITIAL, "")]
    size = max(sizes, key=lambda one: (one.segments, one.units))
    faults = [*_shape(text, typed), *_placeholders(text, bears_link), *_words(text)]
    if size.segments > MOST_SEGMENTS:
        faults.append(Fault("segments", str(size.segments)))
    return Checked(text, tuple(faults), size, (filled("S", 1), filled("", None)))


def _shape(text: str, typed: str) -> list[Fault]:
    if not text:
        return [Fault("empty")]
    faults = [Fault("length", str(LONGEST))] if len(typed) > LONGEST else []
    strange = "".join(dict.fromkeys(ch for ch in text if not is_gsm7(ch)))
    return [*faults, Fault("gsm7", " ".join(strange[:20]))] if strange else faults


def _placeholders(text: str, bears_link: bool) -> list[Fault]:
    if not text:
        return []
    names = [match[1] for match in _PLACE.finditer(text)]
    faults = [Fault("placeholder", name) for name in dict.fromkeys(names) if name not in PLACEHOLDERS]
    rest = _PLACE.sub("", text)
    if "((" in rest or "))" in rest:
        faults.append(Fault("brackets"))
    if names.count(SENDER) != 1:
        faults.append(Fault("sender"))
    links = names.count(LINK)
    if bears_link and links != 1:
        faults.append(Fault("link-once"))
    elif not bears_link and links:
        faults.append(Fault("no-link"))
    # a phone takes whatever touches the link for a part of it
    elif links and not re.search(r"(^|\s)\(\(tautan\)\)(\s|$)", text):
        faults.append(Fault("link-space"))
    return faults


def _words(text: str) -> list[Fault]:
    rest = _PLACE.sub(" ", text)
    found = ((rule, pattern.search(rest)) for rule, pattern in _BANNED)
    return [Fault(rule, match[0].strip()) for rule, match in found if match]


_BANNED = (("digits", _DIGITS), ("address", _ADDRESS), ("click", _CLICK), ("urgent", _URGENT))
