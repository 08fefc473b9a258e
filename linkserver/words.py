"""What both faces say, in the language of the request at hand. The texts are notifier.catalogue's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from babel.numbers import format_decimal
from flask import Flask, current_app, g
from flask.sansio.app import App
from flask.templating import Environment
from jinja2 import BaseLoader, StrictUndefined, Template, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

from notifier.catalogue import LOCALE, N_, SOURCE_LANGUAGE, Catalogue
from notifier.core import words as dates

__all__ = [
    "LOCALE",
    "N_",
    "SOURCE_LANGUAGE",
    "Catalogue",
    "Templates",
    "_",
    "in_language",
    "install_words",
    "language",
    "said_dose",
]

_OF = ":"  # between a language and the name of a template in it


def in_language(code: str) -> str:
    """For `Templates.get_template` as the `parent`: the template in this language, where no request chooses one."""
    return f"{code}{_OF}"


def _(text: str, **values: Any) -> str:
    """`text` in the language of this request, with `%(name)s` filled in. Plain text: a template escapes it."""
    said: str = current_app.extensions["words"].say(language(), text)
    return said % values if values else said


def language() -> str:
    """The language of this request."""
    here = g._get_current_object()  # through the proxy each word of a page would look for the request twice
    chosen: str | None = here.get("language")
    if chosen is None:
        chosen = here.language = current_app.extensions["choose_language"]()
    return chosen


def install_words(app: Flask, catalogue: Catalogue, choose: Callable[[], str]) -> None:
    """Gives templates `_()`, `language()` and the dates; `choose` says the language of the request at hand.

    In a template the values of `_("... %(name)s", name=...)` are escaped; the text itself is ours and may hold markup.
    """
    app.extensions["words"] = catalogue
    app.extensions["choose_language"] = choose
    app.jinja_env.undefined = StrictUndefined

    def translate(text: str, **values: Any) -> Markup:
        if not catalogue.knows(text):  # a reason that somebody typed, where a code of ours may stand
            return escape(text)
        found = Markup(catalogue.say(language(), text))  # noqa: S704  # a text of the catalogue
        return found % values if values else found

    app.jinja_env.globals["_"] = translate
    app.jinja_env.globals["language"] = language
    app.jinja_env.filters["long_date"] = lambda day: dates.long_date(day, language())
    app.jinja_env.filters["number"] = lambda number: format_decimal(number, locale=language())
    app.jinja_env.filters["full_moment"] = lambda moment, zone: dates.full_moment(moment, zone, language())


def said_dose(say: Callable[[str], str], number: int | None, series_total: int | None) -> str:
    """As certificates.facts.dose_words has them, which knows the two languages of the documents, in every language."""
    if number is None:
        return ""
    if series_total is None or number > series_total:
        return say(N_("Dosis %(number)s")) % {"number": number}
    return say(N_("Dosis %(number)s dari %(total)s")) % {"number": number, "total": series_total}


class _Placed(NodeTransformer):
    """Puts what a call always answers in one language where a template makes it: `_("a text")`, `language()`,
    `asset("public.css")`. A page has thirty of them, and to look each up and escape it took as long as all the rest of
    writing it."""

    def __init__(self, answers: Mapping[str, Callable[..., str]]) -> None:
        self._answers = answers

    def visit_Call(self, node: nodes.Call, *args: Any, **more: Any) -> nodes.Node:  # jinja2's name
        found = self.generic_visit(node, *args, **more)
        answer = self._answers.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        if answer is None or node.kwargs or not all(isinstance(each, nodes.Const) for each in node.args):
            return found
        said = answer(*(each.value for each in node.args if isinstance(each, nodes.Const)))
        return nodes.Const(Markup(said), lineno=node.lineno)  # noqa: S704  # ours, as the catalogue's texts are


class _InLanguages(BaseLoader):
    """Finds `<language>:<name>` where another loader finds `<name>`."""

    def __init__(self, wrapped: BaseLoader) -> None:
        self._wrapped = wrapped

    def get_source(self, environment: Any, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        return self._wrapped.get_source(environment, template.partition(_OF)[2])

    def list_templates(self) -> list[str]:
        return self._wrapped.list_templates()


class Templates(Environment):
    """Flask's environment, which compiles each template once a language, with its texts in place. What a template
    extends or includes is of its language."""

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, **{**options, "loader": _InLanguages(app.create_global_jinja_loader())})

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Template:  # jinja2's names
        if parent is None and isinstance(name, str):
            name = f"{language()}{_OF}{name}"
        return super().get_template(name, parent, globals)

    def join_path(self, template: str, parent: str) -> str:
        return f"{parent.partition(_OF)[0]}{_OF}{template}"

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        code, known = (name or "").partition(_OF)[0], self.app.extensions
        say: Callable[..., str] = partial(known["words"].say, code)
        answers = {"_": say, "language": lambda: code, "asset": known["asset"]}
        parsed: nodes.Template = _Placed(answers).visit(super()._parse(source, name, filename))
        return parsed
