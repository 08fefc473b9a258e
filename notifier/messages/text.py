"""The words of an SMS: templates/sms/<language>/<kind>.txt, filled with the least that tells people what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from itertools import product
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateNotFound

from notifier.core.identity import initial_of
from notifier.core.segments import is_gsm7
from notifier.core.states import Kind
from notifier.core.words import DEFAULT_LANGUAGE, primary_language
from notifier.messages import own_text

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

    def render(
        self,
        kind: Kind,
        *,
        language: str,
        name: str,
        dose_number: int | None,
        link: str | None,
        own: Mapping[str, str] | None = None,
        code: str = "",
    ) -> str:
        """The text for one person, in Indonesian where there is none in the language; `link` None for a kind that bears
        none; `own`: the programme's own texts by `language/kind`; `code`: of an OTP. Only the first letter of the name
        goes in, and not even that where it would turn the whole SMS into UCS-2.
        """
        initial = initial_of(name)
        initial = initial if is_gsm7(initial) else ""
        for spoken in (primary_language(language), DEFAULT_LANGUAGE):
            text = (own or {}).get(key_of(spoken, kind))
            if text is not None:
                return own_text.fill(
                    text, language=spoken, sender=self._sender, initial=initial, dose=dose_number, link=link
                )
            template = self._file(spoken, kind)
            if template is not None:
                return template.render(
                    sender=self._sender, initial=initial, dose=dose_number, link=link, code=code
                ).strip()
        raise TemplateNotFound(f"{key_of(DEFAULT_LANGUAGE, kind)}.txt")

    def has_file(self, language: str, kind: Kind) -> bool:
        """Whether a text came with the programme."""
        return self._file(language, kind) is not None

    def _file(self, language: str, kind: Kind) -> Template | None:
        try:
            return self._templates.get_template(f"{key_of(language, kind)}.txt")
        except TemplateNotFound:
            return None

    def kinds(self) -> list[tuple[str, Kind]]:
        """(language, kind) of every text that came with the programme."""
        names = [name.removesuffix(".txt").partition("/") for name in self._templates.list_templates(["txt"])]
        return [(language, Kind(kind)) for language, _, kind in names]

    def is_ours(self, text: str, link: str, own: Callable[[], Collection[tuple[str, str]]] = tuple) -> bool:
        """Whether `text` says what an SMS of ours with `link` says, in any language: not a word more or less. `own`:
        (language, text) of the programme's own texts; asked where the files' are not it."""
        said, rest = text.split(), text.replace(link, " ")
        initials = ["", *list(dict.fromkeys(_INITIAL.findall(rest)))[:_TRIED]]
        doses = [None, *(int(dose) for dose in list(dict.fromkeys(_DOSE.findall(rest)))[:_TRIED])]
        known = list(product(initials, doses))
        files = [self._templates.get_template(name) for name in self._templates.list_templates(["txt"])]
        for template, (initial, dose) in product(files, known):
            if template.render(sender=self._sender, initial=initial, dose=dose, link=link, code="").split() == said:
                return True
        return any(
            own_text.fill(one, language=spoken, sender=self._sender, initial=initial, dose=dose, link=link).split()
            == said
            for (spoken, one), (initial, dose) in product(own(), known)
        )


def told_dose(kind: Kind, number: int | None) -> int | None:
    """The number of a message's dose as its text may name it: a reminder is about the next one, and names none."""
    return None if kind is Kind.REMINDER else number


def key_of(language: str, kind: Kind) -> str:
    """What a text is called: `id/certificate`."""
    return f"{language}/{kind.value}"
