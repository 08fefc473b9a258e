"""The certificate's page in two parts: its own, written anew at each look, and the frame around it, which is the same
for everybody in one language.

Both ways to the page write it here: the framework's, and the one ahead of the framework (linkserver.ahead), which has
no request at hand. So nothing here may ask for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import Flask
from markupsafe import Markup

from linkserver.blanks import Blank
from linkserver.words import N_, Catalogue, in_language, said_dose
from notifier.certificates.facts import CertificateFacts, DoseFacts, masked_nik
from notifier.certificates.qr import QrMatrix
from notifier.certificates.weight import pdf_weight
from notifier.core.words import long_date

#: the words of notifier/certificates/facts.py, which the PDF says in two languages, here in every one
_STATUS = {"valid": N_("Sah"), "replaced": N_("Diganti"), "revoked": N_("Dicabut")}
_PDF = N_("Unduh PDF (%(size)s KB)")
_LONG_NAME = 36  # letters
_MANY_DOSES = 4
_OF_DOSE = 5  # texts
_MOST_BLANKS = 256


class CertificatePage:
    """Writes the page. Threads may share it; no part of anybody's page is kept."""

    def __init__(self, app: Flask, signature: int) -> None:
        """`signature`: what signing adds to a PDF, in bytes."""
        self._app, self._signature = app, signature
        self._catalogue: Catalogue = app.extensions["words"]
        self._macros: dict[str, Callable[..., Any]] = {}
        self._frames: dict[str, tuple[str, str]] = {}
        self._blanks: dict[tuple[object, ...], Blank] = {}

    def own(self, code: str, view: str, facts: CertificateFacts, qr: QrMatrix) -> Markup:
        """The part between header and footer, in the language `code`."""
        texts = self.texts(code, view, facts, qr)
        is_long = len(facts.name) > _LONG_NAME
        shape = (code, is_long, qr.side, *map(bool, texts))
        blank = self._blanks.get(shape)
        if blank is None:
            if len(self._blanks) >= _MOST_BLANKS:
                self._blanks.clear()
            blank = self._blanks[shape] = Blank(texts, lambda marks: self.written(code, marks, is_long, qr.side))
        return blank.filled(texts)

    def texts(self, code: str, view: str, facts: CertificateFacts, qr: QrMatrix) -> list[str]:
        """All that is different from page to page, in the order in which `written` has it; empty where it is not
        there."""
        size = pdf_weight(facts, qr, self._signature)
        texts = [
            view,
            self._headline(code, facts),
            facts.name,
            long_date(facts.birth_date, code),
            masked_nik(facts.nik) if facts.nik else "",
            qr.to_svg_path(),
            facts.number,
            (self._catalogue.say(code, _PDF) % {"size": size}).replace(" KB", "\u00a0KB"),
        ]
        for dose in facts.doses:
            given = long_date(dose.given_on, code)
            texts += (self._dose(code, dose), given, dose.product, dose.lot or "", dose.facility or "")
        return texts

    def written(self, code: str, texts: Sequence[str], is_long: bool, side: int) -> Markup:
        """The same part by its template, out of the texts of a page."""
        view, headline, name, born, nik, path, number, pdf, *doses = texts
        each = [tuple(doses[place : place + _OF_DOSE]) for place in range(0, len(doses), _OF_DOSE)]
        own: Markup = self._macro(code)(
            view=view,
            headline=headline,
            name=name,
            is_long=is_long,
            born=born,
            nik=nik,
            is_many=len(each) >= _MANY_DOSES,
            doses=each,
            side=side,
            path=path,
            number=number,
            pdf=pdf,
        )
        return own

    def keep_frame(self, code: str, whole: str, own: str) -> None:
        """Remembers what stands around the part `own` of a page that the framework wrote, at an address without a
        query, which would stand in the page's links."""
        head, found, foot = whole.partition(own)
        if found:
            self._frames[code] = head, foot

    def is_framed(self, code: str) -> bool:
        """Whether `framed` knows the frame of a language."""
        return code in self._frames

    def framed(self, code: str, own: str) -> str:
        """The whole page. Raises KeyError before there was a frame in that language."""
        head, foot = self._frames[code]
        return f"{head}{own}{foot}"

    def _macro(self, code: str) -> Callable[..., Any]:
        found = self._macros.get(code)
        if found is None:
            template = self._app.jinja_env.get_template("certificate-own.html", in_language(code))
            found = self._macros[code] = template.module.own  # type: ignore[attr-defined]  # the macro in it
        return found

    def _headline(self, code: str, facts: CertificateFacts) -> str:
        status, dose = self._catalogue.say(code, _STATUS[facts.status]), self._dose(code, facts.this_dose)
        return f"{status} · {dose[:1].lower()}{dose[1:]}" if dose else status

    def _dose(self, code: str, dose: DoseFacts) -> str:
        return said_dose(partial(self._catalogue.say, code), dose.number, dose.series_total)
