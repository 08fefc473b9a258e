"""The signature under a PDF: valid for other people's readers, broken by any change, and no harm to the standards."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.qr import make_qr
from notifier.certificates.signature import PdfSigner
from notifier.certificates.signing import LateSigner, pdf_signer
from notifier.core.errors import BadSettings
from notifier.core.pdf_keys import new_pdf_key, read_pdf_key
from notifier.services import Services
from tests.certificates.samples import QR_TEXT, SECOND_DOSE, TEMPLATES, certificate_facts
from tests.pdf_keys import a_chain, a_pdf_key
from tests.requirements import require

AT = datetime(2026, 11, 23, 3, 12, 45, 678_900, tzinfo=UTC)
ISSUER = "Dinas Kesehatan Kota Ünïq “Satu” ꦱ"
LARGEST_PDF = 100 * 1024
SHEETS = ["pdf", "card", "large"]
Ask = Callable[..., str]


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    return CertificateRenderer(TEMPLATES)


@pytest.fixture(scope="module")
def drawn(renderer: CertificateRenderer) -> dict[str, bytes]:
    """Each kind of sheet, unsigned."""
    return {name: getattr(renderer, name)(certificate_facts(), make_qr(QR_TEXT)) for name in SHEETS}


@pytest.fixture(scope="module")
def signer() -> PdfSigner:
    return PdfSigner(read_pdf_key(a_pdf_key("Dinas Kesehatan")), ISSUER)


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """What one of poppler's tools says about a PDF."""
    require("poppler")

    def tool(*command: str, pdf: bytes) -> str:
        file = tmp_path / "signed.pdf"
        file.write_bytes(pdf)
        done = subprocess.run([*command, str(file)], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout

    return tool


@pytest.mark.parametrize("sheet", SHEETS)
def test_pdfsig_calls_the_signature_valid(ask: Ask, drawn: dict[str, bytes], signer: PdfSigner, sheet: str):
    said = ask("pdfsig", pdf=signer.sign(drawn[sheet], AT))
    for words in (
        "Signature Validation: Signature is Valid.",
        "Signer Certificate Common Name: Dinas Kesehatan",
        "Signing Hash Algorithm: SHA-256",
        "Signature Type: ETSI.CAdES.detached",
        "Total document signed",
    ):
        assert words in said
    assert said.count("Signature #") == 1


@pytest.mark.parametrize("sheet", SHEETS)
def test_the_standards_and_tags_survive_the_signature(ask: Ask, drawn: dict[str, bytes], signer: PdfSigner, sheet: str):
    unsigned, signed = drawn[sheet], signer.sign(drawn[sheet], AT)
    for claim in ("<pdfuaid:part>1<", "<pdfaid:part>2<", "<pdfaid:conformance>A<"):
        assert claim in ask("pdfinfo", "-meta", pdf=signed)
    assert ask("pdfinfo", "-meta", pdf=signed) == ask("pdfinfo", "-meta", pdf=unsigned)
    assert re.search(r"^Tagged:\s+yes$", ask("pdfinfo", pdf=signed), re.M)
    tree, before = ask("pdfinfo", "-struct-text", pdf=signed), ask("pdfinfo", "-struct-text", pdf=unsigned)
    assert tree.startswith(before.rstrip("\n"))
    assert tree[len(before) :].split()[:2] == ["Form", "Object"]


def test_the_drawn_bytes_stand_unchanged_before_the_signature(drawn: dict[str, bytes], signer: PdfSigner):
    signed = signer.sign(drawn["pdf"], AT)
    assert signed.startswith(drawn["pdf"])
    assert len(signed) - len(drawn["pdf"]) < 5 * 1024
    assert len(signed) <= LARGEST_PDF


def test_the_field_has_its_place_in_the_tags(drawn: dict[str, bytes], signer: PdfSigner):
    """PDF/UA-1, 7.18.4: inside a Form element, which the page's parent tree finds by the field's number."""
    for sheet in SHEETS:
        tree = PdfFileReader(BytesIO(signer.sign(drawn[sheet], AT))).root["/StructTreeRoot"]
        form = tree["/K"][0]["/K"][-1].get_object()
        widget = form["/K"]["/Obj"]
        assert form["/S"] == "/Form"
        assert form["/Alt"] == widget["/TU"]
        numbers = tree["/ParentTree"]["/Nums"]
        assert numbers[-2] == widget["/StructParent"] == tree["/ParentTreeNextKey"] - 1
        assert numbers[-1].get_object() == form


def test_a_long_document_is_signed_as_well(ask: Ask, renderer: CertificateRenderer, signer: PdfSigner):
    doses = tuple(replace(SECOND_DOSE, number=number, series_total=60) for number in range(60))
    long = renderer.large(certificate_facts(doses=doses), make_qr(QR_TEXT))
    signed = signer.sign(long, AT)
    assert "Signature is Valid" in ask("pdfsig", pdf=signed)
    assert int(re.findall(r"Pages:\s+(\d+)", ask("pdfinfo", pdf=signed))[0]) > 20


def test_the_field_is_unseen_in_the_way_that_both_standards_allow(drawn: dict[str, bytes], signer: PdfSigner):
    """PDF/A: printed, never hidden, without size. PDF/UA: off the page, with a name to be read aloud."""
    reader = PdfFileReader(BytesIO(signer.sign(drawn["pdf"], AT)))
    page = reader.root["/Pages"]["/Kids"][0].get_object()
    [widget] = (one.get_object() for one in page["/Annots"])
    assert page["/Tabs"] == "/S"
    assert widget["/F"] & 0b100
    assert not widget["/F"] & 0b100011
    left, bottom, right, top = widget["/Rect"]
    assert (left, bottom) == (right, top)
    assert left < page["/MediaBox"][0]
    assert "Tanda tangan" in widget["/TU"]
    assert "/NeedAppearances" not in reader.root["/AcroForm"]


@pytest.mark.parametrize("where", ["first", "middle", "end"])
def test_one_changed_byte_is_refused(ask: Ask, drawn: dict[str, bytes], signer: PdfSigner, where: str):
    unsigned = drawn["pdf"]
    signed = bytearray(signer.sign(unsigned, AT))
    place = {
        "first": unsigned.index(b"/Title"),
        "middle": unsigned.index(b"stream", 20_000) + 40,
        "end": len(signed) - 2,
    }[where]
    signed[place] ^= 1
    assert "Signature is Valid" not in ask("pdfsig", pdf=bytes(signed))


def test_what_is_added_behind_the_signature_is_seen(ask: Ask, drawn: dict[str, bytes], signer: PdfSigner):
    said = ask("pdfsig", pdf=signer.sign(drawn["pdf"], AT) + b"\n% a later remark\n")
    assert "Total document signed" not in said


def test_the_signature_certifies_the_sheet_and_allows_no_change(drawn: dict[str, bytes], signer: PdfSigner):
    reader = PdfFileReader(BytesIO(signer.sign(drawn["pdf"], AT)))
    certified = reader.root["/Perms"]["/DocMDP"]
    [reference] = certified["/Reference"]
    assert reference["/TransformParams"]["/P"] == 1
    assert not {"/DigestMethod", "/DigestValue", "/DigestLocation"} & set(reference)  # PDF/A-2, 6.1.12


def test_the_signature_names_issuer_and_time(drawn: dict[str, bytes], signer: PdfSigner):
    local = AT.astimezone(timezone(timedelta(hours=9)))
    signature = PdfFileReader(BytesIO(signer.sign(drawn["pdf"], local))).embedded_signatures[0].sig_object
    assert signature["/M"] == "D:20261123031245Z"
    assert signature["/Location"] == ISSUER
    assert signature["/Reason"] == f"Diterbitkan oleh {ISSUER} / Issued by {ISSUER}"


def test_another_verifier_trusts_the_whole_chain_from_its_root_alone(drawn: dict[str, bytes]):
    text, root = a_chain()
    signed = PdfSigner(read_pdf_key(text), ISSUER).sign(drawn["pdf"], AT)
    [signature] = PdfFileReader(BytesIO(signed)).embedded_signatures
    trust = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(root.public_bytes(Encoding.DER))], moment=AT, allow_fetching=False
    )
    status = validate_pdf_signature(signature, trust)
    assert (status.intact, status.valid, status.trusted, status.bottom_line) == (True, True, True, True)
    assert {one.subject.native["common_name"] for one in signature.other_embedded_certs} == {"Antara"}


def test_one_signer_serves_many_threads(ask: Ask, renderer: CertificateRenderer, signer: PdfSigner):
    names = [f"Penerima {number}" for number in range(16)]
    qr = make_qr(QR_TEXT)
    alone = [renderer.pdf(certificate_facts(name=name), qr) for name in names]
    with ThreadPoolExecutor(8) as threads:
        signed = list(threads.map(lambda name: signer.sign(renderer.pdf(certificate_facts(name=name), qr), AT), names))
    assert all(whole.startswith(part) for whole, part in zip(signed, alone, strict=True))
    for each in signed:
        [signature] = PdfFileReader(BytesIO(each)).embedded_signatures
        status = validate_pdf_signature(signature, ValidationContext(trust_roots=[], moment=AT, allow_fetching=False))
        assert status.intact
        assert status.valid
    assert "Signature is Valid" in ask("pdfsig", pdf=signed[-1])


def test_it_signs_where_an_event_loop_runs_already(drawn: dict[str, bytes], signer: PdfSigner):
    async def inside() -> bytes:
        return signer.sign(drawn["pdf"], AT)

    assert asyncio.run(inside()).startswith(drawn["pdf"])


def test_every_length_of_signature_fits_its_place(drawn: dict[str, bytes], signer: PdfSigner):
    """The two numbers of an ECDSA signature take 69 to 72 bytes; all sheets are equally long."""
    assert len({len(signer.sign(drawn["pdf"], AT)) for _ in range(60)}) == 1


def test_the_largest_sheet_stays_under_100_kb_with_a_chain(renderer: CertificateRenderer):
    doses = tuple(SECOND_DOSE for _ in range(8))
    facts = certificate_facts(name="عبد الرحمن ꦱꦶꦠꦶ ᬲᬶᬢᬶ Nguyễn", doses=doses)
    large = make_qr("HC1:" + "6BFOXN%TS3DH0YOJ58S" * 26)
    signing = PdfSigner(read_pdf_key(a_chain()[0]), ISSUER)
    for sheet in SHEETS:
        assert len(signing.sign(getattr(renderer, sheet)(facts, large), AT)) <= LARGEST_PDF


def test_a_key_of_our_own_making_signs_too(ask: Ask, drawn: dict[str, bytes]):
    own = PdfSigner(read_pdf_key(new_pdf_key(AT)), ISSUER)
    assert "Signature is Valid" in ask("pdfsig", pdf=own.sign(drawn["pdf"], AT))


def test_a_process_without_the_key_has_no_signer(build_services: Callable[..., Services], services: Services):
    assert isinstance(pdf_signer(services), LateSigner)
    with pytest.raises(BadSettings, match="SERTILINK_PDF_SIGNING_KEY: not loaded"):
        pdf_signer(build_services(pdf_signing_key=None))


@pytest.mark.parametrize("text", [a_pdf_key("Dinas Kesehatan"), a_chain()[0], new_pdf_key(AT)])
def test_a_late_signer_signs_alike_and_knows_the_weight_before(ask: Ask, drawn: dict[str, bytes], text: str):
    key = read_pdf_key(text)
    late = LateSigner(key, ISSUER)
    assert abs(late.weight - PdfSigner(key, ISSUER).weight) < 100
    assert "Signature is Valid" in ask("pdfsig", pdf=late.sign(drawn["pdf"], AT))


def test_the_public_face_starts_without_pyhanko():
    script = "import linkserver.public.certificate, sys; print('pyhanko' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
