"""The words of an SMS: templates/sms/<language>/<kind>.txt, filled with the least that tells people what it is."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifier.core.identity import initial_of
from notifier.core.segments import is_gsm7
from notifier.core.states import Kind
from notifier.core.words import DEFAULT_LANGUAGE, primary_language

_INITIAL = re.compile(r"(?<!\w)([^\W\d_])\.")
_DOSE = re.compile(r"(?<!\w)\d{1,2}(?!\w)")
_TRIED = 3  # initials and numbers; our texts hold one of each


class SmsTexts:
    """Renders SMS. Text templates are not escaped: an SMS is no HTML."""

    def __init__(self, folder: Path, sender_name: str) -> None:
        self._sender = sender_name
        self._templates = Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701  # .txt only; nothing here is HTML
        )

    def render(self, kind: Kind, *, language: str, name: str, dose_number: int | None, link: str | None) -> str:
        """The text for one person, in Indonesian where there is none in the language; `link` None for a kind that bears
        none. Only the first letter of the name goes in, and not even that where it would turn the whole SMS into UCS-2.
        """
        initial = initial_of(name)
        template = self._templates.select_template(
            [f"{primary_language(language)}/{kind.value}.txt", f"{DEFAULT_LANGUAGE}/{kind.value}.txt"]
        )
        return template.render(
            sender=self._sender, initial=initial if is_gsm7(initial) else "", dose=dose_number, link=link
        ).strip()

    def is_ours(self, text: str, link: str) -> bool:
        """Whether `text` says what an SMS of ours with `link` says, in any language: not a word more or less."""
        said = text.split()
        rest = text.replace(link, " ")
        initials = ["", *list(dict.fromkeys(_INITIAL.findall(rest)))[:_TRIED]]
        doses = [None, *list(dict.fromkeys(_DOSE.findall(rest)))[:_TRIED]]
        return any(
            self._templates.get_template(name)
            .render(sender=self._sender, initial=initial, dose=dose, link=link)
            .split()
            == said
            for name in self._templates.list_templates(["txt"])
            for initial, dose in product(initials, doses)
        )
