"""The certificate on paper and in the gallery: tagged PDFs (A4, card, large print) and a picture, drawn by typst.

Typst's worker threads do not survive a fork: a compile before `fork()` hangs every compile in the children. So nothing
is compiled at import or construction, and a renderer that has compiled refuses, instead of hanging, in a child process.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import typst

from notifier.certificates.facts import CertificateFacts
from notifier.certificates.glyphs import Coverage
from notifier.certificates.qr import QrMatrix
from notifier.certificates.sheet import Pen, sheet_of
from notifier.core.errors import SertilinkError

_PDF_STANDARDS = ["ua-1", "a-2a"]
_TEMPLATES = ("certificate", "card", "large", "picture")
_PIXELS_PER_INCH = 216.0  # three pixels a point: the 360 points of picture.typ become 1,080 pixels
_PLAIN = frozenset(range(0x20, 0x7F)) | frozenset(range(0xA0, 0x180))  # Latin, which Noto Sans certainly draws


class CertificateNotDrawn(SertilinkError):
    """Typst refused. Its own message may quote a name, so neither message nor cause carries it."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn certificate. `replaced` counts the characters that became a question mark: no shipped font has them."""

    data: bytes
    replaced: int


class CertificateRenderer:
    """Draws certificates from the templates and fonts in `template_dir`; writes no files; threads may share it.

    The same facts and QR code give the same bytes in every process, so a hash of them is a strong ETag.
    """

    def __init__(self, template_dir: Path) -> None:
        """Reads the fonts, compiles nothing.

        :raises FileNotFoundError: a template or the fonts are not there.
        """
        font_dir = template_dir / "fonts"
        self._root = template_dir
        self._templates = {name: template_dir / f"{name}.typ" for name in _TEMPLATES}
        font_files = sorted(font_dir.glob("*.ttf"))
        for needed in (*self._templates.values(), font_dir / "NotoSans-Regular.ttf", font_dir / "NotoSans-Bold.ttf"):
            if not needed.is_file():
                raise FileNotFoundError(needed)
        self.coverage = Coverage.of(file for file in font_files if file.stem.endswith("-Regular"))
        self._fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_dir)])
        self._of_thread = threading.local()  # a compiler shared between threads raises "Already borrowed"
        self._compiled_in: int | None = None

    def pdf(self, facts: CertificateFacts, qr: QrMatrix) -> bytes:
        """The A4 sheet, PDF/UA-1 and PDF/A-2a.

        :raises CertificateNotDrawn: typst refused even plain Latin text.
        """
        return self.draw_pdf(facts, qr).data

    def card(self, facts: CertificateFacts, qr: QrMatrix) -> bytes:
        """The card of 85.6 by 54 mm, as `pdf`; its back is a second page where the doses need it.

        :raises CertificateNotDrawn: typst refused even plain Latin text.
        """
        return self.draw_card(facts, qr).data

    def large(self, facts: CertificateFacts, qr: QrMatrix) -> bytes:
        """The sheet in large print, as `pdf`, on as many pages as it needs.

        :raises CertificateNotDrawn: typst refused even plain Latin text.
        """
        return self.draw_large(facts, qr).data

    def png(self, facts: CertificateFacts, qr: QrMatrix) -> bytes:
        """The picture, 1,080 pixels wide, as high as its doses need.

        :raises CertificateNotDrawn: typst refused even plain Latin text.
        """
        return self.draw_png(facts, qr).data

    def draw_pdf(self, facts: CertificateFacts, qr: QrMatrix) -> Drawing:
        """As `pdf`, and whether every character could be printed."""
        return self._draw_pdf(facts, qr, "certificate")

    def draw_card(self, facts: CertificateFacts, qr: QrMatrix) -> Drawing:
        """As `card`, and whether every character could be printed."""
        return self._draw_pdf(facts, qr, "card")

    def draw_large(self, facts: CertificateFacts, qr: QrMatrix) -> Drawing:
        """As `large`, and whether every character could be printed."""
        return self._draw_pdf(facts, qr, "large")

    def draw_png(self, facts: CertificateFacts, qr: QrMatrix) -> Drawing:
        """As `png`, and whether every character could be printed."""
        return self._draw(facts, qr, "picture", format="png", ppi=_PIXELS_PER_INCH)

    def _draw_pdf(self, facts: CertificateFacts, qr: QrMatrix, template: str) -> Drawing:
        issued = facts.issued_at.astimezone(UTC).replace(microsecond=0)
        return self._draw(facts, qr, template, format="pdf", pdf_standards=_PDF_STANDARDS, timestamp=issued)

    def _draw(self, facts: CertificateFacts, qr: QrMatrix, template: str, **options: Any) -> Drawing:
        self._refuse_after_fork()
        picture = qr.to_svg()
        for coverage in (self.coverage, Coverage(self.coverage.characters & _PLAIN)):
            pen = Pen(coverage)
            inputs = {"sheet": json.dumps(sheet_of(facts, qr, pen)), "qr": picture}
            data = self._compiled(template, inputs, options)
            if data is not None:
                return Drawing(data, pen.replaced)
        # raised outside of any except block, so that typst's text is not even kept as the context
        raise CertificateNotDrawn(f"the {template} could not be drawn")

    def _compiled(self, template: str, inputs: dict[str, str], options: dict[str, Any]) -> bytes | None:
        try:
            result = self._compiler(template).compile(sys_inputs=inputs, **options)
        except typst.TypstError:
            return None
        return result if isinstance(result, bytes) else None

    def _compiler(self, template: str) -> Any:
        compilers = self._of_thread.__dict__
        if template not in compilers:
            compilers[template] = typst.Compiler(
                input=str(self._templates[template]), root=str(self._root), font_paths=self._fonts
            )
        return compilers[template]

    def _refuse_after_fork(self) -> None:
        pid = os.getpid()
        if self._compiled_in not in (None, pid):
            raise CertificateNotDrawn("the parent process drew before the fork; draw only in the children")
        self._compiled_in = pid
