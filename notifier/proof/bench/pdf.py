"""`pdf`: what a certificate's sheets cost once typst is warm, drawn and signed, beside an empty one."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

import typst
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko_certvalidator.registry import SimpleCertificateStore

from notifier.certificates.facts import CertificateFacts, DoseFacts
from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.qr import QrMatrix, make_qr
from notifier.certificates.signature import PdfSigner
from notifier.core.pdf_keys import new_pdf_key, read_pdf_key
from notifier.proof.bench import Options, Row
from notifier.proof.bench.figures import quantile, timed
from notifier.proof.bench.people import birth_date, name_of, nik_of
from notifier.services import TEMPLATES

_SIZE = 100
_WARM_UP = 5
_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_AS_OURS: dict[str, Any] = {"format": "pdf", "pdf_standards": ["ua-1", "a-2a"], "timestamp": _NOW}
_AS_PICTURE: dict[str, Any] = {"format": "png", "ppi": 216.0}
_EMPTY = """#set document(title: "-", date: datetime(year: 2026, month: 11, day: 23))
#set text(font: "Noto Sans")
#set page(..if "picture" in sys.inputs { (width: 360pt, height: 540pt) })
-
"""
Draw = Callable[[CertificateFacts, QrMatrix], bytes]


def run(options: Options) -> list[Row]:
    """Milliseconds; each sheet has another name, and its QR code is stored, as in real life. The sheets are drawn by
    turns, so that whatever else the machine does meets all of them alike."""
    count = options.size or _SIZE
    renderer, key = CertificateRenderer(TEMPLATES / "certificate"), new_pdf_key(_NOW)
    signer = PdfSigner(read_pdf_key(key), "Dinas Kesehatan Contoh")
    qr = make_qr("https://sertifikat.example.id/verify?n=7K3M-9QXT-2B4D")

    places = itertools.count()  # typst remembers what it has drawn, so nobody is drawn twice

    def signed(draw: Draw) -> Draw:
        return lambda facts, qr: signer.sign(draw(facts, qr), _NOW)

    draws: dict[str, Draw] = {
        "PDF": renderer.pdf,
        "PDF, signed": signed(renderer.pdf),
        "card, signed": signed(renderer.card),
        "large print, signed": signed(renderer.large),
        "picture": renderer.png,
    }
    with tempfile.TemporaryDirectory(prefix="sertilink-bench-") as folder:
        empty = _Empty(Path(folder), key)
        works: dict[str, Callable[[], object]] = {
            **{name: lambda draw=draw: draw(_facts(next(places)), qr) for name, draw in draws.items()},  # type: ignore[misc]
            "empty": empty.sheet,
            "empty, signed": empty.signed,
            "empty picture": empty.picture,
        }
        took: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(count + _WARM_UP):
            for name, work in works.items():
                took[name] += timed(work, 1)
    ms = {name: median(times[_WARM_UP:]) * 1000 for name, times in took.items()}
    p99 = {name: quantile(times[_WARM_UP:], 0.99) * 1000 for name, times in took.items()}
    bare = "beside an empty sheet that pyHanko signs as it comes"
    return [
        Row("PDF (PDF/UA-1, PDF/A-2a), median, beside an empty sheet", ms["PDF"], "ms", ms["empty"]),
        Row("PDF, p99", p99["PDF"], "ms", p99["empty"]),
        Row(f"PDF, signed, median, {bare}", ms["PDF, signed"], "ms", ms["empty, signed"]),
        Row("PDF, signed, p99", p99["PDF, signed"], "ms", p99["empty, signed"]),
        Row(f"card, signed, median, {bare}", ms["card, signed"], "ms", ms["empty, signed"]),
        Row(f"large print, signed, median, {bare}", ms["large print, signed"], "ms", ms["empty, signed"]),
        Row("picture, median, beside an empty picture", ms["picture"], "ms", ms["empty picture"]),
        *(Row(f"size of the {name}", len(draw(_facts(0), qr)) / 1000, "kB") for name, draw in draws.items()),
        Row("a QR code, made once a certificate", _qr_ms(count), "ms"),
    ]


class _Empty:
    """A sheet with one letter, drawn and signed without anything prepared."""

    def __init__(self, folder: Path, key: str) -> None:
        source = folder / "empty.typ"
        source.write_text(_EMPTY, encoding="utf-8")
        fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=False,
            font_paths=[str(TEMPLATES / "certificate" / "fonts")],
        )
        self._compiler = typst.Compiler(input=str(source), root=str(folder), font_paths=fonts)
        self._round = 0
        pem = key.encode()
        self._signer = SimpleSigner(
            signing_cert=next(iter(load_certs_from_pemder_data(pem[pem.index(b"-----BEGIN CERT") :]))),
            signing_key=load_private_key_from_pemder_data(pem[: pem.index(b"-----BEGIN CERT")], passphrase=None),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
        )

    def sheet(self) -> bytes:
        return self._compiled({}, _AS_OURS)

    def picture(self) -> bytes:
        return self._compiled({"picture": "yes"}, _AS_PICTURE)

    def signed(self) -> object:
        writer = IncrementalPdfFileWriter(BytesIO(self.sheet()))
        return sign_pdf(writer, PdfSignatureMetadata(field_name="Signature"), signer=self._signer)

    def _compiled(self, inputs: dict[str, str], options: dict[str, Any]) -> bytes:
        """The input differs each time, so that nothing is remembered."""
        self._round += 1
        drawn: Any = self._compiler.compile(sys_inputs={"round": str(self._round), **inputs}, **options)
        return bytes(drawn)


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
