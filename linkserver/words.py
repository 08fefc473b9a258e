"""What both faces say, in each language: Indonesian texts are the keys, other languages come from `templates/locale`.

A text is written in Indonesian where it is used, `_("Buka sertifikat")` in a template or in code, and translated in
`templates/locale/<language>/*.po`, which are read at start (no compile step). A third language is one more folder.
Indonesian needs no file: a key is its own text.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from flask import Flask, current_app, g
from jinja2 import StrictUndefined

from notifier.core import words as dates

SOURCE_LANGUAGE = "id"
LOCALE = Path(__file__).resolve().parent.parent / "templates" / "locale"


class Catalogue:
    """Texts by language, read once."""

    def __init__(self, folder: Path = LOCALE) -> None:
        """Reads every `<language>/*.po`. Raises ValueError for a text that two files of a language translate apart."""
        self._texts: dict[str, dict[str, str]] = {SOURCE_LANGUAGE: {}}
        for file in sorted(folder.glob("*/*.po")):
            self._read(file.parent.name, file)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that can be chosen, Indonesian first."""
        return tuple(self._texts)

    def has(self, language: str, text: str) -> bool:
        """Whether `text` can be said in a language."""
        return language == SOURCE_LANGUAGE or text in self._texts.get(language, {})

    def say(self, language: str, text: str) -> str:
        """`text` in a language; in Indonesian where it has no such text."""
        return self._texts.get(language, {}).get(text, text)

    def _read(self, language: str, file: Path) -> None:
        texts = self._texts.setdefault(language, {})
        with file.open("rb") as stream:
            for message in read_po(stream, locale=language, abort_invalid=True):
                if not message.id or not message.string or message.fuzzy:
                    continue
                key, text = str(message.id), str(message.string)
                if texts.setdefault(key, text) != text:
                    raise ValueError(f"{file}: translated apart in two files: {key!r}")


def N_(text: str) -> str:
    """Marks a text that is looked up later, for tables at module level."""
    return text


def _(text: str, **values: Any) -> str:
    """`text` in the language of this request, with `%(name)s` filled in. Plain text: a template escapes it."""
    said: str = current_app.extensions["words"].say(language(), text)
    return said % values if values else said


def language() -> str:
    """The language of this request."""
    if "language" not in g:
        g.language = current_app.extensions["choose_language"]()
    chosen: str = g.language
    return chosen


def install_words(app: Flask, catalogue: Catalogue, choose: Callable[[], str]) -> None:
    """Gives templates `_()`, `language()` and the dates; `choose` says the language of the request at hand.

    In a template the values of `_("... %(name)s", name=...)` are escaped; the text itself is ours and may hold markup.
    """
    app.extensions["words"] = catalogue
    app.extensions["choose_language"] = choose
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension above
        _look_up, _look_up_number, newstyle=True
    )
    app.jinja_env.globals["language"] = language
    app.jinja_env.filters["long_date"] = lambda day: dates.long_date(day, language())
    app.jinja_env.filters["number"] = lambda number: format_decimal(number, locale=language())
    app.jinja_env.filters["full_moment"] = lambda moment, zone: dates.full_moment(moment, zone, language())


def _look_up(text: str) -> str:
    said: str = current_app.extensions["words"].say(language(), text)
    return said


def _look_up_number(one: str, many: str, number: int) -> str:
    """Indonesian has one form, so it uses the first; English adds its plural as a text of its own."""
    return _look_up(one if number == 1 or language() == SOURCE_LANGUAGE else many)
