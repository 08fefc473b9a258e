"""The drawn certificate: standards, sameness, safety. What needs poppler is in test_pdf_seen.py."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from notifier.certificates.pdf import CertificateNotDrawn, CertificateRenderer
from notifier.certificates.qr import make_qr
from tests.certificates.samples import (
    FIRST_DOSE,
    QR_TEXT,
    SECOND_DOSE,
    TEMPLATES,
    certificate_facts,
    png_green,
    png_size,
    read_codes,
)

QR = make_qr(QR_TEXT)
LARGEST_PDF = 100 * 1024
PDFS = ["pdf", "card", "large"]
ALL = [*PDFS, "png"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def renderer() -> CertificateRenderer:
    return CertificateRenderer(TEMPLATES)


def in_another_process(script: str) -> str:
    prelude = (
        "import hashlib, os, signal, sys\n"
        "from notifier.certificates.pdf import CertificateNotDrawn, CertificateRenderer\n"
        "from notifier.certificates.qr import make_qr\n"
        "from tests.certificates.samples import QR_TEXT, TEMPLATES, certificate_facts\n"
        "renderer, qr = CertificateRenderer(TEMPLATES), make_qr(QR_TEXT)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", prelude + script], capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def spoilt_templates(folder: Path, first_line: str) -> Path:
    """The templates with a line of Typst before those of the A4 sheet."""
    shutil.copytree(TEMPLATES, folder / "certificate")
    sheet = folder / "certificate" / "certificate.typ"
    sheet.write_text(first_line + "\n" + sheet.read_text())
    return folder / "certificate"


@pytest.mark.parametrize("draw", PDFS)
def test_every_pdf_declares_pdf_ua_1_and_pdf_a_2a(renderer: CertificateRenderer, draw: str):
    pdf = getattr(renderer, draw)(certificate_facts(), QR)
    assert pdf.startswith(b"%PDF-1.7")
    for claim in (b"<pdfuaid:part>1<", b"<pdfaid:part>2<", b"<pdfaid:conformance>A<"):
        assert claim in pdf


@pytest.mark.parametrize("draw", PDFS)
def test_a_pdf_names_its_language_title_and_issuer_but_not_the_person(renderer: CertificateRenderer, draw: str):
    pdf = getattr(renderer, draw)(certificate_facts(), QR)
    metadata = pdf[pdf.index(b"<x:xmpmeta") : pdf.index(b"</x:xmpmeta>")].decode()
    assert "Sertifikat Vaksinasi / Vaccination Certificate SRT-7K2M-9QXD" in metadata
    assert ">Kementerian Kesehatan<" in metadata
    assert ">id-ID<" in metadata
    assert "2026-05-23T02:00:00" in metadata
    assert "Siti" not in metadata


@pytest.mark.parametrize("draw", PDFS)
@pytest.mark.parametrize("name", ["Siti", "Raden " * 20, "عبد الرحمن ꦱꦶꦠꦶ ᬲᬶᬢᬶ Nguyễn"])
def test_a_pdf_stays_under_100_kb_with_eight_doses_and_a_large_code(
    renderer: CertificateRenderer, name: str, draw: str
):
    doses = tuple(replace(SECOND_DOSE, number=number, series_total=8) for number in range(1, 9))
    large = make_qr("HC1:" + "6BFOXN%TS3DH0YOJ58S" * 26)
    assert len(getattr(renderer, draw)(certificate_facts(name=name, doses=doses), large)) <= LARGEST_PDF


def test_the_same_certificate_has_the_same_bytes_in_every_process(renderer: CertificateRenderer):
    here = [hashlib.sha256(getattr(renderer, draw)(certificate_facts(), QR)).hexdigest() for draw in ALL]
    there = in_another_process(
        f"for draw in {ALL}:\n    print(hashlib.sha256(getattr(renderer, draw)(certificate_facts(), qr)).hexdigest())\n"
    )
    assert there.split() == here


def test_eight_threads_draw_at_once_and_never_mix_their_certificates(renderer: CertificateRenderer):
    names = [f"Penerima {number}" for number in range(16)]
    draw = [getattr(renderer, PDFS[number % 3]) for number in range(16)]
    alone = [draw[place](certificate_facts(name=name), QR) for place, name in enumerate(names)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda place: draw[place](certificate_facts(name=names[place]), QR), range(16)))
    assert together == alone
    assert len(set(alone)) == len(names)


def test_a_child_draws_when_its_parent_only_built_the_renderer():
    printed = in_another_process(
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(60)\n"  # a hang ends the child, and the exit code below tells
        "    os._exit(0 if renderer.pdf(certificate_facts(), qr).startswith(b'%PDF') else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert printed == "0"


def test_a_child_whose_parent_has_drawn_refuses_instead_of_hanging():
    printed = in_another_process(
        "renderer.pdf(certificate_facts(), qr)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    signal.alarm(60)\n"
        "    try:\n"
        "        renderer.pdf(certificate_facts(), qr)\n"
        "    except CertificateNotDrawn as refused:\n"
        "        os._exit(7 if 'fork' in str(refused) else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert printed == "7"


def test_an_emoji_in_a_name_is_printed_as_a_question_mark_and_counted(renderer: CertificateRenderer):
    smiling, asking = certificate_facts(name="Budi 😀"), certificate_facts(name="Budi ?")
    for draw in (renderer.draw_pdf, renderer.draw_card, renderer.draw_large, renderer.draw_png):
        assert draw(smiling, QR).replaced == 1
        assert draw(asking, QR).replaced == 0
    assert renderer.pdf(smiling, QR) == renderer.pdf(asking, QR)


def test_every_character_that_we_take_for_printable_is_printed_by_typst(renderer: CertificateRenderer):
    characters = sorted(map(chr, renderer.coverage.characters))
    for seed in range(4):
        name = "".join(random.Random(seed).sample(characters, 150))
        assert renderer.draw_pdf(certificate_facts(name=name), QR).replaced == 0


def test_what_typst_refuses_is_drawn_again_in_plain_latin(tmp_path: Path):
    moody = '#if json(bytes(sys.inputs.sheet)).name.contains("ꦱ") { panic("not today") }'
    drawing = CertificateRenderer(spoilt_templates(tmp_path, moody)).draw_pdf(certificate_facts(name="Siti ꦱ"), QR)
    assert drawing.replaced == 1
    assert drawing.data.startswith(b"%PDF")


def test_a_failure_never_tells_what_was_drawn(tmp_path: Path):
    broken = CertificateRenderer(spoilt_templates(tmp_path, "#panic(sys.inputs.sheet)"))
    with pytest.raises(CertificateNotDrawn) as failure:
        broken.pdf(certificate_facts(), QR)
    assert "Siti" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None


@pytest.mark.parametrize("gone", ["picture.typ", "card.typ", "large.typ", "fonts/NotoSans-Bold.ttf"])
def test_a_missing_template_or_font_is_found_at_the_start(tmp_path: Path, gone: str):
    shutil.copytree(TEMPLATES, tmp_path / "certificate")
    (tmp_path / "certificate" / gone).unlink()
    with pytest.raises(FileNotFoundError, match=Path(gone).name):
        CertificateRenderer(tmp_path / "certificate")


def test_drawing_writes_no_file(tmp_path: Path):
    shutil.copytree(TEMPLATES, tmp_path / "certificate")
    before = sorted(tmp_path.rglob("*"))
    renderer = CertificateRenderer(tmp_path / "certificate")
    renderer.pdf(certificate_facts(), QR)
    renderer.png(certificate_facts(), QR)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("draw", ALL)
def test_the_hidden_digits_of_a_nik_leave_no_trace(renderer: CertificateRenderer, draw: str):
    one, other = certificate_facts(nik="3174014105840009"), certificate_facts(nik="3174992212700009")
    assert getattr(renderer, draw)(one, QR) == getattr(renderer, draw)(other, QR)


@pytest.mark.parametrize("draw", ["png", "card"])
def test_what_is_shared_or_lost_does_not_bear_the_birth_date_that_opens_the_link(
    renderer: CertificateRenderer, draw: str
):
    one, other = certificate_facts(), certificate_facts(birth_date=date(1950, 12, 31))
    assert getattr(renderer, draw)(one, QR) == getattr(renderer, draw)(other, QR)


def test_the_picture_is_as_wide_as_a_phone_and_portrait(renderer: CertificateRenderer):
    width, height = png_size(renderer.png(certificate_facts(), QR))
    assert width == 1080
    assert width < height < 2400


def test_the_code_is_read_from_the_picture(renderer: CertificateRenderer):
    assert [code.text for code in read_codes(*png_green(renderer.png(certificate_facts(), QR)))] == [QR_TEXT]


@pytest.mark.parametrize("status", ["replaced", "revoked"])
def test_the_code_is_still_read_from_the_picture_of_a_certificate_that_no_longer_holds(
    renderer: CertificateRenderer, status: str
):
    picture = renderer.png(certificate_facts(status=status), QR)
    assert [code.text for code in read_codes(*png_green(picture))] == [QR_TEXT]


@pytest.mark.parametrize(
    "facts",
    [
        certificate_facts(nik=None),
        certificate_facts(name="Suharto", doses=(FIRST_DOSE,), this_dose=FIRST_DOSE),
        certificate_facts(doses=()),
        certificate_facts(time_zone="Asia/Jayapura"),
    ],
    ids=["no NIK", "one word", "no doses", "another zone"],
)
def test_what_is_missing_leaves_a_gap_and_not_an_error(renderer: CertificateRenderer, facts):
    for draw in (renderer.draw_pdf, renderer.draw_card, renderer.draw_large, renderer.draw_png):
        assert draw(facts, QR).replaced == 0


def test_a_dose_of_which_only_date_and_code_are_known_is_drawn(renderer: CertificateRenderer):
    bare = replace(FIRST_DOSE, number=None, series_total=None, product="", lot=None, facility=None)
    for draw in (renderer.draw_pdf, renderer.draw_card, renderer.draw_large, renderer.draw_png):
        assert draw(certificate_facts(doses=(bare,), this_dose=bare), QR).replaced == 0
