"""The PDF as somebody else's reader sees it: poppler's tools."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from notifier.certificates.facts import CertificateFacts
from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.qr import QrMatrix, make_qr
from tests.certificates.samples import QR_TEXT, SECOND_DOSE, TEMPLATES, certificate_facts, pgm, read_codes
from tests.requirements import require

QR = make_qr(QR_TEXT)
MARGIN = 56.0  # 20 mm in points, a little less
A4_WIDTH = 595.3
EIGHT = tuple(
    replace(SECOND_DOSE, number=number, series_total=8, given_on=date(2026, number + 1, 20 + number))
    for number in range(1, 9)
)


@pytest.fixture(autouse=True)
def poppler() -> None:
    require("poppler")


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    return CertificateRenderer(TEMPLATES)


@pytest.fixture
def see(renderer: CertificateRenderer, tmp_path: Path):
    """Draws facts and answers what a poppler tool prints about them."""

    def ask(tool: list[str], facts: CertificateFacts, *, qr: QrMatrix = QR, after: tuple[str, ...] = ()) -> bytes:
        file = tmp_path / "certificate.pdf"
        file.write_bytes(renderer.pdf(facts, qr))
        return subprocess.run([*tool, str(file), *after], capture_output=True, check=True, timeout=60).stdout

    return ask


def text_of(see, facts: CertificateFacts) -> str:
    """The words in reading order, with every run of blanks as one."""
    read = see(["pdftotext", "-raw", "-enc", "UTF-8"], facts, after=("-",)).decode().replace("\u200b", "")
    return " ".join(read.split())


def test_pdfinfo_says_tagged_one_page_a4(see):
    info = see(["pdfinfo"], certificate_facts()).decode()
    assert re.search(r"^Tagged:\s+yes$", info, re.M)
    assert re.search(r"^Pages:\s+1$", info, re.M)
    assert "(A4)" in info


def test_pdfinfo_finds_both_standards_in_the_metadata(see):
    metadata = see(["pdfinfo", "-meta"], certificate_facts()).decode()
    assert "<pdfuaid:part>1<" in metadata
    assert "<pdfaid:part>2<" in metadata


def test_all_fonts_are_embedded_subsets(see):
    rows = see(["pdffonts"], certificate_facts(name="Siti عبد ꦱꦶ")).decode().splitlines()[2:]
    assert len(rows) >= 4
    for row in rows:
        assert re.search(r"^[A-Z]{6}\+Noto.* yes yes yes ", row), row


def test_the_tags_hold_a_title_a_table_with_heads_and_pictures(see):
    tree = see(["pdfinfo", "-struct"], certificate_facts()).decode()
    for tag in ("H1 ", "H2 ", "Table", "THead", "TBody"):
        assert tag in tree
    assert len(re.findall(r"^\s+TH\b", tree, re.M)) == 5
    assert len(re.findall(r"^\s+Figure\b", tree, re.M)) == 2


def test_the_sheet_says_all_that_it_must_in_both_languages(see):
    text = text_of(see, certificate_facts())
    for words in (
        "Kementerian Kesehatan",
        "Sertifikat Vaksinasi Vaccination Certificate",
        "Sah · dosis 2 dari 2 Valid · dose 2 of 2",
        "Siti Nurhaliza Rahmawati",
        "1 Mei 1984 1 May 1984",
        "3174••••••••0009",
        "23 Mei 2026 23 May 2026",
        "FK8917",
        "Puskesmas Tebet",
        "Periksa di vaks.id/verify Check at vaks.id/verify",
        "SRT-7K2M-9QXD",
        "Diterbitkan 23 Mei 2026 pukul 09.00 WIB Issued 23 May 2026, 09:00 WIB",
    ):
        assert words in text


@pytest.mark.parametrize("product", ["", "208"])
def test_a_vaccine_known_by_its_code_alone_is_called_a_code(see, product: str):
    unnamed = replace(SECOND_DOSE, product=product)
    text = text_of(see, certificate_facts(doses=(unnamed,), this_dose=unnamed))
    assert text.count("208") == 1
    assert "Kode / Code 208" in text


def test_the_issue_time_is_that_of_the_zone_named(see):
    assert "pukul 11.00 WIT" in text_of(see, certificate_facts(time_zone="Asia/Jayapura"))


@pytest.mark.parametrize(
    "name",
    ["#eval(read(sys.inputs.qr)) *bold* _it_ $x$", "\\#panic() `raw` <label> @ref", '"]; #sys // /* {', "= Judul"],
)
def test_markup_in_a_name_is_printed_as_it_was_written(see, name: str):
    assert name in text_of(see, certificate_facts(name=name, issuer="#[x] *y*"))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("revoked", ["Dicabut · dosis 2 dari 2", "tidak berlaku lagi", "Revoked · dose 2 of 2", "DICABUT", "REVOKED"]),
        (
            "replaced",
            ["Diganti · dosis 2 dari 2", "tidak berlaku lagi", "Replaced · dose 2 of 2", "DIGANTI", "REPLACED"],
        ),
    ],
)
def test_a_certificate_that_no_longer_holds_says_so_above_and_across(see, status: str, words: list[str]):
    text = text_of(see, certificate_facts(status=status))
    assert not [missing for missing in words if missing not in text]
    assert "Sah" not in text
    assert "Valid ·" not in text


@pytest.mark.parametrize(
    "facts",
    [
        certificate_facts(name="Raden Ajeng Kusumaningtyas Wiryanegara Hadiningrat Suryokusumo " * 2),
        certificate_facts(name="W" * 120),
        certificate_facts(
            name="Panji" * 30, doses=(replace(SECOND_DOSE, lot="M" * 40, facility="W" * 60, product="W" * 60),)
        ),
        certificate_facts(doses=EIGHT, issuer="Dinas Kesehatan Kabupaten " * 5, verify_host="vaksin." * 8 + "go.id"),
    ],
    ids=["120 characters", "one word of 120", "unbroken everywhere", "eight doses"],
)
def test_nothing_runs_over_the_margin(see, facts: CertificateFacts):
    boxes = see(["pdftotext", "-bbox"], facts, after=("-",)).decode()
    words = [(float(left), float(right)) for left, right in re.findall(r'xMin="([\d.]+)".*?xMax="([\d.]+)"', boxes)]
    assert words
    assert min(left for left, _ in words) > MARGIN - 2
    assert max(right for _, right in words) < A4_WIDTH - MARGIN + 2


def test_a_long_name_is_printed_whole(see):
    name = "Raden Ajeng Kusumaningtyas Wiryanegara Hadiningrat Suryokusumo Binti Abdurrahman Wahid Martapura Indah"
    assert name in text_of(see, certificate_facts(name=name))


def test_eight_doses_fit_one_page(see):
    assert re.search(r"^Pages:\s+1$", see(["pdfinfo"], certificate_facts(doses=EIGHT)).decode(), re.M)


def test_more_than_a_page_repeats_the_table_heads_and_numbers_the_pages(see):
    text = text_of(see, certificate_facts(doses=EIGHT * 3))
    assert text.count("Nomor lot") == 2
    assert "1 / 2" in text
    assert "2 / 2" in text


@pytest.mark.parametrize("resolution", ["72", "150"])
@pytest.mark.parametrize("status", ["valid", "revoked"])
def test_the_code_is_read_from_the_printed_page(see, resolution: str, status: str):
    page = see(["pdftoppm", "-gray", "-r", resolution], certificate_facts(status=status))
    assert [code.text for code in read_codes(*pgm(page))] == [QR_TEXT]


def test_a_verifiable_code_of_500_characters_is_read_from_the_printed_page(see):
    text = "HC1:" + "6BFOXN%TS3DH0YOJ58S" * 26
    page = see(["pdftoppm", "-gray", "-r", "150"], certificate_facts(), qr=make_qr(text))
    assert [code.text for code in read_codes(*pgm(page))] == [text]
