"""The canaries: what must never be found outside sealed columns. The person of tests/builders.py is the canary."""

from __future__ import annotations

import logging
import re

from notifier.core.errors import BadToken
from notifier.core.link_tokens import TOKEN_LENGTH, LinkSigner

NAME = "Aminah"
NIK = "3174031002890009"
PHONE_TAIL = "81234567890"
BIRTH_DATES = ("1989-02-10", "10-02-1989", "10/02/1989", "10 Februari 1989", "February 10, 1989")

_FEW = 5
_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]+(?![0-9A-Za-z])|[0-9]{8,}")
_WORD = re.compile(rf"[0-9A-Za-z]{{{TOKEN_LENGTH}}}")


def found_in(text: str, signer: LinkSigner) -> list[str]:
    """Which kinds of personal data stand in a text, however a number is punctuated."""
    kinds = []
    if NAME.casefold() in text.casefold():
        kinds.append("name")
    if NIK in text:
        kinds.append("NIK")
    if PHONE_TAIL in re.sub(r"[\s().-]", "", text):
        kinds.append("phone")
    if any(day in text for day in BIRTH_DATES):
        kinds.append("birth date")
    if any(_genuine(word, signer) for word in _WORD.findall(text)):
        kinds.append("token")
    return kinds


def stands_in(word: str, text: str) -> bool:
    """Whether a word stands in a text. A few digits count where no letter touches them or where they are part of many:
    by chance any random id has them."""
    if not word.isdigit() or len(word) > _FEW:
        return word in text
    return any(word in digits for digits in _NUMBER.findall(text))


def _genuine(word: str, signer: LinkSigner) -> bool:
    try:
        signer.read(word)
    except BadToken:
        return False
    return True


class Listener(logging.Handler):
    """Hears every log record of our process, at every level, and remembers what it should not have heard."""

    def __init__(self, signer: LinkSigner) -> None:
        super().__init__(logging.DEBUG)
        self._signer = signer
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = f"{record.getMessage()} {vars(record)}"
        if record.exc_info:
            said += logging.Formatter().formatException(record.exc_info)
        kinds = found_in(said, self._signer)
        if kinds:
            self.leaks.append(f"{record.name} {record.levelname}: {', '.join(kinds)}")
