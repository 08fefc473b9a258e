"""`pdf`: what a certificate's sheet costs once typst is warm, beside an empty sheet of the same kind."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

import typst

from notifier.certificates.facts import CertificateFacts, DoseFacts
from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.qr import make_qr
from notifier.proof.bench import Options, Row
from notifier.proof.bench.figures import quantile, timed
from notifier.proof.bench.people import birth_date, name_of, nik_of
from notifier.services import TEMPLATES

_SIZE = 100
_WARM_UP = 5
_AS_OURS: dict[str, Any] = {"format": "pdf", "pdf_standards": ["ua-1", "a-2a"]}
_EMPTY = '#set document(title: "-", date: datetime(year: 2026, month: 11, day: 23))\n#set text(font: "Noto Sans")\n-\n'


def run(options: Options) -> list[Row]:
    """Milliseconds; each sheet has another name, and its QR code is stored, as in real life."""
    count = options.size or _SIZE
    renderer = CertificateRenderer(TEMPLATES / "certificate")
    qr = make_qr("https://sertifikat.example.id/verify?n=7K3M-9QXT-2B4D")
    facts = [_facts(place) for place in range(count + _WARM_UP)]
    sizes = [len(renderer.pdf(one, qr)) for one in facts[:_WARM_UP]]
    with tempfile.TemporaryDirectory(prefix="sertilink-bench-") as folder:
        empty = _empty_sheet(Path(folder))
        timed(empty.sheet, _WARM_UP)
        sheets, pictures, nothing = [], [], []
        for one in facts[_WARM_UP:]:
            sheets += timed(lambda one=one: renderer.pdf(one, qr), 1)  # type: ignore[misc]  # a default of its own
            nothing += timed(empty.sheet, 1)
            pictures += timed(lambda one=one: renderer.png(one, qr), 1)  # type: ignore[misc]  # see above
    floor = median(nothing) * 1000
    return [
        Row("PDF (PDF/UA-1, PDF/A-2a), median, beside an empty sheet", median(sheets) * 1000, "ms", floor),
        Row("PDF, p99", quantile(sheets, 0.99) * 1000, "ms", quantile(nothing, 0.99) * 1000),
        Row("picture, median", median(pictures) * 1000, "ms", floor),
        Row("size of the PDF", median(sizes) / 1000, "kB"),
        Row("a QR code, made once a certificate", _qr_ms(count), "ms"),
    ]


class _Empty:
    def __init__(self, compiler: typst.Compiler) -> None:
        self._compiler = compiler
        self._round = 0

    def sheet(self) -> None:
        """Compiles once more; the input differs, so that nothing is remembered."""
        self._round += 1
        self._compiler.compile(
            timestamp=datetime(2026, 11, 23, tzinfo=UTC), sys_inputs={"round": str(self._round)}, **_AS_OURS
        )


def _empty_sheet(folder: Path) -> _Empty:
    source = folder / "empty.typ"
    source.write_text(_EMPTY, encoding="utf-8")
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(TEMPLATES / "certificate" / "fonts")],
    )
    return _Empty(typst.Compiler(input=str(source), root=str(folder), font_paths=fonts))


def _facts(place: int) -> CertificateFacts:
    given = tuple(
        DoseFacts(number, 2, "COVID-19 mRNA (Comirnaty)", "208", f"LOT{place}", date(2026, 10 + number, 2), "Puskesmas")
        for number in (1, 2)
    )
    return CertificateFacts(
        number="7K3M-9QXT-2B4D",
        status="valid",
        issuer="Dinas Kesehatan Contoh",
        name=f"{name_of(place)} {place}",
        nik=nik_of(place),
        birth_date=birth_date(place),
        issued_at=datetime(2026, 11, 23, tzinfo=UTC),
        time_zone="Asia/Jakarta",
        verify_host="sertifikat.example.id",
        doses=given,
        this_dose=given[-1],
    )


def _qr_ms(count: int) -> float:
    places = iter(range(count))
    return median(timed(lambda: make_qr(f"https://sertifikat.example.id/verify?n={next(places)}"), count)) * 1000
