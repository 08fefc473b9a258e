"""The certificate's page in two parts: its own, written anew at each look, and the frame around it, which is the same
for everybody in one language.

Both ways to the page write it here: the framework's, and the one ahead of the framework (linkserver.ahead), which has
no request at hand. So nothing here may ask for one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask
from markupsafe import Markup

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


class CertificatePage:
    """Writes the page. Threads may share it; no part of anybody's page is kept."""

    def __init__(self, app: Flask, signature: int) -> None:
        """`signature`: what signing adds to a PDF, in bytes."""
        self._app, self._signature = app, signature
        self._catalogue: Catalogue = app.extensions["words"]
        self._macros: dict[str, Callable[..., Any]] = {}
        self._frames: dict[str, tuple[str, str]] = {}

    def own(self, code: str, view: str, facts: CertificateFacts, qr: QrMatrix) -> Markup:
        """The part between header and footer, in the language `code`."""
        size = pdf_weight(facts, qr, self._signature)
        own: Markup = self._macro(code)(
            view=view,
            headline=self._headline(code, facts),
            name=facts.name,
            is_long=len(facts.name) > _LONG_NAME,
            born=long_date(facts.birth_date, code),
            nik=masked_nik(facts.nik) if facts.nik else None,
            is_many=len(facts.doses) >= _MANY_DOSES,
            doses=[
                (self._dose(code, dose), long_date(dose.given_on, code), dose.product, dose.lot, dose.facility)
                for dose in facts.doses
            ],
            side=qr.side,
            path=qr.to_svg_path(),
            number=facts.number,
            pdf=(self._catalogue.say(code, _PDF) % {"size": size}).replace(" KB", "\u00a0KB"),
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
