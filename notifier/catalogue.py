"""What we say, in each language: Indonesian texts are the keys, other languages come from `templates/locale`.

A text is written in Indonesian where it is used, `_("Buka sertifikat")` in a template, `N_("...")` in code, and
translated in `templates/locale/<language>/*.po`, which are read at first use (no compile step). A third language is one
more folder. Indonesian needs no file: a key is its own text.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from babel.messages.pofile import read_po

from notifier.core.words import DEFAULT_LANGUAGE

SOURCE_LANGUAGE = DEFAULT_LANGUAGE
LOCALE = Path(__file__).resolve().parent.parent / "templates" / "locale"


class Catalogue:
    """Texts by language, read once, when the first is asked for. Threads may share it."""

    def __init__(self, folder: Path = LOCALE) -> None:
        self._folder = folder

    @cached_property
    def _texts(self) -> dict[str, dict[str, str]]:
        """Of every `<language>/*.po`. Raises ValueError for a text that two files of a language translate apart."""
        texts: dict[str, dict[str, str]] = {SOURCE_LANGUAGE: {}}
        for file in sorted(self._folder.glob("*/*.po")):
            _read(texts.setdefault(file.parent.name, {}), file.parent.name, file)
        return texts

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages that can be chosen, Indonesian first."""
        return tuple(self._texts)

    def has(self, language: str, text: str) -> bool:
        """Whether `text` can be said in a language."""
        return language == SOURCE_LANGUAGE or text in self._texts.get(language, {})

    def knows(self, text: str) -> bool:
        """Whether `text` is one of ours, as far as it is translated; whatever else is said was typed by somebody."""
        return any(text in texts for texts in self._texts.values())

    def say(self, language: str, text: str) -> str:
        """`text` in a language; in Indonesian where it has no such text."""
        return self._texts.get(language, {}).get(text, text)


def N_(text: str) -> str:
    """Marks a text that is looked up later."""
    return text


def _read(texts: dict[str, str], language: str, file: Path) -> None:
    with file.open("rb") as stream:
        for message in read_po(stream, locale=language, abort_invalid=True):
            if not message.id or not message.string or message.fuzzy:
                continue
            key, text = str(message.id), str(message.string)
            if texts.setdefault(key, text) != text:
                raise ValueError(f"{file}: translated apart in two files: {key!r}")
