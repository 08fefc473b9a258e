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
from flask.templating import Environment
from jinja2 import StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from notifier.core import words as dates

SOURCE_LANGUAGE = "id"
_TEXTS = "texts"  # in every page's context
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

    def knows(self, text: str) -> bool:
        """Whether `text` is one of ours, as far as it is translated; whatever else is said was typed by somebody."""
        return any(text in texts for texts in self._texts.values())

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
    chosen: str | None = g.get("language")
    if chosen is None:
        chosen = g.language = current_app.extensions["choose_language"]()
    return chosen


def install_words(app: Flask, catalogue: Catalogue, choose: Callable[[], str]) -> None:
    """Gives templates `_()`, `language()` and the dates; `choose` says the language of the request at hand.

    In a template the values of `_("... %(name)s", name=...)` are escaped; the text itself is ours and may hold markup.
    """
    app.extensions["words"] = catalogue
    app.extensions["choose_language"] = choose
    app.jinja_env.undefined = StrictUndefined
    said = {code: _Said(catalogue, code) for code in catalogue.languages}

    def translate(text: str, **values: Any) -> Markup:
        found = said[language()][text]
        return found % values if values else found

    app.jinja_env.globals["_"] = translate
    app.context_processor(lambda: {_TEXTS: said[language()]})
    app.jinja_env.globals["language"] = language
    app.jinja_env.filters["long_date"] = lambda day: dates.long_date(day, language())
    app.jinja_env.filters["number"] = lambda number: format_decimal(number, locale=language())
    app.jinja_env.filters["full_moment"] = lambda moment, zone: dates.full_moment(moment, zone, language())


class _Said(dict[str, Markup]):
    """The texts of one language as markup, each looked up once. As many as there are texts of ours."""

    def __init__(self, catalogue: Catalogue, code: str) -> None:
        super().__init__()
        self._catalogue, self._code = catalogue, code

    def __missing__(self, text: str) -> Markup:
        if not self._catalogue.knows(text):  # a reason that somebody typed, where a code of ours may stand
            return escape(text)
        found = self[text] = Markup(self._catalogue.say(self._code, text))  # noqa: S704  # a text of the catalogue
        return found


class _Looked(NodeTransformer):
    """`_("a text")` with nothing to fill in becomes a look into the language's texts: a page has twenty of them, and
    calling a function for each took a third of the time that it takes to write one."""

    def visit_Call(self, node: nodes.Call, *args: Any, **more: Any) -> nodes.Node:  # jinja2's name
        found = self.generic_visit(node, *args, **more)
        is_text = isinstance(node.node, nodes.Name) and node.node.name == "_" and not node.kwargs
        if is_text and len(node.args) == 1 and isinstance(node.args[0], nodes.Const):
            return nodes.Getitem(nodes.Name(_TEXTS, "load"), node.args[0], "load", lineno=node.lineno)
        return found


class Templates(Environment):
    """Flask's environment, whose templates have their texts at hand."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed: nodes.Template = _Looked().visit(super()._parse(source, name, filename))
        return parsed
