"""The weight that the page tells is that of the PDF which comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from notifier.certificates.facts import CertificateFacts
from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.qr import make_qr
from notifier.certificates.signature import PdfSigner
from notifier.certificates.weight import pdf_weight
from notifier.core.pdf_keys import read_pdf_key
from tests.certificates.samples import FIRST_DOSE, QR_TEXT, SECOND_DOSE, TEMPLATES, certificate_facts
from tests.pdf_keys import a_chain, a_pdf_key

NEARLY_KB = 3
AT = datetime(2026, 11, 23, tzinfo=UTC)
SIX = tuple(replace(SECOND_DOSE, number=number, lot=f"QX{number}7", facility="RSUD Jayapura") for number in range(6))


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    return CertificateRenderer(TEMPLATES)


@pytest.mark.parametrize("key", [a_pdf_key(), a_chain()[0]], ids=["one certificate", "a chain"])
@pytest.mark.parametrize("code", [QR_TEXT, "HC1:" + "6BFOXN%TS3DH0YOJ58S" * 26], ids=["address", "HC1"])
@pytest.mark.parametrize(
    "facts",
    [
        certificate_facts(name="Suharto", doses=(FIRST_DOSE,), this_dose=FIRST_DOSE, issuer="Dinas Kesehatan"),
        certificate_facts(),
        certificate_facts(
            name="Raden Ajeng Kusumaningtyas Wiryanegara Hadiningrat Suryokusumo Binti Abdurrahman",
            doses=SIX,
            issuer="Dinas Kesehatan Kabupaten Kepulauan Siau Tagulandang Biaro",
            verify_host="sertifikat.kesehatan.example.go.id",
        ),
        certificate_facts(name="Siti محمد"),
        certificate_facts(name="محمد عبد الرحمن الحسيني"),
        certificate_facts(name="Ketut ᬲᬶᬢᬶ"),
        certificate_facts(name="ꦱꦶꦠꦶ ꦤꦸꦂꦲꦭꦶꦗ ꦏꦸꦱꦸꦩꦮꦂꦢꦤꦶ"),
        certificate_facts(name="Nguyễn Thị Ánh Tuyết"),
    ],
    ids=["least", "usual", "much", "Arabic", "Arabic, long", "Balinese", "Javanese", "Vietnamese"],
)
def test_the_weight_is_true_within_three_kilobytes(
    renderer: CertificateRenderer, facts: CertificateFacts, code: str, key: str
):
    qr, signer = make_qr(code), PdfSigner(read_pdf_key(key), facts.issuer)
    whole = len(signer.sign(renderer.pdf(facts, qr), AT))
    assert abs(pdf_weight(facts, qr, signer.weight) - whole / 1000) <= NEARLY_KB


def test_what_was_not_recorded_weighs_nothing():
    bare = replace(FIRST_DOSE, product="", vaccine_code=None, lot=None, facility=None)
    qr = make_qr(QR_TEXT)
    assert pdf_weight(certificate_facts(doses=(bare,)), qr, 0) < pdf_weight(certificate_facts(), qr, 0)
