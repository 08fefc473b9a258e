"""The card and the large print as somebody else's reader sees them: poppler's tools."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from notifier.certificates.facts import CertificateFacts
from notifier.certificates.pdf import CertificateRenderer
from notifier.certificates.qr import QrMatrix, make_qr
from tests.certificates.samples import (
    FIRST_DOSE,
    QR_TEXT,
    SECOND_DOSE,
    TEMPLATES,
    certificate_facts,
    pgm,
    read_codes,
)
from tests.requirements import require

QR = make_qr(QR_TEXT)
POINTS_PER_MM = 72 / 25.4
CARD_WIDTH, CARD_HEIGHT = 85.6 * POINTS_PER_MM, 54 * POINTS_PER_MM
CARD_MARGIN = 3.6 * POINTS_PER_MM
A4_WIDTH, A4_MARGIN = 210 * POINTS_PER_MM, 18 * POINTS_PER_MM
LEAST_LARGE = 18.0
HC1 = "HC1:" + "6BFOXN%TS3DH0YOJ58S" * 26
LONG_NAME = "Raden Ajeng Kusumaningtyas Wiryanegara Hadiningrat Suryokusumo Binti Abdurrahman Wahid Martapura Indah"
SIX = tuple(
    replace(SECOND_DOSE, number=number, series_total=6, given_on=date(2026, number + 1, 20 + number))
    for number in range(1, 7)
)
WIDEST = [
    certificate_facts(name=LONG_NAME, doses=SIX, issuer="Dinas Kesehatan Kabupaten Kepulauan Siau Tagulandang Biaro"),
    certificate_facts(name="W" * 200, issuer="W" * 60, verify_host="vaksin." * 8 + "go.id"),
    certificate_facts(name="Panji" * 40, doses=(replace(SECOND_DOSE, product="W" * 60, lot="M" * 40),)),
    certificate_facts(name="Siti عبد الرحمن ꦱꦶꦠꦶ ᬲᬶᬢᬶ Nguyễn"),
    certificate_facts(name=LONG_NAME, status="revoked"),
]
Ask = Callable[..., str]


@pytest.fixture(autouse=True)
def poppler() -> None:
    require("poppler")


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    return CertificateRenderer(TEMPLATES)


@pytest.fixture
def ask(renderer: CertificateRenderer, tmp_path: Path) -> Callable[..., bytes]:
    """Draws facts as `kind` and answers what a poppler tool prints about them."""

    def tool(kind: str, command: list[str], facts: CertificateFacts, qr: QrMatrix = QR) -> bytes:
        file = tmp_path / f"{kind}.pdf"
        file.write_bytes(getattr(renderer, kind)(facts, qr))
        after = ["-"] if command[0] == "pdftotext" else []
        return subprocess.run([*command, str(file), *after], capture_output=True, check=True, timeout=60).stdout

    return tool


def words_of(ask: Ask, kind: str, facts: CertificateFacts) -> str:
    """The words in reading order, with every run of blanks as one."""
    return " ".join(ask(kind, ["pdftotext", "-raw"], facts).decode().replace("\u200b", "").split())


def pages_of(ask: Ask, kind: str, facts: CertificateFacts, qr: QrMatrix = QR) -> int:
    found = re.search(r"^Pages:\s+(\d+)$", ask(kind, ["pdfinfo"], facts, qr).decode(), re.M)
    assert found is not None
    return int(found[1])


def codes_at(ask: Ask, kind: str, facts: CertificateFacts, qr: QrMatrix, dots: int, page: int = 1) -> list[str]:
    """The QR codes of a page, printed at `dots` per inch."""
    command = ["pdftoppm", "-gray", "-r", str(dots), "-f", str(page), "-l", str(page)]
    return [code.text for code in read_codes(*pgm(ask(kind, command, facts, qr)))]


def boxes_of(ask: Ask, kind: str, facts: CertificateFacts) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of each word, in points."""
    printed = ask(kind, ["pdftotext", "-bbox"], facts).decode()
    found = re.findall(r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)"', printed)
    return [(float(a), float(b), float(c), float(d)) for a, b, c, d in found]


@pytest.mark.parametrize("name", ["ꦱꦸꦭꦱ꧀ꦠꦿꦶ ꦮꦶꦗꦪ", "ᬳᬶ ᬕᬸᬲ᭄ᬢᬶ ᬗᬸᬭᬄ", "محمد عبد الرحمن الحسيني", "Siti Aminah"])
@pytest.mark.parametrize(("kind", "below"), [("pdf", "Tanggal"), ("large", "Tanggal"), ("card", "NIK")])
def test_letters_that_hang_low_do_not_reach_the_line_below_the_name(ask: Ask, kind: str, below: str, name: str):
    facts = certificate_facts(name=name)
    words = ask(kind, ["pdftotext", "-bbox"], facts).decode()
    found = re.search(rf'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">{below}<', words)
    assert found is not None
    top, bottom = float(found[1]), float(found[2])
    dots = 300
    width, _, grey = pgm(ask(kind, ["pdftoppm", "-gray", "-r", str(dots), "-l", "1"], facts))
    row = round((top + 0.12 * (bottom - top)) * dots / 72)  # above its capitals, which begin a third below
    assert all(level > 200 for level in grey[row * width : row * width + width // 2])


# --- the card


def test_the_card_is_as_large_as_an_identity_card_and_two_doses_fit_its_front(ask: Ask):
    info = ask("card", ["pdfinfo"], certificate_facts()).decode()
    size = re.search(r"^Page size:\s+([\d.]+) x ([\d.]+) pts", info, re.M)
    assert size is not None
    assert abs(float(size[1]) - CARD_WIDTH) < 0.1
    assert abs(float(size[2]) - CARD_HEIGHT) < 0.1
    assert re.search(r"^Pages:\s+1$", info, re.M)
    assert re.search(r"^Tagged:\s+yes$", info, re.M)


def test_the_card_says_in_both_languages_who_had_which_dose_when(ask: Ask):
    text = words_of(ask, "card", certificate_facts())
    for words in (
        "Kementerian Kesehatan",
        "Sertifikat Vaksinasi / Vaccination Certificate",
        "Siti Nurhaliza Rahmawati NIK 3174••••••••0009",
        "Sah · dosis 2 dari 2 Valid · dose 2 of 2",
        "Dosis / Dose 1 / 2 · Comirnaty (Pfizer-BioNTech) 11 April 2026",
        "Dosis / Dose 2 / 2 · Comirnaty (Pfizer-BioNTech) 23 Mei 2026 / 23 May 2026",
        "Periksa di / Check at vaks.id/verify",
        "Nomor sertifikat / Certificate number SRT-7K2M-9QXD",
    ):
        assert words in text


def test_six_doses_go_to_the_back_as_a_table_with_heads(ask: Ask):
    facts = certificate_facts(doses=SIX)
    assert pages_of(ask, "card", facts) == 2
    text = words_of(ask, "card", facts)
    assert "Dosis / Dose Tanggal / Date Vaksin / Vaccine 1 / 6 21 Februari 2026 21 February 2026" in text
    assert "6 / 6 26 Juli 2026 26 July 2026" in text
    assert len(re.findall(r"^\s+TH\b", ask("card", ["pdfinfo", "-struct"], facts).decode(), re.M)) == 3


def test_more_doses_than_a_back_holds_go_on(ask: Ask):
    facts = certificate_facts(doses=SIX * 2)
    assert pages_of(ask, "card", facts) == 3
    assert words_of(ask, "card", facts).count("Comirnaty") == 12


@pytest.mark.parametrize("facts", WIDEST, ids=["long", "widest letters", "unbroken", "scripts", "revoked"])
@pytest.mark.parametrize("kind", ["card", "large"])
def test_nothing_runs_over_the_margin(ask: Ask, kind: str, facts: CertificateFacts):
    width, margin = (CARD_WIDTH, CARD_MARGIN) if kind == "card" else (A4_WIDTH, A4_MARGIN)
    boxes = boxes_of(ask, kind, facts)
    assert min(left for left, *_ in boxes) > margin - 2
    assert max(right for _, _, right, _ in boxes) < width - margin + 2
    if kind == "card":
        assert max(bottom for *_, bottom in boxes) < CARD_HEIGHT - CARD_MARGIN + 3
        assert pages_of(ask, kind, facts) <= 2


@pytest.mark.parametrize(
    "facts",
    [*WIDEST[:3], certificate_facts(), certificate_facts(name="Wawan Wismoyo Mangunkusumo", doses=SIX[:2])],
    ids=["long", "widest letters", "unbroken", "plain", "two lines"],
)
def test_no_line_of_a_card_lies_upon_another(ask: Ask, facts: CertificateFacts):
    """Of each two words, one is beside, above or below the other; boxes are as high as the font, which is more than the
    letters, so a third may be shared."""
    for page in ask("card", ["pdftotext", "-bbox"], facts).decode().split("<page ")[1:]:
        found = re.findall(r'xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)"', page)
        boxes = [tuple(map(float, one)) for one in found]
        for place, (left, top, right, bottom) in enumerate(boxes):
            for other_left, other_top, other_right, other_bottom in boxes[:place]:
                beside = left >= other_right - 0.1 or other_left >= right - 0.1
                shared = min(bottom, other_bottom) - max(top, other_top)
                assert beside or shared < 0.4 * min(bottom - top, other_bottom - other_top)


@pytest.mark.parametrize("dots", [200, 300, 600])
@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (certificate_facts(), QR_TEXT),
        (certificate_facts(), "https://sertifikat.kesehatan.example.go.id/verify?n=SRT-7K2M-9QXD"),
        (certificate_facts(name="W" * 200, issuer="W" * 60, verify_host="vaksin." * 8 + "go.id"), QR_TEXT),
        (certificate_facts(doses=SIX), QR_TEXT),
        (certificate_facts(status="revoked"), QR_TEXT),
        (certificate_facts(name=LONG_NAME), HC1),
    ],
    ids=["front", "long address", "long name", "six doses", "revoked", "HC1"],
)
def test_the_code_is_read_from_a_printed_card(ask: Ask, dots: int, facts: CertificateFacts, text: str):
    assert codes_at(ask, "card", facts, make_qr(text), dots) == [text]


def test_a_code_has_its_white_border_inside_the_card(ask: Ask):
    """Four modules of white on every side, although the card is cut at its edge (ISO/IEC 18004)."""
    for qr in (QR, make_qr(HC1)):
        dots = 600
        width, height, grey = pgm(
            ask("card", ["pdftoppm", "-gray", "-r", str(dots), "-l", "1"], certificate_facts(), qr)
        )
        [code] = read_codes(width, height, grey)
        at = code.position
        module = (at.top_right.x - at.top_left.x) / qr.size
        assert module * 25.4 / dots >= 0.39  # millimetres; printers and phones manage 0.33
        assert width - at.top_right.x >= 4 * module
        assert at.top_left.y >= 4 * module
        quiet = range(round(at.top_left.x - 4 * module), round(at.top_left.x - 1))
        rows = range(round(at.top_left.y), round(at.bottom_left.y))
        assert all(grey[y * width + x] > 200 for y in rows for x in quiet)


# --- large print


def test_nothing_in_large_print_is_smaller_than_18_points(ask: Ask):
    for facts in (certificate_facts(doses=SIX), *WIDEST):
        printed = ask("large", ["pdftohtml", "-xml", "-i", "-stdout", "-zoom", "1"], facts).decode()
        sizes = [int(size) for size in re.findall(r'<fontspec [^>]*size="(\d+)"', printed)]
        assert min(sizes) >= LEAST_LARGE


def test_large_print_says_what_the_a4_sheet_says(ask: Ask):
    text = words_of(ask, "large", certificate_facts())
    for words in (
        "Kementerian Kesehatan Sertifikat Vaksinasi Vaccination Certificate",
        "Sah · dosis 2 dari 2 Valid · dose 2 of 2",
        "Nama / Name Siti Nurhaliza Rahmawati",
        "Tanggal lahir / Date of birth 1 Mei 1984 1 May 1984",
        "NIK / National ID number 3174••••••••0009",
        "Dosis 2 dari 2 / Dose 2 of 2 Tanggal Date 23 Mei 2026 23 May 2026",
        "Vaksin Vaccine Comirnaty (Pfizer-BioNTech) Kode / Code 208",
        "Nomor lot Lot number FK8917",
        "Tempat Place Puskesmas Tebet",
        "Periksa di vaks.id/verify Check at vaks.id/verify",
        "Nomor sertifikat / Certificate number SRT-7K2M-9QXD",
        "Issued 23 May 2026, 09:00 WIB",
    ):
        assert words in text


def test_large_print_leaves_out_what_was_not_recorded(ask: Ask):
    bare = replace(FIRST_DOSE, lot=None, facility=None, number=None)
    text = words_of(ask, "large", certificate_facts(doses=(bare,), this_dose=bare, nik=None))
    assert "Dosis / Dose Tanggal" in text
    assert not [words for words in ("NIK", "Lot number", "Tempat", "—") if words in text]


def test_two_doses_in_large_print_take_two_pages_and_six_take_four(ask: Ask):
    assert pages_of(ask, "large", certificate_facts()) == 2
    assert pages_of(ask, "large", certificate_facts(doses=SIX)) == 4


def test_the_heads_of_large_print_lead_from_dose_to_dose(ask: Ask):
    tree = ask("large", ["pdfinfo", "-struct"], certificate_facts(doses=SIX)).decode()
    assert [len(re.findall(rf"^\s+{tag}\b", tree, re.M)) for tag in ("H1", "H2", "H3")] == [1, 1, 6]


@pytest.mark.parametrize("text", [QR_TEXT, HC1])
def test_the_code_is_read_from_large_print(ask: Ask, text: str):
    assert codes_at(ask, "large", certificate_facts(), make_qr(text), 100, page=2) == [text]
